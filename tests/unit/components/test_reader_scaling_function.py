"""Reader autoscaling over simulated hours, on moto, with faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.rds.models import rds_backends

from components.reader_scaling_function.fleet import Change, Kind, Limits, Load, Reader, decide, mean_load
from components.reader_scaling_function.handler import Clients, Run, RunFailedError, Settings

REGION = "us-east-1"
HEAD, PREFIX = "parking-prod-database", "parking-prod-reader-scaling-"
FIXED = tuple(f"parking-prod-database-reader-{number}" for number in (1, 2, 3))
RECORD = "database-readers.prod.internal"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC).timestamp()
MAKE: Any = vars(boto3)["client"]


@dataclass
class Cpu:
    """CloudWatch with a given load over all readers, shared evenly by those that are asked for."""

    percent_of_one: float = 100.0
    fails: bool = False

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        if self.fails:
            raise throttled("GetMetricData")
        queries = asked["MetricDataQueries"]
        each = min(100.0, self.percent_of_one / len(queries))
        return {"MetricDataResults": [{"Id": query["Id"], "Values": [each] * 15} for query in queries]}


def throttled(operation: str, code: str = "Throttling") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "slow down"}}, operation)


@dataclass
class Region:
    """A region's readers on moto, and a clock."""

    rds: Any
    route53: Any
    ssm: Any
    settings: Settings
    cpu: Cpu = field(default_factory=Cpu)
    now: float = START

    def run(self, *, seconds: int = 60) -> Change | None:
        self.now += seconds
        clients = Clients(
            rds=self.rds,
            cloudwatch=self.cpu,
            route53=self.route53,
            ssm=self.ssm,
            resolve=address_of,
        )
        return Run(settings=self.settings, clients=clients, now=self.now).go()

    def minutes(self, count: int, *, every: int = 1) -> list[Kind]:
        """Kinds of the changes of some minutes, leaving out nothing; only each `every`th minute is simulated."""
        changes = [self.run(seconds=60 * every) for _ in range(0, count, every)]
        return [change.kind for change in changes if change and change.kind is not Kind.NOTHING]

    def readers(self) -> set[str]:
        found = self.rds.describe_db_instances()["DBInstances"]
        return {one["DBInstanceIdentifier"] for one in found} - {HEAD}

    def recorded(self) -> set[str]:
        sets = self.route53.list_resource_record_sets(HostedZoneId=self.settings.hosted_zone)
        return {
            value["Value"]
            for found in sets["ResourceRecordSets"]
            if found["Type"] == "A"
            for value in found["ResourceRecords"]
        }

    def put(self, identifier: str, status: str, *, created: float | None = None) -> None:
        """Give a reader another state."""
        database = rds_backends[DEFAULT_ACCOUNT_ID][REGION].databases[identifier]
        database.status = status
        if created is not None:
            database.instance_create_time = datetime.fromtimestamp(created, tz=UTC)


def address_of(name: str) -> str:
    """An address that follows from the name."""
    head, *_ = name.split(".")
    return f"10.0.{len(head)}.{head.rsplit('-', 1)[-1]}"


def addresses(*identifiers: str) -> set[str]:
    return {address_of(identifier) for identifier in identifiers}


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> Iterator[Region]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    with mock_aws():
        rds, route53, ssm = (MAKE(name, region_name=REGION) for name in ("rds", "route53", "ssm"))
        rds.create_db_instance(
            DBInstanceIdentifier=HEAD,
            Engine="postgres",
            DBInstanceClass="db.r6g.2xlarge",
            AllocatedStorage=20,
            MasterUsername="parking_owner",
            MasterUserPassword="not-a-secret",
            BackupRetentionPeriod=1,
        )
        for identifier in FIXED:
            rds.create_db_instance_read_replica(
                DBInstanceIdentifier=identifier,
                SourceDBInstanceIdentifier=HEAD,
                Tags=[{"Key": "managed-by", "Value": "pulumi"}],
            )
        zone = route53.create_hosted_zone(Name="prod.internal", CallerReference="test")["HostedZone"]["Id"]
        ssm.put_parameter(Name="/last-change", Value="0", Type="String")
        yield Region(
            rds=rds, route53=route53, ssm=ssm, settings=settings(hosted_zone=zone, fixed=list(FIXED))
        )


