"""Translates the inputs of one resource into CloudFormation's words, led by the type's own schema."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

from infra.local.value_checks.types import NOT_CARRIED, CfnType, cfn_type
from infra.local.words import counterpart

Json = Any
Schema = Mapping[str, Any]
Path = tuple[str | int, ...]
_NONE: Final = object()
"""A value that is not carried over."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A resource in CloudFormation's words.

    Attributes:
        type: With `AWS::`.
        properties: What could be carried over.
        paths: Pulumi path of each CloudFormation path in it.
        lost: Pulumi paths (without indexes) that have no counterpart.
    """

    type: str
    properties: dict[str, Json]
    paths: Mapping[Path, str]
    lost: frozenset[str]


def translate(token: str, inputs: Mapping[str, Json], region: str) -> list[Fragment]:
    """Translate known inputs; nothing for a type without a counterpart in this region's schemas.

    Args:
        token: Pulumi type.
        inputs: Plain JSON; null is what is not to be judged.
        region: Whose schema.
    """
    found: list[Fragment] = []
    target = cfn_type(token)
    while target is not None:
        name = f"AWS::{target.name}"
        schema = schema_of(name, region)
        if schema is not None:
            work = _Translation(target=target, root=schema)
            work.fill(inputs)
            found.append(Fragment(name, work.properties, work.paths, frozenset(work.lost)))
        target = target.also
    return found


@functools.cache
def schema_of(name: str, region: str) -> Schema | None:
    """A type's schema in a region, None where CloudFormation has none there."""
    try:
        found: Any = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, name)
        return cast("Schema", found.schema)
    except ResourceNotFoundError:
        return None


def general(path: str) -> str:
    """A path without indexes."""
    return re.sub(r"\[\d+\]", "", path)


@dataclass
class _Translation:
    target: CfnType
    root: Schema
    properties: dict[str, Json] = field(default_factory=dict[str, Json])
    paths: dict[Path, str] = field(default_factory=dict[Path, str])
    lost: set[str] = field(default_factory=set[str])

    def fill(self, inputs: Mapping[str, Json]) -> None:
        declared: Schema = self.root["properties"]
        inside = self.target.inside
        inner: Schema = self._resolved(declared[inside]).get("properties", {}) if inside else {}
        for key, value in inputs.items():
            if key in NOT_CARRIED or value is None:
                continue
            for holder, names in (((inside,), inner), ((), declared)):
                name = self._name(key, key, names)
                if name is not None:
                    self._put(key, (*holder, name), value, names[name])
                    break
            else:
                self._scatter(key, value)

    def _scatter(self, path: str, value: Json) -> None:
        """Place the fields of an object that CloudFormation has at the top only."""
        if isinstance(value, dict) and any(name.startswith(f"{path}.") for name in self.target.names):
            self._object(cast("dict[str, Json]", value), {"properties": {}}, frozenset({"object"}), path, ())
        else:
            self._lose(path)

    def _put(self, path: str, where: Path, value: Json, schema: Schema) -> None:
        converted = self._value(value, schema, path, where)
        if converted is _NONE:
            return
        place = self.properties
        for step in where[:-1]:
            place = place.setdefault(cast("str", step), {})
        place[cast("str", where[-1])] = converted

    def _name(self, path: str, key: str, declared: Schema) -> str | None:
        """The CloudFormation name of a property, None where it has none here."""
        given = self.target.names.get(general(path))
        if given is not None or self.target.closed:
            name = (given or "").removeprefix("/")
            return name if name in declared else None
        return counterpart(key, declared)

    def _lose(self, path: str) -> None:
        if self.target.names.get(general(path)) != "" and not self.target.closed:
            self.lost.add(general(path))

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            found: Any = self.root
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return schema

    def _value(self, value: Json, schema: Schema, path: str, where: Path) -> Json:
        schema = self._resolved(schema)
        kinds = _kinds(schema)
        if value is None:
            return _NONE
        if not kinds:
            return self._alternative(value, schema, path, where)
        if isinstance(value, dict):
            converted = self._object(cast("dict[str, Json]", value), schema, kinds, path, where)
        elif isinstance(value, list):
            converted = self._list(cast("list[Json]", value), schema, kinds, path, where)
        else:
            converted = _scalar(value, kinds)
            if converted is _NONE:
                self._lose(path)
        self.paths[where] = path
        return converted

    def _alternative(self, value: Json, schema: Schema, path: str, where: Path) -> Json:
        for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            resolved = self._resolved(choice)
            if _kinds(resolved) and (found := self._value(value, resolved, path, where)) is not _NONE:
                return found
        self._lose(path)
        return _NONE

    def _object(
        self, value: dict[str, Json], schema: Schema, kinds: frozenset[str], path: str, where: Path
    ) -> Json:
        if "array" in kinds:
            return self._list([value], schema, kinds, path, where)
        if "object" not in kinds:
            self._lose(path)
            return _NONE
        declared: Schema | None = schema.get("properties")
        if declared is None:
            # A map of the user's own keys, or a document such as a policy.
            return value if None not in value.values() else _NONE
        found: dict[str, Json] = {}
        for key, item in value.items():
            at = f"{path}.{key}"
            given = self.target.names.get(general(at), "")
            if given.startswith("/"):
                self._put(at, (given[1:],), item, self.root["properties"][given[1:]])
                continue
            name = self._name(at, key, declared)
            if name is None:
                self._lose(at)
                continue
            converted = self._value(item, declared[name], at, (*where, name))
            if converted is not _NONE:
                found[name] = converted
        return found or _NONE

    def _list(self, value: list[Json], schema: Schema, kinds: frozenset[str], path: str, where: Path) -> Json:
        if "array" not in kinds:
            if "object" in kinds and len(value) == 1:
                return self._value(value[0], schema, f"{path}[0]", where)
            self._lose(path)
            return _NONE
        items: Schema = schema.get("items", {})
        found = [
            self._value(item, items, f"{path}[{index}]", (*where, index)) for index, item in enumerate(value)
        ]
        # A list that lost an element would be judged for a length and an order that it does not have.
        return _NONE if _NONE in found else found


def _kinds(schema: Schema) -> frozenset[str]:
    kind = schema.get("type", ())
    return frozenset([kind] if isinstance(kind, str) else kind)


def _scalar(value: Json, kinds: frozenset[str]) -> Json:
    if isinstance(value, bool):
        return value if "boolean" in kinds else str(value).lower() if "string" in kinds else _NONE
    if isinstance(value, int | float):
        whole = int(value) if float(value).is_integer() else value
        return whole if kinds & {"integer", "number"} else str(whole) if "string" in kinds else _NONE
    return _text(cast("str", value), kinds)


def _text(value: str, kinds: frozenset[str]) -> Json:
    if "object" in kinds and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return _NONE
    if "string" in kinds:
        return value
    if "integer" in kinds and re.fullmatch(r"-?\d+", value):
        return int(value)
    return value == "true" if "boolean" in kinds and value in {"true", "false"} else _NONE
