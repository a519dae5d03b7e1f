"""PrometheusRule objects: one a service, and one for the platform."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from infra.cluster.manifests import Manifest
from infra.model.service import Service
from infra.slo import alerts, recording
from infra.slo.alerts import Alert
from infra.slo.recording import Recording
from infra.slo.site import MetricsSite

SHORT_INTERVAL = "30s"
LONG_INTERVAL = "5m"
"""Ratios over days move slowly and read many samples."""
PLATFORM = "platform"


def prometheus_rules(services: Sequence[Service], site: MetricsSite) -> tuple[Manifest, ...]:
    """Every rule of a region, as the Prometheus operator takes them.

    Args:
        services: The services that the stack runs.
        site: Names of the region's cluster.
    """
    return (*(_service_rules(service, site) for service in services), _platform_rules(site))


def alert_names(services: Sequence[Service], site: MetricsSite) -> dict[str, str]:
    """The page of each alert, by the alert's name."""
    every = [alert for service in services for alert in alerts.of_service(service)]
    return {alert.name: alert.runbook for alert in (*every, *alerts.of_platform(site))}


def _service_rules(service: Service, site: MetricsSite) -> Manifest:
    name = service.workload_name
    groups = [
        _group(f"{name}-rates", SHORT_INTERVAL, recordings=recording.short(service, site)),
        _group(f"{name}-budgets", LONG_INTERVAL, recordings=recording.long(service, site)),
        _group(f"{name}-alerts", SHORT_INTERVAL, warnings=alerts.of_service(service), runbooks=site.runbooks),
    ]
    return _manifest(name, groups, site)


def _platform_rules(site: MetricsSite) -> Manifest:
    groups = [
        _group(f"{PLATFORM}-rates", SHORT_INTERVAL, recordings=recording.platform(site)),
        _group(
            f"{PLATFORM}-alerts", SHORT_INTERVAL, warnings=alerts.of_platform(site), runbooks=site.runbooks
        ),
    ]
    return _manifest(PLATFORM, groups, site)


def _manifest(name: str, groups: list[dict[str, Any]], site: MetricsSite) -> Manifest:
    return Manifest(
        key=f"rules-{name}",
        api_version="monitoring.coreos.com/v1",
        kind="PrometheusRule",
        namespace=site.monitoring_namespace,
        name=f"{name}-objectives",
        spec={"groups": groups},
    )


def _group(
    name: str,
    interval: str,
    *,
    recordings: Iterable[Recording] = (),
    warnings: Iterable[Alert] = (),
    runbooks: str = "",
) -> dict[str, Any]:
    rules = [one.rule for one in recordings] + [one.rule(runbooks) for one in warnings]
    return {"name": name, "interval": interval, "rules": rules}
