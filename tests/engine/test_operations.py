"""Failover, reconciling, failback and drift on what the stacks made, in the cloud of this machine."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import running
from tests.engine import events, inventory
from tests.engine.platform import REPOSITORY, Platform

HOME, AWAY = "us-east-1", "eu-west-1"
STACKS = {HOME: "prod", AWAY: "prod-eu-west-1"}
KILLS = 10
SERVER = "aws:rds/instance:Instance"
MARK = "Pulumi does not know yet"


@dataclass(frozen=True, kw_only=True)
class Estate(Platform):
    """The applied stacks, in a folder and a cloud of their own."""

    @property
    def journals(self) -> Path:
        return self.root / ".ops"

    def command(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """An operation as a person runs it after `make cloud-env`."""
        found = running.start(self.folder, log=self.root / ".pulumi-local" / "logs" / running.LOG)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))},
            "AWS_ENDPOINT_URL": found.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": HOME,
            "PULUMI_LOCAL_PROJECT": str(self.root),
            "PULUMI_LOCAL_HOME": str(self.root / ".pulumi-local"),
            "PULUMI_LOCAL_PYTHON": sys.executable,
        }
        places = ["--environment", "prod", "--root", str(self.root), "--journals", str(self.journals)]
        return [sys.executable, "-m", "infra.ops", *words, *places], environment

    def operate(self, *words: str, code: int = 0) -> str:
        command, environment = self.command(*words)
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert "Traceback" not in said, said
        return said

    def servers(self, region: str) -> dict[str, dict[str, Any]]:
        found = inventory.client(self.folder, "rds", region).describe_db_instances()["DBInstances"]
        return {one["DBInstanceIdentifier"]: one for one in found}

    def source(self, region: str) -> str | None:
        head = self.servers(region)["parking-prod-database"]
        return head.get("ReadReplicaSourceDBInstanceIdentifier") or None

    def settle(self, said: str, tmp_path: Path) -> None:
        """Do what the tool says at its end, word for word, and see that no database is replaced or deleted."""
        lines = [line.partition("   #")[0].strip() for line in said.split(MARK)[1].splitlines()]
        for number, line in enumerate(line for line in lines if line.startswith(("pulumi ", "python -m "))):
            words = line.split()
            if words[0] == "python":
                self.operate(*[word for word in words[3:] if word not in ("--environment", "prod")], "--yes")
                continue
            more = {"refresh": ["--yes"], "up": ["--yes", "--skip-preview"]}.get(words[1], [])
            log = tmp_path / f"{number}.json"
            if words[1] == "up":
                more.append(f"--event-log={log}")
            self.ok(*words[1:], *more, **events.ENVIRONMENT)
            if words[1] == "up":
                # A region that gets or gives the writer's role keeps another number of spare replicas.
                kept = [
                    one for one in events.read(log) if one.type == SERVER and "-recovery-" not in one.name
                ]
                lost = [one for one in kept if one.operation not in ("same", "update")]
                assert lost == [], line

    def is_settled(self) -> None:
        # What stacks read of each other follows at the next look; nothing else may change.
        for stack in STACKS.values():
            self.ok("refresh", "--yes", "--stack", stack)
        for stack in STACKS.values():
            self.ok("refresh", "--yes", "--expect-no-changes", "--stack", stack)
            self.ok("preview", "--expect-no-changes", "--stack", stack)


@pytest.fixture(scope="module")
def estate(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Generator[Estate]:
    """A copy of the applied stacks, in a cloud of its own."""
    estate = Estate(root=platform.copied(tmp_path_factory.mktemp("estate") / "program"), cloud=True)
    yield estate
    running.stop(estate.folder)


def test_the_status_of_what_was_applied_is_well(estate: Estate) -> None:
    said = estate.operate("status")

    assert re.search(r"us-east-1 .* writer ", said)
    assert re.search(r"eu-west-1 .* replica .* lag 0 s", said)
    assert "!" not in said


def test_drift_is_what_somebody_changed_by_hand(estate: Estate) -> None:
    rds = inventory.client(estate.folder, "rds", AWAY)
    changed = {"DBInstanceIdentifier": "parking-prod-database-reader-1", "ApplyImmediately": True}
    before = estate.servers(AWAY)["parking-prod-database-reader-1"]["DBInstanceClass"]
    rds.modify_db_instance(DBInstanceClass="db.r6g.4xlarge", **changed)
    try:
        said = estate.operate("drift", code=1)
    finally:
        rds.modify_db_instance(DBInstanceClass=before, **changed)

    assert "prod: as the state says" in said
    assert "prod-eu-west-1: DIFFERS" in said
    assert "as the state says" in estate.operate("drift")


def test_a_failover_killed_at_ten_moments_is_finished_by_the_same_command(
    estate: Estate, tmp_path: Path
) -> None:
    before = {region: set(estate.servers(region)) for region in STACKS}
    heads = {region: estate.servers(region)["parking-prod-database"]["DbiResourceId"] for region in STACKS}
    command, environment = estate.command("failover", "--to", AWAY, "--yes", "--pause", "0.05")

    killed = 0
    for moment in range(1, KILLS + 1):
        with subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            wait_for_lines(estate, moment, process)
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL

    said = estate.operate("failover", "--to", AWAY, "--yes", "--pause", "0.05")
    assert killed >= KILLS // 2
    assert estate.source(AWAY) is None
    assert {region: set(estate.servers(region)) for region in STACKS} == before, "nothing twice, nothing lost"
    assert re.search(r"us-east-1 .* fenced ", estate.operate("status", code=1))

    # Ten kills, then the stack files and the state learn of it.
    estate.settle(said, tmp_path)
    estate.is_settled()
    now = {region: estate.servers(region)["parking-prod-database"]["DbiResourceId"] for region in STACKS}
    assert now == heads, "both heads are the servers that they were"


def wait_for_lines(estate: Estate, count: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the run's journal has so many lines, or the run has ended."""
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        journals = list(estate.journals.glob("failover-*.jsonl"))
        if journals and sum(len(path.read_text().splitlines()) for path in journals) >= count:
            return
        time.sleep(0.002)


