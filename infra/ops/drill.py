"""Drill: failover and back on a local cloud, timed step by step, and set beside the objectives."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from infra.ops import operations
from infra.ops.cloud import Cloud
from infra.ops.errors import OpsError
from infra.ops.operations import Desk

ENDPOINT = "AWS_ENDPOINT_URL"


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One step of the drill and how long the tool worked on it."""

    run: str
    step: str
    seconds: float
    result: str


def require_local() -> None:
    """See that the endpoint is this machine's.

    Raises:
        OpsError: When it is AWS, or elsewhere.
    """
    host = urlparse(os.environ.get(ENDPOINT, "")).hostname
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise OpsError(
            "a drill moves the writer and back: it runs on a local cloud only\n"
            f"  found: {ENDPOINT}={host or '(not set)'}\n"
            "  to do: make cloud-up, then set what `make cloud-env` prints"
        )


def drill(desk: Desk, *, to: str, timeline: Path | None) -> Sequence[Timed]:
    """Fail over and back, and write down how long each step took.

    The stand-in of AWS measures no lag, so the drill says that there is none; what waits for AWS takes no time here.

    Args:
        desk: What operations work with.
        to: The region to fail over to.
        timeline: Where the timings go; none: nowhere.

    Raises:
        OpsError: When the cloud is not a local one, or a step fails.
    """
    require_local()
    before = set(desk.journals.glob("*.jsonl"))
    home = _home(desk)
    staged = replace(desk, cloud=StagedCloud())
    desk.say("staged: this cloud measures no replication lag, so the drill reports one of 0 s")
    operations.failover(staged, to=to)
    operations.failback(staged, to=home)
    journals = sorted(set(desk.journals.glob("*.jsonl")) - before, key=_began)
    timings = [one for path in journals for one in timed(path)]
    if timeline is not None:
        timeline.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "steps": [asdict(one) for one in timings],
        }
        timeline.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        desk.say(f"timeline: {timeline}")
    return timings


def _home(desk: Desk) -> str:
    writer = operations.observe(desk.estate, desk.cloud).writer
    if writer is None:
        raise OpsError("no region holds the writer\n  to do: apply the stacks on the local cloud first")
    return writer.region.name


class StagedCloud(Cloud):
    """The local cloud, where a replication lag of 0 is measured whenever somebody asks for it."""

    def lag(self, region: str, identifier: str, *, since: datetime | None = None) -> float | None:
        """See `Cloud.lag`; the stand-in of CloudWatch measures nothing by itself."""
        self.ask(
            "cloudwatch",
            region,
            "put_metric_data",
            Namespace="AWS/RDS",
            MetricData=[
                {
                    "MetricName": "ReplicaLag",
                    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
                    "Timestamp": datetime.now(UTC),
                    "Value": 0,
                }
            ],
        )
        return super().lag(region, identifier, since=since)


def timed(path: Path) -> list[Timed]:
    """What a journal says was done and how long it took, in order: the look at all regions, then the finished steps."""
    run = "-".join(path.stem.split("-")[:-2])
    found: list[Timed] = []
    for entry in _entries(path):
        if entry["event"] in ("began", "resumed"):
            found.append(Timed(run=run, step="look", seconds=entry["looked"], result="the state is known"))
        if entry["event"] == "done":
            found.append(Timed(run=run, step=entry["step"], seconds=entry["seconds"], result=entry["result"]))
    return found


def _began(path: Path) -> str:
    return str(_entries(path)[0]["at"])


def _entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
