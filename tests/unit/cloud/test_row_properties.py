"""Every row speaks of properties that Pulumi's type has, and of members that AWS's calls have."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import botocore
import botocore.session
import pytest

from infra.local.cloud.rows import Call, Row
from infra.local.cloud.tables import ROWS
from infra.local.cloud.taggers import TAGGERS
from infra.local.providers import sdk
from infra.local.providers.aws.kinds import short

GIVEN = frozenset({"id", "region", "account", "token", "digits", "tagList", "setSuffix", "items"})
"""Placeholders and conditions that are no properties."""
KINDS = sorted(ROWS)


@functools.cache
def model(service: str) -> Any:
    # botocore ships without types.
    session: Any = vars(botocore.session)["get_session"]()
    return session.get_service_model(service)


@functools.cache
def operations(service: str) -> Mapping[str, Any]:
    """The service's calls by boto3's name."""
    of: Any = model(service)
    snake: Any = vars(botocore)["xform_name"]
    return {snake(name): of.operation_model(name) for name in of.operation_names}


def taken(row: Row, call: Call) -> Any:
    """The structure that a call takes."""
    return operations(call.service or row.service)[call.operation].input_shape


@functools.cache
def schema(kind: str) -> sdk.ResourceSchema:
    sdk.load_package("aws")
    token = next(token for token in sdk.tokens("aws:") if short(token) == kind)
    found = sdk.schema(token)
    assert found is not None
    return found


def properties(kind: str) -> set[str]:
    return {*schema(kind).inputs, *schema(kind).outputs}


def calls(row: Row) -> Iterator[Call]:
    yield from (*row.create, *row.update, *row.delete)
    yield from (call for call, _ in (*row.also.values(), *row.shows.values()))
    if row.read is not None:
        yield row.read


def members(shape: Any, seen: tuple[str, ...] = ()) -> Iterator[str]:
    """All names in a structure, at any depth."""
    if shape is None or shape.name in seen:
        return
    deeper = (*seen, shape.name)
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield name
            yield from members(member, deeper)
    elif shape.type_name == "list":
        yield from members(shape.member, deeper)
    elif shape.type_name == "map":
        yield from members(shape.value, deeper)


def has(shape: sdk.Shape, steps: list[str]) -> bool:
    """Whether a property has what a path in it says."""
    if not steps:
        return True
    if isinstance(shape, sdk.ListOf):
        return has(shape.item, steps)
    if isinstance(shape, sdk.MapOf):
        return has(shape.item, steps[1:])
    if isinstance(shape, sdk.OneOf):
        return any(has(one, steps) for one in shape.shapes)
    if not isinstance(shape, sdk.ObjectOf):
        return shape == sdk.ANY
    inner = shape.properties.get(steps[0])
    return inner is not None and has(inner.shape, steps[1:])


def unknown_members(given: Any, shape: Any, at: str) -> Iterator[str]:
    """What arguments have at any depth and the call has not."""
    if isinstance(given, dict) and shape.type_name == "structure":
        for name, value in cast("dict[str, Any]", given).items():
            if name not in shape.members:
                yield f"{at}.{name}"
            else:
                yield from unknown_members(value, shape.members[name], f"{at}.{name}")
    elif isinstance(given, list) and shape.type_name == "list":
        for value in cast("list[Any]", given):
            yield from unknown_members(value, shape.member, at)


@pytest.mark.parametrize("kind", KINDS)
def test_conditions_and_what_is_seen_are_properties_of_the_type(kind: str) -> None:
    row, named = ROWS[kind], set[str]()
    for call in calls(row):
        carried = call.carries if isinstance(call.carries, str) else ""
        named |= {*call.when.split(), *call.unless.split(), *carried.split()}
        named |= {condition.partition("=")[0] for condition in call.needs.split()}
    named |= {*row.blind.split(), *row.sees, *row.outputs, *row.also, *row.shows}

    assert named - properties(kind) - GIVEN == set()


@pytest.mark.parametrize("kind", KINDS)
def test_placeholders_stand_for_properties_of_the_type(kind: str) -> None:
    row = ROWS[kind]
    filled = [
        *(call.given for call in calls(row)),
        *(call.each.given for call in calls(row) if call.each),
        *(call.each.path for call in calls(row) if call.each),
        row.found,
        row.tags,
        row.id if isinstance(row.id, str) else "",
    ]
    named = {place for text in filled for place in re.findall(r"\{([A-Za-z_]\w*)[\w.]*\}", json.dumps(text))}

    assert named - properties(kind) - GIVEN == set()


@pytest.mark.parametrize("kind", KINDS)
def test_other_names_are_of_properties_and_of_members(kind: str) -> None:
    row = ROWS[kind]
    carrying = [call for call in (*row.create, *row.update) if call.carries]
    known = {name for call in carrying for name in members(taken(row, call))}
    if row.read is not None:
        known |= set(members(operations(row.read.service or row.service)[row.read.operation].output_shape))
    for path, name in row.names.items():
        first, *rest = path.split(".")
        found = schema(kind).inputs.get(first)
        assert found is not None, path
        assert has(found.shape, rest), path
        assert not name or name in known, f"{path}: {name}"


@pytest.mark.parametrize("kind", KINDS)
def test_arguments_are_members_of_the_call_at_any_depth(kind: str) -> None:
    row = ROWS[kind]

    unknown = [
        one
        for call in calls(row)
        for one in unknown_members(dict(call.given), taken(row, call), call.operation)
    ]

    assert unknown == []


@pytest.mark.parametrize("service", sorted(TAGGERS))
def test_tag_calls_and_their_arguments_are_those_of_the_service(service: str) -> None:
    tagger = TAGGERS[service]
    puts = tagger.put_arguments("it", {"a": "b"})
    removes = tagger.remove_arguments("it", ["a"])

    for operation, arguments in ((tagger.put, puts), (tagger.remove, removes)):
        shape = operations(service)[operation].input_shape
        assert list(unknown_members(arguments, shape, operation)) == []
        assert set(cast("list[str]", shape.required_members)) <= set(arguments)


@pytest.mark.parametrize("kind", sorted(kind for kind, row in ROWS.items() if row.tags))
def test_tags_of_a_type_can_be_changed(kind: str) -> None:
    row = ROWS[kind]

    assert row.service in TAGGERS or any("tagging" in call.operation for call in row.update)
