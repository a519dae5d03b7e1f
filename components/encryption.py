"""Customer-managed encryption keys, one a purpose, so that access to one kind of data opens no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import pulumi
import pulumi_aws as aws

from components.account import account_id
from components.base import Component
from infra.naming import StackContext

DELETION_WINDOW_DAYS = 30
"""How long a deleted key can still be called back; the longest that KMS offers."""
ROTATION_PERIOD_DAYS = 365

Statement = Mapping[str, object]


class Purpose(StrEnum):
    """What a key encrypts."""

    CLUSTER = "cluster"
    """Kubernetes secrets (EKS envelope encryption)."""
    STORAGE = "storage"
    """EBS: node disks and persistent volumes."""
    DATABASE = "database"
    """RDS storage, snapshots and Performance Insights."""
    CACHE = "cache"
    """ElastiCache storage and snapshots."""
    STREAMING = "streaming"
    """MSK storage."""
    SECRETS = "secrets"
    """Secrets Manager."""
    LOGS = "logs"
    """CloudWatch log groups."""
    REGISTRY = "registry"
    """ECR images."""
    NOTIFICATIONS = "notifications"
    """SNS topics that alarms and budgets publish to."""
    BACKUP = "backup"
    """AWS Backup vaults."""


class UnknownKeyError(LookupError):
    """A key was asked for that the stack does not make."""


def _logs_statements(account: str, region: str) -> tuple[Statement, ...]:
    """CloudWatch Logs, for log groups of this account and region only."""
    return (
        {
            "Sid": "CloudWatchLogs",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{region}.amazonaws.com"},
            "Action": [
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:DescribeKey",
            ],
            "Resource": "*",
            "Condition": {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account}:log-group:*"
                }
            },
        },
    )


def _storage_statements(account: str, _region: str) -> tuple[Statement, ...]:
    """EC2 Auto Scaling, which starts the node groups' instances with encrypted disks.

    Its service-linked role appears with the first scaling group of an account, and KMS refuses a policy whose
    principal does not exist yet; so the role is matched by condition instead of being named as the principal.
    """
    role = (
        f"arn:aws:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    )
    only_the_role = {"kms:CallerAccount": account, "aws:PrincipalArn": role}
    return (
        {
            "Sid": "AutoScalingUsesTheKey",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:DescribeKey",
            ],
            "Resource": "*",
            "Condition": {"StringEquals": only_the_role},
        },
        {
            "Sid": "AutoScalingGrantsTheKeyToVolumes",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {
                "StringEquals": only_the_role,
                "Bool": {"kms:GrantIsForAWSResource": "true"},
            },
        },
    )


def _notifications_statements(account: str, _region: str) -> tuple[Statement, ...]:
    """Services that publish to encrypted topics: alarms, budgets and cost anomalies of this account."""
    return (
        {
            "Sid": "PublishersOfThisAccount",
            "Effect": "Allow",
            "Principal": {
                "Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com"]
            },
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        },
    )


_SERVICE_STATEMENTS: Mapping[Purpose, Callable[[str, str], tuple[Statement, ...]]] = {
    Purpose.LOGS: _logs_statements,
    Purpose.STORAGE: _storage_statements,
    Purpose.NOTIFICATIONS: _notifications_statements,
}
"""AWS services that act by themselves. The others (EKS, RDS, ElastiCache, MSK, Secrets Manager, ECR, AWS
Backup) use the caller's permission or a grant that the caller makes: the account's statement leaves it to IAM."""


def key_policy(purpose: Purpose, *, account: str, region: str) -> dict[str, object]:
    """Key policy of one purpose.

    In a key policy the resource `*` means the key that carries it; KMS takes nothing narrower there.

    Args:
        purpose: What the key encrypts.
        account: Number of the account.
        region: Region of the key.
    """
    administration: Statement = {
        "Sid": "AccountDelegatesToIam",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    more = _SERVICE_STATEMENTS.get(purpose)
    return {
        "Version": "2012-10-17",
        "Statement": [administration, *(more(account, region) if more else ())],
    }


class Keys(Component):
    """One customer-managed KMS key and alias for each purpose, in the stack's region.

    Keys rotate every 365 days, wait 30 days when deleted, and are protected where the stack protects. Every
    key policy lets the account delegate by IAM; only the AWS services that act by themselves are named beside
    it (CloudWatch Logs, EC2 Auto Scaling, alarms and budgets), each bound to this account by a condition.

    Args:
        name: Logical name, e.g. `keys`; children are `<name>-<purpose>` and `<name>-<purpose>-alias`.
        context: Names, tags and protection of the stack. Aliases are `alias/parking-<environment>-<purpose>`.
        purposes: Which keys to make; by default one for each purpose. Their order does not matter.
        opts: Options of the component.

    Outputs:
        arns: ARN of each key, by purpose; see `arn`.

    Raises:
        ValueError: When a purpose is named twice or none is.

    Source of the numbers: the longest deletion window and the default rotation period of AWS KMS.
    """

    arns: Mapping[Purpose, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        purposes: Sequence[Purpose] = tuple(Purpose),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Keys", name, context=context, opts=opts)
        if not purposes or len(set(purposes)) != len(purposes):
            raise ValueError(f"purposes of keys must be one or more, each once; found {list(purposes)}")
        account = account_id(self)
        self.arns = {purpose: self._create_key(purpose, account).arn for purpose in sorted(purposes)}
        self.register_outputs({"arns": {purpose.value: arn for purpose, arn in self.arns.items()}})

    def arn(self, purpose: Purpose) -> pulumi.Output[str]:
        """ARN of the key of one purpose.

        Raises:
            UnknownKeyError: When the component was not asked to make that key.
        """
        if purpose not in self.arns:
            made = ", ".join(self.arns)
            raise UnknownKeyError(f"there is no key for {purpose.value!r}; this stack makes: {made}")
        return self.arns[purpose]

    def _create_key(self, purpose: Purpose, account: pulumi.Output[str]) -> aws.kms.Key:
        region = self.context.region
        policy = account.apply(lambda number: json.dumps(key_policy(purpose, account=number, region=region)))
        key = aws.kms.Key(
            f"{self._name}-{purpose.value}",
            description=f"Encrypts {purpose.value} of {self.context.name()}",
            policy=policy,
            enable_key_rotation=True,
            rotation_period_in_days=ROTATION_PERIOD_DAYS,
            deletion_window_in_days=DELETION_WINDOW_DAYS,
            tags=self.tags(purpose=purpose.value),
            opts=self.child(stateful=True),
        )
        aws.kms.Alias(
            f"{self._name}-{purpose.value}-alias",
            name=f"alias/{self.context.name(purpose.value, limit=250)}",
            target_key_id=key.key_id,
            opts=self.child(),
        )
        return key
