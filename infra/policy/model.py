"""What a policy sees, what it is, and how it looks into properties that a preview does not know yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast


class _Unknown:
    """A value that only `up` will know."""

    def __repr__(self) -> str:
        return "(known after up)"


UNKNOWN: Final = _Unknown()
"""Stands in a preview for what AWS answers later; every policy lets it pass, and sees the value in `up`."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """The stack that is checked.

    Attributes:
        protected: Whether its stores must refuse deletion (`parking:deletionProtection`).
        today: The day against which ends of support are read.
    """

    protected: bool
    today: dt.date


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One resource as the engine is about to register it.

    Attributes:
        type: Type token, e.g. `aws:s3/bucket:Bucket`.
        name: Logical name.
        props: Inputs, by the provider's names; UNKNOWN stands for what is not known yet.
        protect: Whether the engine refuses to delete it.
        parent: URN of its parent; empty for none.
        ignored: Properties that the engine leaves as they are, whatever the program says.
    """

    type: str
    name: str
    props: Mapping[str, Any]
    protect: bool = False
    parent: str = ""
    ignored: tuple[str, ...] = ()


Check = Callable[[Subject, Site], Iterator[str]]
"""Looks at one resource and yields a sentence for each thing that is wrong."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One rule about single resources.

    Attributes:
        name: Short name, shown in front of every violation.
        why: Why the rule is there, in one sentence.
        types: Type tokens that it looks at.
        check: Yields a sentence for each thing that is wrong.
    """

    name: str
    why: str
    types: frozenset[str]
    check: Check


@dataclass(frozen=True, kw_only=True)
class StackPolicy:
    """One rule about how resources stand to each other; its check gets those of its types, by registration."""

    name: str
    why: str
    types: frozenset[str]
    check: Callable[[Sequence[Subject]], Iterator[str]]


def by_type(checks: Mapping[str, Check], *, name: str, why: str) -> Policy:
    """A policy that asks something else of every type."""

    def check(subject: Subject, site: Site) -> Iterator[str]:
        return checks[subject.type](subject, site)

    return Policy(name=name, why=why, types=frozenset(checks), check=check)


def at(value: Any, *path: str | int) -> Any:
    """A nested value, None where a step is missing, UNKNOWN where a step is not known yet.

    A single object and a list of one are the same here: providers write one-element blocks either way.
    """
    for step in path:
        if isinstance(value, _Unknown):
            return UNKNOWN
        if isinstance(step, int):
            value = items(value)[step] if len(items(value)) > step else None
        else:
            if isinstance(value, list):
                value = cast("list[Any]", value)[0] if value else None
            value = cast("Mapping[str, Any]", value).get(step) if isinstance(value, Mapping) else None
    return value


def items(value: Any) -> list[Any]:
    """A value as a list: a list as it is, nothing as none, one as one."""
    if value is None or isinstance(value, _Unknown):
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def is_on(value: Any) -> bool:
    """Whether a switch is on, or not known yet; some providers write it as text."""
    return value is True or value == "true" or isinstance(value, _Unknown)


def is_set(value: Any) -> bool:
    """Whether there is a value, or one that is not known yet."""
    return value not in (None, "", [], {})


def at_least(value: Any, least: float) -> bool:
    """Whether a number reaches a limit, or is not known yet."""
    return isinstance(value, _Unknown) or (isinstance(value, int | float | str) and float(value) >= least)
