"""The restore runbook rehearsed on real PostgreSQL: a base backup and archived logs stand in for RDS's.

What is real: PostgreSQL's own recovery to a moment, and the runbook's commands as they are written there. What is not:
RDS and AWS Backup; the call that restores is made on moto, which copies no data and takes no time.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self, cast

import boto3
import pytest
from moto import mock_aws

from tests.dataplane.servers import (
    Address,
    Postgres,
    SqlError,
    folder_for_servers,
    program,
    query,
    unprivileged,
    until,
)
from tests.dataplane.test_schema import migrate
from tests.documented.aws_models import arguments
from tests.documented.commands import ROOT, of_page

RUNBOOK = "docs/runbooks/restore.md"
ROW = (
    "INSERT INTO parking_entries (location_id, vehicle_plate, entered_at) "
    "VALUES ('loc_' || length('PLATE'), 'PLATE', clock_timestamp())"
)
COMMANDS = [command.text for command in of_page(ROOT / RUNBOOK)]


def url(address: Address) -> str:
    return f"postgresql://{address.user}@{address.host}:{address.port}/{address.database}"


def database_of(server: Postgres) -> Address:
    return Address(port=server.port, user=server.owner.user, database="parking", host=server.host)


class Bookkeeper:
    """Writes a row at a time and notes what was acknowledged."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._ended = threading.Event()
        self.acknowledged: list[str] = []
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        while not self._ended.is_set():
            self.acknowledged.append(enter(self._address, f"B{len(self.acknowledged)}"))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def enter(address: Address, plate: str) -> str:
    """A vehicle enters; its plate, once the server has confirmed."""
    query(address, ROW.replace("PLATE", plate))
    return plate


def plates(address: Address) -> set[str]:
    return set(query(address, "SELECT vehicle_plate FROM parking_entries").splitlines())


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_for_servers() as made:
        for name in ("writer", "restored", "archive", "backup"):
            (made / name).mkdir()
            if (user := unprivileged()) is not None:
                os.chown(made / name, user, -1)
        yield made


@pytest.fixture
def writer(folder: Path, tmp_path: Path) -> Iterator[Postgres]:
    archive = folder / "archive"
    server = Postgres(
        folder / "writer",
        settings={"archive_mode": "on", "archive_command": f"cp %p {archive}/%f", "wal_level": "replica"},
    )
    query(server.owner, "CREATE DATABASE parking")
    migrate(database_of(server), tmp_path)
    yield server
    server.stop("immediate")


def archive(server: Postgres) -> None:
    """Have all that was written until now in the archive."""
    segment = query(server.owner, "SELECT pg_walfile_name(pg_switch_wal())")
    until(
        lambda: query(server.owner, "SELECT max(last_archived_wal) FROM pg_stat_archiver") >= segment,
        what="the logs' archiving",
    )


def restored_to(moment: str, *, folder: Path) -> Postgres:
    """A server of the base backup, recovered from the archived logs until a moment."""
    server = Postgres(
        folder / "restored",
        backup=folder / "backup" / "base",
        settings={
            "restore_command": f"cp {folder / 'archive'}/%f %p",
            "recovery_target_time": moment,
            "recovery_target_action": "promote",
            "archive_mode": "off",
        },
    )
    until(lambda: query(server.owner, "SELECT pg_is_in_recovery()") == "f", what="the recovery")
    return server


