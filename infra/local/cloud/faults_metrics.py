"""What moto does not measure of what it keeps, and AWS does."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

from infra.local.cloud.wrapping import around, part


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    around(part("cloudwatch.models").CloudWatchBackend, "get_metric_statistics", _get_metric_statistics)


def _get_metric_statistics(
    original: Any, self: Any, namespace: str, metric_name: str, *args: Any, **kwargs: Any
) -> Any:
    """RDS reports the lag of each replica every minute; here nothing is copied, so nothing lags.

    A lag that somebody put there, to rehearse one, comes first.
    """
    found = original(self, namespace, metric_name, *args, **kwargs)
    dimensions: list[dict[str, str]] = kwargs.get("dimensions") or (args[4] if len(args) > 4 else [])
    if found or (namespace, metric_name) != ("AWS/RDS", "ReplicaLag"):
        return found
    names = [one["Value"] for one in dimensions if one["Name"] == "DBInstanceIdentifier"]
    servers = part("rds.models").rds_backends[self.account_id][self.region_name].databases
    if not any(name in servers and servers[name].is_replica for name in names):
        return found
    cloudwatch = part("cloudwatch.models")
    now = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0)
    stats = kwargs.get("stats") or (args[3] if len(args) > 3 else ["Maximum"])
    measured = cloudwatch.Statistics(stats, now, "Seconds")
    measured.metric_data.append(
        cloudwatch.MetricDatum(
            namespace=namespace,
            name=metric_name,
            value=0.0,
            dimensions=dimensions,
            timestamp=now,
            unit="Seconds",
        )
    )
    return [measured]
