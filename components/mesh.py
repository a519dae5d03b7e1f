"""The service mesh of a region: who may talk to whom, which pod serves, and when to give up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.base import Component
from components.custom_objects import MeshTarget, create_objects
from infra.model.service import Service
from infra.naming import StackContext
from infra.traffic import mesh


class Mesh(Component):
    """Istio's objects for every service: balancing, routes, identities and what leaves the mesh.

    For each service a DestinationRule (algorithm of its `MeshAlgorithm`, connection limits, ejection of failing
    pods), a VirtualService (timeouts, retries of idempotent requests only, share of the canary), an
    AuthorizationPolicy (the ingress controller and `called_by`) and a Sidecar (what its pods know). For all of
    them mutual TLS, strict but on the ingress controller's own TLS port, and refusal of what no policy allows.

    Balancing by reported load, and one client's stay on one version while a canary is tried, have no word in
    Istio's kinds: those are EnvoyFilters, in istiod's namespace because callers live in several.

    Ports of databases, caches and brokers pass the sidecars by: that is an annotation of the pods
    (`components.pod_template`).

    Args:
        name: Logical name, e.g. `mesh`; children are `<name>-<key>`.
        context: Names, tags and protection of the stack.
        target: The cluster: provider, namespaces, and the releases that bring the kinds and their webhooks.
        services: The catalogue as this stack runs it.
        opts: Options of the component.

    Outputs:
        hosts: Name by which the mesh knows each service, by service name.

    Raises:
        ValueError: When a service asks for a consistent hash and for its own zone at once.

    Source of the numbers: `infra.traffic.timeouts` and `infra.traffic.mesh`, from the specification's load and
    objectives.
    """

    hosts: Mapping[str, str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        target: MeshTarget,
        services: Sequence[Service],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Mesh", name, context=context, opts=opts)
        create_objects(
            self,
            name,
            mesh.plan(services, target.site),
            target=target,
        )
        self.hosts = {service.name: target.site.host(service) for service in services}
        self.register_outputs({"hosts": self.hosts})
