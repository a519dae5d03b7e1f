"""Checks inputs against the SDK's own types and words what is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from infra.local.providers import sdk
from infra.local.providers.sdk import Choice, ListOf, MapOf, ObjectOf, OneOf, Property, Scalar, Shape
from infra.local.providers.values import (
    Asset,
    ResourceReference,
    Secret,
    Unknown,
    Value,
    inside,
    join,
    plain,
    show,
)

# pulumi-aws declares these as "string or enum" and its enum is behind what AWS takes: the pattern is what else may
# stand there. Every other open enum is taken at its word.
WIDER_ENUMS: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(rf"(?:{pattern})\Z")
    for name, pattern in {
        "ec2.ProtocolType": r"-1|\d{1,3}|icmpv6|esp|ah|TCP|UDP|ICMP|ALL",
        "ec2.PlacementStrategy": r"partition",
        "ec2.Tenancy": r"host",
        "alb.LoadBalancerType": r"gateway",
        "rds.EngineType": r"mariadb|oracle-(ee|se2)(-cdb)?|sqlserver-(ee|se|ex|web)|db2-(ae|se)|custom-[a-z0-9-]+",
        "rds.InstanceType": r"db\.[a-z][a-z0-9-]*\.(micro|small|medium|large|\d*xlarge)(\.tpc\d\.mem\dx)?",
        "rds.StorageType": r"io2|aurora|aurora-iopt1",
        "route53.RecordType": r"DS|HTTPS|SSHFP|SVCB|TLSA",
        "ec2.InstanceType": r"[a-z][a-z0-9-]*\d[a-z0-9-]*\.(nano|micro|small|medium|large|\d*xlarge|metal(-\d+xl)?)",
        "lambda_.Runtime": r"(nodejs\d\d|python3\.\d\d|java\d\d|dotnet\d\d|ruby\d\.\d)(\.x)?|provided(\.al2(023)?)?",
    }.items()
}
# For instance types the enum is the judge for families it knows; the pattern lets only newer families through.
_FAMILY_ENUMS: Final = frozenset({"ec2.InstanceType", "rds.InstanceType"})


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing wrong: the property path (empty for the whole resource) and the sentence about it."""

    path: str
    reason: str


def check_inputs(properties: Mapping[str, Property], inputs: Mapping[str, Value]) -> list[Failure]:
    """Check the inputs of a resource or the arguments of a function."""
    return list(_object(properties, inputs, ""))


def _object(properties: Mapping[str, Property], given: Mapping[str, Value], path: str) -> Iterator[Failure]:
    for name, declared in properties.items():
        if declared.required and given.get(name) is None:
            yield Failure(join(path, name), f"missing: it is required ({describe(declared.shape)})")
    for name, value in given.items():
        where = join(path, name)
        if name in properties:
            yield from check_value(properties[name].shape, value, where)
        elif not name.startswith("__"):
            yield Failure(where, unknown_property(name, properties))


def unknown_property(name: str, known: Iterable[str]) -> str:
    """Word the refusal of a property nobody declared, with the nearest known one."""
    known = sorted(known)
    camel = re.sub(r"_([a-z0-9])", lambda letter: letter[1].upper(), name)
    folded = {candidate.lower(): candidate for candidate in known}
    near = [folded[match] for match in difflib.get_close_matches(camel.lower(), folded, n=1, cutoff=0.6)]
    hint = (
        f"did you mean {near[0]}?"
        if near
        else f"known: {', '.join(known[:12])}{', ...' if known[12:] else ''}"
    )
    return f"no such property; {hint}"


