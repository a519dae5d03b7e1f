"""The table of wrong inputs and of who refuses them, from the data that the tests try."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, cast

import yaml

from infra.docs.markdown import table
from infra.docs.plans import REPOSITORY

DATA: Final = "tests/unit/providers/wrong_inputs.yaml"
_LAYERS: Final = {
    "sdk": "the SDK's types",
    "rules": "a rule of ours",
    "cfn-lint": "cfn-lint",
    "cloud": "the cloud, in `up`",
    "settings": "the settings' checks",
    "nobody": "**nobody**",
}
Wrong = Mapping[str, Any]


def blocks() -> dict[str, str]:
    """The counts and the table."""
    data: dict[str, Any] = yaml.safe_load((REPOSITORY / DATA).read_text(encoding="utf-8"))
    wrong = [
        *cast("list[Wrong]", data["wrong"]),
        *({**one, "layer": "cloud"} for one in data["references"]),
        *({**one, "layer": "settings"} for one in data["settings"]),
    ]
    return {"counts": _counts(wrong), "inputs": _rows(wrong)}


def _counts(wrong: list[Wrong]) -> str:
    found = Counter(str(one["layer"]) for one in wrong)
    rows = [[_LAYERS[layer], str(found[layer])] for layer in _LAYERS if found[layer]]
    return table(["refused by", "kinds"], [*rows, ["all", str(found.total())]])


def _rows(wrong: list[Wrong]) -> str:
    return table(
        ["kind", "where", "tried", "refused by"],
        (
            [
                str(one["kind"]),
                f"`{one['type'].rpartition(':')[2]}`" if "type" in one else "stack file",
                ", ".join(f"`{path}`: {_value(value)}" for path, value in one["set"].items()),
                _LAYERS[one["layer"]],
            ]
            for one in wrong
        ),
    )


def _value(value: object) -> str:
    if value is None:
        return "none"
    shown = value if isinstance(value, str) else json.dumps(value)
    return f"`{shown if len(shown) <= 60 else shown[:57] + '...'}`" if shown else "empty"
