"""The network of a region: subnets in three tiers, ways out, private ways to AWS services, flow logs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.account import account_id
from components.base import Component
from infra.addressing import SubnetPlan, Tier, plan
from infra.model.stack import NetworkSettings
from infra.naming import StackContext

ANYWHERE = "0.0.0.0/0"
FLOW_LOG_INTERVAL_SECONDS = 60
"""Nitro instances report every minute whatever is asked, so a minute is asked of all."""


def flow_log_trust(*, account: str, region: str) -> dict[str, object]:
    """Trust policy of the flow logs' role: the service, for flow logs of this account and region only."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:{region}:{account}:vpc-flow-log/*"},
                },
            }
        ],
    }


def flow_log_permissions(*, log_group_arn: str) -> dict[str, object]:
    """What the flow logs' role may do: write streams of its own log group."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                "Resource": [log_group_arn, f"{log_group_arn}:*"],
            }
        ],
    }


class Network(Component):
    """VPC of one region with public, private and database subnets in every zone.

    Nodes and pods live in the private subnets and reach the internet through NAT gateways; the database tier
    has no way to or from the internet; nothing gets a public address by default. S3 is reached through a
    gateway endpoint, the services of `settings.interface_endpoints` through interface endpoints that admit
    HTTPS from the VPC. All traffic is logged. The VPC's default security group has no rules.

    Children are named by a zone's letter (`<name>-private-a`), and addresses follow from the letter too, so
    adding a zone moves nothing.

    Args:
        name: Logical name, e.g. `network`.
        context: Names, tags and protection of the stack.
        settings: VPC range (/16), zones, NAT gateways, endpoints and flow log retention (days).
        cluster_name: Physical name of the Kubernetes cluster that may use the subnets (discovery tag).
        log_key_arn: Customer-managed key for the flow logs' log group.
        opts: Options of the component.

    Outputs:
        vpc_id: Id of the VPC.
        vpc_cidr: Its range in CIDR notation.
        public_subnet_ids: For load balancers and NAT gateways; one a zone, in the zones' alphabetical order.
        private_subnet_ids: For nodes and pods; one a zone, same order.
        database_subnet_ids: For databases, caches and brokers; one a zone, same order.
        private_route_table_ids: One a zone, same order; routes to other regions go here.
        database_route_table_ids: The one table of the database tier.
        linked_route_tables: Both tiers' tables by a name that stays (`private-a`, `database`).
        nat_public_ips: Addresses that the region's outgoing traffic comes from; one a NAT gateway.
        nat_gateway_ids: NAT gateways by their zone's letter, for their metrics.

    Raises:
        AddressPlanError: When the range is no /16 or the plan has no place for a zone.

    Source of the numbers: the address plan of `infra.addressing`; one minute is what Nitro instances log at.
    """

    vpc_id: pulumi.Output[str]
    vpc_cidr: pulumi.Output[str]
    public_subnet_ids: Sequence[pulumi.Output[str]]
    private_subnet_ids: Sequence[pulumi.Output[str]]
    database_subnet_ids: Sequence[pulumi.Output[str]]
    private_route_table_ids: Sequence[pulumi.Output[str]]
    database_route_table_ids: Sequence[pulumi.Output[str]]
    linked_route_tables: Mapping[str, pulumi.Output[str]]
    nat_public_ips: Sequence[pulumi.Output[str]]
    nat_gateway_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: NetworkSettings,
        cluster_name: str,
        log_key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Network", name, context=context, opts=opts)
        self._settings = settings
        self._cluster_name = cluster_name
        subnets = plan(vpc_cidr=settings.cidr, zones=settings.zones)

        self._vpc = self._create_vpc()
        self._internet = self._create_internet_gateway()
        self._public = self._create_subnets(subnets, Tier.PUBLIC)
        self._private = self._create_subnets(subnets, Tier.PRIVATE)
        self._database = self._create_subnets(subnets, Tier.DATABASE)
        public_table = self._create_public_routes()
        nats, self.nat_public_ips = self._create_nat_gateways()
        private_tables = self._create_private_routes(nats)
        database_table = self._create_database_routes()
        self._create_s3_endpoint([public_table, *private_tables, database_table])
        self._create_interface_endpoints()
        self._create_flow_logs(log_key_arn)
        self._empty_default_security_group()

        self.vpc_id = self._vpc.id
        self.vpc_cidr = self._vpc.cidr_block
        self.public_subnet_ids = [subnet.id for subnet in self._public.values()]
        self.private_subnet_ids = [subnet.id for subnet in self._private.values()]
        self.database_subnet_ids = [subnet.id for subnet in self._database.values()]
        self.private_route_table_ids = [table.id for table in private_tables]
        self.database_route_table_ids = [database_table.id]
        self.nat_gateway_ids = {letter: gateway.id for letter, gateway in nats.items()}
        letters = zip(self._private, self.private_route_table_ids, strict=True)
        self.linked_route_tables = {
            **{f"{Tier.PRIVATE.value}-{letter}": table_id for letter, table_id in letters},
            Tier.DATABASE.value: database_table.id,
        }
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "vpc_cidr": self.vpc_cidr,
                "public_subnet_ids": self.public_subnet_ids,
                "private_subnet_ids": self.private_subnet_ids,
                "database_subnet_ids": self.database_subnet_ids,
                "private_route_table_ids": self.private_route_table_ids,
                "database_route_table_ids": self.database_route_table_ids,
                "nat_public_ips": self.nat_public_ips,
                "nat_gateway_ids": self.nat_gateway_ids,
            }
        )

    def _named(self, *parts: str) -> dict[str, str]:
        """Tags with the physical name that the console shows."""
        return {**self.tags(), "Name": self.context.name(*parts)}

    def _create_vpc(self) -> aws.ec2.Vpc:
        return aws.ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=self._settings.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={**self.tags(), "Name": self.context.name()},
            opts=self.child(),
        )

    def _create_internet_gateway(self) -> aws.ec2.InternetGateway:
        return aws.ec2.InternetGateway(
            f"{self._name}-internet",
            vpc_id=self._vpc.id,
            tags=self._named("internet"),
            opts=self.child(),
        )

    def _create_subnets(self, subnets: Sequence[SubnetPlan], tier: Tier) -> dict[str, aws.ec2.Subnet]:
        """Subnets of one tier by zone letter, in the letters' order."""
        discovery = {f"kubernetes.io/cluster/{self._cluster_name}": "shared"}
        roles = {
            Tier.PUBLIC: {"kubernetes.io/role/elb": "1", **discovery},
            Tier.PRIVATE: {"kubernetes.io/role/internal-elb": "1", **discovery},
            Tier.DATABASE: {},
        }
        return {
            subnet.letter: aws.ec2.Subnet(
                f"{self._name}-{tier.value}-{subnet.letter}",
                vpc_id=self._vpc.id,
                availability_zone=subnet.zone,
                cidr_block=subnet.cidr,
                # Load balancers and NAT gateways get theirs by themselves; nothing else may be public.
                map_public_ip_on_launch=False,
                tags={**self._named(tier.value, subnet.letter), "tier": tier.value, **roles[tier]},
                opts=self.child(),
            )
            for subnet in subnets
            if subnet.tier is tier
        }

    def _create_route_table(self, *parts: str) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(
            "-".join((self._name, *parts)),
            vpc_id=self._vpc.id,
            tags=self._named(*parts),
            opts=self.child(),
        )

    def _associate(self, tier: Tier, letter: str, subnet: aws.ec2.Subnet, table: aws.ec2.RouteTable) -> None:
        aws.ec2.RouteTableAssociation(
            f"{self._name}-{tier.value}-{letter}",
            subnet_id=subnet.id,
            route_table_id=table.id,
            opts=self.child(),
        )

    def _create_public_routes(self) -> aws.ec2.RouteTable:
        table = self._create_route_table(Tier.PUBLIC.value)
        aws.ec2.Route(
            f"{self._name}-public-internet",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=self._internet.id,
            opts=self.child(),
        )
        for letter, subnet in self._public.items():
            self._associate(Tier.PUBLIC, letter, subnet, table)
        return table

    def _create_nat_gateways(self) -> tuple[dict[str, aws.ec2.NatGateway], list[pulumi.Output[str]]]:
        """NAT gateways by zone letter, and their addresses; a single one lives in the first zone."""
        letters = list(self._public) if self._settings.nat_per_zone else list(self._public)[:1]
        gateways: dict[str, aws.ec2.NatGateway] = {}
        addresses: list[pulumi.Output[str]] = []
        for letter in letters:
            # Nothing in the data says that addresses and NAT need the gateway attached; AWS does.
            attached = [self._internet]
            address = aws.ec2.Eip(
                f"{self._name}-nat-{letter}",
                domain="vpc",
                tags=self._named("nat", letter),
                opts=self.child(depends_on=attached),
            )
            gateways[letter] = aws.ec2.NatGateway(
                f"{self._name}-nat-{letter}",
                subnet_id=self._public[letter].id,
                allocation_id=address.allocation_id,
                tags=self._named("nat", letter),
                opts=self.child(depends_on=attached),
            )
            addresses.append(address.public_ip)
        return gateways, addresses

    def _create_private_routes(self, nats: dict[str, aws.ec2.NatGateway]) -> list[aws.ec2.RouteTable]:
        """One table a zone, so that a zone's traffic leaves through its own NAT gateway."""
        shared = next(iter(nats.values()))
        tables: list[aws.ec2.RouteTable] = []
        for letter, subnet in self._private.items():
            table = self._create_route_table(Tier.PRIVATE.value, letter)
            aws.ec2.Route(
                f"{self._name}-private-{letter}-nat",
                route_table_id=table.id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=nats.get(letter, shared).id,
                opts=self.child(),
            )
            self._associate(Tier.PRIVATE, letter, subnet, table)
            tables.append(table)
        return tables

    def _create_database_routes(self) -> aws.ec2.RouteTable:
        """A table with no route but the VPC's own (and S3's): data never meets the internet."""
        table = self._create_route_table(Tier.DATABASE.value)
        for letter, subnet in self._database.items():
            self._associate(Tier.DATABASE, letter, subnet, table)
        return table

    def _create_s3_endpoint(self, tables: Sequence[aws.ec2.RouteTable]) -> None:
        aws.ec2.VpcEndpoint(
            f"{self._name}-endpoint-s3",
            vpc_id=self._vpc.id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{self.context.region}.s3",
            route_table_ids=[table.id for table in tables],
            tags=self._named("s3"),
            opts=self.child(),
        )

    def _create_interface_endpoints(self) -> None:
        services = sorted(set(self._settings.interface_endpoints))
        if not services:
            return
        group = aws.ec2.SecurityGroup(
            f"{self._name}-endpoints",
            name=self.context.name("endpoints", limit=255),
            description="Interface endpoints: HTTPS from the VPC",
            vpc_id=self._vpc.id,
            tags=self._named("endpoints"),
            opts=self.child(),
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-endpoints-https",
            security_group_id=group.id,
            description="HTTPS from the VPC",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=self._settings.cidr,
            tags=self._named("endpoints", "https"),
            opts=self.child(),
        )
        for service in services:
            short = service.replace(".", "-")
            aws.ec2.VpcEndpoint(
                f"{self._name}-endpoint-{short}",
                vpc_id=self._vpc.id,
                vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{self.context.region}.{service}",
                subnet_ids=[subnet.id for subnet in self._private.values()],
                security_group_ids=[group.id],
                private_dns_enabled=True,
                tags=self._named(short),
                opts=self.child(),
            )

    def _create_flow_logs(self, log_key_arn: pulumi.Input[str]) -> None:
        logs = aws.cloudwatch.LogGroup(
            f"{self._name}-flow-logs",
            name=f"/aws/vpc/{self.context.name('flow-logs')}",
            retention_in_days=self._settings.flow_log_retention_days,
            kms_key_id=log_key_arn,
            tags=self.tags(),
            opts=self.child(),
        )
        region = self.context.region
        role = aws.iam.Role(
            f"{self._name}-flow-logs",
            name=self.context.global_name("flow-logs", limit=64),
            description="Lets the VPC write its flow logs",
            assume_role_policy=account_id(self).apply(
                lambda number: json.dumps(flow_log_trust(account=number, region=region))
            ),
            tags=self.tags(),
            opts=self.child(),
        )
        permissions = aws.iam.RolePolicy(
            f"{self._name}-flow-logs",
            name="write-flow-logs",
            role=role.name,
            policy=logs.arn.apply(lambda arn: json.dumps(flow_log_permissions(log_group_arn=arn))),
            opts=self.child(),
        )
        aws.ec2.FlowLog(
            f"{self._name}-flow-logs",
            vpc_id=self._vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=logs.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=FLOW_LOG_INTERVAL_SECONDS,
            tags=self._named("flow-logs"),
            # Delivery starts at creation and fails while the role may not write yet; no data says so.
            opts=self.child(depends_on=[permissions]),
        )

    def _empty_default_security_group(self) -> None:
        """Adopt the group that AWS makes with the VPC; declared without rules, it loses all it had."""
        aws.ec2.DefaultSecurityGroup(
            f"{self._name}-default",
            vpc_id=self._vpc.id,
            tags=self._named("default", "unused"),
            opts=self.child(),
        )
