"""The one contract that every Helm add-on of a cluster fills in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as kubernetes

from infra.cluster.controller_policies import Statement
from infra.cluster.versions import Chart
from infra.model.stack import NodeScalingSettings
from infra.slo.severity import Severity

SYSTEM_NAMESPACE = "kube-system"
"""Exists in every cluster; the program never makes it."""


@dataclass(frozen=True, kw_only=True)
class AwsAccess:
    """What a controller may do in AWS, and as whom it asks.

    Attributes:
        service_account: Name of its service account, in the add-on's namespace.
        statements: Statements of its policy.
    """

    service_account: str
    statements: pulumi.Input[Sequence[Statement]]


@dataclass(frozen=True, kw_only=True)
class AddOn:
    """A Helm release of the platform.

    Attributes:
        name: Name of the release and of its resource.
        chart: Chart, repository and version, from `infra.cluster.versions`.
        namespace: Namespace it lives in.
        values: Values of the chart that differ from its defaults.
        policies: Access to AWS of each of its service accounts; none for most.
        after: Name of the add-on made before it and destroyed after it; set by `in_order`.
    """

    name: str
    chart: Chart
    namespace: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    policies: tuple[AwsAccess, ...] = ()
    after: str | None = None


@dataclass(frozen=True, kw_only=True)
class NamespacePlan:
    """A namespace of add-ons.

    Attributes:
        name: Name in the cluster.
        pod_security: Pod Security level that is enforced.
        mesh: Whether pods get a sidecar.
        targets: Whether pods are the load balancer's targets, and count as ready once it finds them healthy.
    """

    name: str
    pod_security: Literal["privileged", "baseline", "restricted"]
    mesh: bool = False
    targets: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the namespace; `restricted` warns where it is not enforced."""
        labels = {
            "pod-security.kubernetes.io/enforce": self.pod_security,
            "pod-security.kubernetes.io/warn": "restricted",
        }
        if self.targets:
            labels["elbv2.k8s.aws/pod-readiness-gate-inject"] = "enabled"
        return {**labels, "istio-injection": "enabled" if self.mesh else "disabled"}


@dataclass(frozen=True, kw_only=True)
class KafkaAccess:
    """The Kafka cluster whose consumer lag is measured.

    Attributes:
        cluster_arn: ARN of the MSK cluster.
        bootstrap_servers: Brokers with IAM authentication, `host:port` separated by commas.
    """

    cluster_arn: pulumi.Input[str]
    bootstrap_servers: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class AlertTopics:
    """Where alerts of the cluster go.

    Attributes:
        arns: SNS topic of each severity.
        key_arn: Customer key of the topics.
    """

    arns: Mapping[Severity, pulumi.Input[str]]
    key_arn: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class IngressTraffic:
    """What the ingress controller must know of the traffic that it takes.

    Attributes:
        trusted_hops: Ranges of the load balancer's subnets: whose word on a client's address is believed.
        drain_seconds: How long a leaving pod still serves: until the load balancer sends nothing more.
        request_seconds: The longest that a request may take behind it.
    """

    trusted_hops: Sequence[str]
    drain_seconds: int
    request_seconds: int


@dataclass(frozen=True, kw_only=True)
class AddOnTarget:
    """The cluster that add-ons go to.

    Attributes:
        cluster_name: Its name.
        kubernetes_version: Its minor version, e.g. `1.36`.
        provider: Kubernetes provider of the cluster.
        vpc_id: Its VPC.
        ingress: The traffic that the ingress controller takes.
        nodes: Node groups that must stand before pods can be placed.
        disk_key_arn: Customer key of persistent volumes.
        secrets_key_arn: Customer key of the stack's secrets.
        alerts: Topics that Alertmanager publishes to.
        kafka: The Kafka cluster; none: no lag is measured and the exporter is left out.
    """

    cluster_name: pulumi.Input[str]
    kubernetes_version: str
    provider: kubernetes.Provider
    vpc_id: pulumi.Input[str]
    ingress: IngressTraffic
    nodes: Sequence[pulumi.Resource]
    disk_key_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    alerts: AlertTopics
    kafka: KafkaAccess | None = None


@dataclass(frozen=True, kw_only=True)
class AddOnSizes:
    """How large and how eager the add-ons are.

    Attributes:
        replicas: Pods of each controller; 2 survive a node, 1 is for staging.
        ingress_replicas: Pods of the ingress controller; one a zone at least in production.
        prometheus_retention_days: Days that metrics are kept.
        prometheus_storage_gib: Volume of each Prometheus pod.
        node_scaling: How the Cluster Autoscaler adds and removes nodes.
        gpu: Whether a GPU pool exists and needs the device plugin.
    """

    replicas: int = 2
    ingress_replicas: int = 3
    prometheus_retention_days: int = 35
    prometheus_storage_gib: int = 100
    node_scaling: NodeScalingSettings = field(default_factory=NodeScalingSettings)
    gpu: bool = True


def in_order(add_ons: Sequence[AddOn]) -> tuple[AddOn, ...]:
    """Chain add-ons: each is made after the one before it and destroyed before it.

    Raises:
        ValueError: When two share a name.
    """
    names = [add_on.name for add_on in add_ons]
    if len(set(names)) != len(names):
        raise ValueError(f"add-on names {names} are not unique")
    before = [None, *names[:-1]]
    return tuple(replace(add_on, after=name) for add_on, name in zip(add_ons, before, strict=True))
