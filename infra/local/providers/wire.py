"""The thin typed layer around the untyped protos of the Pulumi SDK: decoding, encoding, message types."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, cast

from infra.local.providers import values
from infra.local.providers.values import UNKNOWN, Asset, Map, ResourceReference, Secret, Unknown, Value

if TYPE_CHECKING:
    from google.protobuf.struct_pb2 import Struct
    from google.protobuf.struct_pb2 import Value as ProtoValue

# The SDK ships these modules without types that resolve; importing them by name gives `Any`, once, here.
_struct_pb2 = importlib.import_module("google.protobuf.struct_pb2")
_empty_pb2 = importlib.import_module("google.protobuf.empty_pb2")
provider_pb2 = importlib.import_module("pulumi.runtime.proto.provider_pb2")
provider_pb2_grpc = importlib.import_module("pulumi.runtime.proto.provider_pb2_grpc")
plugin_pb2 = importlib.import_module("pulumi.runtime.proto.plugin_pb2")


class ResourceRequest(Protocol):
    """What every request about one resource carries."""

    urn: str
    id: str
    preview: bool


class CheckRequest(ResourceRequest, Protocol):
    """`Check` and `CheckConfig`."""

    olds: Struct
    news: Struct
    randomSeed: bytes  # noqa: N815, RUF100 - the proto's own name


class DiffRequest(ResourceRequest, Protocol):
    """`Diff` and `DiffConfig`."""

    olds: Struct
    news: Struct
    old_inputs: Struct
    ignoreChanges: Iterable[str]  # noqa: N815, RUF100 - the proto's own name


class CreateRequest(ResourceRequest, Protocol):
    """`Create`."""

    properties: Struct


class ReadRequest(ResourceRequest, Protocol):
    """`Read`."""

    properties: Struct
    inputs: Struct


class UpdateRequest(ResourceRequest, Protocol):
    """`Update`."""

    olds: Struct
    news: Struct
    old_inputs: Struct
    ignoreChanges: Iterable[str]  # noqa: N815, RUF100 - the proto's own name


class DeleteRequest(ResourceRequest, Protocol):
    """`Delete`."""

    properties: Struct


class ConfigureRequest(ResourceRequest, Protocol):
    """`Configure`."""

    args: Struct
    variables: Mapping[str, str]


class InvokeRequest(Protocol):
    """`Invoke`."""

    tok: str
    args: Struct


class Context(Protocol):
    """The part of a gRPC servicer context the stand-ins use."""

    def peer(self) -> str:
        """Name the connection a call came over."""
        ...

    def abort(self, code: object, details: str) -> None:
        """Fail the call; raises."""
        ...

    def is_active(self) -> bool:
        """Whether the caller still waits."""
        ...


def decode(struct: Struct) -> Map:
    """Read a property map."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def _decode(value: ProtoValue) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in values.UNKNOWN_SENTINELS else value.string_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _decode_object(value.struct_value)
    return None


def _decode_object(struct: Struct) -> Value:
    if values.SIGNATURE not in struct.fields:
        return decode(struct)
    signature = struct.fields[values.SIGNATURE].string_value
    content = {key: _decode(item) for key, item in struct.fields.items()}
    if signature == values.SECRET:
        return Secret(content.get("value"))
    if signature in {values.ASSET, values.ARCHIVE}:
        return Asset(cast("Mapping[str, object]", content))
    if signature == values.RESOURCE:
        return ResourceReference(cast("Mapping[str, object]", content))
    if signature == values.OUTPUT:
        inner = content.get("value", UNKNOWN)
        return Secret(inner) if content.get("secret") is True else inner
    return content


def encode(properties: Mapping[str, Value]) -> Struct:
    """Write a property map."""
    struct: Struct = _struct_pb2.Struct()
    for key, item in properties.items():
        _encode(struct.fields[key], item)
    return struct


def _encode(target: ProtoValue, value: Value) -> None:
    if value is None:
        target.null_value = 0  # type: ignore[assignment]
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = float(value)
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Unknown):
        target.string_value = values.UNKNOWN_WIRE
    elif isinstance(value, list):
        target.list_value.SetInParent()
        for item in value:
            _encode(target.list_value.values.add(), item)
    else:
        _encode_object(target.struct_value, value)


def _encode_object(struct: Struct, value: dict[str, Value] | Secret | Asset | ResourceReference) -> None:
    struct.SetInParent()
    content: Mapping[str, Value]
    if isinstance(value, Secret):
        content = {values.SIGNATURE: values.SECRET, "value": value.value}
    elif isinstance(value, Asset | ResourceReference):
        content = cast("Mapping[str, Value]", value.fields)
    else:
        content = value
    for key, item in content.items():
        _encode(struct.fields[key], item)


def empty() -> object:
    """Return the empty message."""
    return _empty_pb2.Empty()
