"""Autoscaling of PostgreSQL readers, which RDS does not offer for PostgreSQL: a function that runs every minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from components.account import account_id
from components.alarms import AlarmRule, AlarmTarget, Alerting, create_alarm
from components.base import Component
from components.function_parts import create_function_log_group, create_function_role, function_name
from infra.data.pgbouncer import DNS_TTL_SECONDS, SERVER_LIFETIME_SECONDS
from infra.data.reader_policy import ReaderResources, statements
from infra.iam import document
from infra.model.stack import DatabaseSettings
from infra.naming import StackContext

_CODE = Path(__file__).parent / "reader_scaling_function"
_MODULES = ("__init__.py", "fleet.py", "handler.py")
RUNTIME = "python3.13"
TARGET_CPU_PERCENT = 70.0
TIMEOUT_SECONDS = 55
"""Under the minute to the next run."""
RECORD_TTL_SECONDS = 5
DRAIN_SECONDS = RECORD_TTL_SECONDS + DNS_TTL_SECONDS + SERVER_LIFETIME_SECONDS + 60
"""Between leaving the record and deletion: until the poolers have closed their last connection, and a statement of
30 s on it has ended."""
RUNBOOK = "aws-reader-scaling"
METRIC_NAMESPACE = "Parking/Database"
FAILED_RUNS = 5


@dataclass(frozen=True, kw_only=True)
class ReaderFleet:
    """The readers that exist, and what new ones are made of.

    Attributes:
        head: Identifier of the server that readers replicate.
        fixed: Identifiers of the program's own readers, which are never touched.
        parameter_group: Parameter group of readers.
        security_group_id: Security group of readers.
        key_arn: KMS key of their storage.
        zones: Availability zones, taken in turn.
    """

    head: pulumi.Input[str]
    fixed: pulumi.Input[Sequence[str]]
    parameter_group: pulumi.Input[str]
    security_group_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    zones: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class ReaderRecord:
    """Where clients find the readers.

    Attributes:
        zone_id: Hosted zone.
        zone_arn: Its ARN.
        name: Name of the record, e.g. `database-readers.prod.internal`.
    """

    zone_id: pulumi.Input[str]
    zone_arn: pulumi.Input[str]
    name: str


@dataclass(frozen=True, kw_only=True)
class Observation:
    """Who watches the function.

    Attributes:
        log_key_arn: KMS key of its log group.
        alerting: Whom its alarms tell; none: nobody.
    """

    log_key_arn: pulumi.Input[str]
    alerting: Alerting | None


class ReaderScaling(Component):
    """Keeps mean reader CPU at 70% by adding and removing readers, and the readers' record to those that serve.

    The function adds at most one reader at a time, from the program's number up to `max_readers`, and removes only
    what it made: by name, by tag, and by its IAM policy. A reader is in the record only while it is available; one to
    be removed leaves the record first and is deleted once the poolers have closed their connections to it. Its
    metrics are in `Parking/Database`.

    Args:
        name: Logical name, e.g. `reader-scaling`; its readers are `parking-<environment>-<name>-1` and so on.
        context: Names, tags and protection of the stack.
        settings: Class, fewest and most readers, log retention (days).
        fleet: The readers and what new ones are made of.
        record: Where clients find them.
        observation: Log key and alerting.
        opts: Options of the component itself.

    Outputs:
        function_name: Name of the function.
        record: DNS name of the readers that serve.

    Source of the numbers: the architecture specification (target 70% CPU, 3 readers); maximum: the settings.
    """

    function_name: pulumi.Output[str]
    record: str

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: DatabaseSettings,
        fleet: ReaderFleet,
        record: ReaderRecord,
        observation: Observation,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ReaderScaling", name, context=context, opts=opts)
        self._settings, self._fleet, self._record, self._observation = settings, fleet, record, observation
        self._state = self._create_state()
        log_group = create_function_log_group(
            self, name, key_arn=observation.log_key_arn, retention_days=settings.log_retention_days
        )
        role = create_function_role(self, name, description="Adds and removes database readers")
        policy = self._create_policy(role, log_group)
        function = self._create_function(role, [policy, log_group])
        self._create_schedule(function)
        self._create_alarms(function)
        self.function_name, self.record = function.name, record.name
        self.register_outputs({"function_name": self.function_name, "record": self.record})

    @property
    def _prefix(self) -> str:
        return f"{self.context.name(self._name, limit=60)}-"

    def _create_state(self) -> aws.ssm.Parameter:
        return aws.ssm.Parameter(
            f"{self._name}-state",
            name=f"/{self.context.name()}/{self._name}/last-change",
            description="When the number of readers was changed last, in seconds since 1970",
            type="String",
            value="0",
            tags=self.tags(),
            # The function writes it.
            opts=self.child(ignore_changes=["value"]),
        )

    def _create_policy(self, role: aws.iam.Role, log_group: aws.cloudwatch.LogGroup) -> aws.iam.RolePolicy:
        allowed = pulumi.Output.all(
            account=account_id(self),
            head=self._fleet.head,
            parameter_group=self._fleet.parameter_group,
            key_arn=self._fleet.key_arn,
            zone_arn=self._record.zone_arn,
            state_arn=self._state.arn,
            log_group_arn=log_group.arn,
        ).apply(self._policy_document)
        return aws.iam.RolePolicy(
            f"{self._name}-policy", role=role.name, name="scale-readers", policy=allowed, opts=self.child()
        )

    def _policy_document(self, known: dict[str, Any]) -> str:
        on = ReaderResources(
            region=self.context.region, prefix=self._prefix, record=self._record.name, **known
        )
        return document(statements(on))

    def _create_function(self, role: aws.iam.Role, before: Sequence[pulumi.Resource]) -> aws.lambda_.Function:
        return aws.lambda_.Function(
            f"{self._name}-function",
            name=function_name(self, self._name),
            description="Scales database readers to their load, every minute",
            runtime=RUNTIME,
            architectures=["arm64"],
            handler="reader_scaling_function.handler.handler",
            code=pulumi.AssetArchive(
                {
                    f"reader_scaling_function/{module}": pulumi.FileAsset(str(_CODE / module))
                    for module in _MODULES
                }
            ),
            role=role.arn,
            timeout=TIMEOUT_SECONDS,
            memory_size=256,
            # One run at a time.
            reserved_concurrent_executions=1,
            environment=aws.lambda_.FunctionEnvironmentArgs(
                variables={"SETTINGS": self._function_settings()}
            ),
            tags=self.tags(),
            # Its first run needs the rights, and its log group with key and retention.
            opts=self.child(depends_on=before),
        )

    def _function_settings(self) -> pulumi.Output[str]:
        settings, fleet = self._settings, self._fleet
        tags = {key: value for key, value in self.tags().items() if key != "managed-by"}
        return pulumi.Output.json_dumps(
            {
                "head": fleet.head,
                "prefix": self._prefix,
                "fixed": fleet.fixed,
                "instance_class": settings.reader_class,
                "parameter_group": fleet.parameter_group,
                "security_group": fleet.security_group_id,
                "zones": sorted(fleet.zones),
                "tags": tags,
                "hosted_zone": self._record.zone_id,
                "record": self._record.name,
                "record_ttl": RECORD_TTL_SECONDS,
                "state_parameter": self._state.name,
                "metric_namespace": METRIC_NAMESPACE,
                "limits": {
                    "minimum": settings.readers,
                    "maximum": settings.max_readers,
                    "target_percent": TARGET_CPU_PERCENT,
                    "drain_seconds": DRAIN_SECONDS,
                },
            },
            sort_keys=True,
        )

    def _create_schedule(self, function: aws.lambda_.Function) -> None:
        rule = aws.cloudwatch.EventRule(
            f"{self._name}-schedule",
            name=function_name(self, self._name),
            description="Every minute",
            schedule_expression="rate(1 minute)",
            tags=self.tags(),
            opts=self.child(),
        )
        aws.lambda_.Permission(
            f"{self._name}-permission",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=self.child(),
        )
        aws.cloudwatch.EventTarget(
            f"{self._name}-target",
            rule=rule.name,
            arn=function.arn,
            # A run that was missed is the next one's business.
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=60, maximum_retry_attempts=0
            ),
            opts=self.child(),
        )

    def _create_alarms(self, function: aws.lambda_.Function) -> None:
        alerting = self._observation.alerting
        target = AlarmTarget(
            namespace="AWS/Lambda",
            dimensions=[{"FunctionName": function.name}],
            alerting=alerting,
            runbook=RUNBOOK,
        )
        own = AlarmTarget(
            namespace=METRIC_NAMESPACE,
            dimensions=[{"Database": self._fleet.head}],
            alerting=alerting,
            runbook=RUNBOOK,
        )
        failing = AlarmRule(
            key="errors",
            metric="Errors",
            statistic="Sum",
            comparison="GreaterThanThreshold",
            threshold=0,
            periods=FAILED_RUNS,
            breaching_periods=FAILED_RUNS,
            why="readers have not been scaled for five minutes: read the function's log",
        )
        silent = AlarmRule(
            key="silent",
            metric="Invocations",
            statistic="Sum",
            comparison="LessThanThreshold",
            threshold=1,
            missing="breaching",
            why="the function has not run for five minutes: look at its schedule and concurrency",
        )
        stuck = AlarmRule(
            key="stuck",
            metric="StuckReaders",
            statistic="Maximum",
            comparison="GreaterThanThreshold",
            threshold=0,
            why="a reader has not come up within an hour: look at its events in RDS",
        )
        for rule, watched in ((failing, target), (silent, target), (stuck, own)):
            create_alarm(self, self._name, rule=rule, target=watched)
