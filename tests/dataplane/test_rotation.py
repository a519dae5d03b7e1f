"""Rotation of passwords: the function against a real PostgreSQL, behind a real PgBouncer; Secrets Manager is moto's."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from pg8000.exceptions import InterfaceError

from components.password_rotation import SETTLE_SECONDS
from components.password_rotation_function.handler import Copy, Rotated, Rotation, RotationError, Settings
from components.password_rotation_function.server import Server
from infra.data.logins import logins, password_field
from infra.data.migrations import roles
from infra.data.pgbouncer import STATISTICS_USER, Pool
from infra.model.stack import ConnectionPoolSettings
from tests.dataplane.pooling import start_pooler, write_userlist
from tests.dataplane.servers import (
    Address,
    PgBouncer,
    Postgres,
    folder_for_servers,
    psql,
    query,
    until,
)

REGION, OTHER = "us-east-1", "eu-west-1"
NAME = "parking-prod-use1-database-user-parking"
COPY = "parking-prod-euw1-database-user-parking"
SINGLE = "parking-prod-use1-database-owner"
ROLE = "parking"
LOGINS = logins(ROLE)
FIRST = "the-first-password"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
MAKE: Any = vars(boto3)["client"]


class KilledError(BaseException):
    """The function ends here, as when its time is up: nothing of it can catch this."""


@dataclass
class Fuse:
    """Counts calls of the outside world, and cuts before or after a given one.

    A call that changes something may have done so although the function never heard of it, hence after.
    """

    at: int | None = None
    after: bool = False
    made: list[str] = field(default_factory=list[str])

    def pass_through(self, name: str, call: Any, *args: Any, **given: Any) -> Any:
        self.made.append(name)
        hit = self.at == len(self.made)
        if hit and not self.after:
            raise KilledError(name)
        try:
            return call(*args, **given)
        finally:
            if hit:
                raise KilledError(name)


class Fused:
    """An object whose calls go through a fuse."""

    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self._inner, self._fuse = inner, fuse

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        def fused(*args: Any, **given: Any) -> Any:
            return self._fuse.pass_through(name, call, *args, **given)

        return fused


@dataclass
class World:
    """Two regions' Secrets Manager, a database behind a pooler, and a clock."""

    postgres: Postgres
    pooler: PgBouncer
    userlist: Path
    clients: dict[str, Any]
    arns: dict[str, str]
    now: float = 0.0
    fuse: Fuse = field(default_factory=Fuse)

    def settings(self) -> Settings:
        return Settings(
            region=REGION,
            host="127.0.0.1",
            port=self.postgres.port,
            database="parking",
            metric_namespace="Parking/Database",
            settle_seconds=SETTLE_SECONDS,
            secrets={
                self.arns[NAME]: Rotated(logins=LOGINS, copies=(Copy(region=OTHER, name=COPY),)),
                self.arns[SINGLE]: Rotated(logins=("parking_jobs",), copies=()),
            },
        )

    def server(self) -> Server:
        return Server(host="127.0.0.1", port=self.postgres.port, database="parking", authorities=None)

    def call(self, step: str, token: str = "", *, name: str = NAME) -> None:
        server: Any = Fused(self.server(), self.fuse)
        Rotation(
            settings=self.settings(),
            client=lambda region: Fused(self.clients[region], self.fuse),
            server=server,
            now=self.now,
        ).run({"Step": step, "SecretId": self.arns[name], "ClientRequestToken": token})

    def rotate(self, *, token: str = "", name: str = NAME) -> str:
        """One rotation, after the last one has settled."""
        token = token or str(uuid.uuid4())
        self.now = time.time() + SETTLE_SECONDS + 60
        for step in STEPS:
            self.call(step, token, name=name)
        return token

    def document(self, name: str = NAME, *, region: str = REGION) -> dict[str, str]:
        found = self.clients[region].get_secret_value(SecretId=name, VersionStage="AWSCURRENT")
        return json.loads(found["SecretString"])

    def deliver(self) -> None:
        """What External Secrets and the kubelet do within a quarter of an hour: the file changes, nobody is told."""
        write_userlist(self.userlist, self.passwords())

    def passwords(self) -> dict[str, str]:
        document = self.document()
        return {login: document[password_field(login)] for login in LOGINS} | {STATISTICS_USER: FIRST}

    def through_pooler(self, document: dict[str, str]) -> Address:
        return Address(
            port=self.pooler.port, user=document["username"], database=ROLE, password=document["password"]
        )

    def works(self, document: dict[str, str]) -> bool:
        """Whether a service that has just read this document gets through the pooler to the database."""
        done = psql(self.through_pooler(document), "-c", "SELECT session_user", check=False)
        return done.returncode == 0 and done.stdout.strip() == document["username"]

    def knows(self, document: dict[str, str]) -> None:
        """Wait until the pooler takes a document's login."""
        until(lambda: self.works(document), what="the pooler's reading of its file")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with folder_for_servers() as folder:
        server = Postgres(folder, settings={"log_statement": "ddl", "log_connections": "on"})
        yield server
        server.stop("immediate")


