"""Turns a validation error of a model into a problem that a person can act on."""

from __future__ import annotations

import difflib
import types
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from infra.model.base import Model
from infra.problems import Problem

_REGION = "region"
_KINDS = {
    "int_type": "a whole number, without quotes",
    "int_from_float": "a whole number",
    "float_type": "a number, without quotes",
    "bool_type": "true or false, without quotes",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_SHOWN = 80
_MOST = 10**12


def explain(model: type[Model], detail: ErrorDetails) -> Problem:
    """One validation error as a problem: where, what was found, what is allowed, why, what to do.

    Args:
        model: The model that was validated, for its documentation and its known keys.
        detail: An entry of `pydantic.ValidationError.errors()`.
    """
    location = detail["loc"]
    key = _key(location)
    if detail["type"] == "extra_forbidden":
        return _unknown_key(model, location, key)
    if detail["type"] == "missing":
        return Problem(
            key=key,
            found="nothing",
            allowed=_purpose(model, location) or "a value",
            why="it has no default that could be right for every stack",
            action=f"add {key} to the stack file",
        )
    return Problem(
        key=key,
        found=_shown(detail["input"]),
        allowed=_allowed(detail),
        why=_purpose(model, location) or "the value would not fit its use",
        action=f"change {key} in the stack file",
    )


def unusable(location: tuple[int | str, ...], value: object) -> Problem | None:
    """What is wrong with a value whatever its setting: a number that nothing counts to, text that cannot be written.

    Args:
        location: Where it stands.
        value: A number, a text, or the name of a key.
    """
    if isinstance(value, str):
        if _is_writable(value):
            return None
        allowed, why = (
            "text in UTF-8",
            "half a surrogate pair is no character, and nothing could write it down",
        )
    elif isinstance(value, int | float) and not -_MOST <= value <= _MOST:
        allowed = f"a number between {-_MOST:,} and {_MOST:,}"
        why = "nothing that a stack has is counted so far, and what is computed of it must stay exact"
    else:
        return None
    key = ascii(_key(location))[1:-1]
    found = "a number of more than 12 digits" if isinstance(value, int) else ascii(value)[:_SHOWN]
    return Problem(key=key, found=found, allowed=allowed, why=why, action=f"change {key} in the stack file")


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _key(location: tuple[int | str, ...]) -> str:
    if location[:1] == (_REGION,):
        return "aws:region"
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"parking:{path.lstrip('.')}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _allowed(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if detail["type"] in _KINDS:
        return _KINDS[detail["type"]]
    if "expected" in context:
        return f"one of {context['expected']}"
    if "pattern" in context:
        return f"text of the form {context['pattern']}"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return message[:1].lower() + message[1:]


def _unknown_key(model: type[Model], location: tuple[int | str, ...], key: str) -> Problem:
    parent = _bare(_annotation(model, location[:-1]))
    known = sorted(_aliases(parent)) if isinstance(parent, type) and issubclass(parent, Model) else []
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return Problem(
        key=key,
        found="an unknown key",
        allowed=", ".join("aws:region" if k == _REGION else k for k in known) or "no further keys",
        why="a misspelt setting that is dropped silently would deploy something else than was meant",
        action=f"did you mean {close[0]}? rename or remove it" if close else "remove it",
    )


def _aliases(model: type[Model]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _purpose(model: type[Model], location: tuple[int | str, ...]) -> str | None:
    """The documentation of the field at a location, in one sentence."""
    named = [part for part in location if isinstance(part, str)]
    if not named:
        return None
    parent = _bare(_annotation(model, tuple(named[:-1])))
    if not (isinstance(parent, type) and issubclass(parent, Model)):
        return None
    field = _aliases(parent).get(named[-1])
    return " ".join(field.description.split()).rstrip(".") if field and field.description else None


def _annotation(model: Any, location: tuple[int | str, ...]) -> Any:
    """The type at a location; None where the location leaves what is known."""
    current = model
    for part in location:
        current = _bare(current)
        if isinstance(current, type) and issubclass(current, Model):
            field = _aliases(current).get(str(part))
            current = field.annotation if field else None
        elif get_origin(current) in (dict, tuple):
            arguments = get_args(current)
            current = arguments[1] if get_origin(current) is dict else arguments[0]
        else:
            return None
    return current


def _bare(annotation: Any) -> Any:
    """A type without Annotated and Optional around it."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        kept = [a for a in get_args(annotation) if a is not type(None)]
        return _bare(kept[0]) if len(kept) == 1 else annotation
    return annotation