def run_documented(first_word: str, environment: dict[str, str]) -> str:
    """Run the runbook's commands that begin with a word, as they are written, and give what they said."""
    said = ""
    for command in [command for command in COMMANDS if shlex.split(command)[0] == first_word]:
        client = Path(program("psql", package="postgresql-client")).parent
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-ec", command],
            env={"PATH": f"{client}:{os.environ['PATH']}", **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise SqlError(f"{command}\n{done.stderr}")
        said += done.stdout
    return said


def test_the_runbook_s_commands_put_back_what_is_missing_and_keep_what_is_there(
    writer: Postgres, folder: Path
) -> None:
    # The commands of docs/runbooks/restore.md, and what its steps say of them.
    address = database_of(writer)
    early = enter(address, "EARLY")
    writer.base_backup(folder / "backup" / "base")
    with Bookkeeper(address) as book:
        until(lambda: len(book.acknowledged) >= 50, what="fifty rows")
    before = {early, *book.acknowledged}
    moment = query(address, "SELECT clock_timestamp()")
    after = {enter(address, f"AFTER{number}") for number in range(20)}
    query(address, "DELETE FROM parking_entries WHERE vehicle_plate LIKE 'B%'")
    since = enter(address, "SINCE")
    archive(writer)

    restored = restored_to(moment, folder=folder)
    try:
        beside = database_of(restored)
        assert plates(beside) == before
        assert plates(address) == {early, *after, since}

        environment = {
            "RESTORED": url(beside),
            "WRITER": url(address),
            "DAMAGED": "parking_entries",
            "MOMENT": moment,
        }
        assert f"f|{len(before)}|" in run_documented("psql", environment)
        run_documented("pg_dump", environment)
        assert plates(address) == before | after | {since}
        assert int(query(address, "SELECT count(*) FROM parking_entries")) == len(before | after) + 1

        # Again: nothing is there twice.
        run_documented("pg_dump", environment)
        assert int(query(address, "SELECT count(*) FROM parking_entries")) == len(before | after) + 1
    finally:
        restored.stop("immediate")


def test_a_restore_that_would_break_a_row_changes_nothing(writer: Postgres, folder: Path) -> None:
    address = database_of(writer)
    enter(address, "EARLY")
    writer.base_backup(folder / "backup" / "base")
    lost = {enter(address, f"LOST{number}") for number in range(5)}
    moment = query(address, "SELECT clock_timestamp()")
    query(address, "DELETE FROM parking_entries")
    query(address, "ALTER TABLE parking_entries ADD CONSTRAINT no_fifth CHECK (vehicle_plate <> 'LOST4')")
    archive(writer)

    restored = restored_to(moment, folder=folder)
    try:
        assert lost < plates(database_of(restored))
        environment = {
            "RESTORED": url(database_of(restored)),
            "WRITER": url(address),
            "DAMAGED": "parking_entries",
        }
        with pytest.raises(SqlError, match="no_fifth"):
            run_documented("pg_dump", environment)
        assert plates(address) == set()
    finally:
        restored.stop("immediate")


@mock_aws
def test_the_call_that_restores_makes_a_second_instance_and_leaves_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    client = cast("Any", boto3).client
    rds, ec2 = (client(service, region_name="us-east-1") for service in ("rds", "ec2"))
    (command,) = [text for text in COMMANDS if "restore-db-instance-to-point-in-time" in text]
    call = arguments(command)
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    rds.create_db_subnet_group(
        DBSubnetGroupName=call["DBSubnetGroupName"], DBSubnetGroupDescription="data", SubnetIds=subnets
    )
    rds.create_db_parameter_group(
        DBParameterGroupName=call["DBParameterGroupName"],
        DBParameterGroupFamily="postgres17",
        Description="data",
    )
    rds.create_db_instance(
        DBInstanceIdentifier=call["SourceDBInstanceIdentifier"],
        Engine="postgres",
        DBInstanceClass="db.r6g.2xlarge",
        AllocatedStorage=1024,
        MasterUsername="parking",
        MasterUserPassword="for-this-test-only",
    )
    group = ec2.create_security_group(GroupName="database", Description="database")["GroupId"]

    rds.restore_db_instance_to_point_in_time(**{**call, "VpcSecurityGroupIds": [group]})

    found = {one["DBInstanceIdentifier"]: one for one in rds.describe_db_instances()["DBInstances"]}
    assert set(found) == {call["SourceDBInstanceIdentifier"], call["TargetDBInstanceIdentifier"]}
    assert found[call["TargetDBInstanceIdentifier"]]["DBInstanceClass"] == call["DBInstanceClass"]
    # The clean-up of the runbook, in its order: a protected instance is not deleted.
    target = call["TargetDBInstanceIdentifier"]
    for text in [
        text
        for text in COMMANDS
        if target in text and (" modify-db-instance " in text or " delete-db-instance " in text)
    ]:
        operation = shlex.split(text)[2].replace("-", "_")
        getattr(rds, operation)(**arguments(text))
    left = [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]]
    assert left == [call["SourceDBInstanceIdentifier"]]