def test_a_failback_brings_all_home_and_settles(estate: Estate, tmp_path: Path) -> None:
    said = estate.operate("failback", "--to", HOME, "--yes", "--pause", "0.05")

    assert estate.source(HOME) is None
    assert estate.source(AWAY) == estate.servers(HOME)["parking-prod-database"]["DBInstanceArn"]
    estate.settle(said, tmp_path)
    estate.is_settled()
    assert "!" not in estate.operate("status")


def test_a_drill_goes_there_and_back_and_leaves_all_as_it_was(estate: Estate, tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.json"
    estate.operate("drill", "--to", AWAY, "--yes", "--pause", "0.05", "--timeline", str(timeline))

    steps = [step["step"] for step in json.loads(timeline.read_text())["steps"]]
    assert steps.count("promote") == 2
    assert estate.source(HOME) is None
    assert estate.source(AWAY) is not None


def test_a_lost_writer_is_restored_under_its_own_name_and_both_stacks_settle(
    estate: Estate, tmp_path: Path
) -> None:
    head, snapshot = "parking-prod-database", "before-the-loss"
    here, there = (inventory.client(estate.folder, "rds", region) for region in (HOME, AWAY))
    lost = estate.servers(HOME)[head]
    here.create_db_snapshot(DBInstanceIdentifier=head, DBSnapshotIdentifier=snapshot)
    for rds in (here, there):
        rds.modify_db_instance(DBInstanceIdentifier=head, DeletionProtection=False, ApplyImmediately=True)
    here.delete_db_instance(DBInstanceIdentifier=head, SkipFinalSnapshot=True)

    # As the runbook says: restored beside nothing, adopted, and what followed the lost one made anew.
    here.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=head,
        DBSnapshotIdentifier=snapshot,
        DBInstanceClass=lost["DBInstanceClass"],
        MultiAZ=True,
        DBSubnetGroupName=lost["DBSubnetGroup"]["DBSubnetGroupName"],
        DBParameterGroupName=lost["DBParameterGroups"][0]["DBParameterGroupName"],
        VpcSecurityGroupIds=[group["VpcSecurityGroupId"] for group in lost["VpcSecurityGroups"]],
        DeletionProtection=True,
        CopyTagsToSnapshot=True,
    )
    restored = estate.servers(HOME)[head]["DbiResourceId"]
    assert restored != lost["DbiResourceId"]
    assert head in estate.operate("adopt", "--yes")
    for region, rds in ((HOME, here), (AWAY, there)):
        followers = {one for one in estate.servers(region) if (region, one) != (HOME, head)}
        for one in sorted(followers, key=lambda name: "-reader-" not in name):
            rds.delete_db_instance(DBInstanceIdentifier=one, SkipFinalSnapshot=True)
    for stack in STACKS.values():
        log = tmp_path / f"{stack}.json"
        estate.ok("refresh", "--yes", "--stack", stack)
        estate.ok(
            "up", "--yes", "--skip-preview", f"--event-log={log}", "--stack", stack, **events.ENVIRONMENT
        )
        done = {one.name: one.operation for one in events.read(log) if one.type == SERVER}
        assert done["database-head"] == ("update" if stack == "prod" else "create")

    estate.is_settled()
    assert estate.servers(HOME)[head]["DbiResourceId"] == restored
    assert estate.servers(HOME)[head]["EnabledCloudwatchLogsExports"]
    assert estate.source(AWAY) == lost["DBInstanceArn"]
    assert "!" not in estate.operate("status")
