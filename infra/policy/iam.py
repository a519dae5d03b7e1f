"""IAM documents: no wildcard action or resource without a listed reason, no stranger as principal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from infra.policy.model import Policy, Site, Subject, at, items

WILDCARD_ACTIONS: Mapping[str, str] = {
    "kms:*": "a key policy must delegate to IAM of its own account, or nobody could ever change the key",
}
"""Actions with a wildcard that are allowed in key policies, and why."""

WITHOUT_RESOURCE: Mapping[str, str] = {
    "autoscaling:Describe": "Auto Scaling lists groups, it cannot be asked about one by ARN",
    "ce:Get": "Cost Explorer answers for the account",
    "cloudwatch:GetMetricData": "CloudWatch has no ARN for a metric",
    "cloudwatch:GetMetricStatistics": "CloudWatch has no ARN for a metric",
    "cloudwatch:ListMetrics": "CloudWatch has no ARN for a metric",
    "cloudwatch:PutMetricData": "CloudWatch has no ARN for a metric; a condition on the namespace narrows it",
    "ec2:Describe": "EC2's read calls take no ARN",
    "ec2:GetInstanceTypesFromInstanceRequirements": "it is about instance types, which belong to nobody",
    "ecr:GetAuthorizationToken": "the token is for the account's registry as a whole",
    "elasticloadbalancing:Describe": "Elastic Load Balancing's read calls take no ARN",
    "pricing:Get": "AWS's price list belongs to nobody",
    "s3:ListAllMyBuckets": "the Synthetics runtime lists buckets to find its own, and the call takes no ARN",
    "tag:GetResources": "the tagging API searches the account",
    "xray:Get": "X-Ray has no ARN for sampling rules a tracer must read",
    "xray:Put": "X-Ray has no ARN for a trace",
}
"""Actions, or what their names begin with, that may stand beside `Resource: "*"`, and why nothing narrower works."""

_DOCUMENTS = {
    "aws:iam/role:Role": ("assumeRolePolicy", "inlinePolicies"),
    "aws:iam/rolePolicy:RolePolicy": ("policy",),
    "aws:iam/policy:Policy": ("policy",),
    "aws:kms/key:Key": ("policy",),
    "aws:s3/bucketPolicy:BucketPolicy": ("policy",),
    "aws:sns/topicPolicy:TopicPolicy": ("policy",),
    "aws:sqs/queuePolicy:QueuePolicy": ("policy",),
    "aws:secretsmanager/secretPolicy:SecretPolicy": ("policy",),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": ("policy",),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("policy",),
}
_IDENTITY = frozenset({"aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"})
_FULL_ACCESS = ("AdministratorAccess", "PowerUserAccess", "FullAccess")


def documents(subject: Subject) -> Iterator[Mapping[str, Any]]:
    """The IAM documents of a resource that are known and are JSON."""
    for key in _DOCUMENTS.get(subject.type, ()):
        for found in items(at(subject.props, key)):
            text = at(found, "policy") if isinstance(found, Mapping) else found
            if not isinstance(text, str):
                continue
            try:
                document: object = json.loads(text)
            except ValueError:
                continue
            if isinstance(document, dict) and "Statement" in document:
                yield cast("Mapping[str, Any]", document)


def _wildcards(subject: Subject, _site: Site) -> Iterator[str]:
    for document in documents(subject):
        for statement in items(document["Statement"]):
            if at(statement, "Effect") != "Allow":
                continue
            sid = at(statement, "Sid") or "without Sid"
            for problem in _of_statement(subject, statement):
                yield f"statement {sid}: {problem}"


def _of_statement(subject: Subject, statement: Any) -> Iterator[str]:
    actions = [str(action) for action in items(at(statement, "Action"))]
    for key in ("NotAction", "NotResource", "NotPrincipal"):
        if key in statement:
            yield f"{key} allows everything that is not named; name what is allowed"
    listed: Mapping[str, str] = WILDCARD_ACTIONS if subject.type == "aws:kms/key:Key" else {}
    for action in actions:
        if "*" in action and action not in listed:
            yield f"action {action} has a wildcard; name the actions"
    if subject.type in _IDENTITY and "*" in items(at(statement, "Resource")):
        for action in actions:
            if not action.startswith(tuple(WITHOUT_RESOURCE)):
                yield f"{action} on every resource; name ARNs, or list the reason in infra/policy/iam.py"
    if _is_anyone(at(statement, "Principal")) and not at(statement, "Condition"):
        yield "anyone is the principal, without a condition"


def _is_anyone(principal: Any) -> bool:
    if isinstance(principal, Mapping):
        return any("*" in items(each) for each in cast("Mapping[str, Any]", principal).values())
    return principal == "*"


def _attachments(subject: Subject, _site: Site) -> Iterator[str]:
    arn = at(subject.props, "policyArn")
    if isinstance(arn, str) and arn.endswith(_FULL_ACCESS):
        yield f"{arn.rpartition('/')[2]} gives far more than anything here needs; write a policy of its own"


POLICIES = (
    Policy(
        name="no-iam-wildcard",
        why="a stolen identity must not reach what it never needed",
        types=frozenset(_DOCUMENTS),
        check=_wildcards,
    ),
    Policy(
        name="no-full-access",
        why="AWS's own full-access policies are wider than any task",
        types=frozenset(
            {
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                "aws:iam/userPolicyAttachment:UserPolicyAttachment",
            }
        ),
        check=_attachments,
    ),
)
