"""Where in a cluster workloads live, and whom their namespace has as neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_kubernetes as k8s

from infra.model.service import Service
from infra.naming import PROJECT


@dataclass(frozen=True, kw_only=True)
class ClusterSite:
    """What all workloads of a cluster share.

    Attributes:
        provider: Provider of the cluster's Kubernetes API.
        namespace: Namespace of the workloads; pass the created Namespace's name, so that data flow orders them.
        vpc_cidr: Range of the VPC, where the interface endpoints of AWS services answer on 443.
        data_cidrs: Ranges of the subnets that hold databases, caches and brokers.
        ingress_namespace: Namespace of the ingress controller's pods.
        mesh_namespace: Namespace of istiod.
        monitoring_namespace: Namespace of Prometheus.
        pooler_namespace: Namespace of the connection pooler; none: the database is reached directly.
        after: Releases that bring the custom resource definitions and admission webhooks that workloads need
            (mesh, KEDA, VPA, Prometheus operator); only these, never a whole component.
        await_rollouts: Whether an update waits until pods are ready. False for a first update whose images can
            be pushed only after it made the registries.
    """

    provider: k8s.Provider
    namespace: pulumi.Input[str]
    vpc_cidr: str
    data_cidrs: Sequence[pulumi.Input[str]]
    ingress_namespace: str
    mesh_namespace: str
    monitoring_namespace: str
    pooler_namespace: str | None = None
    after: tuple[pulumi.Resource, ...] = ()
    await_rollouts: bool = True

    def waiting_for(self, *resources: pulumi.Resource) -> ClusterSite:
        """This site for a workload that also needs `resources` first, e.g. its Pod Identity association."""
        return replace(self, after=(*self.after, *resources))


STABLE = "stable"
"""Value of the label `version` of a service's regular pods; a canary carries another."""


def selector_labels(service_name: str) -> Mapping[str, str]:
    """Labels that every pod of a service carries, whatever its version."""
    return {"app.kubernetes.io/name": service_name, "app.kubernetes.io/part-of": PROJECT}


def object_labels(service: Service) -> Mapping[str, str]:
    """Labels of a service's objects (Kubernetes' recommended ones); never used as a selector."""
    return {
        **selector_labels(service.workload_name),
        "app.kubernetes.io/component": service.name,
        "app.kubernetes.io/managed-by": "pulumi",
    }
