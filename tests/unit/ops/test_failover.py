"""Failover, rejoin and failback on moto: refused where writes may be lost, and finished from any point."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.ops import operations
from infra.ops.cloud import Cloud
from infra.ops.errors import CloudError, OpsError, RefusedError
from infra.ops.status import Holds
from tests.unit.ops.estates import AWAY, HEAD, HOME, bench, client, holds, report_lag


class Absent(Cloud):
    """An account of which one region does not answer."""

    def __init__(self, region: str) -> None:
        self.region = region

    def ask(self, service: str, region: str, operation: str, **arguments: Any) -> dict[str, Any]:
        if region == self.region and service not in ("route53", "sts"):
            raise CloudError(
                region=region, operation=operation, code="Timeout", message="none", unreachable=True
            )
        return super().ask(service, region, operation, **arguments)


class Broken(Cloud):
    """An account of which one region answers with nothing but failures of its own."""

    def __init__(self, region: str) -> None:
        self.region = region

    def client(self, service: str, region: str) -> Any:
        lost = region == self.region and service not in ("route53", "sts")
        return _Unavailable() if lost else super().client(service, region)


class _Unavailable:
    def __getattr__(self, operation: str) -> Any:
        def fail(**_: Any) -> None:
            response: Any = {
                "Error": {"Code": "503", "Message": "Service Unavailable"},
                "ResponseMetadata": {"HTTPStatusCode": 503},
            }
            raise ClientError(response, operation)

        return fail


def test_status_says_who_holds_the_writer_and_that_all_is_well(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        assert operations.status(one.desk)
        assert "writer.database.prod.internal -> parking-prod-database" in one.text
        assert holds(one) == {HOME: Holds.WRITER, AWAY: Holds.REPLICA}


def test_a_dry_run_shows_the_plan_and_changes_nothing(tmp_path: Path) -> None:
    with bench(tmp_path, dry_run=True) as one:
        operations.failover(one.desk, to=AWAY)

        assert "promote" in one.text
        assert "dry run: nothing was done" in one.text
        assert one.questions == []
        assert holds(one) == {HOME: Holds.WRITER, AWAY: Holds.REPLICA}


def test_without_a_yes_nothing_is_done(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        one.answer = "y"
        with pytest.raises(OpsError, match="not confirmed"):
            operations.failover(one.desk, to=AWAY)

        assert holds(one) == {HOME: Holds.WRITER, AWAY: Holds.REPLICA}


def test_a_failover_fences_promotes_moves_the_name_and_starts_nodes(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        operations.failover(one.desk, to=AWAY)

        assert holds(one) == {HOME: Holds.FENCED, AWAY: Holds.WRITER}
        assert one.writer_name() == one.head(AWAY).address
        fence = client("ec2", HOME).describe_security_groups(GroupIds=list(one.head(HOME).security_groups))
        assert [group["IpPermissions"] for group in fence["SecurityGroups"]] == [[]]
        groups = Cloud().node_groups(AWAY, "parking-prod")
        assert {name: group["desiredSize"] for name, group in groups.items()} == {
            "application-on-demand": 14,
            "database-on-demand": 10,
            "analytics-x": 2,
        }


def test_what_pulumi_has_to_learn_is_said_command_by_command(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        operations.failover(one.desk, to="prod-eu-west-1")

        for line in (
            "pulumi config set parking:role primary --stack prod-eu-west-1",
            "pulumi config rm parking:primaryStack --stack prod-eu-west-1",
            "pulumi config set parking:edgeStack prod --stack prod-eu-west-1",
            "pulumi config set parking:role secondary --stack prod",
            "pulumi config set parking:primaryStack prod-eu-west-1 --stack prod",
        ):
            assert line in one.text


def test_every_step_leaves_an_audit_line_with_who_and_when(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        operations.failover(one.desk, to=AWAY)
        [journal] = (tmp_path / "journals").glob("*.jsonl")
        entries = [json.loads(line) for line in journal.read_text().splitlines()]

        done = [entry["step"] for entry in entries if entry["event"] == "done"]
        assert done == ["fence", "drain", "promote", "move-name", "scale-up", "verify"]
        assert all(entry["at"] and entry["who"] for entry in entries)
        assert [entry["caller"] for entry in entries if entry["event"] == "began"]
        assert entries[-1]["event"] == "ended"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda: report_lag(AWAY, 61), "the replica lags 61 s, over the 60 s"),
        (lambda: client("cloudwatch", AWAY), None),
    ],
)
def test_a_lag_over_the_limit_is_refused_with_what_would_be_lost(
    tmp_path: Path, spoil: Callable[[], Any], why: str | None
) -> None:
    with bench(tmp_path) as one:
        spoil()
        if why is None:
            operations.failover(one.desk, to=AWAY)
            return
        with pytest.raises(RefusedError, match=why):
            operations.failover(one.desk, to=AWAY)
        assert holds(one) == {HOME: Holds.WRITER, AWAY: Holds.REPLICA}


@pytest.mark.parametrize("cloud", [Absent, Broken])
def test_a_region_that_does_not_answer_or_only_fails_is_given_up_only_when_told(
    tmp_path: Path, cloud: Callable[[str], Cloud]
) -> None:
    with bench(tmp_path) as one:
        lost = replace(one.desk, cloud=cloud(HOME))
        with pytest.raises(RefusedError, match="cannot be fenced"):
            operations.failover(lost, to=AWAY)

        operations.failover(replace(lost, accept_loss=True), to=AWAY)

        assert "NOT fenced" in one.text
        assert one.writer_name() == one.head(AWAY).address
        # It comes back as it was: nothing but the name keeps clients from it.
        assert holds(one) == {HOME: Holds.STRAY, AWAY: Holds.WRITER}
        assert not operations.status(one.desk)


def test_the_holder_and_what_is_no_replica_cannot_take_over(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        with pytest.raises(RefusedError, match="holds the writer already"):
            operations.failover(one.desk, to=HOME)
        with pytest.raises(OpsError, match="there are: us-east-1, eu-west-1"):
            operations.failover(one.desk, to="ap-southeast-2")
        operations.failover(one.desk, to=AWAY)
        with pytest.raises(RefusedError, match="its head is fenced"):
            operations.failover(one.desk, to=HOME)


def test_a_lag_that_does_not_reach_zero_stops_before_anything_is_promoted(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        report_lag(AWAY, 5)
        with pytest.raises(OpsError, match="a replication lag of 0"):
            operations.failover(one.desk, to=AWAY)
        assert one.head(AWAY).source is not None


def test_failback_brings_the_writer_home_and_every_server_into_line(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        shape = one.head(HOME)
        operations.failover(one.desk, to=AWAY)
        report_lag(HOME, 0)
        operations.failback(one.desk, to=HOME)

        assert holds(one) == {HOME: Holds.WRITER, AWAY: Holds.REPLICA}
        assert one.writer_name() == one.head(HOME).address
        home = one.head(HOME)
        assert home.security_groups == shape.security_groups
        assert home.raw["DBInstanceClass"] == "db.r6g.2xlarge"
        assert home.raw["DeletionProtection"] is True
        assert home.raw["BackupRetentionPeriod"] == 14
        assert home.raw["DBSubnetGroup"]["DBSubnetGroupName"] == HEAD
        followed = {server.identifier: server.source for server in Cloud().servers(AWAY, HEAD)}
        assert followed == {HEAD: home.arn, f"{HEAD}-recovery-2": home.arn, f"{HEAD}-reader-1": HEAD}
        # Both regions' former writers were kept as snapshots, and no fence is left.
        for region in (HOME, AWAY):
            snapshots = client("rds", region).describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
            assert [
                one["DBSnapshotIdentifier"].startswith(f"{HEAD}-before-rejoin-") for one in snapshots
            ] == [True]
            groups = client("ec2", region).describe_security_groups()["SecurityGroups"]
            assert not [group for group in groups if group["GroupName"].endswith("-fence")]


def test_a_stray_writer_is_never_deleted(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        operations.failover(replace(one.desk, cloud=Absent(HOME), accept_loss=True), to=AWAY)

        with pytest.raises(RefusedError, match="takes writes outside the writer's name"):
            operations.rejoin(one.desk, region=HOME)
        assert one.head(HOME).source is None


def test_a_region_without_a_head_is_pulumi_s_to_make_and_nothing_is_deleted(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        rds = client("rds", AWAY)
        rds.modify_db_instance(DBInstanceIdentifier=HEAD, DeletionProtection=False, ApplyImmediately=True)
        rds.delete_db_instance(DBInstanceIdentifier=HEAD, SkipFinalSnapshot=True)
        before = {server.identifier for server in Cloud().servers(AWAY, HEAD)}
        assert before

        with pytest.raises(RefusedError, match="whose shape a new one would take\n  to do: `pulumi refresh"):
            operations.rejoin(one.desk, region=AWAY)

        assert {server.identifier for server in Cloud().servers(AWAY, HEAD)} == before


def test_two_operations_never_run_at_a_time(tmp_path: Path) -> None:
    with bench(tmp_path) as one:

        def during(_: str) -> str:
            with pytest.raises(OpsError, match="another operation runs already"):
                operations.failover(replace(one.desk), to=AWAY)
            return "yes"

        operations.failover(replace(one.desk, ask=during), to=AWAY)
        assert holds(one)[AWAY] is Holds.WRITER
