from __future__ import annotations

import grpc
import pytest

from infra.local.providers import wire
from infra.local.providers.values import UNKNOWN, Map, Secret

from .conftest import Client, Connect

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
DATABASE = "aws:rds/instance:Instance"
LISTENER_RULE = "aws:lb/listenerRule:ListenerRule"


def database(**changes: object) -> Map:
    inputs: Map = {
        "engine": "postgres",
        "instanceClass": "db.r6g.2xlarge",
        "allocatedStorage": 1000,
        "storageType": "gp3",
        "iops": 16000,
        "username": "app",
        "password": Secret("hidden"),
        "skipFinalSnapshot": True,
    }
    inputs.update(changes)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return inputs


def test_a_right_resource_passes_and_keeps_its_inputs(aws: Client) -> None:
    inputs, failures = aws.check(VPC, {"cidrBlock": "10.0.0.0/16", "tags": {"a": "b"}})
    assert failures == {}
    assert inputs == {"cidrBlock": "10.0.0.0/16", "tags": {"a": "b"}}


def test_an_unknown_property_is_refused_with_the_nearest_name(aws: Client) -> None:
    failures = aws.refusals(VPC, {"cidrBlok": "10.0.0.0/16"}, name="main")
    assert failures == {
        "cidrBlok": 'stack dev, aws:ec2/vpc:Vpc "main": cidrBlok no such property; did you mean cidrBlock?'
    }


def test_a_python_name_is_refused_with_the_name_of_the_wire(aws: Client) -> None:
    assert "did you mean cidrBlock?" in aws.refusals(VPC, {"cidr_block": "10.0.0.0/16"})["cidr_block"]


def test_a_missing_required_property_is_refused(aws: Client) -> None:
    assert "missing: it is required (string)" in aws.refusals(SUBNET, {"cidrBlock": "10.0.0.0/24"})["vpcId"]


@pytest.mark.parametrize(
    ("inputs", "path", "says"),
    [
        ({"enableDnsSupport": "yes"}, "enableDnsSupport", 'is "yes" (string); expected boolean'),
        ({"ipv4NetmaskLength": True}, "ipv4NetmaskLength", "is true (boolean); expected integer"),
        ({"ipv4NetmaskLength": 1.5}, "ipv4NetmaskLength", "is 1.5 (number); expected integer"),
        ({"cidrBlock": 10}, "cidrBlock", "is 10 (number); expected string"),
        ({"tags": ["a"]}, "tags", "is list of 1; expected object of string"),
        ({"tags": {"a": 1}}, "tags.a", "is 1 (number); expected string"),
        ({"tags": {"a.b": False}}, 'tags["a.b"]', "is false (boolean); expected string"),
    ],
)
def test_a_wrong_type_is_refused_with_what_was_expected(
    aws: Client, inputs: Map, path: str, says: str
) -> None:
    failures = aws.refusals(VPC, inputs)
    assert list(failures) == [path]
    assert says in failures[path]


def test_paths_inside_lists_and_objects_are_named(aws: Client) -> None:
    failures = aws.refusals(
        LISTENER_RULE,
        {
            "listenerArn": "arn",
            "actions": [{"type": "forward", "forward": {"targetGroups": [{"weigth": 1}]}}],
            "conditions": [{"pathPattern": {"values": "/auth"}}],
        },
    )
    assert set(failures) == {
        "actions[0].forward.targetGroups[0].arn",
        "actions[0].forward.targetGroups[0].weigth",
        "conditions[0].pathPattern.values",
    }


def test_an_unknown_type_fails_with_the_nearest_one(aws: Client) -> None:
    (reason,) = aws.refusals("aws:ec2/vpc:Vpcc", {}).values()
    assert "aws:ec2/vpc:Vpcc is no resource type" in reason
    assert "Vpc" in reason


def test_secrets_and_unknowns_pass_anywhere(aws: Client) -> None:
    assert (
        aws.refusals(
            VPC, {"cidrBlock": UNKNOWN, "tags": {"a": UNKNOWN}, "enableDnsSupport": Secret(value=True)}
        )
        == {}
    )


def test_a_wrong_secret_is_refused_without_being_shown(aws: Client) -> None:
    failures = aws.refusals(DATABASE, database(port=Secret("hunter2")))
    assert "is a secret string; expected integer" in failures["port"]
    assert "hunter2" not in str(failures)


