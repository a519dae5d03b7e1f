"""All objects of a region's mesh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.catalogue import callees
from infra.cluster.manifests import Manifest
from infra.model.service import MeshAlgorithm, Service
from infra.traffic.mesh import access, filters
from infra.traffic.mesh.destinations import destination_rule, is_hashed
from infra.traffic.mesh.routes import virtual_service
from infra.traffic.mesh.site import MeshSite

NETWORKING = "networking.istio.io/v1"
FILTERS = "networking.istio.io/v1alpha3"
SECURITY = "security.istio.io/v1"
ACCEPTED_NOTICE = "IST0133"
"""Istio's warning about every EnvoyFilter for being one: it may break at an upgrade, which the tests would show."""
_VERSIONS = {
    "DestinationRule": NETWORKING,
    "VirtualService": NETWORKING,
    "ServiceEntry": NETWORKING,
    "Sidecar": NETWORKING,
    "EnvoyFilter": FILTERS,
    "PeerAuthentication": SECURITY,
    "AuthorizationPolicy": SECURITY,
}


def plan(services: Sequence[Service], site: MeshSite) -> tuple[Manifest, ...]:
    """Every Istio object of a region.

    Args:
        services: The catalogue as the stack runs it.
        site: Namespaces and identities.

    Raises:
        ValueError: When a service's balancing contradicts itself (see `infra.traffic.mesh.destinations`).
    """
    return (
        *_common(site),
        *(manifest for service in services for manifest in _of_service(service, services, site)),
    )


def _manifest(kind: str, key: str, namespace: str, name: str, spec: Mapping[str, Any]) -> Manifest:
    notes = {"galley.istio.io/analyze-suppress": ACCEPTED_NOTICE} if kind == "EnvoyFilter" else {}
    return Manifest(
        key=key,
        api_version=_VERSIONS[kind],
        kind=kind,
        namespace=namespace,
        name=name,
        spec=spec,
        annotations=notes,
    )


def _common(site: MeshSite) -> Iterator[Manifest]:
    own, ingress = site.namespace, site.ingress_namespace
    yield _manifest("PeerAuthentication", "strict", own, "default", access.STRICT)
    yield _manifest(
        "PeerAuthentication",
        "ingress-authentication",
        ingress,
        "ingress-controller",
        access.ingress_authentication(site),
    )
    yield _manifest("AuthorizationPolicy", "deny", own, "deny-by-default", access.DENY_ALL)
    yield _manifest("AuthorizationPolicy", "ingress-deny", ingress, "deny-by-default", access.DENY_ALL)
    yield _manifest("ServiceEntry", "aws", own, "aws", access.external([access.aws_host(site)]))
    yield _manifest("Sidecar", "ingress-sidecar", ingress, "ingress-controller", access.ingress_sidecar(site))


def _of_service(service: Service, services: Sequence[Service], site: MeshSite) -> Iterator[Manifest]:
    def own(kind: str, suffix: str, spec: Mapping[str, Any]) -> Manifest:
        key = f"{service.name}-{suffix}"
        return _manifest(kind, key, site.namespace, service.workload_name, spec)

    def mesh_wide(suffix: str, spec: Mapping[str, Any]) -> Manifest:
        # A filter works on the proxies of its namespace, and callers live in several.
        name = f"{service.workload_name}-{suffix}"
        return _manifest("EnvoyFilter", f"{service.name}-{suffix}", site.root_namespace, name, spec)

    yield own("DestinationRule", "destination", destination_rule(service, site))
    yield own("VirtualService", "routes", virtual_service(service, site))
    yield own("AuthorizationPolicy", "authorization", access.authorization(service, site))
    yield own("Sidecar", "sidecar", access.service_sidecar(service, site, callees(service, services)))
    if service.internet_hosts:
        yield own("ServiceEntry", "internet", access.external(service.internet_hosts))
    if service.load_balancing.mesh is MeshAlgorithm.RESOURCE_AWARE:
        yield mesh_wide("reported-load", filters.reported_load(service, site))
    if service.canary_percent and is_hashed(service):
        yield mesh_wide("steady-shares", filters.steady_shares(service, site))
