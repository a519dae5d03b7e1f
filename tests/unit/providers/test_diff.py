from __future__ import annotations

from typing import Any

import pytest

from infra.local.providers import wire
from infra.local.providers.values import UNKNOWN, Map, Secret

from .conftest import Client, Connect

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
CLUSTER = "aws:eks/cluster:Cluster"
NODES = "aws:eks/nodeGroup:NodeGroup"
DATABASE = "aws:rds/instance:Instance"
KINDS: Any = wire.provider_pb2.PropertyDiff
SOME = wire.provider_pb2.DiffResponse.DIFF_SOME
NONE = wire.provider_pb2.DiffResponse.DIFF_NONE


def changes(answer: Any) -> dict[str, str]:
    return {path: KINDS.Kind.Name(found.kind) for path, found in answer.detailedDiff.items()}


def test_equal_inputs_do_not_differ(aws: Client) -> None:
    answer = aws.diff(VPC, {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.0.0.0/16"})
    assert answer.changes == NONE
    assert changes(answer) == {}


def test_every_kind_of_change_is_told_by_its_path(aws: Client) -> None:
    old: Map = {"enableDnsSupport": True, "tags": {"a": "1", "b.c": "2"}}
    new: Map = {"enableDnsSupport": False, "tags": {"a": "1", "d": "3"}, "cidrBlock": "10.0.0.0/16"}
    answer = aws.diff(VPC, old, new)
    assert answer.changes == SOME
    assert changes(answer) == {
        "enableDnsSupport": "UPDATE",
        'tags["b.c"]': "DELETE",
        "tags.d": "ADD",
        "cidrBlock": "ADD_REPLACE",
    }
    assert list(answer.replaces) == ["cidrBlock"]
    assert set(answer.diffs) == {"enableDnsSupport", "tags", "cidrBlock"}


REPLACED: list[tuple[str, Map, Map, str]] = [
    (VPC, {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.1.0.0/16"}, "cidrBlock"),
    (SUBNET, {"availabilityZone": "us-west-2a"}, {"availabilityZone": "us-west-2b"}, "availabilityZone"),
    (GROUP, {"description": "a"}, {"description": "b"}, "description"),
    (CLUSTER, {"roleArn": "a"}, {"roleArn": "b"}, "roleArn"),
    (NODES, {"instanceTypes": ["a"]}, {"instanceTypes": ["b"]}, "instanceTypes[0]"),
    (NODES, {"launchTemplate": {"id": "a"}}, {"launchTemplate": {"id": "b"}}, "launchTemplate.id"),
    (DATABASE, {"engine": "postgres"}, {"engine": "mysql"}, "engine"),
    (DATABASE, {"storageEncrypted": False}, {"storageEncrypted": True}, "storageEncrypted"),
    (DATABASE, {"kmsKeyId": "a"}, {"kmsKeyId": "b"}, "kmsKeyId"),
    ("aws:lb/targetGroup:TargetGroup", {"port": 80}, {"port": 81}, "port"),
    ("aws:wafv2/webAcl:WebAcl", {"scope": "REGIONAL"}, {"scope": "CLOUDFRONT"}, "scope"),
    ("aws:iam/role:Role", {"name": "a"}, {"name": "b"}, "name"),
    ("aws:ec2/securityGroupRule:SecurityGroupRule", {"fromPort": 1}, {"fromPort": 2}, "fromPort"),
    (
        "aws:msk/cluster:Cluster",
        {"brokerNodeGroupInfo": {"clientSubnets": ["a"]}},
        {"brokerNodeGroupInfo": {"clientSubnets": ["b"]}},
        "brokerNodeGroupInfo.clientSubnets[0]",
    ),
]


@pytest.mark.parametrize(("token", "old", "new", "path"), REPLACED)
def test_identity_properties_replace(aws: Client, token: str, old: Map, new: Map, path: str) -> None:
    answer = aws.diff(token, old, new)
    assert changes(answer)[path] == "UPDATE_REPLACE"
    assert len(answer.replaces) == 1


UPDATED: list[tuple[str, Map, Map]] = [
    (VPC, {"enableDnsHostnames": True}, {"enableDnsHostnames": False}),
    (CLUSTER, {"version": "1.35"}, {"version": "1.36"}),
    (CLUSTER, {"vpcConfig": {"subnetIds": ["a"]}}, {"vpcConfig": {"subnetIds": ["b"]}}),
    (CLUSTER, {}, {"encryptionConfig": {"provider": {"keyArn": "k"}, "resources": ["secrets"]}}),
    (NODES, {"scalingConfig": {"minSize": 1}}, {"scalingConfig": {"minSize": 2}}),
    (NODES, {"labels": {"a": "1"}}, {"labels": {"a": "2"}}),
    (NODES, {"version": "1.35"}, {"version": "1.36"}),
    (NODES, {"launchTemplate": {"id": "a", "version": "1"}}, {"launchTemplate": {"id": "a", "version": "2"}}),
    (DATABASE, {"instanceClass": "db.r6g.xlarge"}, {"instanceClass": "db.r6g.2xlarge"}),
    (DATABASE, {"identifier": "a"}, {"identifier": "b"}),
    (DATABASE, {"password": Secret("a")}, {"password": Secret("b")}),
    (
        "aws:msk/cluster:Cluster",
        {"brokerNodeGroupInfo": {"instanceType": "kafka.m5.large"}},
        {"brokerNodeGroupInfo": {"instanceType": "kafka.m5.xlarge"}},
    ),
]


@pytest.mark.parametrize(("token", "old", "new"), UPDATED)
def test_what_can_change_in_place_is_updated(aws: Client, token: str, old: Map, new: Map) -> None:
    answer = aws.diff(token, old, new)
    assert answer.changes == SOME
    assert list(answer.replaces) == []


def test_switching_envelope_encryption_off_replaces_the_cluster(aws: Client) -> None:
    encrypted: Map = {"encryptionConfig": {"provider": {"keyArn": "k"}, "resources": ["secrets"]}}
    assert list(aws.diff(CLUSTER, encrypted, {}).replaces) == ["encryptionConfig"]


def test_redis_becomes_valkey_in_place_but_not_back(aws: Client) -> None:
    token = "aws:elasticache/replicationGroup:ReplicationGroup"  # noqa: S105 - a resource type
    assert list(aws.diff(token, {"engine": "redis"}, {"engine": "valkey"}).replaces) == []
    assert list(aws.diff(token, {"engine": "valkey"}, {"engine": "redis"}).replaces) == ["engine"]


def test_an_unknown_value_of_an_identity_property_replaces(aws: Client) -> None:
    answer = aws.diff(SUBNET, {"vpcId": "vpc-1"}, {"vpcId": UNKNOWN})
    assert changes(answer) == {"vpcId": "UPDATE_REPLACE"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"tags": {}}, {}),
        ({"tags": None}, {"tags": {}}),
        ({"__defaults": ["name"]}, {"__defaults": []}),
        ({"tags": {"a": "b", "c": "d"}}, {"tags": {"c": "d", "a": "b"}}),
        ({"tags": {"a": Secret("b")}}, {"tags": {"a": "b"}}),
    ],
)
def test_what_means_the_same_does_not_differ(aws: Client, old: Map, new: Map) -> None:
    assert aws.diff(VPC, old, new).changes == NONE


def test_policies_are_compared_as_json(aws: Client) -> None:
    old = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    new = '{"Statement":{"Action":["s3:*"],"Resource":["*"],"Effect":"Allow"},"Version":"2012-10-17"}'
    other = new.replace("s3", "ec2")
    assert aws.diff("aws:iam/policy:Policy", {"policy": old}, {"policy": new}).changes == NONE
    assert aws.diff("aws:iam/policy:Policy", {"policy": old}, {"policy": other}).changes == SOME


def test_the_order_of_a_set_means_nothing_and_of_a_list_something(aws: Client) -> None:
    sets: list[Map] = [{"vpcSecurityGroupIds": ["a", "b"]}, {"vpcSecurityGroupIds": ["b", "a"]}]
    lists: list[Map] = [{"instanceTypes": ["a", "b"]}, {"instanceTypes": ["b", "a"]}]
    assert aws.diff(DATABASE, sets[0], sets[1]).changes == NONE
    assert aws.diff(NODES, lists[0], lists[1]).changes == SOME


def test_only_what_differs_in_a_set_is_told(aws: Client) -> None:
    old: Map = {"vpcSecurityGroupIds": ["a", "b"]}
    new: Map = {"vpcSecurityGroupIds": ["c", "a", "b"]}
    assert changes(aws.diff(DATABASE, old, new)) == {"vpcSecurityGroupIds[2]": "ADD"}


def test_ignored_changes_are_left_out(aws: Client) -> None:
    old: Map = {"scalingConfig": {"desiredSize": 1, "minSize": 1}}
    new: Map = {"scalingConfig": {"desiredSize": 9, "minSize": 2}}
    answer = aws.diff(NODES, old, new, ignore=("scalingConfig.desiredSize",))
    assert changes(answer) == {"scalingConfig.minSize": "UPDATE"}


def test_a_given_name_is_freed_before_it_is_taken_again(aws: Client) -> None:
    named: Map = {"name": "a", "port": 80, "__defaults": []}
    automatic: Map = {"name": "a-1234567", "port": 80, "__defaults": ["name"]}
    token = "aws:lb/targetGroup:TargetGroup"  # noqa: S105 - a resource type
    assert aws.diff(token, named, {**named, "port": 81}).deleteBeforeReplace
    assert not aws.diff(token, automatic, {**automatic, "port": 81}).deleteBeforeReplace
    assert not aws.diff(token, named, {**named, "name": "b"}).deleteBeforeReplace
    assert not aws.diff(token, named, {**named, "deregistrationDelay": 1}).deleteBeforeReplace


def test_rules_of_a_security_group_go_before_their_successor_comes(aws: Client) -> None:
    token = "aws:ec2/securityGroupRule:SecurityGroupRule"  # noqa: S105 - a resource type
    assert aws.diff(token, {"fromPort": 1}, {"fromPort": 2}).deleteBeforeReplace


def test_another_region_replaces_what_is_regional(connect: Connect) -> None:
    moved = connect("aws", {"region": "eu-west-1"})
    before: Map = {"region": "us-west-2"}
    assert changes(moved.diff(VPC, {}, {}, state=before)) == {"region": "UPDATE_REPLACE"}
    assert changes(moved.diff("aws:iam/role:Role", {}, {}, state={})) == {}
    assert changes(moved.diff(VPC, {}, {}, state={"region": "eu-west-1"})) == {}


def test_types_without_a_row_replace_for_what_identifies_them(aws: Client) -> None:
    token = "aws:cognito/userPoolClient:UserPoolClient"  # noqa: S105 - a resource type
    assert list(aws.diff(token, {"name": "a"}, {"name": "b"}).replaces) == ["name"]
    assert list(aws.diff(token, {"accessTokenValidity": 1}, {"accessTokenValidity": 2}).replaces) == []
