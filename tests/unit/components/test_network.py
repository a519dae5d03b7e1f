"""The network of a region: three tiers over the zones, no way in or out that nobody asked for."""

from collections import defaultdict
from typing import Any

import pytest

from components.network import Network
from infra.addressing import AddressPlanError
from infra.model.stack import NetworkSettings
from tests.unit.components.building import Built, build, context
from tests.unit.recording import ACCOUNT, Recorded, parsed

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/logs"
SUBNET = "aws:ec2/subnet:Subnet"
TABLE = "aws:ec2/routeTable:RouteTable"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
ROUTE = "aws:ec2/route:Route"
NAT = "aws:ec2/natGateway:NatGateway"
EIP = "aws:ec2/eip:Eip"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
UNTAGGABLE = {ROUTE, ASSOCIATION, "aws:iam/rolePolicy:RolePolicy", "parking:components:Network"}


def build_network(*, zones: tuple[str, ...] = ZONES, **settings: Any) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        network = Network(
            "network",
            context=context(),
            settings=NetworkSettings(cidr="10.0.0.0/16", zones=zones, **settings),
            cluster_name="parking-prod",
            log_key_arn=KEY_ARN,
            opts=opts,
        )
        return {
            "vpc_id": network.vpc_id,
            "vpc_cidr": network.vpc_cidr,
            "public": list(network.public_subnet_ids),
            "private": list(network.private_subnet_ids),
            "database": list(network.database_subnet_ids),
            "private_tables": list(network.private_route_table_ids),
            "database_tables": list(network.database_route_table_ids),
            "nat_ips": list(network.nat_public_ips),
        }

    return build(make)


@pytest.fixture(scope="module")
def built() -> Built:
    return build_network()


def by_name(built: Built, type_token: str) -> dict[str, Recorded]:
    return {resource.name: resource for resource in built.recorder.of_type(type_token)}


def routes_of(built: Built) -> dict[str, list[dict[str, Any]]]:
    """Routes by the name of the table they are in."""
    routes: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for route in built.recorder.of_type(ROUTE):
        inputs = dict(route.inputs)
        routes[inputs.pop("routeTableId").removesuffix("-id")].append(inputs)
    return routes


def test_the_vpc_has_the_range_of_the_settings_and_resolves_names(built: Built) -> None:
    vpc = built.recorder.one("aws:ec2/vpc:Vpc")

    assert vpc.inputs["cidrBlock"] == "10.0.0.0/16"
    assert vpc.inputs["enableDnsSupport"] is True
    assert vpc.inputs["enableDnsHostnames"] is True
    assert vpc.inputs["tags"]["Name"] == "parking-prod"


def test_every_zone_has_a_subnet_of_each_tier_where_the_address_plan_says(built: Built) -> None:
    found = {
        s.name: (s.inputs["availabilityZone"], s.inputs["cidrBlock"]) for s in built.recorder.of_type(SUBNET)
    }

    assert found == {
        "network-private-a": ("us-east-1a", "10.0.0.0/19"),
        "network-private-b": ("us-east-1b", "10.0.64.0/19"),
        "network-private-c": ("us-east-1c", "10.0.128.0/19"),
        "network-public-a": ("us-east-1a", "10.0.32.0/22"),
        "network-public-b": ("us-east-1b", "10.0.96.0/22"),
        "network-public-c": ("us-east-1c", "10.0.160.0/22"),
        "network-database-a": ("us-east-1a", "10.0.36.0/22"),
        "network-database-b": ("us-east-1b", "10.0.100.0/22"),
        "network-database-c": ("us-east-1c", "10.0.164.0/22"),
    }


def test_no_subnet_gives_out_public_addresses(built: Built) -> None:
    for subnet in built.recorder.of_type(SUBNET):
        assert subnet.inputs["mapPublicIpOnLaunch"] is False


def test_load_balancers_find_their_subnets_by_tag_and_databases_have_none(built: Built) -> None:
    tags = {
        name: {key: value for key, value in subnet.inputs["tags"].items() if key.startswith("kubernetes.io/")}
        for name, subnet in by_name(built, SUBNET).items()
    }

    cluster = {"kubernetes.io/cluster/parking-prod": "shared"}
    assert tags["network-public-b"] == {"kubernetes.io/role/elb": "1", **cluster}
    assert tags["network-private-b"] == {"kubernetes.io/role/internal-elb": "1", **cluster}
    assert tags["network-database-b"] == {}


