"""Stack files of the repository as the engine hands them to the program, with single values changed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from infra import settings
from infra.model.stack import StackSettings
from infra.problems import Problem, SettingsError
from services import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
STACKS = ("prod", "prod-eu-west-1", "staging")
REMOVED = object()


def raw(stack: str) -> dict[str, Any]:
    """The `config` mapping of a stack file."""
    return yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]


def changed(stack: str, **changes: Any) -> dict[str, str]:
    """A stack's configuration with values replaced by dotted path, e.g. `network__cidr="10.9.0.0/16"`.

    Double underscores stand for dots; `region` is `aws:region`; REMOVED deletes.
    """
    values = copy.deepcopy(raw(stack))
    for path, value in changes.items():
        first, *rest = path.split("__")
        key = "aws:region" if first == "region" else f"parking:{first}"
        if not rest:
            target, last = values, key
        else:
            target, last = values.setdefault(key, {}), rest[-1]
            for part in rest[:-1]:
                target = target.setdefault(part, {})
        if value is REMOVED:
            target.pop(last, None)
        else:
            target[last] = value
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}


def load(stack: str, *, other_ranges: dict[str, str] | None = None, **changes: Any) -> StackSettings:
    """Settings of a stack file with values changed as in `changed`."""
    return settings.parse(
        changed(stack, **changes), stack=stack, catalogue=CATALOGUE, other_ranges=other_ranges or {}
    )


def problems(
    stack: str, *, other_ranges: dict[str, str] | None = None, **changes: Any
) -> tuple[Problem, ...]:
    """What is wrong with a changed stack file; empty when nothing is."""
    try:
        load(stack, other_ranges=other_ranges, **changes)
    except SettingsError as error:
        return error.problems
    return ()
