"""The way between two regions: accepted before it is used, both ends routed, only PostgreSQL let in."""

from __future__ import annotations

from functools import cache
from typing import Any

import pulumi_aws as aws
import pytest

from components.region_link import LinkedNetwork, RegionLink
from components.shared_zone import SharedZone
from components.writer_name import WriterName
from tests.unit.components.building import Built, build, context

CONNECTION = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
ACCEPTER = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
ROUTE = "aws:ec2/route:Route"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
HERE, THERE = "eu-west-1", "us-east-1"


def network(region: str, number: int) -> LinkedNetwork:
    return LinkedNetwork(
        region=region,
        vpc_id=f"vpc-{number}",
        vpc_cidr=f"10.{number}.0.0/16",
        private_cidrs=(f"10.{number}.0.0/19", f"10.{number}.64.0/19"),
        route_table_ids={"private-a": f"rtb-{number}a", "database": f"rtb-{number}d"},
        database_security_group_id=f"sg-{number}",
    )


def build_link(*, peer_region: str = THERE) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        link = RegionLink(
            "link",
            context=context(region=HERE),
            own=network(HERE, 1),
            peer=network(peer_region, 0),
            peer_provider=aws.Provider("peer", region=peer_region),
            opts=opts,
        )
        return {"connection": link.connection_id}

    return build(make)


@cache
def linked() -> Built:
    return build_link()


def provider_of(kind: str, name: str) -> str | None:
    provider = linked().options[kind, name].provider
    return provider.pulumi_resource_name if provider else None


def test_the_connection_is_asked_for_here_and_accepted_there() -> None:
    connection = linked().recorder.one(CONNECTION)
    accepter = linked().recorder.one(ACCEPTER)

    assert (connection.inputs["vpcId"], connection.inputs["peerVpcId"]) == ("vpc-1", "vpc-0")
    assert connection.inputs["peerRegion"] == THERE
    assert connection.inputs["autoAccept"] is False
    assert accepter.inputs["autoAccept"] is True
    assert provider_of(CONNECTION, connection.name) is None
    assert provider_of(ACCEPTER, accepter.name) == "peer"


def test_both_ends_private_and_database_subnets_have_a_route_to_the_other_network() -> None:
    routes = {
        (route.inputs["routeTableId"], route.inputs["destinationCidrBlock"], provider_of(ROUTE, route.name))
        for route in linked().recorder.of_type(ROUTE)
    }

    assert routes == {
        ("rtb-1a", "10.0.0.0/16", None),
        ("rtb-1d", "10.0.0.0/16", None),
        ("rtb-0a", "10.1.0.0/16", "peer"),
        ("rtb-0d", "10.1.0.0/16", "peer"),
    }


def test_routes_wait_for_the_acceptance() -> None:
    recorder = linked().recorder

    for route in recorder.of_type(ROUTE):
        assert route.inputs["vpcPeeringConnectionId"] == "link-connection-id"
    assert recorder.one(ACCEPTER).inputs["vpcPeeringConnectionId"] == "link-connection-id"


def test_each_database_admits_postgresql_from_the_other_ends_nodes_and_pods_and_nothing_else() -> None:
    rules = {
        (rule.inputs["securityGroupId"], rule.inputs["cidrIpv4"], provider_of(RULE, rule.name))
        for rule in linked().recorder.of_type(RULE)
    }

    assert rules == {
        ("sg-1", "10.0.0.0/19", None),
        ("sg-1", "10.0.64.0/19", None),
        ("sg-0", "10.1.0.0/19", "peer"),
        ("sg-0", "10.1.64.0/19", "peer"),
    }
    for rule in linked().recorder.of_type(RULE):
        assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (5432, 5432)
        assert rule.inputs["ipProtocol"] == "tcp"


def test_a_link_inside_one_region_is_refused() -> None:
    with pytest.raises(ValueError, match="joins two regions"):
        build_link(peer_region=HERE)


def test_a_region_sees_the_environments_private_zone() -> None:
    def make(opts: Any) -> dict[str, Any]:
        SharedZone("zone", context=context(region=HERE), zone_id="Z1", vpc_id="vpc-1", opts=opts)
        return {}

    association = build(make).recorder.one("aws:route53/zoneAssociation:ZoneAssociation")

    assert association.inputs == {"zoneId": "Z1", "vpcId": "vpc-1", "vpcRegion": HERE}


def test_the_writers_name_is_asked_again_every_five_seconds() -> None:
    def make(opts: Any) -> dict[str, Any]:
        name = WriterName(
            "writer",
            context=context(),
            zone_id="Z1",
            fqdn="writer.example.internal",
            host="db.example",
            opts=opts,
        )
        return {"fqdn": name.fqdn}

    built = build(make)
    record = built.recorder.one("aws:route53/record:Record").inputs

    assert (record["name"], record["type"], record["ttl"], record["records"]) == (
        "writer.example.internal",
        "CNAME",
        5,
        ["db.example"],
    )
    assert built.outputs["fqdn"] == "writer.example.internal"
