"""The inputs of a component and small helpers for values that may not be known yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import pulumi

# What a caller passed: plain values, outputs, or resources, by Pulumi's own property names.
Inputs = Mapping[str, Any]


class Refusal(Exception):  # noqa: N818 - the provider's answer, not a fault of it
    """The component would refuse these inputs; `path` is the property at fault."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


def given(inputs: Inputs, *names: str) -> dict[str, Any]:
    """Pick the inputs that were given."""
    return {name: inputs[name] for name in names if inputs.get(name) is not None}


def section(inputs: Inputs, name: str) -> Inputs:
    """Return a nested plain object, empty where it was not given."""
    found = inputs.get(name)
    return cast("Inputs", found) if isinstance(found, Mapping) else {}


def merged_tags(*tags: object) -> pulumi.Output[dict[str, str]]:
    """Merge tags, later ones winning."""

    def merge(found: list[Any]) -> dict[str, str]:
        return {key: value for each in found if each for key, value in each.items()}

    return pulumi.Output.all(*tags).apply(merge)


def as_json(value: object) -> pulumi.Output[str]:
    """Write a value as JSON with sorted keys, as the component does for add-on configuration."""
    return pulumi.Output.json_dumps(value, sort_keys=True, separators=(",", ":"))


def compact_json(value: object) -> str:
    """Write a plain value as JSON without blanks, as JavaScript does."""
    return json.dumps(value, separators=(",", ":"))