def settings(**changes: Any) -> Settings:
    given = {
        "head": HEAD,
        "prefix": PREFIX,
        "fixed": [],
        "instance_class": "db.r6g.xlarge",
        "parameter_group": "default.postgres17",
        "security_group": "sg-1",
        "zones": ["us-east-1a", "us-east-1b", "us-east-1c"],
        "tags": {"environment": "prod"},
        "hosted_zone": "Z1",
        "record": RECORD,
        "record_ttl": 5,
        "state_parameter": "/last-change",
        "metric_namespace": "Parking/Database",
        "limits": {"minimum": 3, "maximum": 6, "target_percent": 70.0},
        **changes,
    }
    return Settings.from_environment({"SETTINGS": json.dumps(given)})


def test_under_the_target_nothing_changes_and_the_record_has_every_reader(region: Region) -> None:
    assert region.minutes(60, every=5) == []
    assert region.readers() == set(FIXED)
    assert region.recorded() == addresses(*FIXED)


def test_a_rising_load_brings_readers_one_at_a_time_up_to_the_maximum(region: Region) -> None:
    region.cpu.percent_of_one = 260
    assert region.minutes(1) == [Kind.CREATE]
    assert region.readers() == {*FIXED, f"{PREFIX}1"}
    assert region.minutes(30, every=5) == [], "4 readers are at 65%"
    assert f"{PREFIX}1" in region.readers()
    assert region.recorded() == addresses(*FIXED, f"{PREFIX}1")

    region.cpu.percent_of_one = 900
    assert region.minutes(120, every=5) == [Kind.CREATE, Kind.CREATE]
    assert len(region.readers()) == 6


def test_additions_are_a_cooldown_apart(region: Region) -> None:
    region.cpu.percent_of_one = 900

    assert region.minutes(9) == [Kind.CREATE]
    assert region.minutes(3) == [Kind.CREATE]


def test_a_day_s_load_goes_up_and_back_to_the_program_s_readers(region: Region) -> None:
    region.cpu.percent_of_one = 400
    region.minutes(90, every=5)
    assert len(region.readers()) == 6

    region.cpu.percent_of_one = 60
    changes = region.minutes(5 * 60, every=5)
    assert region.readers() == set(FIXED)
    assert region.recorded() == addresses(*FIXED)
    assert changes == [Kind.DRAIN, Kind.DELETE] * 3


def test_a_reader_leaves_the_record_before_it_is_deleted(region: Region) -> None:
    region.cpu.percent_of_one = 260
    region.minutes(2)
    region.cpu.percent_of_one = 60
    while region.minutes(5, every=5) != [Kind.DRAIN]:
        assert region.now < START + 7200
    region.minutes(1)

    assert f"{PREFIX}1" in region.readers()
    assert region.recorded() == addresses(*FIXED)
    assert region.minutes(3) == [Kind.DELETE]


def test_a_load_that_comes_back_keeps_a_draining_reader(region: Region) -> None:
    region.cpu.percent_of_one = 260
    region.minutes(2)
    region.cpu.percent_of_one = 60
    while region.minutes(5, every=5) != [Kind.DRAIN]:
        assert region.now < START + 7200

    region.cpu.percent_of_one = 260
    assert region.minutes(2) == [Kind.KEEP]
    assert region.recorded() == addresses(*FIXED, f"{PREFIX}1")


def test_readers_of_the_program_are_never_deleted(region: Region) -> None:
    region.cpu.percent_of_one = 1

    assert region.minutes(24 * 60, every=30) == []
    assert region.readers() == set(FIXED)


def test_a_reader_with_the_name_but_not_the_tag_is_not_touched(region: Region) -> None:
    region.rds.create_db_instance_read_replica(
        DBInstanceIdentifier=f"{PREFIX}9", SourceDBInstanceIdentifier=HEAD
    )
    region.cpu.percent_of_one = 1

    assert region.minutes(120, every=10) == []
    assert f"{PREFIX}9" in region.readers()
    assert region.recorded() == addresses(*FIXED)


def test_a_reader_is_in_the_record_only_once_it_is_available(region: Region) -> None:
    region.cpu.percent_of_one = 260
    region.minutes(1)
    region.put(f"{PREFIX}1", "creating", created=region.now)

    assert region.minutes(5) == [], "one change at a time"
    assert region.recorded() == addresses(*FIXED)
    region.put(f"{PREFIX}1", "available")
    region.minutes(1)
    assert region.recorded() == addresses(*FIXED, f"{PREFIX}1")


