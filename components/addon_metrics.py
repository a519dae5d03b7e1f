"""The metrics stack as an add-on: Prometheus, Alertmanager and Grafana by kube-prometheus-stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.addon_contract import AddOn, AddOnSizes, AlertTopics, AwsAccess
from infra.cluster import controller_policies as policies
from infra.cluster import versions
from infra.cluster.controller_policies import Statement
from infra.naming import StackContext
from infra.slo.alertmanager import configuration
from infra.slo.dashboards import CLOUDWATCH

MONITORING_NAMESPACE = "monitoring"
GRAFANA_LOGIN = "grafana-admin"
"""Secret in the namespace with the keys `user` and `password`."""
ALERTMANAGER_STORAGE_GIB = 10
ALERTMANAGER_ACCOUNT, GRAFANA_ACCOUNT = "alertmanager", "grafana"
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


def metrics_stack(
    sizes: AddOnSizes, *, context: StackContext, alerts: AlertTopics, node_selector: Mapping[str, str]
) -> AddOn:
    """kube-prometheus-stack.

    Args:
        sizes: Replicas, days of retention and GiB of storage.
        context: Names and region of the stack.
        alerts: Topics that Alertmanager publishes to.
        node_selector: Labels of the nodes it runs on.
    """

    def routes(topics: Mapping[str, str]) -> dict[str, Any]:
        stack = f"{context.name()} {context.region}"
        return configuration(topics=topics, region=context.region, stack=stack)

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
        "alertmanager": {
            "alertmanagerSpec": alertmanager,
            "serviceAccount": {"create": True, "name": ALERTMANAGER_ACCOUNT},
            "config": pulumi.Output.all(**_by_severity(alerts)).apply(routes),
        },
        "grafana": {
            "nodeSelector": node_selector,
            "admin": login,
            "serviceAccount": {"create": True, "name": GRAFANA_ACCOUNT},
            "sidecar": {"dashboards": {"enabled": True, "searchNamespace": "ALL"}},
            "additionalDataSources": [_cloudwatch(context.region)],
        },
    }
    topics = pulumi.Output.all(list(alerts.arns.values()), alerts.key_arn)
    return AddOn(
        name="kube-prometheus-stack",
        chart=versions.KUBE_PROMETHEUS_STACK,
        namespace=MONITORING_NAMESPACE,
        values=values,
        policies=(
            AwsAccess(service_account=ALERTMANAGER_ACCOUNT, statements=topics.apply(_publishing)),
            AwsAccess(service_account=GRAFANA_ACCOUNT, statements=policies.grafana()),
        ),
    )


def _by_severity(alerts: AlertTopics) -> dict[str, pulumi.Input[str]]:
    return {severity.value: arn for severity, arn in alerts.arns.items()}


def _publishing(values: Sequence[Any]) -> Sequence[Statement]:
    topic_arns, key_arn = values
    return policies.alertmanager(topic_arns=topic_arns, key_arn=key_arn)


def _cloudwatch(region: str) -> dict[str, Any]:
    """Grafana's source of what AWS measures, as its own identity may read it."""
    return {
        "name": "CloudWatch",
        "type": CLOUDWATCH.type_val,
        "uid": CLOUDWATCH.uid,
        "editable": False,
        "jsonData": {"authType": "default", "defaultRegion": region},
    }
