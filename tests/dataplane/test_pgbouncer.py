"""The rendered pgbouncer.ini on a real PgBouncer in front of a real PostgreSQL; times are scaled down."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.data.pgbouncer import STATISTICS_USER, Pool
from infra.model.stack import ConnectionPoolSettings
from services import CATALOGUE
from tests.dataplane.pooling import Bookkeeper, start_pooler
from tests.dataplane.servers import (
    Address,
    PgBouncer,
    Postgres,
    SqlError,
    folder_for_servers,
    program,
    psql,
    query,
    until,
)

SERVICES = tuple(service.name for service in CATALOGUE)
"""All six, although one has no database: the issue is six times 200 clients."""
WORD = "for-this-test-only"
SETTINGS = ConnectionPoolSettings()
QUICK = SETTINGS.model_copy(update={"statement_timeout_seconds": 2, "idle_timeout_seconds": 3})
"""The specification's limits, scaled down; `tests/unit/data/test_pgbouncer.py` asserts the real ones as rendered."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_for_servers() as made:
        for name in ("postgres", "pgbouncer"):
            (made / name).mkdir()
        yield made


@pytest.fixture
def server(folder: Path) -> Iterator[Postgres]:
    postgres = Postgres(folder / "postgres", settings={"max_connections": "200"})
    query(postgres.owner, "CREATE DATABASE parking")
    for name in SERVICES:
        query(postgres.owner, f"CREATE ROLE {name} LOGIN PASSWORD '{WORD}'")
    query(postgres.owner, "GRANT CREATE ON DATABASE parking TO " + ", ".join(SERVICES))
    yield postgres
    postgres.stop("immediate")


@pytest.fixture
def pooler(server: Postgres, folder: Path, request: pytest.FixtureRequest) -> Iterator[PgBouncer]:
    bouncer = start_pooler(
        folder / "pgbouncer",
        [Pool(database=name, host="127.0.0.1", port=server.port) for name in SERVICES],
        settings=getattr(request, "param", QUICK),
        passwords=dict.fromkeys((*SERVICES, STATISTICS_USER), WORD),
    )
    yield bouncer
    bouncer.stop()


def service(pooler: PgBouncer, name: str = "parking", word: str = WORD) -> Address:
    return Address(port=pooler.port, user=name, database=name, password=word)


def server_connections(server: Postgres) -> int:
    return int(query(server.owner, "SELECT count(*) FROM pg_stat_activity WHERE datname = 'parking'"))


def test_the_rendered_configuration_is_taken_without_a_complaint(pooler: PgBouncer) -> None:
    assert query(service(pooler), "SELECT 1") == "1"
    assert not re.search(r"WARNING|ERROR|FATAL", pooler.log.read_text())


def test_the_exporter_s_user_reads_statistics_and_nothing_else(pooler: PgBouncer) -> None:
    address = Address(port=pooler.port, user=STATISTICS_USER, database="pgbouncer", password=WORD)

    assert "parking" in query(address, "SHOW DATABASES")
    assert psql(address, "-c", "SHUTDOWN", check=False).returncode != 0


def test_a_wrong_password_is_refused(pooler: PgBouncer) -> None:
    wrong = service(pooler, word="another")

    assert psql(wrong, "-c", "SELECT 1", check=False).returncode != 0


@pytest.mark.parametrize("pooler", [SETTINGS], indirect=True)
def test_six_services_with_200_clients_each_stay_within_the_budget(
    server: Postgres, pooler: PgBouncer, tmp_path: Path
) -> None:
    script = tmp_path / "work.sql"
    script.write_text("BEGIN;\nSELECT pg_sleep(0.01);\nCOMMIT;\n")
    benches = [
        subprocess.Popen(
            [program("pgbench", package="postgresql"), "-n", "-c", "200", "-T", "300", "-f", str(script)],
            env=dict(service(pooler, name).environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in SERVICES
    ]
    statistics = Address(port=pooler.port, user=STATISTICS_USER, database="pgbouncer", password=WORD)

    def clients() -> int:
        assert all(bench.poll() is None for bench in benches), "a bench gave up"
        pools = [line.split("|") for line in query(statistics, "SHOW POOLS").splitlines()]
        return sum(int(active) + int(waiting) for name, _, active, waiting, *_ in pools if name in SERVICES)

    try:
        until(lambda: clients() == len(SERVICES) * 200, what="1,200 clients", seconds=120)
        counts: list[int] = []
        for _ in range(20):
            counts.append(server_connections(server))
            time.sleep(0.2)
        assert clients() == len(SERVICES) * 200
    finally:
        for bench in benches:
            bench.kill()
            bench.communicate()

    assert len(SERVICES) < max(counts) <= len(SERVICES) * SETTINGS.server_connections


def test_a_statement_over_the_limit_is_cut_and_the_connection_lives(pooler: PgBouncer) -> None:
    started = time.monotonic()
    done = psql(service(pooler), "-v", "ON_ERROR_STOP=0", "-c", "SELECT pg_sleep(9)", "-c", "SELECT 'alive'")

    assert "canceling statement due to statement timeout" in done.stderr
    assert "alive" in done.stdout
    assert time.monotonic() - started < 9


def test_an_idle_client_is_dropped_at_its_limit(pooler: PgBouncer) -> None:
    with pytest.raises(SqlError, match=r"client_idle_timeout|closed the connection|server closed"):
        psql(service(pooler), "-c", "SELECT 1", "-c", "\\! sleep 5", "-c", "SELECT 2")
    lively = psql(service(pooler), "-c", "SELECT 1", "-c", "\\! sleep 1", "-c", "SELECT 2")
    assert lively.stdout.split() == ["1", "2"]


def test_a_crash_of_the_server_under_load_loses_nothing_that_was_acknowledged(
    server: Postgres, pooler: PgBouncer
) -> None:
    owner = Address(port=server.port, user="parking_owner", database="parking")
    query(owner, "CREATE TABLE book (value integer PRIMARY KEY)")
    query(owner, "GRANT ALL ON book TO parking")
    with Bookkeeper(service(pooler)) as book:
        until(lambda: len(book.acknowledged) > 20, what="the first writes")
        server.stop("immediate")
        server.start()
        before = len(book.acknowledged)
        until(lambda: len(book.acknowledged) > before + 20, what="writes after the crash")
    kept = set(map(int, query(owner, "SELECT value FROM book").split()))

    assert set(book.acknowledged) <= kept


def test_a_leaving_pooler_finishes_what_is_open(server: Postgres, pooler: PgBouncer) -> None:
    running = threading.Thread(
        target=lambda: answers.append(query(service(pooler), "SELECT pg_sleep(1.5), 'done'"))
    )
    answers: list[str] = []
    running.start()
    until(lambda: server_connections(server) == 1, what="the statement's start")
    pooler.leave()
    running.join()

    assert answers == ["|done"]
    assert pooler.process.wait(timeout=30) == 0
