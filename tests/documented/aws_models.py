"""Commands of the AWS CLI held against AWS's own models of its services, which botocore carries."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

# Flags of the CLI itself.
_CLI_FLAGS: Final = frozenset({"--query", "--output", "--region", "--profile", "--endpoint-url"})
# Commands that the CLI adds to the services' own.
_CLI_COMMANDS: Final = frozenset({("eks", "update-kubeconfig"), ("eks", "get-token")})
_BOTOCORE: Final[Any] = importlib.import_module("botocore")
_SESSION: Final[Any] = importlib.import_module("botocore.session").get_session()


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of an operation: its name in the API, its type's name, and its enumeration if it has one."""

    name: str
    kind: str
    allowed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation's parameters by flag, without the hyphens before it, and which are required."""

    name: str
    parameters: Mapping[str, Parameter]
    required: frozenset[str]


def kebab(name: str) -> str:
    """A name of the API as the CLI writes it."""
    return str(_BOTOCORE.xform_name(name, "-"))


def operation_of(service: str, name: str) -> Operation:
    """An operation by its name in the API."""
    shape: Any = _SESSION.get_service_model(service).operation_model(name).input_shape
    members: dict[str, Any] = shape.members
    return Operation(
        name=name,
        parameters={
            kebab(member): Parameter(
                name=member, kind=str(of.type_name), allowed=tuple(getattr(of, "enum", None) or ())
            )
            for member, of in members.items()
        },
        required=frozenset(kebab(member) for member in list[str](shape.required_members)),
    )


def operations(service: str) -> dict[str, str]:
    """Names of a service's operations, by the CLI's word."""
    return {kebab(name): name for name in list[str](_SESSION.get_service_model(service).operation_names)}


def problems(command: str) -> list[str]:
    """What is wrong with an `aws SERVICE OPERATION --flags` command; nothing where AWS would read it."""
    words = shlex.split(command)
    if len(words) < 3:
        return ["an aws command has a service and an operation"]
    service, word, flags = words[1], words[2], words[3:]
    if (service, word) in _CLI_COMMANDS:
        return []
    if service not in _SESSION.get_available_services():
        return [f"there is no service {service}"]
    if word == "wait":
        return _waiter_problems(service, flags)
    names = operations(service)
    if word not in names:
        return [f"{service} has no operation {word}"]
    return list(_flag_problems(operation_of(service, names[word]), flags))


def arguments(command: str) -> dict[str, Any]:
    """The flags of a command without problems, as boto3 takes them; a list has one element."""
    words = shlex.split(command)
    operation = operation_of(words[1], operations(words[1])[words[2]])
    found: dict[str, Any] = {}
    for flag, values in _flags(words[3:]):
        parameter, on = _parameter(operation, flag)
        if parameter is None:
            continue
        one: Any = on if parameter.kind == "boolean" else values[0]
        found[parameter.name] = [one] if parameter.kind == "list" else one
    return found


def _waiter_problems(service: str, flags: Sequence[str]) -> list[str]:
    model: Any = _SESSION.get_waiter_model(service)
    names = {kebab(name): name for name in list[str](model.waiter_names)}
    if not flags or flags[0] not in names:
        return [f"{service} has no waiter {' '.join(flags[:1])}"]
    return list(
        _flag_problems(operation_of(service, str(model.get_waiter(names[flags[0]]).operation)), flags[1:])
    )


def _flags(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each flag with the words up to the next."""
    place = 0
    while place < len(words):
        end = place + 1
        while end < len(words) and not words[end].startswith("--"):
            end += 1
        yield words[place], list(words[place + 1 : end])
        place = end


def _parameter(operation: Operation, flag: str) -> tuple[Parameter | None, bool]:
    """The parameter of a flag, and whether the flag switches it on."""
    name = flag.removeprefix("--")
    if name in operation.parameters:
        return operation.parameters[name], True
    return operation.parameters.get(name.removeprefix("no-")), False


def _flag_problems(operation: Operation, words: Sequence[str]) -> Iterator[str]:
    given: set[str] = set()
    for flag, values in _flags(words):
        if flag in _CLI_FLAGS:
            continue
        parameter, _ = _parameter(operation, flag)
        if parameter is None:
            yield f"{operation.name} takes no {flag}"
            continue
        given.add(kebab(parameter.name))
        yield from _value_problems(flag, parameter, values)
    yield from (f"{operation.name} needs --{name}" for name in sorted(operation.required - given))


def _value_problems(flag: str, parameter: Parameter, values: Sequence[str]) -> Iterator[str]:
    if parameter.kind == "boolean":
        if values:
            yield f"{flag} is a switch and takes no value"
        return
    if not values:
        yield f"{flag} needs a value"
        return
    if parameter.allowed and values[0] not in parameter.allowed:
        yield f"{flag} is {values[0]!r}; AWS takes {', '.join(parameter.allowed)}"
    if parameter.kind == "timestamp" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", values[0]):
        yield f"{flag} is {values[0]!r}; expected a time such as 2026-11-25T09:59:00Z"
