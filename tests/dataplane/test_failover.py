"""A failover behind the rendered pooler: a real primary killed, its real replica promoted, the name moved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.reader_scaling import DRAIN_SECONDS, RECORD_TTL_SECONDS
from infra.data.pgbouncer import (
    DNS_TTL_SECONDS,
    SERVER_LIFETIME_SECONDS,
    STATISTICS_USER,
    Pool,
)
from infra.model.stack import ConnectionPoolSettings
from tests.dataplane.names import NameServer
from tests.dataplane.pooling import Bookkeeper, start_pooler, version
from tests.dataplane.servers import Address, PgBouncer, Postgres, folder_for_servers, psql, query, until
from tests.records import record

NAME = "writer.database.test"
FIRST, SECOND = "127.0.53.1", "127.0.53.2"
WORD = "for-this-test-only"
SETTINGS = ConnectionPoolSettings()
QUICKER_LIFETIME = 3
"""Instead of `SERVER_LIFETIME_SECONDS`, so that the test need not wait for five minutes."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_for_servers() as made:
        for name in ("first", "second", "pgbouncer"):
            (made / name).mkdir()
        yield made


@pytest.fixture
def first(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder / "first", host=FIRST)
    query(server.owner, "CREATE DATABASE parking")
    query(server.owner, f"CREATE ROLE parking LOGIN PASSWORD '{WORD}'")
    owner = Address(port=server.port, user="parking_owner", database="parking", host=FIRST)
    query(owner, "CREATE TABLE book (value integer PRIMARY KEY)")
    query(owner, "GRANT ALL ON book TO parking")
    yield server
    server.stop("immediate")


@pytest.fixture
def second(first: Postgres, folder: Path) -> Iterator[Postgres]:
    """A replica that confirms every commit before the client is told, as a Multi-AZ standby does."""
    server = Postgres(folder / "second", host=SECOND, port=first.port, source=first)
    query(first.owner, "ALTER SYSTEM SET synchronous_standby_names = '*'")
    query(first.owner, "SELECT pg_reload_conf()")
    until(
        lambda: query(first.owner, "SELECT sync_state FROM pg_stat_replication") == "sync",
        what="the replica's catching up",
    )
    yield server
    server.stop("immediate")


@pytest.fixture
def names(folder: Path) -> Iterator[NameServer]:
    with NameServer(folder, address=FIRST, ttl=DNS_TTL_SECONDS) as server:
        yield server


@pytest.fixture
def pooler(
    first: Postgres, names: NameServer, folder: Path, request: pytest.FixtureRequest
) -> Iterator[PgBouncer]:
    bouncer = start_pooler(
        folder / "pgbouncer",
        [Pool(database="parking", host=NAME, port=first.port)],
        settings=SETTINGS,
        passwords={"parking": WORD, STATISTICS_USER: WORD},
        changes={"resolv_conf": names.configuration, **getattr(request, "param", {})},
    )
    yield bouncer
    bouncer.stop()


def client(pooler: PgBouncer) -> Address:
    return Address(port=pooler.port, user="parking", database="parking", password=WORD)


def test_a_promoted_replica_has_every_acknowledged_write_and_the_pooler_finds_it_by_name(
    first: Postgres, second: Postgres, names: NameServer, pooler: PgBouncer
) -> None:
    with Bookkeeper(client(pooler)) as book:
        until(lambda: len(book.acknowledged) > 50, what="the first writes")
        first.kill()
        killed = time.monotonic()
        query(second.owner, "ALTER SYSTEM SET synchronous_standby_names = ''")
        second.promote()
        names.address = SECOND
        promoted = time.monotonic()
        before = len(book.acknowledged)
        until(lambda: len(book.acknowledged) > before + 50, what="writes to the new writer")
    owner = Address(port=second.port, user="parking_owner", database="parking", host=SECOND)
    kept = set(map(int, query(owner, "SELECT value FROM book").split()))
    print(
        f"promoted after {promoted - killed:.1f} s; no write for {book.gap:.1f} s; "
        f"{len(book.acknowledged)} acknowledged, {book.failures} failed"
    )
    record(
        "postgresql",
        {
            "version": query(owner, "SHOW server_version").split()[0],
            "pgbouncer": ".".join(map(str, version())),
            "promotion_seconds": round(promoted - killed, 1),
            "write_gap_seconds": round(book.gap, 1),
            "acknowledged": len(book.acknowledged),
            "lost": len(set(book.acknowledged) - kept),
        },
    )

    assert set(book.acknowledged) <= kept
    assert names.asked > 1


@pytest.mark.parametrize("pooler", [{"server_lifetime": QUICKER_LIFETIME}], indirect=True)
def test_connections_follow_the_name_within_their_lifetime_and_nothing_fails(
    second: Postgres, names: NameServer, pooler: PgBouncer
) -> None:
    def answering() -> str:
        return query(client(pooler), "SELECT host(inet_server_addr())")

    names.address = SECOND
    assert answering() == SECOND
    names.address = FIRST
    seen: list[str] = []

    def moved() -> bool:
        done = psql(client(pooler), "-c", "SELECT host(inet_server_addr())")
        seen.append(done.stdout.strip())
        return seen[-20:] == [FIRST] * 20

    until(moved, what="the move")

    assert SECOND in seen, "a connection was cut before its time"
    query(second.owner, "SELECT 1")


def test_a_reader_that_left_the_record_is_kept_until_the_last_connection_left_it() -> None:
    longest = (
        RECORD_TTL_SECONDS + DNS_TTL_SECONDS + SERVER_LIFETIME_SECONDS + SETTINGS.statement_timeout_seconds
    )

    assert longest < DRAIN_SECONDS
