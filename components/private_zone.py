"""A hosted zone that only the environment's own VPCs see."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.naming import StackContext


class PrivateZone(Component):
    """A private hosted zone, of a region or shared by all, for names that move between servers.

    Records that functions write go with the zone when it is destroyed.

    Args:
        name: Logical name, e.g. `private-zone`.
        context: Names, tags and protection of the stack.
        domain: The zone's domain, e.g. `prod.internal`.
        vpc_id: VPC that resolves it.
        shared: Whether VPCs of other regions are associated with it by their own stacks.
        opts: Options of the component itself.

    Outputs:
        zone_id: The hosted zone.
        arn: Its ARN.
        domain: Its domain.
    """

    zone_id: pulumi.Output[str]
    arn: pulumi.Output[str]
    domain: str

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        domain: str,
        vpc_id: pulumi.Input[str],
        shared: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("PrivateZone", name, context=context, opts=opts)
        zone = aws.route53.Zone(
            f"{name}-zone",
            name=domain,
            comment=f"Private zone of {context.global_name()}",
            vpcs=[aws.route53.ZoneVpcArgs(vpc_id=vpc_id, vpc_region=context.region)],
            force_destroy=True,
            tags=self.tags(),
            # The others' associations are their stacks', and show in this list.
            opts=self.child(ignore_changes=["vpcs"] if shared else None),
        )
        self.zone_id, self.arn, self.domain = zone.zone_id, zone.arn, domain
        self.register_outputs({"zone_id": self.zone_id, "arn": self.arn, "domain": domain})
