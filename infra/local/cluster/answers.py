"""Small HTTP servers that answer GET with JSON, on loopback, in threads of this process."""

from __future__ import annotations

import json
import logging
import ssl
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local.cluster.client import Json

LOG = logging.getLogger(__name__)
Answer = Callable[[str], Json | None]
"""From a path with its query to a document; None where there is nothing."""
_MISSING: Json = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "reason": "NotFound",
    "code": HTTPStatus.NOT_FOUND,
}


class AnswerServer:
    """Serves what a function answers until it is closed.

    Args:
        name: Name of its thread.
        answer: Called for each request, from other threads.
        security: TLS, where it is spoken.

    Attributes:
        port: Port on 127.0.0.1.
    """

    port: int

    def __init__(self, name: str, *, answer: Answer, security: ssl.SSLContext | None = None) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler_of(answer))
        if security is not None:
            # Handshakes belong to the thread of their connection, or one silent peer would stop all.
            self._server.socket = security.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """Answers each connection in a thread; a caller that goes away is no news."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Note it for those who debug."""
        LOG.debug("%s went away from %s", client_address, request)


def _handler_of(answer: Answer) -> type[BaseHTTPRequestHandler]:
    """A request handler around a function, as the server wants one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = answer(self.path)
            body = json.dumps(found if found is not None else _MISSING).encode()
            self.send_response(HTTPStatus.OK if found is not None else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
            """Keep quiet."""

    return Handler
