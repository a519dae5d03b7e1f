"""Migrations on a real PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.data.migrations import driver, roles
from tests.dataplane.servers import Address, Postgres, SqlError, folder_for_servers, psql, query

MIGRATIONS = Path(__file__).resolve().parents[2] / "components" / "migrations"
FILES = {path.name: path.read_text() for path in sorted(MIGRATIONS.glob("*.sql"))}
ROW = "INSERT INTO parking_entries (location_id, vehicle_plate, entered_at) VALUES "


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with folder_for_servers() as folder:
        postgres = Postgres(folder)
        yield postgres
        postgres.stop("immediate")


@pytest.fixture
def database(server: Postgres, request: pytest.FixtureRequest) -> Address:
    name = f"db{abs(hash(request.node.name))}"
    query(server.owner, f"CREATE DATABASE {name}")
    return Address(port=server.port, user="parking_owner", database=name)


def migrate(address: Address, folder: Path, files: dict[str, str] | None = None) -> None:
    files = files or FILES
    for name, text in {**files, "apply.sql": driver(files)}.items():
        (folder / name).write_text(text)
    psql(address, "-f", str(folder / "apply.sql"))


def scanned(address: Address, statement: str) -> set[str]:
    """Tables that a plan reads."""
    plan: list[Any] = json.loads(query(address, f"EXPLAIN (FORMAT JSON) {statement}"))

    def tables(node: dict[str, Any]) -> Iterator[str]:
        if "Relation Name" in node:
            yield node["Relation Name"]
        for child in node.get("Plans", []):
            yield from tables(child)

    return set(tables(plan[0]["Plan"]))


def test_an_empty_database_gets_everything_and_a_second_run_changes_nothing(
    database: Address, tmp_path: Path
) -> None:
    migrate(database, tmp_path)
    before = query(database, "SELECT version, checksum, applied_at FROM schema_migrations ORDER BY 1")
    migrate(database, tmp_path)

    assert query(database, "SELECT version, checksum, applied_at FROM schema_migrations ORDER BY 1") == before
    assert len(before.splitlines()) == len(FILES)


def test_rows_survive_a_later_migration(database: Address, tmp_path: Path) -> None:
    migrate(database, tmp_path)
    query(database, f"{ROW} ('loc_1', 'M-P 1', now()), ('loc_4', 'M-P 2', now())")
    later = {**FILES, f"{len(FILES) + 1:04}_note.sql": "ALTER TABLE parking_entries ADD COLUMN note text;"}
    migrate(database, tmp_path, later)

    assert query(database, "SELECT count(*), count(note) FROM parking_entries") == "2|0"


def test_a_migration_that_fails_leaves_nothing_of_itself(database: Address, tmp_path: Path) -> None:
    broken = {**FILES, f"{len(FILES) + 1:04}_broken.sql": "CREATE TABLE half (); SELECT 1/0;"}
    with pytest.raises(SqlError, match="division by zero"):
        migrate(database, tmp_path, broken)

    assert query(database, "SELECT to_regclass('half') IS NULL") == "t"
    assert query(database, "SELECT count(*) FROM schema_migrations") == str(len(FILES))


def test_a_migration_changed_after_it_was_applied_is_refused(database: Address, tmp_path: Path) -> None:
    migrate(database, tmp_path)
    name = max(FILES)
    with pytest.raises(SqlError, match="was changed after it was applied"):
        migrate(database, tmp_path, {**FILES, name: FILES[name] + "\n-- changed\n"})


def test_one_location_in_one_quarter_reads_one_partition(database: Address, tmp_path: Path) -> None:
    migrate(database, tmp_path)
    query(database, "SELECT make_partitions_ahead(4, '2026-01-15')")

    assert scanned(
        database,
        "SELECT * FROM parking_entries WHERE location_id = 'loc_2' "
        "AND entered_at >= '2026-04-01' AND entered_at < '2026-07-01'",
    ) == {"parking_entries_group_1_2026_q2"}


def test_each_location_goes_to_its_group_and_an_unknown_one_to_the_default(
    database: Address, tmp_path: Path
) -> None:
    migrate(database, tmp_path)
    query(database, "SELECT make_partitions_ahead(0, '2026-01-15')")
    values = ", ".join(f"('{place}', 'x', '2026-02-01')" for place in ("loc_3", "loc_6", "loc_77"))
    query(database, f"{ROW} {values}, ('loc_1', 'x', '1999-01-01')")

    placed = query(
        database, "SELECT location_id, tableoid::regclass FROM parking_entries ORDER BY entered_at, 1"
    )
    assert placed.splitlines() == [
        "loc_1|parking_entries_group_1_default",
        "loc_3|parking_entries_group_1_2026_q1",
        "loc_6|parking_entries_group_2_2026_q1",
        "loc_77|parking_entries_others_2026_q1",
    ]


def test_partitions_are_made_ahead_once(database: Address, tmp_path: Path) -> None:
    migrate(database, tmp_path)

    assert query(database, "SELECT make_partitions_ahead(4, '2030-05-05')") == str(3 * 5)
    assert query(database, "SELECT make_partitions_ahead(4, '2030-05-05')") == "0"
    assert query(database, "SELECT make_partitions_ahead(4, '2030-08-05')") == "3"


def test_rows_in_the_default_move_into_the_quarter_that_is_made(database: Address, tmp_path: Path) -> None:
    migrate(database, tmp_path)
    query(database, f"{ROW} ('loc_5', 'x', '2031-01-02'), ('loc_5', 'x', '2032-01-02')")
    query(database, "SELECT make_partitions_ahead(0, '2031-02-01')")

    placed = query(database, "SELECT tableoid::regclass FROM parking_entries ORDER BY entered_at")
    assert placed.splitlines() == ["parking_entries_group_2_2031_q1", "parking_entries_group_2_default"]


def test_old_partitions_are_detached_and_kept_as_tables(database: Address, tmp_path: Path) -> None:
    migrate(database, tmp_path)
    query(database, "SELECT make_partitions_ahead(1, '2020-01-15')")
    query(database, f"{ROW} ('loc_1', 'x', '2020-02-01'), ('loc_1', 'x', '2020-05-01')")

    assert query(database, "SELECT detach_old_partitions(8, '2022-04-15')") == "3"
    assert query(database, "SELECT detach_old_partitions(8, '2022-04-15')") == "0"
    assert query(database, "SELECT count(*) FROM parking_entries") == "1"
    assert query(database, "SELECT count(*) FROM parking_entries_group_1_2020_q1") == "1"


def test_roles_log_in_with_their_password_and_readers_cannot_write(
    server: Postgres, database: Address, tmp_path: Path
) -> None:
    migrate(database, tmp_path)
    script = tmp_path / "roles.sql"
    script.write_text(roles(["parking", "analytics"], writers=["parking"], statement_timeout_seconds=30))
    secrets = {"PASSWORD_PARKING": "one", "PASSWORD_ANALYTICS": "two"}

    def login(role: str, secret: str) -> Address:
        return Address(port=server.port, user=role, database=database.database, password=secret)

    for _ in range(2):
        psql(database, "-f", str(script), environment=secrets)
    writer, reader = login("parking", "one"), login("analytics", "two")

    query(writer, f"{ROW} ('loc_1', 'x', now())")
    assert query(reader, "SELECT count(*) FROM parking_entries") == "1"
    assert query(reader, "SHOW statement_timeout") == "30s"
    assert psql(reader, "-c", f"{ROW} ('loc_1', 'x', now())", check=False).returncode != 0
    assert psql(login("parking", "two"), "-c", "SELECT 1", check=False).returncode != 0
