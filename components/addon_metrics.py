"""The metrics stack as an add-on: Prometheus, Alertmanager and Grafana by kube-prometheus-stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.addon_contract import AddOn, AddOnSizes
from infra.cluster import versions

MONITORING_NAMESPACE = "monitoring"
GRAFANA_LOGIN = "grafana-admin"
"""Secret in the namespace with the keys `user` and `password`."""
ALERTMANAGER_STORAGE_GIB = 10
_NAME = "prometheus"
PROMETHEUS_ADDRESS = f"http://{_NAME}-prometheus.{MONITORING_NAMESPACE}.svc.cluster.local:9090"
"""Where Prometheus answers inside the cluster, as the chart names its service."""
_HIDDEN_BY_EKS = ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy")
"""Parts that EKS runs or binds to the node, without metrics for the cluster."""
_SELECTED = ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig")


def volume_claim(gib: int) -> dict[str, Any]:
    """Claim template on the default storage class, in GiB."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": f"{gib}Gi"}}}
    return {"volumeClaimTemplate": {"spec": spec}}


def metrics_stack(sizes: AddOnSizes, *, node_selector: Mapping[str, str]) -> AddOn:
    """kube-prometheus-stack.

    Args:
        sizes: Replicas, days of retention and GiB of storage.
        node_selector: Labels of the nodes it runs on.
    """
    prometheus = {
        # Monitors and rules of every component count, not only those of this release.
        **{f"{kind}SelectorNilUsesHelmValues": False for kind in _SELECTED},
        "replicas": sizes.replicas,
        "retention": f"{sizes.prometheus_retention_days}d",
        "nodeSelector": node_selector,
        "storageSpec": volume_claim(sizes.prometheus_storage_gib),
    }
    alertmanager = {
        "replicas": sizes.replicas,
        "nodeSelector": node_selector,
        "storage": volume_claim(ALERTMANAGER_STORAGE_GIB),
    }
    login = {"existingSecret": GRAFANA_LOGIN, "userKey": "user", "passwordKey": "password"}
    values: dict[str, Any] = {
        **{part: {"enabled": False} for part in _HIDDEN_BY_EKS},
        "fullnameOverride": _NAME,
        "prometheus": {"prometheusSpec": prometheus},
        "prometheusOperator": {"nodeSelector": node_selector},
        "alertmanager": {"alertmanagerSpec": alertmanager},
        "grafana": {
            "nodeSelector": node_selector,
            "admin": login,
            "sidecar": {"dashboards": {"enabled": True, "searchNamespace": "ALL"}},
        },
    }
    return AddOn(
        name="kube-prometheus-stack",
        chart=versions.KUBE_PROMETHEUS_STACK,
        namespace=MONITORING_NAMESPACE,
        values=values,
    )
