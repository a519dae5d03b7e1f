"""A name server of the tests' own, whose answers change at a word, as a record set does in a failover."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

ADDRESS, PORT = "127.0.53.53", 53
"""PgBouncer asks no other port than 53; the address is loopback's, of which every one may be used on Linux."""
_A = 1


class NoNameServerError(RuntimeError):
    """The name server's port may not be listened on here."""


class NameServer:
    """Answers every question for an IPv4 address with the given one.

    Args:
        folder: Gets a resolver configuration that names this server.
        address: The first answer.
        ttl: Seconds that an answer may be kept.

    Raises:
        NoNameServerError: Says what to do.
    """

    def __init__(self, folder: Path, *, address: str, ttl: int) -> None:
        self.address, self.asked = address, 0
        self._ttl, self._end = ttl, threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.1)
        try:
            self._socket.bind((ADDRESS, PORT))
        except PermissionError as error:
            self._socket.close()
            raise NoNameServerError(
                f"port {PORT} of {ADDRESS} may not be listened on: run as root, or allow it with "
                f"sysctl net.ipv4.ip_unprivileged_port_start={PORT}"
            ) from error
        self.configuration = folder / "resolv.conf"
        self.configuration.write_text(f"nameserver {ADDRESS}\n")
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._end.is_set():
            try:
                question, client = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            self._socket.sendto(self._answer(question), client)

    def _answer(self, question: bytes) -> bytes:
        end = 12
        while question[end]:
            end += question[end] + 1
        end += 5
        (kind,) = struct.unpack(">H", question[end - 4 : end - 2])
        answers = b""
        if kind == _A:
            self.asked += 1
            # A pointer to the name asked for, type A, class IN.
            answers = struct.pack(">HHHIH", 0xC00C, _A, 1, self._ttl, 4) + socket.inet_aton(self.address)
        header = question[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if answers else 0, 0, 0)
        return header + question[12:end] + answers
