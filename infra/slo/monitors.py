"""What Prometheus scrapes beyond what charts and services bring their own monitors for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.cluster.manifests import Manifest
from infra.ports import SIDECAR_METRICS
from infra.slo.site import MetricsSite

INTERVAL = "15s"
INGRESS_METRICS = 9113
ISTIOD_METRICS = 15_014
KEDA_METRICS = 8080
"""Ports as the charts set them."""


def pod_monitors(site: MetricsSite) -> tuple[Manifest, ...]:
    """The ingress controller with its sidecar, istiod and KEDA.

    Args:
        site: Namespaces of the region's cluster.
    """
    ingress = {"app.kubernetes.io/name": "nginx-ingress"}
    return (
        _monitor("ingress-controller", site, site.ingress_namespace, ingress, _endpoint(INGRESS_METRICS)),
        _monitor(
            "ingress-sidecars",
            site,
            site.ingress_namespace,
            ingress,
            _endpoint(SIDECAR_METRICS[1], path="/stats/prometheus"),
        ),
        _monitor(
            "mesh-control-plane", site, site.mesh_namespace, {"app": "istiod"}, _endpoint(ISTIOD_METRICS)
        ),
        _monitor(
            "replica-autoscaler",
            site,
            site.autoscaler_namespace,
            {"app": "keda-operator"},
            # Its metrics name the namespace of what is scaled, not KEDA's.
            {**_endpoint(KEDA_METRICS), "honorLabels": True},
        ),
    )


def _endpoint(port: int, *, path: str = "/metrics") -> dict[str, Any]:
    return {"portNumber": port, "path": path, "interval": INTERVAL}


def _monitor(
    name: str, site: MetricsSite, namespace: str, labels: Mapping[str, str], endpoint: Mapping[str, Any]
) -> Manifest:
    return Manifest(
        key=f"monitor-{name}",
        api_version="monitoring.coreos.com/v1",
        kind="PodMonitor",
        namespace=site.monitoring_namespace,
        name=name,
        spec={
            "namespaceSelector": {"matchNames": [namespace]},
            "selector": {"matchLabels": dict(labels)},
            "podMetricsEndpoints": [dict(endpoint)],
        },
    )
