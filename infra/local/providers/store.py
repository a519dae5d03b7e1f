"""The record store: what the stand-ins have "created", in one SQLite file that survives a killed run.

Every write is one transaction in rollback-journal mode: a process killed at any moment leaves either the record before
or the record after. `synchronous=OFF` leaves out only the protection against a power cut.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.providers.check import parts
from infra.local.providers.values import Map
from infra.local.providers.vault import Vault

FILE = "records.sqlite"
_VERSION = 1
_TABLES = """
create table if not exists records (
  urn text not null, id text not null, stack text not null, type text not null, generation integer not null,
  known integer not null, inputs text not null, outputs text not null, primary key (urn, id)
) without rowid;
create index if not exists records_by_id on records (id, type);
create table if not exists generations (urn text primary key, last integer not null) without rowid;
create table if not exists meta (key text primary key, value blob not null) without rowid;
create table if not exists begun (urn text primary key, stack text not null, generation integer not null,
  content text not null) without rowid;
"""
_RECORDS = "select urn, id, generation, known, inputs, outputs, live from records"


class StoreError(Exception):
    """The store cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """One resource that exists, as far as the stand-ins are concerned.

    `known` says that the engine has named this id since it was made: a record that is not known was left by a
    run killed before the engine heard of it. `live` is what the local cloud showed of it last; none: it is in no cloud.
    """

    urn: str
    id: str
    generation: int
    known: bool
    inputs: Map
    outputs: Map
    live: Map | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A creation that the cloud was asked for, and that was not recorded: what a killed run left half done."""

    urn: str
    generation: int
    content: Map


class Store:
    """Records by URN and id; safe for threads and for several processes."""

    def __init__(self, folder: Path, *, passphrase: str) -> None:
        self.path = folder / FILE
        self._lock = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                self.path, timeout=60, isolation_level=None, check_same_thread=False
            )
            self._database.execute("pragma journal_mode=persist")
            self._database.execute("pragma synchronous=off")
            damage = self._database.execute("pragma quick_check").fetchall()
            if damage != [("ok",)]:
                raise sqlite3.DatabaseError(str(damage[0][0]))
            with self._transaction():
                for statement in filter(str.strip, _TABLES.split(";")):
                    self._database.execute(statement)
                columns = [row[1] for row in self._database.execute("pragma table_info(records)")]
                if "live" not in columns:
                    # Records of before there was a cloud are in none.
                    self._database.execute("alter table records add column live text not null default ''")
                salt = self._meta("salt", secrets.token_bytes(16))
                version = int(self._meta("version", str(_VERSION).encode()))
        except (sqlite3.Error, OSError) as problem:
            raise StoreError(self._advice(str(problem))) from problem
        if version != _VERSION:
            raise StoreError(
                self._advice(f"it was written by another version ({version}, this is {_VERSION})")
            )
        self._vault = Vault(secret=passphrase, salt=salt)

    def _advice(self, problem: str) -> str:
        return (
            f"the records of the local platform cannot be used: {self.path}: {problem}. If another run holds it, wait "
            "for it; if the file is damaged, move it away and run `refresh`: nothing on AWS is affected."
        )

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self._lock:
            self._database.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")

    @contextmanager
    def guarded(self) -> Generator[None]:
        """Turn SQLite's errors into the one that says what to do."""
        try:
            yield
        except sqlite3.Error as problem:
            raise StoreError(self._advice(str(problem))) from problem

    def _meta(self, key: str, default: bytes) -> bytes:
        self._database.execute("insert or ignore into meta values (?, ?)", (key, default))
        return bytes(self._database.execute("select value from meta where key = ?", (key,)).fetchone()[0])

    def begin(self, urn: str) -> tuple[int, Record | None]:
        """Choose the generation of a new resource.

        A record of the same URN that the engine never named is what a killed run left: it is handed back to be
        taken over under its own id, instead of a second one being made beside it.
        """
        with self.guarded(), self._transaction():
            row = self._database.execute(
                _RECORDS + " where urn = ? and known = 0",
                (urn,),
            ).fetchone()
            if row is not None:
                left = self._record(row)
                return left.generation, left
            self._database.execute(
                "insert into generations values (?, 1) on conflict (urn) do update set last = last + 1",
                (urn,),
            )
            return int(
                self._database.execute("select last from generations where urn = ?", (urn,)).fetchone()[0]
            ), None

    def put(self, record: Record, *, instead_of: tuple[str, str] | None = None) -> None:
        """Write a record, in place of another one (after a rename) where given."""
        stack, resource_type, _ = parts(record.urn)
        row = (
            record.urn,
            record.id,
            stack,
            resource_type,
            record.generation,
            int(record.known),
            self._vault.seal(record.inputs),
            self._vault.seal(record.outputs),
            "" if record.live is None else self._vault.seal(record.live),
        )
        with self.guarded(), self._transaction():
            if instead_of is not None:
                self._database.execute("delete from records where urn = ? and id = ?", instead_of)
            self._database.execute("insert or replace into records values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._database.execute("delete from begun where urn = ?", (record.urn,))

    def find(self, urn: str, identity: str, *, anywhere: bool = False) -> Record | None:
        """Find a record by URN and id; failing that by type and id, in the same stack or anywhere.

        The second covers renamed resources (an alias changes the URN, not the id), the third imports.
        """
        stack, resource_type, _ = parts(urn)
        columns = _RECORDS + " where "
        by_type = columns + "id = ? and type = ?"
        with self.guarded(), self._lock:
            row = self._database.execute(columns + "urn = ? and id = ?", (urn, identity)).fetchone()
            if row is None:
                row = self._database.execute(
                    by_type + " and stack = ?", (identity, resource_type, stack)
                ).fetchone()
            if row is None and anywhere:
                row = self._database.execute(by_type, (identity, resource_type)).fetchone()
        return None if row is None else self._record(row)

    def last(self, urn: str) -> Record | None:
        """Find the newest record of a URN, whatever its id."""
        query = _RECORDS + " where urn = ? order by generation desc limit 1"
        with self.guarded(), self._lock:
            row = self._database.execute(query, (urn,)).fetchone()
        return None if row is None else self._record(row)

    def outputs_of(self, stack: str, identity: str) -> Map | None:
        """Find the outputs of what a property refers to: by id; a database by its identifier or, anywhere, its ARN."""
        by_id = "select outputs from records where id = ? and stack = ?"
        database = "select outputs from records where type = 'aws:rds/instance:Instance' and "
        with self.guarded(), self._lock:
            row = self._database.execute(by_id, (identity, stack)).fetchone()
            if row is None and identity.startswith("arn:aws:rds:"):
                query = database + "json_extract(outputs, '$.arn') = ?"
                row = self._database.execute(query, (identity,)).fetchone()
            elif row is None:
                query = database + "json_extract(outputs, '$.identifier') = ? and stack = ?"
                row = self._database.execute(query, (identity, stack)).fetchone()
        return None if row is None else self._vault.open(row[0])

    def all(self) -> list[Record]:
        """List every record, oldest URN first."""
        with self.guarded(), self._lock:
            rows = self._database.execute(_RECORDS + " order by urn, generation").fetchall()
        return [self._record(row) for row in rows]

    def remove(self, urn: str, identity: str) -> None:
        """Delete a record."""
        with self.guarded(), self._transaction():
            self._database.execute("delete from records where urn = ? and id = ?", (urn, identity))

    def note_known(self, urn: str, identity: str | None = None) -> None:
        """Note that the engine has named a resource: one id, or whatever the URN has."""
        clause, values = ("", (urn,)) if identity is None else (" and id = ?", (urn, identity))
        query = f"select 1 from records where urn = ? and known = 0{clause} limit 1"  # noqa: S608 - a constant clause
        with self.guarded(), self._lock:
            if self._database.execute(query, values).fetchone() is None:
                return
        with self.guarded(), self._transaction():
            update = f"update records set known = 1 where urn = ?{clause}"  # noqa: S608 - a constant clause
            self._database.execute(update, values)

    def types(self) -> list[str]:
        """List the resource types that have records, to have their schemas read before they are asked for."""
        with self.guarded(), self._lock:
            return [row[0] for row in self._database.execute("select distinct type from records")]

    def note_begun(self, urn: str, generation: int, content: Map) -> None:
        """Note that the cloud is about to be asked for a resource, until its record is put."""
        row = (urn, parts(urn)[0], generation, self._vault.seal(content))
        with self.guarded(), self._transaction():
            self._database.execute("insert or replace into begun values (?, ?, ?, ?)", row)

    def drop_begun(self, urn: str) -> None:
        """Note that nothing is left of a creation."""
        with self.guarded(), self._transaction():
            self._database.execute("delete from begun where urn = ?", (urn,))

    def begun(self, stack: str, urn: str | None = None) -> list[Begun]:
        """Creations in a stack that were not recorded; of one URN where it is given."""
        query = "select urn, generation, content from begun where stack = ?1 and (?2 is null or urn = ?2)"
        with self.guarded(), self._lock:
            rows = self._database.execute(query, (stack, urn)).fetchall()
        return [Begun(urn, generation, self._vault.open(content)) for urn, generation, content in rows]

    def live_count(self) -> int:
        """How many resources are in the cloud."""
        with self.guarded(), self._lock:
            return int(self._database.execute("select count(*) from records where live != ''").fetchone()[0])

    def _record(self, row: tuple[str, str, int, int, str, str, str]) -> Record:
        urn, identity, generation, known, inputs, outputs, live = row
        opened = self._vault.open
        shown = opened(live) if live else None
        return Record(urn, identity, generation, bool(known), opened(inputs), opened(outputs), shown)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()
