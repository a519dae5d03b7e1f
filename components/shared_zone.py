"""A region's view of the environment's private zone, which another region's stack owns."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.naming import StackContext


class SharedZone(Component):
    """Association of a region's VPC with a private zone: names in it resolve here, too.

    Route 53 answers in every region from its own servers, so that the names outlive their owner's region.

    Args:
        name: Logical name, e.g. `shared-zone`.
        context: Names, tags and protection of the stack.
        zone_id: The private zone.
        vpc_id: VPC of this region.
        opts: Options of the component itself.
    """

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        zone_id: pulumi.Input[str],
        vpc_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("SharedZone", name, context=context, opts=opts)
        aws.route53.ZoneAssociation(
            f"{name}-association",
            zone_id=zone_id,
            vpc_id=vpc_id,
            vpc_region=context.region,
            opts=self.child(),
        )
        self.register_outputs({})