def test_public_subnets_share_one_way_to_the_internet(built: Built) -> None:
    assert routes_of(built)["network-public"] == [
        {"destinationCidrBlock": "0.0.0.0/0", "gatewayId": "network-internet-id"}
    ]


def test_each_zone_leaves_through_its_own_nat_gateway(built: Built) -> None:
    nats = by_name(built, NAT)

    assert {name: nat.inputs["subnetId"] for name, nat in nats.items()} == {
        f"network-nat-{letter}": f"network-public-{letter}-id" for letter in "abc"
    }
    for letter in "abc":
        assert nats[f"network-nat-{letter}"].inputs["allocationId"] == f"network-nat-{letter}-allocation"
        assert routes_of(built)[f"network-private-{letter}"] == [
            {"destinationCidrBlock": "0.0.0.0/0", "natGatewayId": f"network-nat-{letter}-id"}
        ]


def test_nat_gateways_wait_for_the_internet_gateway(built: Built) -> None:
    for letter in "abc":
        assert built.depends_on(NAT, f"network-nat-{letter}") == ["network-internet"]
        assert built.depends_on(EIP, f"network-nat-{letter}") == ["network-internet"]


def test_a_single_nat_gateway_serves_all_zones_when_asked() -> None:
    built = build_network(nat_per_zone=False)

    assert list(by_name(built, NAT)) == ["network-nat-a"]
    assert list(by_name(built, EIP)) == ["network-nat-a"]
    for letter in "abc":
        assert routes_of(built)[f"network-private-{letter}"][0]["natGatewayId"] == "network-nat-a-id"
    assert built.outputs["nat_ips"] == ["address-of-network-nat-a"]


def test_the_database_tier_has_no_way_to_the_internet(built: Built) -> None:
    assert "network-database" in by_name(built, TABLE)
    assert routes_of(built)["network-database"] == []


def test_every_subnet_uses_the_table_of_its_tier_and_zone(built: Built) -> None:
    found = {
        association.inputs["subnetId"].removesuffix("-id"): association.inputs["routeTableId"].removesuffix(
            "-id"
        )
        for association in built.recorder.of_type(ASSOCIATION)
    }

    assert found == {
        **{f"network-public-{letter}": "network-public" for letter in "abc"},
        **{f"network-private-{letter}": f"network-private-{letter}" for letter in "abc"},
        **{f"network-database-{letter}": "network-database" for letter in "abc"},
    }


def test_s3_is_reached_through_a_gateway_endpoint_from_every_tier(built: Built) -> None:
    endpoint = built.recorder.one(ENDPOINT, "network-endpoint-s3")

    assert endpoint.inputs["vpcEndpointType"] == "Gateway"
    assert endpoint.inputs["serviceName"] == "com.amazonaws.us-east-1.s3"
    assert set(endpoint.inputs["routeTableIds"]) == {f"{name}-id" for name in by_name(built, TABLE)}


def test_the_services_of_the_settings_are_reached_privately_in_every_zone(built: Built) -> None:
    endpoints = by_name(built, ENDPOINT)
    del endpoints["network-endpoint-s3"]

    assert {endpoint.inputs["serviceName"] for endpoint in endpoints.values()} == {
        f"com.amazonaws.us-east-1.{service}"
        for service in ("ecr.api", "ecr.dkr", "sts", "logs", "secretsmanager", "kms")
    }
    assert "network-endpoint-ecr-api" in endpoints
    for endpoint in endpoints.values():
        assert endpoint.inputs["vpcEndpointType"] == "Interface"
        assert endpoint.inputs["privateDnsEnabled"] is True
        assert endpoint.inputs["subnetIds"] == [f"network-private-{letter}-id" for letter in "abc"]
        assert endpoint.inputs["securityGroupIds"] == ["network-endpoints-id"]


def test_interface_endpoints_admit_only_https_from_the_vpc(built: Built) -> None:
    assert list(by_name(built, GROUP)) == ["network-endpoints"]
    rule = built.recorder.one(INGRESS).inputs

    assert rule["securityGroupId"] == "network-endpoints-id"
    assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 443, 443)
    assert rule["cidrIpv4"] == "10.0.0.0/16"
    assert built.recorder.of_type(EGRESS) == []


