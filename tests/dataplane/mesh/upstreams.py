"""Small services behind the mesh, and requests to them."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SEEN_BY = "x-served-by"
"""Header in which an upstream tells its name."""


@dataclass(kw_only=True)
class Behaviour:
    """How an upstream answers, from the next request on.

    Attributes:
        status: Status of its answers.
        seconds: How long an answer takes.
        headers: Headers of its answers.
    """

    status: int = 200
    seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    owner: Upstream

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers that went away before their answer: some are meant to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - socketserver knows only its base class
    # Head and body in one packet: else the second waits for the first's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.owner.opened(self.connection)

    def finish(self) -> None:
        self.server.owner.closed(self.connection)
        with suppress(OSError):
            super().finish()

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.rfile.read(length)
        owner = self.server.owner
        behaviour = owner.record(self.path, dict(self.headers.items()))
        if behaviour.seconds:
            time.sleep(behaviour.seconds)
        body = owner.name.encode()
        self.send_response(behaviour.status)
        self.send_header(SEEN_BY, owner.name)
        self.send_header("content-length", str(len(body)))
        for name, value in behaviour.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


class Upstream:
    """One pod of a service.

    Args:
        name: What it calls itself.
        version: Its `version` label.
        zone: Zone of its node.
        address: Loopback address that it listens on.
    """

    def __init__(
        self,
        name: str,
        *,
        version: str = "stable",
        zone: str = "us-east-1a",
        address: str = "127.0.0.3",
    ) -> None:
        self.name, self.version, self.zone, self.address = name, version, zone, address
        self.behaviour = Behaviour()
        self._lock = threading.Lock()
        self._requests: list[tuple[str, Mapping[str, str]]] = []
        self._open: set[socket.socket] = set()
        self._server = self._listen(0)
        self.port = int(self._server.server_address[1])

    def _listen(self, port: int) -> _Server:
        server = _Server((self.address, port), _Handler)
        server.owner = self
        threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True).start()
        return server

    def record(self, path: str, headers: Mapping[str, str]) -> Behaviour:
        """Remember a request, and say how to answer it."""
        with self._lock:
            self._requests.append((path, {name.lower(): value for name, value in headers.items()}))
            return self.behaviour

    def opened(self, connection: socket.socket) -> None:
        """Know a connection, to cut it when the pod dies."""
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.discard(connection)

    @property
    def requests(self) -> list[tuple[str, Mapping[str, str]]]:
        """Path and headers of every request since the last `forget`."""
        with self._lock:
            return list(self._requests)

    @property
    def count(self) -> int:
        """How many requests there were."""
        with self._lock:
            return len(self._requests)

    def forget(self) -> None:
        """Begin to count anew, and answer well from now on."""
        with self._lock:
            self._requests.clear()
            self.behaviour = Behaviour()

    def die(self) -> None:
        """Listen no more and cut what is open, as a killed process does; connections to come are refused."""
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            cut = list(self._open)
        for connection in cut:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def live(self) -> None:
        """Listen again where it did."""
        self._server = self._listen(self.port)

    def stop(self) -> None:
        """End it, whether it lives or not."""
        self.die()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a request got."""

    status: int
    server: str
    headers: Mapping[str, str]
    cookies: tuple[str, ...]


class Caller:
    """Requests over one connection to a proxy, as NGINX sends them: to the service's name.

    Args:
        port: Port of the proxy's outbound listener.
        host: Name by which the mesh knows the service.
        address: Address of the listener.
    """

    def __init__(self, *, port: int, host: str, address: str = "127.0.0.1") -> None:
        self._host = host
        self._connection = http.client.HTTPConnection(address, port, timeout=30)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def send(self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request and give its answer."""
        self._connection.request(method, path, headers={"Host": self._host, **(headers or {})})
        response = self._connection.getresponse()
        response.read()
        given = response.getheaders()
        return Answer(
            status=response.status,
            server=response.getheader(SEEN_BY) or "",
            headers={name.lower(): value for name, value in given},
            cookies=tuple(value for name, value in given if name.lower() == "set-cookie"),
        )
