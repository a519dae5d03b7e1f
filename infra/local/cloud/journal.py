"""What the local cloud was asked that changed it, so that it is the same again after it was stopped or killed.

moto keeps everything in memory. Each request that changed something is written down, with its number, before it is
answered; a cloud that starts asks itself all of them again, in order, with the randomness of each seeded by its number,
so that ids and ARNs come out as they were. What is written is encrypted with a key that lies beside it: secrets are not
found by searching the folder, and are safe from nobody who can read all of it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from cryptography.fernet import Fernet, InvalidToken

FILE: Final = "journal.sqlite"
KEY_FILE: Final = "journal.key"
_TABLES: Final = """
create table if not exists requests (number integer primary key autoincrement, content blob not null);
create table if not exists answers (key text primary key, number integer not null, content blob not null) without rowid;
"""


class JournalError(Exception):
    """The journal cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request.

    Attributes:
        environ: What WSGI says of it, as far as it is text: method, path, query, headers.
        body: Its body.
    """

    environ: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered to a request.

    Attributes:
        status: Such as `200 OK`.
        headers: Names and values.
        body: The body.
    """

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Journal:
    """The requests that changed the cloud, in order; safe for threads."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._fernet = Fernet(_key(folder / KEY_FILE))
            self._database = sqlite3.connect(
                self.path, timeout=60, isolation_level=None, check_same_thread=False
            )
            self._database.execute("pragma journal_mode=persist")
            # As in the providers' store: only the protection against a power cut is left out.
            self._database.execute("pragma synchronous=off")
            damage = self._database.execute("pragma quick_check").fetchall()
            if damage != [("ok",)]:
                raise sqlite3.DatabaseError(str(damage[0][0]))
            self._database.executescript(_TABLES)
        except (sqlite3.Error, OSError, ValueError) as problem:
            raise JournalError(self._advice(str(problem))) from problem

    def _advice(self, problem: str) -> str:
        return (
            f"the journal of the local cloud cannot be used.\n  found: {self.path}: {problem}\n"
            "  to do: `make cloud-down ARGS=--forget` leads to an empty cloud; then `refresh` each stack, which says "
            "what is gone, and `up` makes it again"
        )

    def next_number(self) -> int:
        """The number that the next request gets."""
        with self._lock:
            found = self._database.execute(
                "select seq from sqlite_sequence where name = 'requests'"
            ).fetchone()
        return int(found[0]) + 1 if found else 1

    def add(self, request: Request, *, number: int, key: str = "", answer: Answer | None = None) -> None:
        """Write a request down that has changed something.

        Args:
            request: What was asked.
            number: The number that seeded it.
            key: Under which its answer is kept, when there is one.
            answer: What was answered.
        """
        content = {"environ": dict(request.environ), "body": request.body.hex()}
        with self._lock:
            self._database.execute("begin immediate")
            try:
                self._database.execute("insert into requests values (?, ?)", (number, self._sealed(content)))
                if key and answer is not None:
                    kept = {"status": answer.status, "headers": answer.headers, "body": answer.body.hex()}
                    row = (key, number, self._sealed(kept))
                    self._database.execute("insert or replace into answers values (?, ?, ?)", row)
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")

    def answer(self, key: str) -> Answer | None:
        """What was answered to the request of a key, if it was asked."""
        with self._lock:
            row = self._database.execute("select content from answers where key = ?", (key,)).fetchone()
        if row is None:
            return None
        found = self._opened(row[0])
        headers = [(str(name), str(value)) for name, value in found["headers"]]
        return Answer(status=found["status"], headers=headers, body=bytes.fromhex(found["body"]))

    def requests(self) -> Iterator[tuple[int, Request]]:
        """All requests with their numbers, in order."""
        with self._lock:
            rows = self._database.execute("select number, content from requests order by number").fetchall()
        for number, content in rows:
            found = self._opened(content)
            yield number, Request(environ=found["environ"], body=bytes.fromhex(found["body"]))

    def __len__(self) -> int:
        with self._lock:
            return int(self._database.execute("select count(*) from requests").fetchone()[0])

    def forget(self) -> None:
        """Write everything off: the cloud is empty."""
        with self._lock:
            self._database.executescript("delete from requests; delete from answers;")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _sealed(self, content: Mapping[str, Any]) -> bytes:
        return self._fernet.encrypt(zlib.compress(json.dumps(content).encode(), 1))

    def _opened(self, content: bytes) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", json.loads(zlib.decompress(self._fernet.decrypt(content))))
        except (InvalidToken, zlib.error, ValueError) as problem:
            raise JournalError(self._advice("it does not go with the key beside it")) from problem


def _key(path: Path) -> bytes:
    """The key, made once, readable by its owner only."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        made, draft = Fernet.generate_key(), path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(made)
        draft.replace(path)
        return made
