"""Rotation of database passwords by Secrets Manager, and of their copies in the environment's other regions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from components.account import account_id
from components.alarms import AlarmRule, AlarmTarget, Alerting, create_alarm
from components.base import Component
from components.encryption import Purpose
from components.function_parts import create_function_log_group, create_function_role, function_name
from components.secret import secret_name
from infra.data.rotation_policy import RotationResources, statements
from infra.iam import document
from infra.naming import PROJECT, StackContext
from infra.ports import HTTPS, POSTGRES
from infra.python_packages import sources
from infra.slo.severity import Severity

_CODE = Path(__file__).parent / "password_rotation_function"
_MODULES = ("__init__.py", "document.py", "handler.py", "server.py")
PACKAGES = ("pg8000", "scramp", "asn1crypto", "python-dateutil", "six")
"""The driver and what it needs: pure Python, sent along as it is installed."""
RUNTIME = "python3.13"
TIMEOUT_SECONDS = 120
RUNBOOK = "aws-password-rotation"
METRIC_NAMESPACE = "Parking/Database"
EVERY_DAYS = 15
"""Renewing and switching take turns, so a password serves 30 days and goes on for 15 more."""
SETTLE_SECONDS = 3600
"""Between two changes of a secret: by then every pooler has the last one (15 minutes, and a minute of the kubelet), and
services that read at the latest every half hour, too."""
LATE_DAYS = EVERY_DAYS + 3
SYNC_HOURS = 1


@dataclass(frozen=True, kw_only=True)
class RotatedSecret:
    """A secret that is rotated.

    Attributes:
        arn: Its ARN.
        logins: Its logins: a role's two, or a single one.
    """

    arn: pulumi.Input[str]
    logins: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class RotationSite:
    """Where the function runs, and what it talks to.

    Attributes:
        vpc_id: VPC of the function.
        subnet_ids: Private subnets, with a way to Secrets Manager.
        host: DNS name of the environment's writer.
        database_security_group_id: Security group of this region's servers, to be opened.
        database_cidrs: Ranges where the writer may be, other regions' included.
        authorities: Certificates, in PEM, that sign the servers.
        secrets_key_arn: KMS key of the secrets.
        log_key_arn: KMS key of the function's log group.
        log_retention_days: How long its log is kept.
        alerting: Whom its alarms tell; none: nobody.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    host: pulumi.Input[str]
    database_security_group_id: pulumi.Input[str]
    database_cidrs: Sequence[str]
    authorities: str
    secrets_key_arn: pulumi.Input[str]
    log_key_arn: pulumi.Input[str]
    log_retention_days: int
    alerting: Alerting | None


