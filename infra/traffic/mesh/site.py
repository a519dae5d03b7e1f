"""What all objects of a region's mesh share: namespaces, identities and host names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.model.service import Service
from infra.naming import PROJECT

TRUST_DOMAIN = "cluster.local"
"""Istio's default, and the cluster's DNS domain."""


@dataclass(frozen=True, kw_only=True)
class MeshSite:
    """Where a region's mesh lives.

    Attributes:
        region: AWS region, whose service endpoints workloads call.
        namespace: Namespace of the services.
        root_namespace: Namespace of istiod: what stands there holds for the whole mesh.
        ingress_namespace: Namespace of the ingress controller.
        ingress_account: Service account of the ingress controller's pods.
        ingress_labels: Labels of the ingress controller's pods.
        ingress_port: Port on which those pods speak TLS themselves.
        pooler_namespace: Namespace of the connection poolers; none: the database is reached directly.
    """

    region: str
    namespace: str = PROJECT
    root_namespace: str = "istio-system"
    ingress_namespace: str = "nginx-ingress"
    ingress_account: str = "nginx-ingress"
    ingress_labels: Mapping[str, str] = field(
        default_factory=lambda: {"app.kubernetes.io/name": "nginx-ingress"}
    )
    ingress_port: int = 443
    pooler_namespace: str | None = None

    def host(self, service: Service) -> str:
        """Name by which the mesh knows a service."""
        return f"{service.workload_name}.{self.namespace}.svc.{TRUST_DOMAIN}"

    def principal(self, account: str, namespace: str | None = None) -> str:
        """Identity of pods with a service account, as mutual TLS proves it; by default of the services' namespace."""
        return f"{TRUST_DOMAIN}/ns/{namespace or self.namespace}/sa/{account}"
