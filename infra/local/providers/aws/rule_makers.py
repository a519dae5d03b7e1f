"""Small makers of checkers, so that a rule is one line in a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from infra.local.providers.check import Failure
from infra.local.providers.plugin import Checker, Resource
from infra.local.providers.values import Map, Value, generalise, has_unknown, number, plain, quote, text, walk


def found_at(inputs: Map, path: str) -> Iterator[tuple[str, Value]]:
    """Find every known value at a generalised path."""
    head = path.partition(".")[0]
    if inputs.get(head) is None:
        return
    for where, value in walk(inputs[head], head):
        if generalise(where) == path and not has_unknown(value) and not isinstance(plain(value), list | dict):
            yield where, value


def one_of(path: str, allowed: Iterable[str | int]) -> Checker:
    """Take only these values at a path."""
    values = list(allowed)

    def check(resource: Resource) -> list[Failure]:
        expected = ", ".join(map(str, values))
        return [
            Failure(where, f"is {quote(value)}; expected one of {expected}")
            for where, value in found_at(resource.inputs, path)
            if plain(value) not in values
        ]

    return check


def matches(path: str, pattern: str, says: str) -> Checker:
    """Take only text of a form at a path."""
    expression = re.compile(rf"(?:{pattern})\Z")

    def check(resource: Resource) -> list[Failure]:
        return [
            Failure(
                where,
                f"is {quote(value)}; expected {says}",
            )
            for where, value in found_at(resource.inputs, path)
            if not expression.match(text(value))
        ]

    return check


def between(path: str, low: float, high: float) -> Checker:
    """Take only numbers of a range at a path."""

    def check(resource: Resource) -> list[Failure]:
        return [
            Failure(where, f"is {quote(value)}; expected {text(low)} to {text(high)}")
            for where, value in found_at(resource.inputs, path)
            if (given := number(value)) is not None and not low <= given <= high
        ]

    return check


def at_most(path: str, limit: int) -> Checker:
    """Take only text of a length at a path."""

    def check(resource: Resource) -> list[Failure]:
        return [
            Failure(where, f"is {quote(value)}, {len(text(value))} characters; AWS takes at most {limit}")
            for where, value in found_at(resource.inputs, path)
            if len(text(value)) > limit
        ]

    return check


def at_creation(check: Checker) -> Checker:
    """Ask only when a resource is made: what is there has it, whether the program says so or not."""

    def made(resource: Resource) -> list[Failure]:
        return [] if resource.exists else check(resource)

    return made


def needs(*names: str, unless: tuple[str, ...] = ()) -> Checker:
    """Ask for properties that the SDK lets go but AWS does not, unless one of others is given."""

    def check(resource: Resource) -> list[Failure]:
        if any(resource.inputs.get(name) is not None for name in unless):
            return []
        reason = "missing: AWS requires it" + (f" unless {' or '.join(unless)} is given" if unless else "")
        return [Failure(name, reason) for name in names if resource.inputs.get(name) is None]

    return check