class PasswordRotation(Component):
    """Changes the passwords of database logins on a schedule; nobody who uses them is cut off.

    Of a role's two logins one serves. Every 15 days its secret is changed, in turns: the other login gets a new
    password, then the other login serves. The function changes a login's password as that login, so it holds no
    administrator's rights. It copies the secrets to the other regions, at each rotation and every hour.

    Args:
        name: Logical name, e.g. `password-rotation`.
        context: Names, tags and protection of the stack.
        secrets: The secrets, by logical name: of the same name in every region.
        copy_to: The environment's other regions.
        site: Network, server, keys and alerting.
        after: What makes the logins.
        opts: Options of the component itself.

    Outputs:
        function_name: Name of the function.

    Source of the numbers: 15 days (hence 30 for a password), an hour to settle and an hour between copies are this
    project's.
    """

    function_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        secrets: Mapping[str, RotatedSecret],
        copy_to: Sequence[str],
        site: RotationSite,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("PasswordRotation", name, context=context, opts=opts)
        self._secrets, self._copy_to, self._site = dict(sorted(secrets.items())), sorted(copy_to), site
        log_group = create_function_log_group(
            self, name, key_arn=site.log_key_arn, retention_days=site.log_retention_days
        )
        role = create_function_role(self, name, description="Rotates database passwords")
        policy = self._create_policy(role, log_group)
        group, doors = self._create_security_group()
        function = self._create_function(role, group, [policy, log_group, *doors])
        permissions = [self._create_permission(function), *self._create_schedule(function)]
        self._create_rotations(function, [*permissions, *after])
        self._create_alarms(function)
        self.function_name = function.name
        self.register_outputs({"function_name": self.function_name})

    def _create_policy(self, role: aws.iam.Role, log_group: aws.cloudwatch.LogGroup) -> aws.iam.RolePolicy:
        allowed = pulumi.Output.all(
            account=account_id(self),
            secret_arns=[secret.arn for secret in self._secrets.values()],
            key_arn=self._site.secrets_key_arn,
            log_group_arn=log_group.arn,
        ).apply(self._policy_document)
        return aws.iam.RolePolicy(
            f"{self._name}-policy",
            role=role.name,
            name="rotate-passwords",
            policy=allowed,
            opts=self.child(),
        )

    def _policy_document(self, known: dict[str, Any]) -> str:
        on = RotationResources(
            region=self.context.region,
            key_alias=f"alias/{self.context.name(Purpose.SECRETS.value, limit=250)}",
            copies={
                region: [self._copy_name(region, name) for name in self._secrets] for region in self._copy_to
            },
            **known,
        )
        return document(statements(on))

    def _copy_name(self, region: str, name: str) -> str:
        return secret_name(replace(self.context, region=region), name)

    def _create_security_group(self) -> tuple[aws.ec2.SecurityGroup, list[pulumi.Resource]]:
        group = aws.ec2.SecurityGroup(
            f"{self._name}-access",
            name=self.context.name(self._name, limit=255),
            description="The function that rotates database passwords",
            vpc_id=self._site.vpc_id,
            tags=self.tags(),
            opts=self.child(),
        )
        ways = [("secrets", "0.0.0.0/0", HTTPS), *self._database_ways()]
        doors: list[pulumi.Resource] = [
            aws.vpc.SecurityGroupEgressRule(
                f"{self._name}-to-{key}",
                security_group_id=group.id,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description=f"To {key}",
                tags=self.tags(),
                opts=self.child(),
            )
            for key, cidr, port in ways
        ]
        entry = aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-database",
            security_group_id=self._site.database_security_group_id,
            referenced_security_group_id=group.id,
            ip_protocol="tcp",
            from_port=POSTGRES,
            to_port=POSTGRES,
            description="Rotation of passwords",
            tags=self.tags(),
            opts=self.child(),
        )
        return group, [*doors, entry]

    def _database_ways(self) -> list[tuple[str, str, int]]:
        # Named by their range, so that another region changes no other's name.
        return [
            (f"database-{cidr.replace('/', '-').replace('.', '-')}", cidr, POSTGRES)
            for cidr in sorted(self._site.database_cidrs)
        ]

    def _create_function(
        self, role: aws.iam.Role, group: aws.ec2.SecurityGroup, before: Sequence[pulumi.Resource]
    ) -> aws.lambda_.Function:
        own = {f"{_CODE.name}/{module}": pulumi.FileAsset(str(_CODE / module)) for module in _MODULES}
        packages = {name: pulumi.FileAsset(str(path)) for name, path in sources(PACKAGES).items()}
        return aws.lambda_.Function(
            f"{self._name}-function",
            name=function_name(self, self._name),
            description="Rotates database passwords for Secrets Manager",
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=f"{_CODE.name}.handler.handler",
            code=pulumi.AssetArchive(
                {
                    **own,
                    **packages,
                    f"{_CODE.name}/authorities.pem": pulumi.StringAsset(self._site.authorities),
                }
            ),
            role=role.arn,
            timeout=TIMEOUT_SECONDS,
            memory_size=256,
            # One change at a time; Lambda keeps the others waiting.
            reserved_concurrent_executions=1,
            vpc_config=aws.lambda_.FunctionVpcConfigArgs(
                subnet_ids=list(self._site.subnet_ids), security_group_ids=[group.id]
            ),
            environment=aws.lambda_.FunctionEnvironmentArgs(
                variables={"SETTINGS": self._function_settings()}
            ),
            tags=self.tags(),
            # Its network interfaces need the rights, its first run the log group and the open doors.
            opts=self.child(depends_on=before),
        )

    def _function_settings(self) -> pulumi.Output[str]:
        secrets = pulumi.Output.all(**{name: secret.arn for name, secret in self._secrets.items()}).apply(
            lambda arns: {
                arn: {
                    "logins": list(self._secrets[name].logins),
                    "copies": [
                        {"region": region, "name": self._copy_name(region, name)} for region in self._copy_to
                    ],
                }
                for name, arn in arns.items()
            }
        )
        return pulumi.Output.json_dumps(
            {
                "region": self.context.region,
                "host": self._site.host,
                "port": POSTGRES,
                "database": PROJECT,
                "metric_namespace": METRIC_NAMESPACE,
                "settle_seconds": SETTLE_SECONDS,
                "secrets": secrets,
            },
            sort_keys=True,
        )

    def _create_permission(self, function: aws.lambda_.Function) -> aws.lambda_.Permission:
        return aws.lambda_.Permission(
            f"{self._name}-permission",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="secretsmanager.amazonaws.com",
            source_account=account_id(self),
            opts=self.child(),
        )

    def _create_schedule(self, function: aws.lambda_.Function) -> list[pulumi.Resource]:
        rule = aws.cloudwatch.EventRule(
            f"{self._name}-schedule",
            name=function_name(self, self._name),
            description="Copies database passwords to the other regions, and measures their age, every hour",
            schedule_expression=f"rate({SYNC_HOURS} hour)",
            tags=self.tags(),
            opts=self.child(),
        )
        permission = aws.lambda_.Permission(
            f"{self._name}-schedule-permission",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=self.child(),
        )
        target = aws.cloudwatch.EventTarget(
            f"{self._name}-target",
            rule=rule.name,
            arn=function.arn,
            input=json.dumps({"Step": "sync"}),
            opts=self.child(),
        )
        return [permission, target]

    def _create_rotations(self, function: aws.lambda_.Function, after: Sequence[pulumi.Resource]) -> None:
        for name, secret in self._secrets.items():
            aws.secretsmanager.SecretRotation(
                f"{self._name}-{name}",
                secret_id=secret.arn,
                rotation_lambda_arn=function.arn,
                rotation_rules=aws.secretsmanager.SecretRotationRotationRulesArgs(
                    automatically_after_days=EVERY_DAYS
                ),
                # The first change waits its turn: poolers and services are only just coming up.
                rotate_immediately=False,
                # Secrets Manager tries a login at once: it must be allowed to call, and the logins must be there.
                opts=self.child(depends_on=after),
            )

    def _create_alarms(self, function: aws.lambda_.Function) -> None:
        alerting = self._site.alerting
        target = AlarmTarget(
            namespace="AWS/Lambda",
            dimensions=[{"FunctionName": function.name}],
            alerting=alerting,
            runbook=RUNBOOK,
        )
        own = AlarmTarget(
            namespace=METRIC_NAMESPACE,
            dimensions=[{"Host": self._site.host}],
            alerting=alerting,
            runbook=RUNBOOK,
        )
        for rule in rules():
            create_alarm(self, self._name, rule=rule, target=own if rule.key == "late" else target)


def rules() -> tuple[AlarmRule, ...]:
    """What is wrong with rotation."""
    hour = 3600
    return (
        AlarmRule(
            key="errors",
            metric="Errors",
            statistic="Sum",
            comparison="GreaterThanThreshold",
            threshold=0,
            period_seconds=300,
            periods=1,
            breaching_periods=1,
            missing="notBreaching",
            why="a step of a rotation or a copy to another region failed; what serves goes on: read the function's log",
        ),
        AlarmRule(
            key="silent",
            metric="Invocations",
            statistic="Sum",
            comparison="LessThanThreshold",
            threshold=1,
            period_seconds=hour,
            periods=3,
            breaching_periods=3,
            missing="breaching",
            why="the function has not run for three hours: look at its schedule and concurrency",
        ),
        AlarmRule(
            key="late",
            metric="OldestPasswordDays",
            statistic="Maximum",
            comparison="GreaterThanThreshold",
            threshold=LATE_DAYS,
            period_seconds=hour,
            periods=3,
            breaching_periods=3,
            severity=Severity.WARNING,
            why=f"a secret has not changed for {LATE_DAYS} days: its rotation does not start or does not finish",
        ),
    )
