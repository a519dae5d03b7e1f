"""The way between two regions' networks: peering, routes on both sides, and the databases' doors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.naming import StackContext, region_code
from infra.ports import POSTGRES


@dataclass(frozen=True, kw_only=True)
class LinkedNetwork:
    """One end of the way.

    Attributes:
        region: Its region.
        vpc_id: Its VPC.
        vpc_cidr: The VPC's range.
        private_cidrs: Ranges of its nodes and pods, which reach the other end's database.
        route_table_ids: Private and database route tables, by a name that stays when others come.
        database_security_group_id: Security group of its database servers.
    """

    region: str
    vpc_id: pulumi.Input[str]
    vpc_cidr: str
    private_cidrs: Sequence[str]
    route_table_ids: Mapping[str, pulumi.Input[str]]
    database_security_group_id: pulumi.Input[str]


class RegionLink(Component):
    """Peering of two regions' VPCs, so that each region's poolers reach the writer wherever it is.

    Both ends are this component's, the far one by a provider of its region. Each end's private and database subnets
    get a route to the other VPC, and each database admits PostgreSQL from the other end's nodes and pods: a security
    group of another region cannot be named in a rule, so ranges are. Nothing else crosses.

    Args:
        name: Logical name, e.g. `link-use1`.
        context: Names, tags and protection of the stack.
        own: This region's end.
        peer: The other end, which exists already.
        peer_provider: Provider of the other end's region.
        opts: Options of the component itself.

    Outputs:
        connection_id: The peering connection, once it is accepted.

    Raises:
        ValueError: When both ends are in one region.
    """

    connection_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        own: LinkedNetwork,
        peer: LinkedNetwork,
        peer_provider: aws.Provider,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("RegionLink", name, context=context, opts=opts)
        if own.region == peer.region:
            raise ValueError(f"{name}: both ends are in {own.region}; a link joins two regions")
        self._peer_provider = peer_provider
        self.connection_id = self._connect(own, peer)
        self._create_routes(own, towards=peer, provider=None)
        self._create_routes(peer, towards=own, provider=peer_provider)
        self._open_database(own, to=peer, provider=None)
        self._open_database(peer, to=own, provider=peer_provider)
        self.register_outputs({"connection_id": self.connection_id})

    def _connect(self, own: LinkedNetwork, peer: LinkedNetwork) -> pulumi.Output[str]:
        tags = {**self.tags(), "Name": self.context.name(region_code(own.region), region_code(peer.region))}
        connection = aws.ec2.VpcPeeringConnection(
            f"{self._name}-connection",
            vpc_id=own.vpc_id,
            peer_vpc_id=peer.vpc_id,
            peer_region=peer.region,
            auto_accept=False,
            tags=tags,
            opts=self.child(),
        )
        accepter = aws.ec2.VpcPeeringConnectionAccepter(
            f"{self._name}-accepter",
            vpc_peering_connection_id=connection.id,
            auto_accept=True,
            tags=tags,
            opts=self.child(provider=self._peer_provider),
        )
        # By way of the accepter: a route over a connection that waits for acceptance leads nowhere.
        return accepter.vpc_peering_connection_id

    def _create_routes(
        self, end: LinkedNetwork, *, towards: LinkedNetwork, provider: aws.Provider | None
    ) -> None:
        for table, table_id in sorted(end.route_table_ids.items()):
            aws.ec2.Route(
                f"{self._name}-{region_code(end.region)}-{table}",
                route_table_id=table_id,
                destination_cidr_block=towards.vpc_cidr,
                vpc_peering_connection_id=self.connection_id,
                opts=self.child(provider=provider),
            )

    def _open_database(self, end: LinkedNetwork, *, to: LinkedNetwork, provider: aws.Provider | None) -> None:
        for cidr in sorted(to.private_cidrs):
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-{region_code(end.region)}-database-{cidr.replace('/', '-')}",
                security_group_id=end.database_security_group_id,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=POSTGRES,
                to_port=POSTGRES,
                description=f"PostgreSQL from nodes and pods in {to.region}",
                tags=self.tags(),
                opts=self.child(provider=provider),
            )
