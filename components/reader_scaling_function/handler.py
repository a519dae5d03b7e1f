"""Lambda: keeps the number of PostgreSQL readers to their load, and the readers' record set to those that serve.

Runs every minute. Every step can be repeated: what is there is read anew, names are fixed before they are used, and
a step that failed is taken up by the next run.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .fleet import Change, Kind, Limits, Load, Reader, decide, mean_load

MANAGED_BY = "managed-by"
MANAGER = "reader-autoscaling"
DRAINING = "draining-since"
REQUESTED = "requested-at"
RECENT_MINUTES, LATELY_MINUTES = 5, 15
_ALREADY_DONE = {"DBInstanceAlreadyExists", "DBInstanceNotFound", "InvalidDBInstanceState"}
"""What another run may have done meanwhile."""
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=10)


class RunFailedError(RuntimeError):
    """A run in which a step failed; raised at the end, for the alarm on errors."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told by its environment."""

    head: str
    prefix: str
    fixed: frozenset[str]
    instance_class: str
    parameter_group: str
    security_group: str
    zones: tuple[str, ...]
    tags: Mapping[str, str]
    hosted_zone: str
    record: str
    record_ttl: int
    state_parameter: str
    metric_namespace: str
    limits: Limits

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read `SETTINGS`, one JSON document."""
        given: dict[str, Any] = json.loads(environment["SETTINGS"])
        fields: dict[str, Any] = {
            **given,
            "fixed": frozenset(given["fixed"]),
            "zones": tuple(given["zones"]),
            "limits": Limits(**given["limits"]),
        }
        return cls(**fields)


@dataclass(kw_only=True)
class Clients:
    """AWS, and the resolver."""

    rds: Any
    cloudwatch: Any
    route53: Any
    ssm: Any
    resolve: Callable[[str], str]

    @classmethod
    def create(cls) -> Clients:
        """The real ones."""
        # boto3 ships without complete types.
        make: Callable[..., Any] = vars(boto3)["client"]
        return cls(
            **{name: make(name, config=_RETRIES) for name in ("rds", "cloudwatch", "route53", "ssm")},
            resolve=socket.gethostbyname,
        )


def handler(event: object, context: object) -> None:  # noqa: ARG001
    """Entry point of Lambda."""
    Run(settings=Settings.from_environment(os.environ), clients=Clients.create(), now=time.time()).go()


class Run:
    """One run.

    Args:
        settings: What to keep.
        clients: AWS.
        now: The time, in seconds since 1970.
    """

    def __init__(self, *, settings: Settings, clients: Clients, now: float) -> None:
        self._settings, self._clients, self._now = settings, clients, now
        self._failed: list[str] = []
        self._changed = self._remembered = 0.0

    def go(self) -> Change | None:
        """Bring everything one step nearer to what it should be.

        Returns:
            What was decided; none when too little was known to decide.

        Raises:
            RunFailedError: When a step failed.
        """
        change, readers, load = None, list[Reader](), Load(now=None, lately=None)
        with self._step("readers"):
            readers = self._readers()
        if readers:
            published = False
            with self._step("record"):
                published = self._publish([reader for reader in readers if reader.serves])
            with self._step("load"):
                load = self._load([reader for reader in readers if reader.serves])
            with self._step("change"):
                change = self._decide(readers, load)
                self._carry_out(change, published=published)
            with self._step("memory"):
                self._remember_change()
        self._report(readers, load, change)
        if self._failed:
            raise RunFailedError(f"failed: {', '.join(self._failed)}; the next run takes them up")
        return change

    @contextmanager
    def _step(self, name: str) -> Generator[None]:
        """Note a failure and go on: what does not need this step should not wait for it."""
        try:
            yield
        except (ClientError, BotoCoreError, OSError) as error:
            self._failed.append(name)
            _log("step failed", step=name, error=str(error))

    def _readers(self) -> list[Reader]:
        pages = self._clients.rds.get_paginator("describe_db_instances").paginate()
        found = [instance for page in pages for instance in page["DBInstances"]]
        return [
            self._reader(one)
            for one in found
            if one.get("ReadReplicaSourceDBInstanceIdentifier") == self._settings.head
            and (one["DBInstanceIdentifier"] in self._settings.fixed or self._is_own(one))
        ]

    def _is_own(self, instance: Mapping[str, Any]) -> bool:
        """Both by name and by tag, so that a mistake in one touches nothing."""
        named = instance["DBInstanceIdentifier"].startswith(self._settings.prefix)
        return named and _tags(instance).get(MANAGED_BY) == MANAGER

    def _reader(self, instance: Mapping[str, Any]) -> Reader:
        draining, requested = (_tags(instance).get(key) for key in (DRAINING, REQUESTED))
        created: datetime | None = instance.get("InstanceCreateTime")
        return Reader(
            identifier=instance["DBInstanceIdentifier"],
            status=instance["DBInstanceStatus"],
            address=instance.get("Endpoint", {}).get("Address"),
            own=instance["DBInstanceIdentifier"] not in self._settings.fixed and self._is_own(instance),
            # A creating reader has no time yet; its tag says when it was asked for.
            created=float(requested) if requested else created.timestamp() if created else self._now,
            draining_since=float(draining) if draining else None,
            arn=instance["DBInstanceArn"],
        )

    def _publish(self, serving: Sequence[Reader]) -> bool:
        """Set the record to the addresses of those that serve; never to nothing."""
        settings, route53 = self._settings, self._clients.route53
        addresses = sorted({self._clients.resolve(reader.address) for reader in serving if reader.address})
        if not addresses:
            _log("no reader serves; the record stays as it is", record=settings.record)
            return False
        listed = route53.list_resource_record_sets(
            HostedZoneId=settings.hosted_zone,
            StartRecordName=settings.record,
            StartRecordType="A",
            MaxItems="1",
        )["ResourceRecordSets"]
        present = [
            value["Value"]
            for found in listed
            if found["Name"].rstrip(".") == settings.record and found["Type"] == "A"
            for value in found["ResourceRecords"]
        ]
        if sorted(present) != addresses:
            record = {
                "Name": settings.record,
                "Type": "A",
                "TTL": settings.record_ttl,
                "ResourceRecords": [{"Value": address} for address in addresses],
            }
            changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
            route53.change_resource_record_sets(
                HostedZoneId=settings.hosted_zone, ChangeBatch={"Changes": changes}
            )
            _log("record changed", record=settings.record, before=sorted(present), after=addresses)
        return True

    def _load(self, serving: Sequence[Reader]) -> Load:
        if not serving:
            return Load(now=None, lately=None)
        end = datetime.fromtimestamp(self._now, tz=UTC).replace(second=0, microsecond=0)
        queries = [
            {
                "Id": f"r{index}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/RDS",
                        "MetricName": "CPUUtilization",
                        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": reader.identifier}],
                    },
                    "Period": 60,
                    "Stat": "Average",
                },
            }
            for index, reader in enumerate(serving)
        ]
        answer = self._clients.cloudwatch.get_metric_data(
            MetricDataQueries=queries,
            StartTime=end - timedelta(minutes=LATELY_MINUTES),
            EndTime=end,
            ScanBy="TimestampDescending",
        )
        series = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
        return mean_load(series, recent=RECENT_MINUTES)

    def _last_change(self) -> float:
        parameter = self._clients.ssm.get_parameter(Name=self._settings.state_parameter)["Parameter"]
        return float(parameter["Value"])

    def _remember_change(self) -> None:
        if self._changed > self._remembered:
            self._clients.ssm.put_parameter(
                Name=self._settings.state_parameter, Value=str(int(self._changed)), Overwrite=True
            )

    def _decide(self, readers: Sequence[Reader], load: Load) -> Change:
        self._remembered = self._last_change()
        # A run that died after a change could not remember it; its reader tells.
        own = [reader for reader in readers if reader.own]
        seen = [moment for one in own for moment in (one.created, one.draining_since) if moment is not None]
        self._changed = max([self._remembered, *seen])
        return decide(
            readers,
            load=load,
            limits=self._settings.limits,
            prefix=self._settings.prefix,
            last_change=self._changed,
            now=self._now,
        )

    def _carry_out(self, change: Change, *, published: bool) -> None:
        _log("decided", change=change.kind.value, reader=change.identifier, why=change.why)
        rds, identifier = self._clients.rds, change.identifier
        try:
            if change.kind is Kind.CREATE:
                self._create(identifier)
                self._changed = self._now
            elif change.kind is Kind.DRAIN:
                tags = [{"Key": DRAINING, "Value": str(int(self._now))}]
                rds.add_tags_to_resource(ResourceName=change.arn, Tags=tags)
                self._changed = self._now
            elif change.kind is Kind.KEEP:
                rds.remove_tags_from_resource(ResourceName=change.arn, TagKeys=[DRAINING])
            elif change.kind is Kind.DELETE and published:
                # Only once the record is known to be without it.
                rds.delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)
        except ClientError as error:
            if _code(error) not in _ALREADY_DONE:
                raise
            _log("another run was first, or RDS is busy", reader=identifier, error=str(error))

    def _create(self, identifier: str) -> None:
        settings = self._settings
        number = int(identifier.removeprefix(settings.prefix))
        tags = {**settings.tags, MANAGED_BY: MANAGER, REQUESTED: str(int(self._now))}
        self._clients.rds.create_db_instance_read_replica(
            DBInstanceIdentifier=identifier,
            SourceDBInstanceIdentifier=settings.head,
            DBInstanceClass=settings.instance_class,
            AvailabilityZone=settings.zones[number % len(settings.zones)],
            DBParameterGroupName=settings.parameter_group,
            VpcSecurityGroupIds=[settings.security_group],
            PubliclyAccessible=False,
            AutoMinorVersionUpgrade=False,
            CopyTagsToSnapshot=True,
            Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        )

    def _report(self, readers: Sequence[Reader], load: Load, change: Change | None) -> None:
        """One line in CloudWatch's embedded metric format: log and metrics at once."""
        values: dict[str, float] = {
            "Readers": len(readers),
            "ServingReaders": sum(reader.serves for reader in readers),
            "OwnReaders": sum(reader.own for reader in readers),
            "StuckReaders": sum(
                reader.in_flight
                and reader.draining_since is None
                and self._now - reader.created >= self._settings.limits.stuck_seconds
                for reader in readers
            ),
            "FailedSteps": len(self._failed),
        }
        if load.now is not None:
            values["MeanCpu"] = load.now
        definition = {
            "Namespace": self._settings.metric_namespace,
            "Dimensions": [["Database"]],
            "Metrics": [{"Name": name} for name in values],
        }
        _log(
            "run",
            change=change.kind.value if change else None,
            Database=self._settings.head,
            **values,
            _aws={"Timestamp": int(self._now * 1000), "CloudWatchMetrics": [definition]},
        )


def _tags(instance: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance.get("TagList", [])}


def _code(error: ClientError) -> str:
    response: dict[str, Any] = vars(error)["response"]
    return str(response.get("Error", {}).get("Code", "")).removesuffix("Fault")


def _log(message: str, **fields: object) -> None:
    print(json.dumps({"message": message, **fields}, default=str))
