"""Where in a cluster workloads live, and whom their namespace has as neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_kubernetes as k8s


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
