"""The ways from this region to the environment's others: networks, and the private zone that all see."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi_aws as aws

from components.region_link import LinkedNetwork, RegionLink
from components.shared_zone import SharedZone
from infra.addressing import Tier, plan
from infra.model.stack import StackSettings
from infra.naming import StackContext, region_code
from stacks.contract import Peer
from stacks.data import Data
from stacks.foundation import Foundation


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    foundation: Foundation,
    data: Data,
    peers: Mapping[str, Peer],
) -> None:
    """Connect this region's network to those that its settings name.

    Args:
        context: Names, tags and protection of the stack.
        settings: Settings of the stack.
        foundation: Its network.
        data: Its database, whose door opens to the others' nodes.
        peers: The other stacks' contracts, by stack.
    """
    if settings.global_stack is not None:
        SharedZone(
            "shared-zone",
            context=context,
            zone_id=peers[settings.global_stack].contract.private_zone_id,
            vpc_id=foundation.network.vpc_id,
        )
    own = LinkedNetwork(
        region=settings.region,
        vpc_id=foundation.network.vpc_id,
        vpc_cidr=settings.network.cidr,
        private_cidrs=private_cidrs(settings),
        route_table_ids=foundation.network.linked_route_tables,
        database_security_group_id=data.database.security_group_id,
    )
    for stack in settings.connected_stacks:
        contract = peers[stack].contract
        code = region_code(contract.region)
        RegionLink(
            f"link-{code}",
            context=context,
            own=own,
            peer=LinkedNetwork(
                region=contract.region,
                vpc_id=contract.vpc_id,
                vpc_cidr=contract.vpc_cidr,
                private_cidrs=contract.private_cidrs,
                route_table_ids=contract.route_table_ids,
                database_security_group_id=contract.database_security_group_id,
            ),
            peer_provider=aws.Provider(f"peer-{code}", region=contract.region),
        )


def private_cidrs(settings: StackSettings) -> list[str]:
    """Ranges of this region's nodes and pods."""
    network = settings.network
    subnets = plan(vpc_cidr=network.cidr, zones=network.zones)
    return [subnet.cidr for subnet in subnets if subnet.tier is Tier.PRIVATE]
