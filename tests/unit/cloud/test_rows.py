"""Every row names calls, arguments and answers that AWS has, by botocore's models."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

import boto3
import jmespath
import pytest

from infra.local.cloud.rows import Call, Row
from infra.local.cloud.tables import LEFT_OUT, NEEDED, ROWS

PARTS = frozenset(
    {
        "ec2:DefaultSecurityGroup",
        "ec2:VpcPeeringConnectionAccepter",
        "secretsmanager:SecretVersion",
        "sns:TopicPolicy",
    }
)
"""Types that go with what they are part of, and not before."""


@functools.cache
def client(service: str) -> Any:
    # boto3 ships without complete types.
    make: Callable[..., Any] = vars(boto3)["client"]
    return make(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106 - none


def calls(row: Row) -> Iterator[Call]:
    yield from (*row.create, *row.update, *row.delete)
    if row.read is not None:
        yield row.read
    yield from (call for call, _ in (*row.also.values(), *row.shows.values()))


def paths(row: Row) -> Iterator[str]:
    yield re.sub(r"\{\w[\w.]*\}", "x", row.found)
    yield from (path for path in row.outputs.values() if isinstance(path, str))
    yield from (path for _, path in (*row.also.values(), *row.shows.values()))
    yield from row.sees.values()
    if isinstance(row.id, str) and "{" not in row.id:
        yield row.id


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_calls_and_their_arguments_are_those_of_the_service(kind: str) -> None:
    row = ROWS[kind]
    for call in calls(row):
        asked = client(call.service or row.service)
        operations = cast("dict[str, str]", asked.meta.method_to_api_mapping)
        assert call.operation in operations
        shape = asked.meta.service_model.operation_model(operations[call.operation]).input_shape
        members = set(cast("dict[str, object]", shape.members)) if shape else set[str]()
        assert set(call.given) <= members, call.operation
        assert not call.inside or call.inside in members, call.operation


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_answers_are_looked_into_by_paths_that_can_be_read(kind: str) -> None:
    for path in paths(ROWS[kind]):
        jmespath.compile(path)


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_what_was_made_can_be_deleted_or_is_part_of_what_can(kind: str) -> None:
    row = ROWS[kind]
    assert row.create
    assert row.delete or kind in PARTS, "it would stay"


def test_what_is_left_out_has_no_row() -> None:
    assert LEFT_OUT
    assert not set(LEFT_OUT) & set(ROWS)
    assert all(LEFT_OUT.values())


@pytest.mark.parametrize("kind", sorted(NEEDED))
def test_what_a_record_needs_is_asked_for_by_calls_of_the_service(kind: str) -> None:
    assert kind in LEFT_OUT
    for needed in NEEDED[kind]:
        asked = client(needed.call.service)
        operations = cast("dict[str, str]", asked.meta.method_to_api_mapping)
        shape = asked.meta.service_model.operation_model(operations[needed.call.operation]).input_shape
        assert set(needed.call.given) <= set(cast("dict[str, object]", shape.members))
        assert not needed.says or re.match(r"\w+: ", needed.says)
