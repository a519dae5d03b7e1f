"""Workload certificates, served to Envoy as the mesh's agent would serve them (Envoy's secret discovery service)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from infra.local.cluster.certificates import Authority, Pair

_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
_METHOD = "StreamSecrets"
_SERVICE = "envoy.service.secret.v3.SecretDiscoveryService"
_LENGTH_DELIMITED = 2
ROOT = "ROOTCA"
"""Name by which istiod's configuration asks for the authority; everything else is the workload's own."""


def spiffe(principal: str) -> str:
    """URI of an identity as certificates carry it."""
    return f"spiffe://{principal}"


class Secrets:
    """One workload's secrets, for its proxy.

    Args:
        authority: Of the mesh.
        principal: The workload's identity, e.g. `cluster.local/ns/parking/sa/auth-service`.
        stem: Stem of its files.
    """

    def __init__(self, authority: Authority, *, principal: str, stem: str) -> None:
        self.pair: Pair = authority.issue(stem, identity=spiffe(principal))
        self._authority = authority.certificate
        self._ended = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8))
        methods: dict[str, Any] = {_METHOD: grpc.stream_stream_rpc_method_handler(self._stream)}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, methods),))
        self.port = int(self._server.add_insecure_port("127.0.0.1:0"))
        self._server.start()

    def stop(self) -> None:
        """Stop serving."""
        self._ended.set()
        self._server.stop(grace=None).wait()

    def _stream(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        """Answer each subscription once: nothing is renewed during a test."""
        asked: queue.Queue[bytes | None] = queue.Queue()

        def read() -> None:
            try:
                for request in requests:
                    asked.put(request)
            except grpc.RpcError:
                pass
            finally:
                asked.put(None)

        threading.Thread(target=read, daemon=True).start()
        context.add_callback(lambda: asked.put(None))
        answered: set[bytes] = set()
        while (request := asked.get()) is not None and not self._ended.is_set():
            names = [value for number, value in fields(request) if number == 3]
            new = [name for name in names if name not in answered]
            answered.update(new)
            if new:
                yield self._answer(new)

    def _answer(self, names: list[bytes]) -> bytes:
        version = str(len(names)).encode()
        resources = b"".join(
            field(2, field(1, _TYPE.encode()) + field(2, self._secret(name))) for name in names
        )
        return field(1, version) + resources + field(4, _TYPE.encode()) + field(5, b"1")

    def _secret(self, name: bytes) -> bytes:
        if name.decode() == ROOT:
            return field(1, name) + field(4, field(1, _file(self._authority)))
        chain, key = _file(self.pair.certificate), _file(self.pair.key)
        return field(1, name) + field(2, field(1, chain) + field(2, key))


def _file(path: Path) -> bytes:
    """A DataSource with the content of a file."""
    return field(2, path.read_bytes())


# Protocol buffers by hand: four small messages, for which Envoy's own definitions would be a dependency of their own.


def field(number: int, value: bytes) -> bytes:
    """A field of bytes, text or a message."""
    return bytes([number << 3 | _LENGTH_DELIMITED]) + _varint(len(value)) + value


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that are bytes, text or messages; others are passed over."""
    position = 0
    while position < len(message):
        tag, position = _read_varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == _LENGTH_DELIMITED:
            length, position = _read_varint(message, position)
            yield number, message[position : position + length]
            position += length
        elif kind == 0:
            _, position = _read_varint(message, position)
        else:
            position += {1: 8, 5: 4}[kind]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = message[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7
