"""IAM statements of the function that rotates database passwords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infra.iam import Statement, allow


@dataclass(frozen=True, kw_only=True)
class RotationResources:
    """What the function works on.

    Attributes:
        region: AWS region.
        account: Number of the account.
        secret_arns: The secrets that it rotates.
        key_arn: KMS key of these.
        key_alias: Alias of the key of secrets, the same in every region.
        copies: Names of the copies by region.
        log_group_arn: Log group of the function.
    """

    region: str
    account: str
    secret_arns: Sequence[str]
    key_arn: str
    key_alias: str
    copies: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    log_group_arn: str


def statements(on: RotationResources) -> Sequence[Statement]:
    """Everything that the function may do."""
    rotate = [
        f"secretsmanager:{action}"
        for action in ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
    ]
    encrypt = ["kms:Decrypt", "kms:GenerateDataKey"]
    found = [
        allow("Rotate", rotate, sorted(on.secret_arns)),
        allow("Encrypt", encrypt, [on.key_arn], {"StringEquals": {"kms:ViaService": _via(on.region)}}),
    ]
    for region in sorted(on.copies):
        # Secrets Manager adds six characters of its own to a name.
        arns = [
            f"arn:aws:secretsmanager:{region}:{on.account}:secret:{name}-??????" for name in on.copies[region]
        ]
        code = region.replace("-", "")
        copy = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
        found.append(allow(f"Copy{code}", copy, sorted(arns)))
        found.append(
            allow(
                f"EncryptCopy{code}",
                encrypt,
                # The other region's key is not known here; its alias says which one is meant.
                [f"arn:aws:kms:{region}:{on.account}:key/*"],
                {
                    "StringEquals": {"kms:ViaService": _via(region)},
                    "ForAnyValue:StringEquals": {"kms:ResourceAliases": on.key_alias},
                },
            )
        )
    # Lambda checks that a function in a VPC may do these; interface, subnet and group each have an ARN of their own.
    interfaces = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"]
    return [
        *found,
        allow(
            "InTheNetwork",
            interfaces,
            [
                f"arn:aws:ec2:{on.region}:{on.account}:{kind}/*"
                for kind in ("network-interface", "security-group", "subnet")
            ],
        ),
        allow("SeeTheNetwork", ["ec2:DescribeNetworkInterfaces"], ["*"]),
        allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{on.log_group_arn}:*"]),
    ]


def _via(region: str) -> str:
    return f"secretsmanager.{region}.amazonaws.com"