def check_value(shape: Shape, given: Value, path: str) -> Iterator[Failure]:
    """Check one value against a shape; what is unknown during a preview passes, what is secret is never shown."""
    value = plain(given)
    if value is None or isinstance(value, Unknown) or shape == sdk.ANY:
        return
    if isinstance(shape, OneOf):
        yield from _one_of(shape, given, path)
    elif isinstance(shape, Choice):
        yield from _choice(shape, given, path)
    elif isinstance(shape, ListOf) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from check_value(shape.item, inside(given, item), join(path, index))
    elif isinstance(shape, ObjectOf) and isinstance(value, dict):
        yield from _object(shape.properties, {key: inside(given, item) for key, item in value.items()}, path)
    elif isinstance(shape, MapOf) and isinstance(value, dict):
        for key, item in value.items():
            yield from check_value(shape.item, inside(given, item), join(path, key))
    elif not isinstance(shape, Scalar) or not _is_scalar(shape.kind, value):
        yield Failure(path, f"is {show(given)}; expected {describe(shape)}")


def _one_of(shape: OneOf, given: Value, path: str) -> Iterator[Failure]:
    choices = [member for member in shape.shapes if isinstance(member, Choice)]
    if choices and isinstance(plain(given), str):
        # "String or enum": the enum is what the service takes.
        yield from _choice(choices[0], given, path)
        return
    failures = [list(check_value(member, given, path)) for member in shape.shapes]
    if not all(failures):
        return
    inner = [found for found in failures if any(failure.path != path for failure in found)]
    mismatch = [Failure(path, f"is {show(given)}; expected {describe(shape)}")]
    yield from (min(inner, key=len) if inner else mismatch)


def _choice(shape: Choice, given: Value, path: str) -> Iterator[Failure]:
    value = plain(given)
    matches = any(
        value == allowed and isinstance(value, bool) == isinstance(allowed, bool) for allowed in shape.values
    )
    if not matches and not _is_newer(shape, value):
        near = None if isinstance(given, Secret) else value
        yield Failure(path, f"is {show(given)}; expected {describe(shape, near)}")


def _is_newer(shape: Choice, value: Value) -> bool:
    pattern = WIDER_ENUMS.get(shape.name)
    if pattern is None or not isinstance(value, str) or not pattern.match(value):
        return False
    if shape.name in _FAMILY_ENUMS:
        family = value.rpartition(".")[0] + "."
        return not any(str(allowed).startswith(family) for allowed in shape.values)
    return True


def _is_scalar(kind: str, value: Value) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
    if kind == "resource":
        return isinstance(value, ResourceReference)
    return isinstance(value, Asset) and (kind == "asset" or value.is_archive)


def describe(shape: Shape, given: Value = None) -> str:
    """Say what a shape takes; long enums are cut to what is near the value given."""
    if isinstance(shape, OneOf):
        return " or ".join(dict.fromkeys(describe(member) for member in shape.shapes))
    if isinstance(shape, Choice):
        return _describe_choice(shape, given)
    if isinstance(shape, ListOf):
        return f"list of {describe(shape.item)}"
    if isinstance(shape, MapOf):
        return "object" if shape.item == sdk.ANY else f"object of {describe(shape.item)}"
    if isinstance(shape, ObjectOf):
        return f"object ({shape.cls.__name__.removesuffix('Args')})"
    return shape.kind


def _describe_choice(shape: Choice, given: Value) -> str:
    allowed = [str(value) for value in shape.values]
    if len(allowed) == 1:
        return allowed[0]
    if len(allowed) > 12:
        near = difflib.get_close_matches(str(given), allowed, n=5, cutoff=0.4)
        return f"one of {len(allowed)} values" + (f", near: {', '.join(near)}" if near else "")
    return f"one of {', '.join(allowed)}"


def owner(urn: str) -> str:
    """Name a resource for a message by its stack, type and name."""
    stack, resource_type, name = parts(urn)
    return f'stack {stack}, {resource_type} "{name}"'


def parts(urn: str) -> tuple[str, str, str]:
    """Split a URN into stack, type (its own, without the parents') and name."""
    pieces = urn.split("::", 3)
    if len(pieces) < 4:
        return "?", "?", urn
    return pieces[0].rpartition(":")[2], pieces[2].rpartition("$")[2], pieces[3]
