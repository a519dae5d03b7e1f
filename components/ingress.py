"""The way from the region's load balancer to the services: one virtual server of the ingress controller."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.base import Component
from components.custom_objects import MeshTarget, create_objects
from infra.model.service import Service
from infra.naming import StackContext
from infra.traffic import ingress


class Ingress(Component):
    """A VirtualServer with a VirtualServerRoute and a rate limit for each service, and its certificate.

    A service's route sends to the service's cluster address under the name by which the mesh knows it, so that
    the mesh picks the pod; health paths have a route of their own, without limit or error pages, under any host
    name. Services read the client's address in `X-Viewer-Address` and, alone, in `X-Forwarded-For`.

    Args:
        name: Logical name, e.g. `ingress`; children are `<name>-<key>`.
        context: Names, tags and protection of the stack.
        target: The cluster: provider, namespaces, and the releases that bring the kinds and their webhooks.
        services: The catalogue as this stack runs it.
        host: Name that CloudFront asks the region by.
        opts: Options of the component.

    Outputs:
        host: That name.

    Source of the numbers: `infra.traffic.ingress` and `infra.traffic.timeouts`.
    """

    host: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        target: MeshTarget,
        services: Sequence[Service],
        host: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Ingress", name, context=context, opts=opts)
        create_objects(
            self,
            name,
            ingress.plan(services, site=target.site, host=host),
            target=target,
        )
        self.host = pulumi.Output.from_input(host)
        self.register_outputs({"host": self.host})