@pytest.mark.parametrize(
    "inputs",
    [
        {"storageType": Secret("hunter2")},
        {"identifier": Secret("hunter2!")},
        {"availabilityZone": Secret("hunter2")},
        {"tags": Secret({"a": ["hunter2"]})},
        {"restoreToPointInTime": Secret({"hunter": "hunter2", "useLatestRestorableTime": "hunter2"})},
    ],
)
def test_no_refusal_of_any_kind_shows_a_secret(aws: Client, inputs: Map) -> None:
    failures = aws.refusals(DATABASE, database(**inputs))
    assert failures
    assert "hunter2" not in str(failures)


@pytest.mark.parametrize(
    "inputs",
    [
        {"instanceClass": "db.r6g.xlarge"},
        {"engine": "mariadb"},
        {"storageType": "io2"},
        {"instanceClass": "db.r9g.2xlarge"},
    ],
)
def test_values_that_aws_takes_pass_though_the_enum_is_behind(aws: Client, inputs: Map) -> None:
    assert aws.refusals(DATABASE, database(**inputs)) == {}


@pytest.mark.parametrize(
    ("inputs", "path", "says"),
    [
        ({"instanceClass": "db.r6g.3xlarge"}, "instanceClass", "db.r6g"),
        ({"instanceClass": "r6g.xlarge"}, "instanceClass", "db.r6g.xlarge"),
        ({"engine": "postgress"}, "engine", "an engine such as postgres"),
        ({"storageType": "gp33"}, "storageType", "one of standard, gp2, gp3, io1"),
    ],
)
def test_a_value_outside_an_open_enum_is_refused(aws: Client, inputs: Map, path: str, says: str) -> None:
    assert says in aws.refusals(DATABASE, database(**inputs))[path]


@pytest.mark.parametrize("name", ["c5.4xlarge", "r5.2xlarge", "c5.9xlarge", "g5.2xlarge", "x99gd.metal-48xl"])
def test_instance_types_of_the_platform_exist(aws: Client, name: str) -> None:
    inputs: Map = {"clusterName": "c", "nodeRoleArn": "arn", "subnetIds": ["s"], "instanceTypes": [name]}
    inputs["scalingConfig"] = {"minSize": 1, "maxSize": 2, "desiredSize": 1}
    assert aws.refusals("aws:eks/nodeGroup:NodeGroup", inputs) == {}


def test_an_instance_type_that_does_not_exist_is_refused_with_near_ones(aws: Client) -> None:
    inputs: Map = {
        "clusterName": "c",
        "nodeRoleArn": "arn",
        "subnetIds": ["s"],
        "instanceTypes": ["c5.3xlarge"],
    }
    inputs["scalingConfig"] = {"minSize": 1, "maxSize": 2, "desiredSize": 1}
    assert "c5.4xlarge" in aws.refusals("aws:eks/nodeGroup:NodeGroup", inputs)["instanceTypes[0]"]


def test_a_policy_may_be_an_object_and_is_kept_as_text(aws: Client) -> None:
    statement: Map = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "ec2.amazonaws.com"},
    }
    inputs, failures = aws.check(
        "aws:iam/role:Role", {"assumeRolePolicy": {"Version": "2012-10-17", "Statement": [statement]}}
    )
    assert failures == {}
    assert isinstance(inputs["assumeRolePolicy"], str)


def test_a_provider_needs_a_region_that_exists(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    stub = connect("aws").stub

    def failures(news: Map) -> list[str]:
        request = wire.provider_pb2.CheckRequest(
            urn="urn:pulumi:dev::p::pulumi:providers:aws::x", news=wire.encode(news)
        )
        return [found.reason for found in stub.CheckConfig(request).failures]

    assert "set aws:region in the stack file" in failures({})[0]
    assert "us-east-1" in failures({"region": "us-eats-1"})[0]
    assert failures({"region": "eu-west-1"}) == []
    assert failures({"region": UNKNOWN}) == []


def test_a_connection_that_was_never_configured_is_refused(connect: Connect) -> None:
    connect("aws")
    stranger = connect("aws", configure=False)
    with pytest.raises(grpc.RpcError, match="never configured"):
        stranger.refusals(VPC, {"cidrBlock": "10.0.0.0/16"})
