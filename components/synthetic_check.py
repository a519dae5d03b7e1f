"""A check of a region from outside: a CloudWatch Synthetics canary that asks the API as a client would."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.account import account_id
from components.alarms import AlarmRule, AlarmTarget, Alerting, create_alarm
from components.base import Component
from components.function_parts import create_function_role
from components.private_bucket import PrivateBucket, Retention
from infra.iam import document
from infra.model.service import Service
from infra.naming import StackContext
from infra.slo.severity import Severity

CODE = Path(__file__).parent / "synthetic_check_code" / "canary.py"
RUNTIME = "syn-python-selenium-14.0"
"""Newest Python runtime of Synthetics (Python 3.12); its browser is not used."""
NAME_LIMIT = 21
"""What Synthetics took before it took more; a Lambda's name is made of it."""
TIMEOUT_SECONDS = 60
KEPT_DAYS = 31
METRICS = "CloudWatchSynthetics"
RUNBOOK = "aws-synthetic-check"
FAILED_RUNS = 2
"""A single failure is retried by the next run before anybody is called."""

Statement = dict[str, object]


def statements(*, region: str, account: str, canary: str, bucket_arn: str) -> list[Statement]:
    """What a canary may do: store its results, write its log, count its successes.

    Args:
        region: AWS region.
        account: Number of the account.
        canary: Name of the canary.
        bucket_arn: Bucket of its results.
    """
    log_groups = f"arn:aws:logs:{region}:{account}:log-group:/aws/lambda/cwsyn-{canary}-*"
    return [
        {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": [f"{bucket_arn}/results/*"]},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{bucket_arn}/code/*"]},
        {"Effect": "Allow", "Action": ["s3:GetBucketLocation"], "Resource": [bucket_arn]},
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [log_groups],
        },
        # Neither knows a narrower resource; the namespace is the bound.
        {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets"], "Resource": ["*"]},
        {
            "Effect": "Allow",
            "Action": ["cloudwatch:PutMetricData"],
            "Resource": ["*"],
            "Condition": {"StringEquals": {"cloudwatch:namespace": METRICS}},
        },
    ]


class SyntheticCheck(Component):
    """Asks every service's health path through CloudFront, DNS and load balancer, from inside the region.

    CloudFront sends a request to the region nearest to where it came from, so a check that runs in a region tests
    that region; while it has failed over, the check tests the one that took over.

    Args:
        name: Logical name, e.g. `synthetic-check`; children begin with it.
        context: Names, tags and protection of the stack.
        base_url: Where clients find the API, e.g. `https://api.parking.example.com`.
        services: The services as this stack runs them: health paths and how long they may take.
        interval_minutes: Minutes between two runs.
        alerting: Whom a failure tells.
        opts: Options of the component.

    Outputs:
        canary_name: Name of the canary, the dimension of its metrics.
    """

    canary_name: str

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        base_url: str,
        services: Sequence[Service],
        interval_minutes: int,
        alerting: Alerting,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("SyntheticCheck", name, context=context, opts=opts)
        self.canary_name = context.name("api", limit=NAME_LIMIT)
        account = account_id(self)
        bucket = PrivateBucket(
            f"{name}-results",
            context=context,
            bucket_name=account.apply(lambda number: context.global_name("synthetic", number)),
            retention=Retention(expire_days=KEPT_DAYS),
            opts=self.child(),
        )
        held = bucket.grant([])
        role = self._create_role(account, bucket)
        self._create_canary(held, role, base_url=base_url, services=services, minutes=interval_minutes)
        self._create_alarm(interval_minutes, alerting)
        self.register_outputs({"canaryName": self.canary_name})

    def _create_role(self, account: pulumi.Output[str], bucket: PrivateBucket) -> pulumi.Output[str]:
        role = create_function_role(self, self._name, description="Asks the region from outside")
        policy = aws.iam.RolePolicy(
            f"{self._name}-policy",
            role=role.name,
            name="run-check",
            policy=pulumi.Output.all(account, bucket.arn).apply(self._policy_document),
            opts=self.child(),
        )
        # A canary is refused when its role cannot yet store results.
        return pulumi.Output.all(role.arn, policy.id).apply(_first)

    def _policy_document(self, known: Sequence[str]) -> str:
        account, bucket_arn = known
        allowed = statements(
            region=self.context.region, account=account, canary=self.canary_name, bucket_arn=bucket_arn
        )
        return document(allowed)

    def _create_canary(
        self,
        bucket: pulumi.Output[str],
        role_arn: pulumi.Output[str],
        *,
        base_url: str,
        services: Sequence[Service],
        minutes: int,
    ) -> None:
        digest = hashlib.sha256(CODE.read_bytes()).hexdigest()[:12]
        code = aws.s3.BucketObjectv2(
            f"{self._name}-code",
            bucket=bucket,
            # Named by its content: Synthetics takes new code only under a new key.
            key=f"code/{digest}.zip",
            source=pulumi.AssetArchive({"python/canary.py": pulumi.FileAsset(str(CODE))}),
            tags=self.tags(),
            opts=self.child(),
        )
        checks = [
            {"path": service.health.path, "seconds": service.health.timeout_seconds} for service in services
        ]
        aws.synthetics.Canary(
            self._name,
            name=self.canary_name,
            runtime_version=RUNTIME,
            handler="canary.handler",
            s3_bucket=code.bucket,
            s3_key=code.key,
            artifact_s3_location=pulumi.Output.format("s3://{0}/results/", bucket),
            execution_role_arn=role_arn,
            schedule=aws.synthetics.CanaryScheduleArgs(
                expression=f"rate({minutes} minute{'' if minutes == 1 else 's'})"
            ),
            run_config=aws.synthetics.CanaryRunConfigArgs(
                timeout_in_seconds=TIMEOUT_SECONDS,
                memory_in_mb=960,
                environment_variables={"BASE_URL": base_url, "CHECKS": json.dumps(checks)},
            ),
            start_canary=True,
            delete_lambda=True,
            success_retention_period=KEPT_DAYS,
            failure_retention_period=KEPT_DAYS,
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_alarm(self, minutes: int, alerting: Alerting) -> None:
        rule = AlarmRule(
            key="failing",
            metric="SuccessPercent",
            statistic="Average",
            comparison="LessThanThreshold",
            threshold=100,
            period_seconds=minutes * 60,
            periods=FAILED_RUNS,
            breaching_periods=FAILED_RUNS,
            missing="breaching",
            severity=Severity.CRITICAL,
            why="the API does not answer as clients need it, asked from this region, or the check itself stands still",
        )
        target = AlarmTarget(
            namespace=METRICS,
            dimensions=[{"CanaryName": self.canary_name}],
            alerting=alerting,
            runbook=RUNBOOK,
        )
        create_alarm(self, self._name, rule=rule, target=target)


def _first(values: Sequence[str]) -> str:
    return values[0]
