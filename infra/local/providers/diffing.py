"""Compares old with new inputs and says, per property path, what changed and whether that replaces the resource."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from infra.local.providers.values import Asset, Map, Unknown, Value, generalise, join, plain


class Change(IntEnum):
    """The kinds of `PropertyDiff`; each is followed by its replacing twin."""

    ADD = 0
    ADD_REPLACE = 1
    DELETE = 2
    DELETE_REPLACE = 3
    UPDATE = 4
    UPDATE_REPLACE = 5

    @property
    def replaces(self) -> bool:
        """Whether the change replaces the resource."""
        return self.value % 2 == 1

    def replacing(self) -> Change:
        """Return the replacing twin."""
        return self if self.replaces else Change(self.value + 1)


@dataclass(frozen=True, slots=True)
class DiffRules:
    """How one resource type compares.

    `replaces` holds generalised paths (`vpcConfig.subnetIds`, `*` for any one step); what lies below a path in it
    replaces too. `unordered` holds paths or last steps whose order means nothing.
    """

    replaces: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    empty_is_absent: bool = True
    all_replace: bool = False
    replaces_if: Callable[[str, Map, Map], bool] | None = None


@dataclass(slots=True)
class Difference:
    """The answer to `Diff`."""

    changes: dict[str, Change] = field(default_factory=dict[str, Change])
    delete_before_replace: bool = False

    @property
    def replaced(self) -> list[str]:
        """The top-level properties whose change replaces the resource."""
        return _tops(path for path, change in self.changes.items() if change.replaces)

    @property
    def changed(self) -> list[str]:
        """The top-level properties that changed."""
        return _tops(self.changes)


def _tops(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(path.partition(".")[0].partition("[")[0] for path in paths))


def difference(rules: DiffRules, old: Map, new: Map, ignore: Iterable[str] = ()) -> Difference:
    """Compare checked inputs."""
    found = Difference()
    skipped = {generalise(path) for path in ignore} | rules.ignored
    for path, change in _object_changes(rules, old, new, ""):
        general = generalise(path)
        if any(general == skip or general.startswith(skip + ".") for skip in skipped):
            continue
        replaces = rules.all_replace or _is_in(general, rules.replaces)
        if not replaces and rules.replaces_if is not None:
            replaces = rules.replaces_if(general, old, new)
        found.changes[path] = change.replacing() if replaces else change
    return found


def _is_in(path: str, patterns: frozenset[str]) -> bool:
    if path in patterns:
        return True
    steps = path.split(".")
    return any(
        len(wanted) <= len(steps)
        and all(want in {"*", step} for want, step in zip(wanted, steps, strict=False))
        for wanted in (pattern.split(".") for pattern in patterns)
    )


def _absent(rules: DiffRules, value: Value) -> bool:
    value = plain(value)
    return value is None or (rules.empty_is_absent and value in ([], {}))


def _changes(rules: DiffRules, old: Value, new: Value, path: str) -> Iterator[tuple[str, Change]]:
    old, new = plain(old), plain(new)
    if _absent(rules, old) and _absent(rules, new):
        return
    if _absent(rules, old):
        yield path, Change.ADD
    elif _absent(rules, new):
        yield path, Change.DELETE
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _object_changes(rules, old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_changes(rules, old, new, path)
    elif not same(old, new):
        yield path, Change.UPDATE


def _object_changes(rules: DiffRules, old: Map, new: Map, path: str) -> Iterator[tuple[str, Change]]:
    for key in dict.fromkeys([*old, *new]):
        if not key.startswith("__"):
            yield from _changes(rules, old.get(key), new.get(key), join(path, key))


def _list_changes(
    rules: DiffRules, old: list[Value], new: list[Value], path: str
) -> Iterator[tuple[str, Change]]:
    general = generalise(path)
    if general in rules.unordered or general.rpartition(".")[2] in rules.unordered:
        old, new = _aligned(old, new)
    for index in range(max(len(old), len(new))):
        before = old[index] if index < len(old) else None
        after = new[index] if index < len(new) else None
        yield from _changes(rules, before, after, join(path, index))


def _aligned(old: list[Value], new: list[Value]) -> tuple[list[Value], list[Value]]:
    """Put the equal elements of two sets first, so that only real differences remain."""
    rest_old, rest_new, common = list(old), list[Value](), list[Value]()
    for item in new:
        twin = next((index for index, candidate in enumerate(rest_old) if same(candidate, item)), None)
        if twin is None:
            rest_new.append(item)
        else:
            common.append(rest_old.pop(twin))
    return common + rest_old, common + rest_new


def same(old: Value, new: Value) -> bool:
    """Whether two values mean the same; unknown never does, JSON text is compared as JSON."""
    old, new = plain(old), plain(new)
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in {**old, **new} if not key.startswith("__")]
        return all(same(old.get(key), new.get(key)) for key in keys)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(same(*pair) for pair in zip(old, new, strict=True))
    if isinstance(old, Asset) and isinstance(new, Asset):
        return old.digest == new.digest
    if isinstance(old, str) and isinstance(new, str):
        return old == new or _same_json(old, new)
    # `True == 1` in Python, and two unknowns need not turn out the same.
    comparable = isinstance(old, bool) == isinstance(new, bool) and not isinstance(new, Unknown)
    return comparable and old == new


def _same_json(old: str, new: str) -> bool:
    first, second = _parsed(old), _parsed(new)
    return first is not None and first == second


@functools.lru_cache(maxsize=512)
def _parsed(content: str) -> object:
    if not content.lstrip().startswith(("{", "[")):
        return None
    try:
        return _canonical(json.loads(content))
    except ValueError:
        return None


def _canonical(node: Value) -> Value:
    """IAM takes a lone string for a list of one; both are the same policy."""
    if isinstance(node, dict):
        listed = (
            "Action",
            "Resource",
            "NotAction",
            "NotResource",
            "Service",
            "AWS",
            "Federated",
            "Statement",
        )
        return {
            key: _canonical([item] if key in listed and not isinstance(item, list) else item)
            for key, item in node.items()
        }
    return [_canonical(item) for item in node] if isinstance(node, list) else node
