"""`eks:index:ServiceRole`: a role for an AWS service and its managed policies."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.local.providers.eks.arguments import compact_json


class ServiceRole(pulumi.ComponentResource):
    """An IAM role; `resolved` is known only when every policy is attached."""

    role: aws.iam.Role
    resolved: pulumi.Output[aws.iam.Role]

    def __init__(
        self,
        name: str,
        *,
        service: str,
        policies: Sequence[str],
        actions: Sequence[str],
        partition: pulumi.Output[str],
        tags: object = None,
        description: str | None = None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("eks:index:ServiceRole", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Action": list(actions), "Effect": "Allow", "Principal": {"Service": [service]}}],
        }
        self.role = aws.iam.Role(
            f"{name}-role",
            description=description,
            assume_role_policy=compact_json(trust),
            tags=tags,  # pyright: ignore[reportArgumentType] - what the caller passed
            opts=child,
        )
        attached: list[pulumi.Output[str]] = []
        for policy in policies:
            digest = hashlib.sha1(
                f"arn:aws:iam::aws:policy/{policy}".encode(), usedforsecurity=False
            ).hexdigest()
            attachment = aws.iam.RolePolicyAttachment(
                f"{name}-{digest[:8]}",
                policy_arn=pulumi.Output.concat("arn:", partition, ":iam::aws:policy/", policy),
                role=self.role.name,
                opts=child,
            )
            attached.append(attachment.id)
        role = self.role
        self.resolved = pulumi.Output.all(role.arn, *attached).apply(lambda _: role)
        self.register_outputs({"resolvedRole": self.resolved, "directRole": self.role})
