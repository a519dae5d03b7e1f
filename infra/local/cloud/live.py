"""Says in Pulumi's words what the cloud shows in its own."""

from __future__ import annotations

import json
from typing import Any, cast

from infra.local.words import counterpart

Json = Any


def as_given(given: Json, live: Json) -> Json:
    """Write a live value in the form that it was given in.

    Args:
        given: The value as Pulumi has it; None: it was not given.
        live: The value as the cloud shows it.
    """
    if live is None or given is None:
        return _camel(live)
    if isinstance(given, dict):
        return _object(cast("dict[str, Json]", given), live)
    if isinstance(given, list):
        return _list(cast("list[Json]", given), live)
    return _scalar(given, live)


def _object(given: dict[str, Json], live: Json) -> Json:
    if isinstance(live, list) and len(cast("list[Json]", live)) == 1:
        live = cast("list[Json]", live)[0]
    if not isinstance(live, dict):
        return _camel(live)
    shown = cast("dict[str, Json]", live)
    found: dict[str, Json] = {}
    for key, value in given.items():
        name = counterpart(key, shown)
        found[key] = value if name is None else as_given(value, shown[name])
    return found


def _list(given: list[Json], live: Json) -> Json:
    counted = cast("dict[str, Json]", live) if isinstance(live, dict) else {}
    if "Quantity" in counted:
        # CloudFront counts its lists.
        return _list(given, counted.get("Items") or [])
    items = cast("list[Json]", live if isinstance(live, list) else [live])
    if all(isinstance(item, str | int | float | bool) for item in items):
        # Most of AWS's lists are sets: the order of what stayed is ours.
        kept = [item for item in given if item in items]
        return [*kept, *(item for item in items if item not in kept)]
    return [as_given(given[index] if index < len(given) else None, item) for index, item in enumerate(items)]


def _scalar(given: Json, live: Json) -> Json:
    if isinstance(given, str) and isinstance(live, dict | list):
        return json.dumps(live)
    if isinstance(given, bool):
        return live if isinstance(live, bool) else str(live).lower() in {"true", "enabled", "on"}
    if isinstance(given, int | float) and isinstance(live, str):
        try:
            return float(live)
        except ValueError:
            return live
    if isinstance(given, str) and isinstance(live, bool):
        return str(live).lower()
    return str(live) if isinstance(given, str) and isinstance(live, int | float) else live


def _camel(live: Json) -> Json:
    """A value that was not given, with names in Pulumi's spelling."""
    if isinstance(live, dict):
        entries = cast("dict[str, Json]", live).items()
        return {name[:1].lower() + name[1:]: _camel(item) for name, item in entries}
    return [_camel(item) for item in cast("list[Json]", live)] if isinstance(live, list) else live
