"""Properties as the engine sends them, decoded only where a policy looks."""

from __future__ import annotations

from typing import Any, Final

from infra.policy.model import UNKNOWN

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the engine's signature of a secret
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWNS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


def properties(struct: Any) -> dict[str, Any]:
    """The properties in a `google.protobuf.Struct`: secrets in clear, UNKNOWN for what only `up` will know."""
    return {key: _value(value) for key, value in struct.fields.items()}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
    if kind == "struct_value":
        return _object(value.struct_value)
    if kind == "list_value":
        return [_value(each) for each in value.list_value.values]
    if kind == "number_value":
        return value.number_value
    return value.bool_value if kind == "bool_value" else None


def _object(struct: Any) -> Any:
    if _SIGNATURE not in struct.fields:
        return properties(struct)
    signature = struct.fields[_SIGNATURE].string_value
    if signature == _SECRET:
        return _value(struct.fields["value"])
    if signature == _OUTPUT:
        return _value(struct.fields["value"]) if "value" in struct.fields else UNKNOWN
    # An asset or a reference: its parts, which no policy reads.
    return properties(struct)
