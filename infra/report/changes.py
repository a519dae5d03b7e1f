"""Which resources differ between two plans, and in which properties; values are never told, for one could be secret."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from infra.docs.markdown import table

LONGEST = 60
"""Rows shown of each stack; more are counted only."""

Properties = Mapping[str, Mapping[str, Any]]
"""Inputs of every resource, by what it is called."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a change does to one resource: `added`, `removed`, or the properties that differ."""

    name: str
    what: str


def properties(document: Mapping[str, Any]) -> Properties:
    """Inputs of every resource of a plan or an export."""
    if "deployment" in document:
        entries: list[dict[str, Any]] = document["deployment"].get("resources", [])
    else:
        entries = [step["newState"] for step in document.get("steps", ()) if step.get("newState")]
    names = frozenset(str(entry["urn"]).rpartition("::")[2] for entry in entries)
    return {
        f"{entry['type']} {str(entry['urn']).rpartition('::')[2]}": _settled(entry.get("inputs", {}), names)
        for entry in entries
        if not str(entry["type"]).startswith("pulumi:")
    }


_DRAWN = re.compile(r"(.+)-[0-9a-f]{7}")


def _settled(value: Any, names: Collection[str]) -> Any:
    """A value without the seven digits that are drawn anew in every plan for a resource that has no name of ours."""
    if isinstance(value, dict):
        return {key: _settled(each, names) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_settled(each, names) for each in cast("list[Any]", value)]
    if isinstance(value, str) and (found := _DRAWN.fullmatch(value)) and found[1] in names:
        return found[1]
    return value


def differences(before: Properties, after: Properties) -> Iterator[Change]:
    """What differs, by name of the resource."""
    for name in sorted({*before, *after}):
        if name not in before:
            yield Change(name=name, what="added")
        elif name not in after:
            yield Change(name=name, what="**removed**")
        else:
            old, new = before[name], after[name]
            keys = sorted(
                key for key in {*old, *new} - {"__defaults"} if _told(old.get(key)) != _told(new.get(key))
            )
            if keys:
                yield Change(name=name, what=", ".join(f"`{key}`" for key in keys))


_SIGNATURE = "4dabf18193072939515e22adb298388d"


def _told(value: Any) -> Any:
    """A value without what differs at every run: secrets, which are drawn or encrypted anew."""
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        return "secret" if _SIGNATURE in mapping else {key: _told(each) for key, each in mapping.items()}
    return [_told(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value


def named(before: Properties, after: Properties) -> str:
    """The resources that differ as a table, cut after `LONGEST`; empty where none do."""
    found = list(differences(before, after))
    if not found:
        return ""
    shown = table(["resource", "change"], [[f"`{c.name}`", c.what] for c in found[:LONGEST]])
    return shown + (f"\n\nand {len(found) - LONGEST} more" if len(found) > LONGEST else "")
