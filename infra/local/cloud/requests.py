"""Writes the arguments of AWS's calls from Pulumi's inputs, led by botocore's model of each call."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from infra.local.words import counterpart

Json = Any
Shape = Any
_NONE: Final = object()
"""A value that is not carried over."""
_PLACE: Final = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_PAIRS: Final = (("Key", "Value"), ("key", "value"), ("Name", "Value"), ("name", "value"))
TAGS: Final = frozenset({"tags", "tagsAll"})
NOT_CARRIED: Final = frozenset({"region", "__defaults", *TAGS})


def fill(template: Json, values: Mapping[str, Json]) -> Json:
    """Fill placeholders in; None where one of them has no value.

    Args:
        template: A text, or lists and objects of them.
        values: What placeholders stand for; dots go into objects.
    """
    if isinstance(template, list):
        items = [fill(item, values) for item in cast("list[Json]", template)]
        return None if None in items else items
    if isinstance(template, dict):
        filled = {key: fill(item, values) for key, item in cast("dict[str, Json]", template).items()}
        return {key: item for key, item in filled.items() if item is not None}
    if not isinstance(template, str):
        return template
    whole = _PLACE.fullmatch(template)
    if whole:
        return _value(whole[1], values)
    found = [_value(name, values) for name in _PLACE.findall(template)]
    if None in found:
        return None
    return _PLACE.sub(lambda match: str(_value(match[1], values)), template)


def _value(name: str, values: Mapping[str, Json]) -> Json:
    found: Json = values
    for step in name.split("."):
        found = cast("dict[str, Json]", found).get(step) if isinstance(found, dict) else None
    return found


def translate(
    shape: Shape, inputs: Mapping[str, Json], names: Mapping[str, str], path: str = ""
) -> dict[str, Json]:
    """Write an object of Pulumi's as AWS's: each property by the member that it goes by, in the member's type.

    Args:
        shape: Botocore's structure.
        inputs: Plain JSON.
        names: Members by property path where the names differ; empty: not carried.
        path: Of the object in the resource.
    """
    members: Mapping[str, Shape] = shape.members
    written: dict[str, Json] = {}
    for key, value in inputs.items():
        at = f"{path}.{key}" if path else key
        name = names[at] if at in names else counterpart(key, members)
        if value is None or not name or name not in members or (not path and key in NOT_CARRIED):
            continue
        converted = _converted(value, members[name], names, at)
        if converted is not _NONE:
            written[name] = converted
    return written


def _converted(value: Json, shape: Shape, names: Mapping[str, str], path: str) -> Json:
    if shape.type_name == "structure":
        return _structure(value, shape, names, path)
    if shape.type_name == "list":
        return _list(value, shape, names, path)
    if shape.type_name == "map":
        if not isinstance(value, dict):
            return _NONE
        entries = cast("dict[str, Json]", value).items()
        return {key: _converted(item, shape.value, names, f"{path}.{key}") for key, item in entries}
    return _scalar(value, shape.type_name)


def _structure(value: Json, shape: Shape, names: Mapping[str, str], path: str) -> Json:
    if isinstance(value, list):
        items = cast("list[Json]", value)
        if {"Quantity", "Items"} <= set(shape.members):
            # CloudFront counts its lists.
            inner = [_converted(item, shape.members["Items"].member, names, path) for item in items]
            return {"Quantity": len(inner), "Items": inner} if inner else {"Quantity": 0}
        if len(items) != 1:
            return _NONE
        value = items[0]
    if not isinstance(value, dict):
        return _NONE
    return translate(shape, cast("dict[str, Json]", value), names, path)


def _list(value: Json, shape: Shape, names: Mapping[str, str], path: str) -> Json:
    if isinstance(value, dict):
        pair = _pair(shape.member)
        if pair and counterpart(next(iter(cast("dict[str, Json]", value)), ""), shape.member.members) is None:
            entries = cast("dict[str, Json]", value).items()
            return [{pair[0]: key, pair[1]: _scalar(item, "string")} for key, item in entries]
    items = cast("list[Json]", value if isinstance(value, list) else [value])
    return [item for given in items if (item := _converted(given, shape.member, names, path)) is not _NONE]


def _pair(shape: Shape) -> tuple[str, str] | None:
    members = set(shape.members) if shape.type_name == "structure" else set[str]()
    return next((pair for pair in _PAIRS if set(pair) <= members), None)


def _scalar(value: Json, kind: str) -> Json:
    if kind == "string":
        return _text(value)
    if kind in {"integer", "long", "double", "float"} and isinstance(value, int | float | str):
        return int(float(value)) if kind in {"integer", "long"} else float(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    return str(value).encode() if kind == "blob" else value


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def tag_argument(shape: Shape, tags: Mapping[str, str], tag_type: str) -> dict[str, Json]:
    """Write tags as a call takes them; nothing for a call that takes none.

    Args:
        shape: Botocore's structure of the call's input.
        tags: The tags.
        tag_type: EC2's name of what is tagged.
    """
    for name in ("TagSpecifications", "Tags", "tags", "TagList"):
        member = shape.members.get(name)
        if member is None or (name == "TagSpecifications" and not tag_type):
            continue
        if name == "TagSpecifications":
            listed = [{"Key": key, "Value": value} for key, value in tags.items()]
            return {name: [{"ResourceType": tag_type, "Tags": listed}]} if tags else {}
        if member.type_name == "map":
            return {name: dict(tags)}
        if member.type_name == "structure":
            return {name: {"Items": [{"Key": key, "Value": value} for key, value in tags.items()]}}
        pair = _pair(member.member) or ("TagKey", "TagValue")
        return {name: [{pair[0]: key, pair[1]: value} for key, value in tags.items()]} if tags else {}
    return {}
