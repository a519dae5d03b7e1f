from __future__ import annotations

import re

import pytest

from infra.local.providers.values import Map

from .conftest import Client

ROLE = "aws:iam/role:Role"
QUEUE = "aws:sqs/queue:Queue"
TRUST: Map = {"assumeRolePolicy": "{}"}


def test_a_missing_name_is_the_logical_one_and_seven_digits(aws: Client) -> None:
    inputs, _ = aws.check(ROLE, TRUST, name="reader")
    assert re.fullmatch(r"reader-[0-9a-f]{7}", str(inputs["name"]))
    assert inputs["__defaults"] == ["name"]


def test_the_digits_come_from_the_seed_of_the_engine(aws: Client) -> None:
    names = [aws.check(ROLE, TRUST, seed=seed)[0]["name"] for seed in (b"a", b"b", b"a")]
    assert names[0] == names[2] != names[1]


def test_a_given_name_is_kept(aws: Client) -> None:
    inputs, _ = aws.check(ROLE, {**TRUST, "name": "given"})
    assert inputs["name"] == "given"
    assert inputs["__defaults"] == []


def test_an_automatic_name_stays_through_updates(aws: Client) -> None:
    first, _ = aws.check(ROLE, TRUST, seed=b"a")
    later, _ = aws.check(ROLE, {**TRUST, "description": "x"}, olds=first, seed=b"b")
    assert later["name"] == first["name"]


def test_a_name_the_program_no_longer_gives_is_replaced_by_an_automatic_one(aws: Client) -> None:
    given, _ = aws.check(ROLE, {**TRUST, "name": "given"})
    later, _ = aws.check(ROLE, TRUST, olds=given)
    assert later["name"] != "given"


@pytest.mark.parametrize(
    ("token", "inputs", "pattern"),
    [
        ("aws:s3/bucket:Bucket", {}, r"logs-[0-9a-f]{7}"),
        ("aws:kms/alias:Alias", {"targetKeyId": "k"}, r"alias/Logs-[0-9a-f]{7}"),
        (QUEUE, {"fifoQueue": True}, r"Logs-[0-9a-f]{7}\.fifo"),
    ],
)
def test_names_have_the_form_their_service_wants(aws: Client, token: str, inputs: Map, pattern: str) -> None:
    checked, failures = aws.check(token, inputs, name="Logs")
    name = checked.get("bucket", checked.get("name"))
    assert failures == {}
    assert re.fullmatch(pattern, str(name))


def test_a_logical_name_too_long_for_the_service_is_refused(aws: Client) -> None:
    token = "aws:lb/targetGroup:TargetGroup"  # noqa: S105 - a resource type
    inputs: Map = {"port": 80, "protocol": "HTTP", "vpcId": "v"}
    assert aws.refusals(token, inputs, name="a" * 24) == {}
    assert "longer than 32" in aws.refusals(token, inputs, name="a" * 25)["name"]


def test_types_whose_name_is_required_are_not_named(aws: Client) -> None:
    inputs, failures = aws.check(
        "aws:route53/record:Record", {"zoneId": "Z", "type": "A", "records": ["x"], "ttl": 1}
    )
    assert "name" not in inputs
    assert "missing: it is required" in failures["name"]