def test_without_interface_endpoints_there_is_no_group_for_them() -> None:
    built = build_network(interface_endpoints=())

    assert list(by_name(built, ENDPOINT)) == ["network-endpoint-s3"]
    assert built.recorder.of_type(GROUP) == []
    assert built.recorder.of_type(INGRESS) == []


def test_all_traffic_is_logged_to_an_encrypted_group_for_as_long_as_the_settings_say() -> None:
    built = build_network(flow_log_retention_days=14)
    group = built.recorder.one("aws:cloudwatch/logGroup:LogGroup").inputs
    flow_log = built.recorder.one("aws:ec2/flowLog:FlowLog").inputs

    assert group["name"] == "/aws/vpc/parking-prod-flow-logs"
    assert (group["kmsKeyId"], group["retentionInDays"]) == (KEY_ARN, 14)
    assert (flow_log["trafficType"], flow_log["vpcId"]) == ("ALL", "network-vpc-id")
    assert flow_log["logDestinationType"] == "cloud-watch-logs"
    assert flow_log["logDestination"].endswith(":loggroup/network-flow-logs")
    assert flow_log["iamRoleArn"].endswith(":role/network-flow-logs")
    assert flow_log["maxAggregationInterval"] == 60


def test_flow_logs_are_kept_90_days_unless_said_otherwise(built: Built) -> None:
    assert built.recorder.one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 90


def test_the_flow_logs_role_writes_its_own_group_and_serves_this_account_only(built: Built) -> None:
    role = built.recorder.one("aws:iam/role:Role").inputs
    policy = built.recorder.one("aws:iam/rolePolicy:RolePolicy").inputs

    assert role["name"] == "parking-prod-use1-flow-logs"
    (trust,) = parsed(role["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc-flow-log/*"},
    }
    (permission,) = parsed(policy["policy"])["Statement"]
    group_arn = f"arn:aws:mock:us-east-1:{ACCOUNT}:loggroup/network-flow-logs"
    assert permission["Resource"] == [group_arn, f"{group_arn}:*"]
    assert set(permission["Action"]) == {
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    }


def test_flow_logs_wait_until_their_role_may_write(built: Built) -> None:
    assert built.depends_on("aws:ec2/flowLog:FlowLog", "network-flow-logs") == ["network-flow-logs"]


def test_the_default_security_group_has_no_rules(built: Built) -> None:
    group = built.recorder.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs

    assert group["vpcId"] == "network-vpc-id"
    assert not group.get("ingress")
    assert not group.get("egress")


def test_every_taggable_resource_carries_the_stack_tags(built: Built) -> None:
    wanted = context().tags("Network").items()

    for resource in built.recorder.resources:
        if resource.type not in UNTAGGABLE:
            assert wanted <= resource.inputs["tags"].items(), resource.name


def test_outputs_list_one_entry_a_zone_in_the_zones_order() -> None:
    outputs = build_network(zones=("us-east-1c", "us-east-1a", "us-east-1b")).outputs

    assert outputs["vpc_id"] == "network-vpc-id"
    assert outputs["vpc_cidr"] == "10.0.0.0/16"
    assert outputs["public"] == [f"network-public-{letter}-id" for letter in "abc"]
    assert outputs["private"] == [f"network-private-{letter}-id" for letter in "abc"]
    assert outputs["database"] == [f"network-database-{letter}-id" for letter in "abc"]
    assert outputs["private_tables"] == [f"network-private-{letter}-id" for letter in "abc"]
    assert outputs["database_tables"] == ["network-database-id"]
    assert outputs["nat_ips"] == [f"address-of-network-nat-{letter}" for letter in "abc"]


def test_adding_a_zone_changes_no_existing_subnet_route_or_gateway(built: Built) -> None:
    wider = build_network(zones=(*ZONES, "us-east-1d"))

    for type_token in (SUBNET, TABLE, ASSOCIATION, ROUTE, NAT, EIP):
        before, after = by_name(built, type_token), by_name(wider, type_token)
        assert len(after) > len(before) or type_token == SUBNET
        assert {name: after[name] for name in before} == before
    assert len(by_name(wider, SUBNET)) == 12


def test_a_zone_that_the_plan_has_no_block_for_is_refused_before_anything_is_built() -> None:
    with pytest.raises(AddressPlanError, match="us-east-1f"):
        build_network(zones=("us-east-1a", "us-east-1f"))