@pytest.fixture
def world(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    query(postgres.owner, "DROP DATABASE IF EXISTS parking WITH (FORCE)")
    for login in (*LOGINS, "parking_jobs"):
        query(postgres.owner, f"DROP ROLE IF EXISTS {login}")
    query(postgres.owner, "CREATE DATABASE parking")
    query(postgres.owner, f"CREATE ROLE parking_jobs LOGIN PASSWORD '{FIRST}'")
    owner = Address(port=postgres.port, user="parking_owner", database="parking")
    query(owner, "CREATE TABLE book (value integer)")
    script = tmp_path / "roles.sql"
    script.write_text(roles([ROLE], writers=[ROLE], statement_timeout_seconds=30))
    psql(owner, "-f", str(script), environment={f"PASSWORD_{login.upper()}": FIRST for login in LOGINS})
    first = {"username": ROLE, "password": FIRST, **{password_field(login): FIRST for login in LOGINS}}
    with mock_aws(), folder_for_servers() as folder:
        clients = {region: MAKE("secretsmanager", region_name=region) for region in (REGION, OTHER)}
        arns = {
            NAME: clients[REGION].create_secret(Name=NAME, SecretString=json.dumps(first))["ARN"],
            SINGLE: clients[REGION].create_secret(
                Name=SINGLE,
                SecretString=json.dumps({"username": "parking_jobs", "password": FIRST}),
            )["ARN"],
        }
        clients[OTHER].create_secret(Name=COPY, SecretString=json.dumps(first))
        pooler = start_pooler(
            folder,
            [Pool(database=ROLE, host="127.0.0.1", port=postgres.port)],
            settings=ConnectionPoolSettings(),
            passwords={**dict.fromkeys(LOGINS, FIRST), STATISTICS_USER: FIRST},
            watch_seconds=0.2,
        )
        yield World(
            postgres=postgres,
            pooler=pooler,
            userlist=folder / "userlist.txt",
            clients=clients,
            arns=arns,
        )
        pooler.stop()


def test_a_password_lives_through_a_renewal_a_switch_and_the_next_renewal(world: World) -> None:
    first = world.document()
    world.rotate()
    renewed = world.document()
    assert (renewed["username"], renewed["password"]) == (ROLE, FIRST), "the login that serves is left alone"
    assert renewed[password_field(LOGINS[1])] != FIRST
    world.deliver()
    world.rotate()
    switched = world.document()
    assert switched["username"] == LOGINS[1]
    assert switched["password"] == renewed[password_field(LOGINS[1])]
    assert world.works(first), "the login that served before goes on"
    world.knows(switched)
    world.deliver()
    world.rotate()
    world.deliver()

    assert world.document()["username"] == LOGINS[1]
    assert world.document()[password_field(ROLE)] != FIRST
    assert not world.server().accepts(ROLE, FIRST), "the first password is gone"
    assert world.works(switched)


def test_whoever_reads_the_secret_gets_in_at_once_at_every_moment(world: World) -> None:
    """The pooler has the document of a rotation before, as it has for a quarter of an hour after each."""
    for _ in range(6):
        before = world.document()
        world.knows(before)
        world.rotate()
        # Not delivered yet: what the secret says now, and what it said before, must both do.
        assert world.works(world.document())
        assert world.works(before)
        world.deliver()
        until(lambda: all_in(world), what="the pooler's reading of its file")


def all_in(world: World) -> bool:
    passwords = world.passwords()
    return all(world.works({"username": login, "password": passwords[login]}) for login in LOGINS)


def test_the_pooler_reads_its_file_by_itself_and_open_sessions_go_on(world: World, tmp_path: Path) -> None:
    go = tmp_path / "go"
    address = world.through_pooler(world.document())
    waiting = f"\\! touch {tmp_path}/started; while [ ! -e {go} ]; do sleep 0.1; done"
    said: list[str] = []
    session = threading.Thread(
        target=lambda: said.append(
            psql(address, "-c", "SELECT session_user", "-c", waiting, "-c", "SELECT session_user").stdout
        )
    )
    session.start()
    until((tmp_path / "started").exists, what="the session's first statement")
    for _ in range(3):
        world.rotate()
        world.deliver()
        until(lambda: all_in(world), what="the pooler's reading of its file")
    assert not world.works({"username": ROLE, "password": FIRST}), "its password is another by now"
    go.touch()
    session.join()

    assert said == [f"{ROLE}\n{ROLE}\n"]


def calls_of(world: World) -> list[str]:
    """Names of the calls that a renewal and a switch make, for the number of places to cut at."""
    world.rotate()
    world.rotate()
    return world.fuse.made


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_rotation_that_dies_anywhere_leaves_working_passwords_and_is_finished_by_the_next_try(
    world: World, *, after: bool
) -> None:
    length = len(calls_of(world))
    world.deliver()
    until(lambda: all_in(world), what="the pooler's reading of its file")
    assert length > 30
    for at in range(1, length + 1):
        world.fuse = Fuse(at=at, after=after)
        tokens = iter([str(uuid.uuid4()), str(uuid.uuid4())])
        token = next(tokens)
        try:
            world.rotate(token=token)
            token = next(tokens)
            world.deliver()
            until(lambda: all_in(world), what="the pooler's reading of its file")
            world.rotate(token=token)
        except KilledError:
            pass
        else:
            raise AssertionError(f"call {at} of {length} was never made")
        assert world.works(world.document()), f"cut {world.fuse.made[-1]}, call {at}"
        world.fuse = Fuse()
        world.rotate(token=token)
        assert world.works(world.document()), f"cut call {at}, then repeated"
        assert world.document(COPY, region=OTHER) == world.document()
        world.deliver()
        until(lambda: all_in(world), what=f"all logins after call {at} was cut")


def test_a_rotation_given_up_half_way_is_adopted_by_the_next_one(world: World) -> None:
    token = str(uuid.uuid4())
    world.now = time.time() + SETTLE_SECONDS + 60
    world.call("createSecret", token)
    world.call("setSecret", token)
    world.rotate()
    world.deliver()
    until(lambda: all_in(world), what="both logins' passwords")


def test_every_step_may_be_repeated(world: World) -> None:
    token = str(uuid.uuid4())
    world.now = time.time() + SETTLE_SECONDS + 60
    for step in STEPS:
        world.call(step, token)
        document = world.document()
        world.call(step, token)
        assert world.document() == document
    finished = world.document()
    for step in STEPS:
        world.call(step, token)
    assert world.document() == finished


def test_a_second_rotation_waits_until_the_first_is_known_everywhere(world: World) -> None:
    world.rotate()
    world.now = time.time() + 60
    with pytest.raises(RotationError, match="may not know it yet"):
        world.call("createSecret", str(uuid.uuid4()))


def test_no_rotation_starts_while_another_region_cannot_be_given_the_last(world: World) -> None:
    before = world.document()
    working = world.clients[OTHER]

    class Away:
        def __getattr__(self, name: str) -> Any:
            raise KilledError(name)

    world.clients[OTHER] = Away()
    with pytest.raises(KilledError):
        world.rotate()
    assert world.document() == before
    world.clients[OTHER] = working
    world.rotate()
    assert world.document(COPY, region=OTHER) == world.document()


def test_the_hourly_run_mends_a_copy_and_leaves_out_a_region_that_is_not_there(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.clients[OTHER].put_secret_value(SecretId=COPY, SecretString="{}")
    world.now = time.time() + 3 * 86_400
    world.call("sync")
    assert world.document(COPY, region=OTHER) == world.document()
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [round(line["OldestPasswordDays"]) for line in metrics] == [3]

    world.clients[OTHER].delete_secret(SecretId=COPY, ForceDeleteWithoutRecovery=True)
    world.call("sync")
    world.rotate()


def test_a_single_login_changes_its_own_password(world: World) -> None:
    world.rotate(name=SINGLE)
    document = world.document(SINGLE)

    assert world.server().accepts("parking_jobs", document["password"])
    assert not world.server().accepts("parking_jobs", FIRST)


def test_a_password_that_the_server_does_not_know_is_told(world: World) -> None:
    query(world.postgres.owner, f"ALTER ROLE {LOGINS[1]} PASSWORD 'changed-by-hand'")
    with pytest.raises(RotationError, match=f"no known password of {LOGINS[1]}"):
        world.rotate()
    assert world.works(world.document()), "the login that serves goes on"


def test_a_password_that_does_not_get_in_never_comes_to_serve(world: World) -> None:
    token = str(uuid.uuid4())
    world.now = time.time() + SETTLE_SECONDS + 60
    world.call("createSecret", token)
    world.call("setSecret", token)
    query(world.postgres.owner, f"ALTER ROLE {LOGINS[1]} PASSWORD 'changed-by-hand'")
    with pytest.raises(RotationError, match="refuses"):
        world.call("testSecret", token)


def test_a_server_that_is_away_is_no_refusal() -> None:
    away = Server(host="127.0.0.1", port=1, database="parking", authorities=None)

    with pytest.raises(InterfaceError):
        away.accepts(ROLE, FIRST)


def test_a_role_that_only_reads_can_be_renewed(world: World) -> None:
    query(world.postgres.owner, f"ALTER ROLE {LOGINS[1]} SET default_transaction_read_only = on")
    world.rotate()

    assert world.server().accepts(LOGINS[1], world.document()[password_field(LOGINS[1])])


def test_the_server_s_log_has_no_password(world: World) -> None:
    world.rotate()
    log = world.postgres.log.read_text()

    assert "ALTER ROLE" in log
    assert "SCRAM-SHA-256$" in log
    assert world.document()[password_field(LOGINS[1])] not in log


def test_making_the_logins_again_leaves_rotated_passwords_alone(world: World, tmp_path: Path) -> None:
    world.rotate()
    script = tmp_path / "again.sql"
    script.write_text(roles([ROLE], writers=[ROLE], statement_timeout_seconds=30))
    owner = Address(port=world.postgres.port, user="parking_owner", database="parking")
    psql(owner, "-f", str(script), environment={f"PASSWORD_{login.upper()}": FIRST for login in LOGINS})

    assert world.server().accepts(LOGINS[1], world.document()[password_field(LOGINS[1])])