def test_a_reader_that_never_comes_up_is_given_up_and_counted(
    region: Region, capsys: pytest.CaptureFixture[str]
) -> None:
    region.cpu.percent_of_one = 260
    region.minutes(1)
    region.put(f"{PREFIX}1", "creating", created=region.now)
    region.minutes(55, every=5)
    region.minutes(4)
    assert "StuckReaders" in capsys.readouterr().out
    assert f"{PREFIX}1" in region.readers()

    assert region.minutes(2)[0] is Kind.DELETE
    line = next(
        json.loads(one)
        for one in capsys.readouterr().out.splitlines()
        if '"run"' in one and '"StuckReaders": 1' in one
    )
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Parking/Database"


def test_a_lost_reader_leaves_the_record(region: Region) -> None:
    region.minutes(1)
    region.put(FIXED[1], "failed")
    region.minutes(1)

    assert region.recorded() == addresses(FIXED[0], FIXED[2])


def test_the_record_is_never_emptied(region: Region) -> None:
    region.minutes(1)
    for identifier in FIXED:
        region.put(identifier, "failed")
    region.minutes(1)

    assert region.recorded() == addresses(*FIXED)


def test_without_load_figures_nothing_changes_but_the_record_does(region: Region) -> None:
    region.cpu.fails = True
    with pytest.raises(RunFailedError, match="load"):
        region.run()

    assert region.recorded() == addresses(*FIXED)
    assert region.readers() == set(FIXED)
    region.cpu = Cpu(percent_of_one=260)
    assert region.minutes(1) == [Kind.CREATE]


def test_a_refused_creation_is_taken_up_by_the_next_run(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    region.cpu.percent_of_one = 260

    def refuse(**_: Any) -> None:
        raise throttled("CreateDBInstanceReadReplica")

    with monkeypatch.context() as patched:
        patched.setattr(region.rds, "create_db_instance_read_replica", refuse)
        with pytest.raises(RunFailedError, match="change"):
            region.run()
    assert region.minutes(1) == [Kind.CREATE]


def test_two_runs_at_once_make_one_reader(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    region.cpu.percent_of_one = 260
    make = region.rds.create_db_instance_read_replica

    def twice(**asked: Any) -> None:
        make(**asked)
        make(**asked)

    monkeypatch.setattr(region.rds, "create_db_instance_read_replica", twice)
    assert region.minutes(1) == [Kind.CREATE]
    assert region.readers() == {*FIXED, f"{PREFIX}1"}


def test_nothing_is_deleted_while_the_record_cannot_be_changed(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    region.cpu.percent_of_one = 260
    region.minutes(2)
    region.cpu.percent_of_one = 60
    while region.minutes(5, every=5) != [Kind.DRAIN]:
        assert region.now < START + 7200

    def refuse(**_: Any) -> None:
        raise throttled("ChangeResourceRecordSets", "PriorRequestNotComplete")

    with monkeypatch.context() as patched:
        patched.setattr(region.route53, "change_resource_record_sets", refuse)
        for _ in range(10):
            with pytest.raises(RunFailedError, match="record"):
                region.run()
    assert f"{PREFIX}1" in region.readers()
    region.minutes(1)
    assert region.readers() == set(FIXED)


def reader(identifier: str, **changes: Any) -> Reader:
    known: dict[str, Any] = {
        "status": "available",
        "address": identifier,
        "own": False,
        "created": 0.0,
        **changes,
    }
    return Reader(identifier=identifier, **known)


@pytest.mark.parametrize(
    ("percent", "expected"), [(70.0, Kind.NOTHING), (70.1, Kind.CREATE), (100.0, Kind.CREATE)]
)
def test_the_target_is_70_percent(percent: float, expected: Kind) -> None:
    change = decide(
        [reader("a"), reader("b"), reader("c")],
        load=Load(now=percent, lately=percent),
        limits=Limits(minimum=3, maximum=6),
        prefix="x-",
        last_change=0,
        now=10_000,
    )

    assert change.kind is expected


def test_a_mean_is_over_readers_that_have_figures() -> None:
    load = mean_load({"a": [90, 90, 10, 10], "b": [50, 50, 50, 50], "new": []}, recent=2)

    assert (load.now, load.lately) == (70, 50)
    assert mean_load({"new": []}, recent=2) == Load(now=None, lately=None)
