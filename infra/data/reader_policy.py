"""IAM statements of the function that scales PostgreSQL readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.iam import Statement, allow

MANAGED_BY = "managed-by"
MANAGER = "reader-autoscaling"
"""Tag of readers that the function made; the only ones it may change."""


@dataclass(frozen=True, kw_only=True)
class ReaderResources:
    """What the function works on.

    Attributes:
        region: AWS region.
        account: Number of the account.
        head: Identifier of the server that readers replicate.
        prefix: How identifiers of the function's readers begin.
        parameter_group: Parameter group of readers.
        key_arn: KMS key of their storage.
        zone_arn: Hosted zone of the record.
        record: Name of the record.
        state_arn: SSM parameter that remembers the last change.
        log_group_arn: Log group of the function.
    """

    region: str
    account: str
    head: str
    prefix: str
    parameter_group: str
    key_arn: str
    zone_arn: str
    record: str
    state_arn: str
    log_group_arn: str


def statements(on: ReaderResources) -> Sequence[Statement]:
    """Everything that the function may do."""
    rds = f"arn:aws:rds:{on.region}:{on.account}"
    own = f"{rds}:db:{on.prefix}*"
    made = {"StringEquals": {f"aws:ResourceTag/{MANAGED_BY}": MANAGER}}
    asked = {"StringEquals": {f"aws:RequestTag/{MANAGED_BY}": MANAGER}}
    source = [
        f"{rds}:db:{on.head}",
        f"{rds}:pg:{on.parameter_group}",
        f"{rds}:og:default:*",
        f"{rds}:subgrp:*",
    ]
    return [
        allow("See", ["rds:DescribeDBInstances"], [f"{rds}:db:*"]),
        allow("Create", ["rds:CreateDBInstanceReadReplica"], [own], asked),
        allow("CreateFrom", ["rds:CreateDBInstanceReadReplica"], source),
        allow("TagNew", ["rds:AddTagsToResource"], [own], asked),
        allow("MarkOwn", ["rds:AddTagsToResource", "rds:RemoveTagsFromResource"], [own], made),
        allow("DeleteOwn", ["rds:DeleteDBInstance"], [own], made),
        allow("Encrypt", ["kms:DescribeKey"], [on.key_arn]),
        allow(
            "LetRdsEncrypt",
            ["kms:CreateGrant"],
            [on.key_arn],
            {
                "Bool": {"kms:GrantIsForAWSResource": "true"},
                "StringEquals": {"kms:ViaService": f"rds.{on.region}.amazonaws.com"},
            },
        ),
        # CloudWatch knows no resources for reading metrics.
        allow("ReadLoad", ["cloudwatch:GetMetricData"], ["*"]),
        allow("SeeRecord", ["route53:ListResourceRecordSets"], [on.zone_arn]),
        allow(
            "SetRecord",
            ["route53:ChangeResourceRecordSets"],
            [on.zone_arn],
            {
                "ForAllValues:StringEquals": {
                    "route53:ChangeResourceRecordSetsNormalizedRecordNames": [on.record],
                    "route53:ChangeResourceRecordSetsRecordTypes": ["A"],
                    "route53:ChangeResourceRecordSetsActions": ["UPSERT"],
                }
            },
        ),
        allow("Remember", ["ssm:GetParameter", "ssm:PutParameter"], [on.state_arn]),
        allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{on.log_group_arn}:*"]),
    ]
