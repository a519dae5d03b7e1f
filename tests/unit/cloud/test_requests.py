"""What becomes of Pulumi's inputs in AWS's calls, by botocore's models of real calls."""

from __future__ import annotations

import functools
import json
from typing import Any

import botocore.session
import pytest

from infra.local.cloud.requests import fill, tag_argument, translate

NO_NAMES: dict[str, str] = {}
KEYED = [{"Key": "a", "Value": "b"}]


@functools.cache
def shape(service: str, operation: str) -> Any:
    # botocore ships without types.
    session: Any = vars(botocore.session)["get_session"]()
    return session.get_service_model(service).operation_model(operation).input_shape


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{count}", 3),
        ("{tags}", {"a": "b"}),
        ("n-{count}/{deep.inner}", "n-3/x"),
        ("{missing}", None),
        ("n-{missing}", None),
        ("{deep.missing}", None),
        ("{count.inner}", None),
        (["{count}", "fixed"], [3, "fixed"]),
        (["{missing}"], None),
        ({"A": "{count}", "B": "{missing}"}, {"A": 3}),
        ({"A": {"B": "{missing}"}}, {"A": {}}),
        (True, True),
        ('{"Version": "{count}"}', '{"Version": "3"}'),
    ],
)
def test_placeholders_are_filled_in_or_leave_nothing(template: Any, expected: Any) -> None:
    values = {"count": 3, "deep": {"inner": "x"}, "tags": {"a": "b"}}

    assert fill(template, values) == expected


def test_properties_go_by_the_name_that_the_call_has_for_them() -> None:
    given = {"cidrBlock": "10.0.0.0/16", "instanceTenancy": "default", "region": "eu-west-1", "unheardOf": 1}

    written = translate(shape("ec2", "CreateVpc"), given, NO_NAMES)

    assert written == {"CidrBlock": "10.0.0.0/16", "InstanceTenancy": "default"}


def test_a_given_name_wins_and_an_empty_one_carries_nothing() -> None:
    given = {"name": "r", "assumeRolePolicy": "{}", "description": "d", "path": "/p/"}
    names = {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument", "path": ""}

    written = translate(shape("iam", "CreateRole"), given, names)

    assert written == {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "Description": "d"}


def test_names_inside_go_by_their_path_without_indexes() -> None:
    rules = [{"ruleName": "r", "lifecycle": {"deleteAfter": 35.0}}, {"ruleName": "s"}]
    names = {"rules.lifecycle.deleteAfter": "DeleteAfterDays"}

    plan = shape("backup", "CreateBackupPlan").members["BackupPlan"]

    assert translate(plan, {"rules": rules}, names) == {
        "Rules": [{"RuleName": "r", "Lifecycle": {"DeleteAfterDays": 35}}, {"RuleName": "s"}]
    }


def test_nothing_and_tags_are_not_carried() -> None:
    given: dict[str, Any] = {"description": None, "tags": {"a": "b"}, "tagsAll": {"a": "b"}, "__defaults": []}

    assert translate(shape("iam", "CreateRole"), given, NO_NAMES) == {}


def test_numbers_switches_and_texts_take_the_type_of_the_call() -> None:
    given = {
        "name": "a",
        "threshold": "1.5",
        "period": 60.0,
        "actionsEnabled": "false",
        "alarmDescription": True,
        "metricName": 7.0,
        "namespace": {"b": [1]},
    }
    written = translate(shape("cloudwatch", "PutMetricAlarm"), given, {"name": "AlarmName"})

    assert written == {
        "AlarmName": "a",
        "Threshold": 1.5,
        "Period": 60,
        "ActionsEnabled": False,
        "AlarmDescription": "true",
        "MetricName": "7",
        "Namespace": json.dumps({"b": [1]}),
    }
    assert [type(written["Period"]), type(written["Threshold"])] == [int, float]


def test_a_document_that_was_given_as_an_object_is_written_as_text() -> None:
    document: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}

    written = translate(shape("s3", "PutBucketPolicy"), {"policy": document}, NO_NAMES)

    assert json.loads(written["Policy"]) == document


def test_content_is_bytes() -> None:
    written = translate(shape("s3", "PutObject"), {"body": "text"}, NO_NAMES)

    assert written == {"Body": b"text"}


def test_an_object_becomes_pairs_where_the_call_takes_pairs() -> None:
    given = {"dimensions": {"Queue": "q", "Zone": 3}}

    written = translate(shape("cloudwatch", "PutMetricAlarm"), given, NO_NAMES)

    assert written == {"Dimensions": [{"Name": "Queue", "Value": "q"}, {"Name": "Zone", "Value": "3"}]}


def test_one_object_becomes_a_list_of_one_where_the_call_takes_a_list() -> None:
    controls = shape("s3", "PutBucketOwnershipControls").members["OwnershipControls"]

    written = translate(controls, {"rule": {"objectOwnership": "ObjectWriter"}}, NO_NAMES)

    assert written == {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}


def test_a_list_of_one_becomes_an_object_where_the_call_takes_one() -> None:
    delivery = shape("logs", "CreateDelivery")
    names = {"s3DeliveryConfigurations": "s3DeliveryConfiguration"}

    one = translate(delivery, {"s3DeliveryConfigurations": [{"suffixPath": "x"}]}, names)
    two = translate(delivery, {"s3DeliveryConfigurations": [{"suffixPath": "x"}, {"suffixPath": "y"}]}, names)

    assert one == {"s3DeliveryConfiguration": {"suffixPath": "x"}}
    assert two == {}, "of two, none is the one"


def test_lists_of_texts_stay_lists_and_maps_stay_maps() -> None:
    written = translate(
        shape("lambda", "CreateFunction"),
        {"architectures": "arm64", "environment": {"variables": {"someKey": 1.0, "OTHER": True}}},
        NO_NAMES,
    )
    assert written == {
        "Architectures": ["arm64"],
        "Environment": {"Variables": {"someKey": "1", "OTHER": "true"}},
    }


def test_cloudfront_is_told_how_long_its_lists_are() -> None:
    config = shape("cloudfront", "CreateDistribution").members["DistributionConfig"]

    assert translate(config, {"aliases": ["a", "b"]}, NO_NAMES) == {
        "Aliases": {"Quantity": 2, "Items": ["a", "b"]}
    }
    assert translate(config, {"aliases": []}, NO_NAMES) == {"Aliases": {"Quantity": 0}}


@pytest.mark.parametrize(
    ("service", "operation", "tag_type", "expected"),
    [
        ("ec2", "CreateVpc", "vpc", {"TagSpecifications": [{"ResourceType": "vpc", "Tags": KEYED}]}),
        ("ec2", "CreateVpc", "", {}),
        ("iam", "CreateRole", "", {"Tags": KEYED}),
        ("kms", "CreateKey", "", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ("lambda", "CreateFunction", "", {"Tags": {"a": "b"}}),
        ("eks", "CreateCluster", "", {"tags": {"a": "b"}}),
        ("ecr", "CreateRepository", "", {"tags": KEYED}),
        ("s3", "PutBucketPolicy", "", {}),
    ],
)
def test_tags_are_written_as_each_call_takes_them(
    service: str, operation: str, tag_type: str, expected: dict[str, Any]
) -> None:
    assert tag_argument(shape(service, operation), {"a": "b"}, tag_type) == expected


def test_no_tags_are_no_argument() -> None:
    assert tag_argument(shape("ec2", "CreateVpc"), {}, "vpc") == {}
    assert tag_argument(shape("iam", "CreateRole"), {}, "") == {}
