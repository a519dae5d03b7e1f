"""Reads a stack's settings: the only module that touches `pulumi.Config`.

All that is wrong with a stack file is reported at once, before any resource is registered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, cast, get_origin

import pulumi
import pydantic
import yaml
from pydantic import JsonValue
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from infra import checks, secrets_provider, stack_files
from infra.model.base import Model
from infra.model.service import Service
from infra.model.sibling import Sibling
from infra.model.stack import StackSettings
from infra.model_errors import explain, unusable
from infra.problems import Problem, SettingsError

_NAMESPACE = "parking"
_REGION_KEY = "aws:region"
_ROOT = stack_files.ROOT


def load(*, catalogue: tuple[Service, ...], root: Path = _ROOT) -> StackSettings:
    """Settings of the current stack, checked against each other and the catalogue of services.

    Args:
        catalogue: The services that a stack deploys.
        root: Folder with the stack files, whose address ranges must be disjoint.

    Raises:
        SettingsError: When anything is wrong, with every problem found.
    """
    stack = pulumi.get_stack()
    # pulumi.Config cannot list its keys, and an unknown key must not be dropped silently.
    config = {**pulumi.runtime.config.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    key_problems = secrets_provider.of_stack_file(stack_files.path_of(stack, root))
    try:
        found = parse(
            config, stack=stack, catalogue=catalogue, other_ranges=_other_ranges(root=root, stack=stack)
        )
    except SettingsError as error:
        raise SettingsError(stack=stack, problems=[*key_problems, *error.problems]) from None
    if key_problems:
        raise SettingsError(stack=stack, problems=key_problems)
    return found


def from_file(stack: str, *, catalogue: tuple[Service, ...], root: Path = _ROOT) -> StackSettings:
    """Settings of a stack file without an engine, for what only reckons with them.

    Args:
        stack: Name of the stack.
        catalogue: The services that a stack deploys.
        root: Folder with the stack files.

    Raises:
        SettingsError: When anything is wrong, with every problem found, also when there is no such file.
    """
    path = stack_files.path_of(stack, root)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        config: dict[str, object] = content["config"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        problem = Problem(
            key=path.name,
            found=str(error) or type(error).__name__,
            allowed="a YAML file with the key config",
            why="what a stack needs follows from its settings",
            action=f"name one of {', '.join(stack_files.names(root))}, or mend the file",
        )
        raise SettingsError(stack=stack, problems=[problem]) from None
    return parse(
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()},
        stack=stack,
        catalogue=catalogue,
        other_ranges=_other_ranges(root=root, stack=stack),
    )


def siblings(settings: StackSettings, *, root: Path = _ROOT) -> tuple[Sibling, ...]:
    """The other regions of a stack's environment, as their stack files say; by name.

    Args:
        settings: The stack's settings.
        root: Folder with the stack files.
    """
    found: list[Sibling] = []
    for name, values in _stack_files(root):
        try:
            network = values["parking:network"]
            if (
                values["parking:environment"] == settings.environment.value
                and values[_REGION_KEY] != settings.region
            ):
                zones = tuple(str(zone) for zone in network["zones"])
                found.append(
                    Sibling(
                        stack=name, region=str(values[_REGION_KEY]), cidr=str(network["cidr"]), zones=zones
                    )
                )
        except (KeyError, TypeError):
            continue  # what is wrong with it is its own stack's problem
    return tuple(found)


def parse(
    config: Mapping[str, str],
    *,
    stack: str,
    catalogue: tuple[Service, ...],
    other_ranges: Mapping[str, str],
) -> StackSettings:
    """Turn the engine's configuration into settings.

    Args:
        config: Key to value, as the engine hands it over: text, or JSON for structured values.
        stack: Name of the stack, for messages.
        catalogue: The services that a stack deploys.
        other_ranges: VPC range of every other stack, by stack name.

    Raises:
        SettingsError: When anything is wrong.
    """
    values = _values(config)
    left_out = dict(_unusable(values))
    for location in left_out:
        # Of a list, nothing is left.
        _put_default(values, tuple(takewhile(lambda part: isinstance(part, str), location)))
    problems = list(left_out.values())
    try:
        settings = StackSettings.model_validate_json(json.dumps(values))
    except pydantic.ValidationError as error:
        # What is missing only because it was left out has been said.
        details = [each for each in error.errors(include_url=False) if each["loc"] not in left_out]
        problems += [explain(StackSettings, detail) for detail in details]
        mended = _mended(values, details)
        if mended is not None:
            problems += checks.check(mended, catalogue=catalogue, other_ranges=other_ranges)
        raise SettingsError(stack=stack, problems=problems) from None
    problems += checks.check(settings, catalogue=catalogue, other_ranges=other_ranges)
    if problems:
        raise SettingsError(stack=stack, problems=problems)
    return settings


def _unusable(
    value: JsonValue, at: tuple[int | str, ...] = ()
) -> Iterator[tuple[tuple[int | str, ...], Problem]]:
    """Places whose values no setting could take, each with what is wrong."""
    if isinstance(value, dict):
        for key, part in value.items():
            wrong = unusable((*at, key), key)
            yield from [((*at, key), wrong)] if wrong else _unusable(part, (*at, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _unusable(part, (*at, index))
    elif problem := unusable(at, value):
        yield at, problem


def _values(config: Mapping[str, str]) -> dict[str, JsonValue]:
    """Nested values by camelCase key, laid over the defaults so that a file says only what differs."""
    given: dict[str, JsonValue] = {}
    fields = {field.alias or name: field for name, field in StackSettings.model_fields.items()}
    for key, text in config.items():
        namespace, _, name = key.partition(":")
        if key == _REGION_KEY:
            given["region"] = text
        elif namespace == _NAMESPACE:
            given[name] = _decoded(text, field=fields.get(name))
    return {name: _merged(_DEFAULTS.get(name), value) for name, value in given.items()}


def _decoded(text: str, *, field: FieldInfo | None) -> JsonValue:
    """A value as YAML meant it: structures, numbers and booleans come as JSON text, words as they are."""
    if field is not None and field.annotation is not bool and not _is_structure(field):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # Also a number of thousands of digits, and what is nested as deep.
        return text


def _is_structure(field: FieldInfo) -> bool:
    annotation = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return True
    return get_origin(annotation) in (dict, tuple)


def _default(field: FieldInfo) -> JsonValue:
    default = field.get_default(call_default_factory=False)
    return default.model_dump(by_alias=True, mode="json") if isinstance(default, Model) else None


_DEFAULTS: dict[str, JsonValue] = {
    field.alias or name: _default(field) for name, field in StackSettings.model_fields.items()
}


def _merged(default: JsonValue, value: JsonValue) -> JsonValue:
    """`value` laid over `default`, mapping by mapping; anything else replaces."""
    if not isinstance(default, dict) or not isinstance(value, dict):
        return value
    merged = dict(default)
    for key, part in value.items():
        merged[key] = _merged(merged.get(key), part)
    return merged


def _mended(values: dict[str, JsonValue], details: list[ErrorDetails]) -> StackSettings | None:
    """The settings with every wrong value left out or at its default, so that the other checks run as well.

    None when what is left is not enough for a stack.
    """
    mended = json.loads(json.dumps(values))
    for detail in details:
        _put_default(mended, detail["loc"])
    try:
        return StackSettings.model_validate_json(json.dumps(mended))
    except pydantic.ValidationError:
        return None


def _put_default(values: JsonValue, location: tuple[int | str, ...]) -> None:
    default: JsonValue = _DEFAULTS
    *parents, last = (str(part) for part in location)
    for part in parents:
        default = default.get(part) if isinstance(default, dict) else None
        values = values.get(part) if isinstance(values, dict) else None
    if not isinstance(values, dict):
        return
    if isinstance(default, dict) and default.get(last) is not None:
        values[last] = default[last]
    else:
        values.pop(last, None)


def _other_ranges(*, root: Path, stack: str) -> dict[str, str]:
    """VPC ranges of the other stack files; a file that cannot be read is its own stack's problem."""
    ranges: dict[str, str] = {}
    for name, values in _stack_files(root):
        try:
            if name != stack:
                ranges[name] = str(values["parking:network"]["cidr"])
        except (KeyError, TypeError):
            continue
    return ranges


def _stack_files(root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and configuration of every stack file that can be read."""
    for name in stack_files.names(root):
        try:
            content = yaml.safe_load(stack_files.path_of(name, root).read_text())["config"]
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            continue
        if isinstance(content, dict):
            yield name, cast("dict[str, Any]", content)
