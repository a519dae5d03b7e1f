"""docs/settings.md, from the models of the settings: key, type, default, meaning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from infra.docs.markdown import NOTICE, table
from infra.model.stack import StackSettings

Schema = Mapping[str, Any]
_MISSING = object()
_INTRODUCTION = (
    "What a stack file (`Pulumi.<stack>.yaml`) may say, each key under `parking:` unless it names another namespace. "
    "A key that is left out has its default. Unknown keys are refused, and limits over several keys are checked "
    "before anything is registered; the message says what to change."
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One key of a stack file."""

    key: str
    type: str
    default: str
    meaning: str


def page() -> str:
    """The whole page."""
    found = list(settings())
    sections: dict[str, list[Setting]] = {}
    for setting in found:
        head, _, rest = setting.key.partition(".")
        sections.setdefault(head if rest else "", []).append(setting)
    parts = [
        "# Settings",
        NOTICE,
        _INTRODUCTION,
    ]
    for head, members in sections.items():
        title = f"## `parking:{head}`" if head else "## Keys of one value"
        rows = [[f"`{s.key}`", s.type, s.default, s.meaning] for s in members]
        parts.append(f"{title}\n\n{table(['key', 'type', 'default', 'meaning'], rows)}")
    return "\n\n".join(parts) + "\n"


def settings() -> Iterator[Setting]:
    """Every setting, in the order of the models."""
    schema = StackSettings.model_json_schema(by_alias=True)
    yield from _fields(schema, prefix="", defaults=_MISSING, definitions=schema["$defs"])


def _fields(schema: Schema, *, prefix: str, defaults: Any, definitions: Schema) -> Iterator[Setting]:
    """The settings of one model; `defaults` are those that the model around it gives."""
    required = set(schema.get("required", ()))
    for name, field in cast("Mapping[str, Schema]", schema["properties"]).items():
        default: Any = _MISSING if name in required else field.get("default", _MISSING)
        if isinstance(defaults, dict):
            default = cast("dict[str, Any]", defaults).get(name, _MISSING)
        key = f"{prefix}{name}"
        nested = _model(field, definitions)
        if nested is not None:
            yield from _fields(nested, prefix=f"{key}.", defaults=default, definitions=definitions)
            continue
        values = _model(field.get("additionalProperties") or {}, definitions)
        if values is not None:
            yield from _fields(values, prefix=f"{key}.<name>.", defaults=_MISSING, definitions=definitions)
            continue
        yield Setting(
            key="aws:region" if key == "region" else key,
            type=_type(field, definitions),
            default="required" if default is _MISSING else _default(default),
            meaning=_meaning(name, field),
        )


def _meaning(name: str, field: Schema) -> str:
    """The field's documentation; where it has none, its name in words says enough."""
    words = re.sub(r"[A-Z0-9]+", lambda found: f" {found[0].lower()}", name).strip()
    return " ".join(str(field.get("description") or f"{words[0].upper()}{words[1:]}.").split())


def _model(field: Schema, definitions: Schema) -> Schema | None:
    """The model that a field holds; None for plain values and choices."""
    found = _resolved(field, definitions)
    return found if "properties" in found else None


def _resolved(field: Schema, definitions: Schema) -> Schema:
    reference = field.get("$ref")
    return definitions[str(reference).rpartition("/")[2]] if reference else field


def _type(field: Schema, definitions: Schema) -> str:
    found = _resolved(field, definitions)
    if "anyOf" in found:
        return " or ".join(
            "none" if part.get("type") == "null" else _type(part, definitions) for part in found["anyOf"]
        )
    if "enum" in found:
        return ", ".join(f"`{value}`" for value in found["enum"])
    kind = str(found.get("type", "any"))
    if kind == "array":
        return f"list of {_type(found.get('items', {}), definitions)}{_limits(found, 'Items', ' entries')}"
    if kind == "object":
        return "mapping"
    if kind == "string":
        pattern = f" of the form `{found['pattern']}`" if "pattern" in found else ""
        return f"text{pattern}{_limits(found, 'Length', ' characters')}"
    words = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
    return f"{words.get(kind, kind)}{_limits(found, 'imum', '')}"


def _limits(field: Schema, suffix: str, unit: str) -> str:
    low, high = field.get(f"min{suffix}"), field.get(f"max{suffix}")
    if low is not None and high is not None:
        return f", {_plain(low)} to {_plain(high)}{unit}"
    if low is not None:
        return f", at least {_plain(low)}{unit}"
    return f", at most {_plain(high)}{unit}" if high is not None else ""


def _plain(value: float) -> str:
    return f"{value:,}"


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return ", ".join(f"`{part}`" for part in cast("list[Any]", value)) or "none"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
