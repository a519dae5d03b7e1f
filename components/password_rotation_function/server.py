"""The database, as far as passwords go: does it take one, and change one's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

import pg8000.exceptions
import pg8000.native

_ITERATIONS = 4096
"""PostgreSQL's own number (`scram_iterations`)."""
_TIMEOUT_SECONDS = 10
_REFUSED = {"28P01", "28000"}
"""SQLSTATE of a login with a wrong password, or that is not allowed."""


class LoginRefusedError(RuntimeError):
    """The server does not take a password."""


def verifier(password: str, *, salt: bytes) -> str:
    """What PostgreSQL keeps of a password; sent instead of it, so that no log of statements ever has it."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    keys = hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256")
    stored, server = (base64.b64encode(key).decode() for key in keys)
    return f"SCRAM-SHA-256${_ITERATIONS}:{base64.b64encode(salt).decode()}${stored}:{server}"


@dataclass(frozen=True, kw_only=True)
class Server:
    """The writer.

    Attributes:
        host: Its DNS name, which follows it from region to region.
        port: Its port.
        database: Database to log in to.
        authorities: Certificates, in PEM, of which one must have signed it; none: no TLS, for tests on one machine.
    """

    host: str
    port: int
    database: str
    authorities: str | None

    def accepts(self, login: str, password: str) -> bool:
        """Whether it takes a password."""
        try:
            with self._session(login, password):
                return True
        except LoginRefusedError:
            return False

    def change(self, login: str, password: str, new: str) -> None:
        """Change a login's password as itself, which needs no other right.

        Raises:
            LoginRefusedError: When the server does not take the old one.
        """
        with self._session(login, password) as run:
            # Roles that only read are read-only by default; this is not about data.
            run("SET default_transaction_read_only = off")
            run(f"""ALTER ROLE "{login}" PASSWORD '{verifier(new, salt=os.urandom(16))}'""")

    @contextmanager
    def _session(self, login: str, password: str) -> Generator[Callable[[str], Any]]:
        # pg8000 ships without complete types.
        connect: Callable[..., Any] = vars(pg8000.native)["Connection"]
        try:
            connection = connect(
                login,
                host=self.host,
                port=self.port,
                database=self.database,
                password=password,
                ssl_context=self._trust(),
                timeout=_TIMEOUT_SECONDS,
                application_name="password-rotation",
            )
        except pg8000.exceptions.DatabaseError as error:
            if _state(error) in _REFUSED:
                raise LoginRefusedError(f"{login} is refused by {self.host}") from error
            raise
        try:
            yield connection.run
        finally:
            with suppress(pg8000.exceptions.Error, OSError):
                connection.close()

    def _trust(self) -> ssl.SSLContext | None:
        if self.authorities is None:
            return None
        context = ssl.create_default_context(cadata=self.authorities)
        # The name follows the writer and is in no server's certificate; the authority signs RDS' servers only.
        context.check_hostname = False
        return context


def _state(error: Exception) -> str:
    """SQLSTATE of an error; pg8000 hands the server's fields over as a dictionary."""
    fields = cast("dict[str, str] | str", error.args[0] if error.args else {})
    return "" if isinstance(fields, str) else fields.get("C", "")
