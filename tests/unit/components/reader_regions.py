"""A region's readers on moto, simulated hours and faults, for the tests of reader scaling."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.rds.models import rds_backends

from components.reader_scaling_function.fleet import Change, Kind
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


Between = Callable[[str, Callable[[], Any]], Any]


class Watched:
    """A client whose calls go by way of a function."""

    def __init__(self, client: Any, between: Between) -> None:
        self._client, self._between = client, between

    def __getattr__(self, name: str) -> Any:
        def paginator(operation: str) -> SimpleNamespace:
            pages = self._client.get_paginator(operation)
            return SimpleNamespace(paginate=lambda: self._between(operation, lambda: list(pages.paginate())))

        def call(**asked: Any) -> Any:
            return self._between(name, lambda: getattr(self._client, name)(**asked))

        return paginator if name == "get_paginator" else call


@dataclass
class Region:
    """A region's readers on moto, and a clock."""

    rds: Any
    route53: Any
    ssm: Any
    settings: Settings
    cpu: Any = field(default_factory=Cpu)
    now: float = START
    failed: int = 0
    """Runs that failed."""
    between: Between = lambda _, call: call()
    """Stands between the function and AWS: gets the name of each call, and the call."""

    def run(self, *, seconds: int = 60) -> Change | None:
        self.now += seconds
        clients = Clients(
            rds=Watched(self.rds, self.between),
            cloudwatch=Watched(self.cpu, self.between),
            route53=Watched(self.route53, self.between),
            ssm=Watched(self.ssm, self.between),
            resolve=address_of,
        )
        try:
            return Run(settings=self.settings, clients=clients, now=self.now).go()
        except RunFailedError:
            self.failed += 1
            raise

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


@pytest.fixture(name="region")
def region_on_moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Region]:
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
