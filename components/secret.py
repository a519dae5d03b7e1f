"""A generated password, kept in Secrets Manager."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.base import Component
from infra.model.stack import Environment
from infra.naming import StackContext

PASSWORD_LENGTH = 48
"""Letters and digits only (285 bits): within RDS's 8 to 128 and ElastiCache's 16 to 128 characters, and safe
in connection URLs."""
RECOVERY_WINDOW_DAYS = 30
"""Longest that Secrets Manager keeps a deleted secret restorable."""
FIRST_STAGE = "FIRST"
"""Label of the value that the program gives a rotated secret. Secrets Manager forgets versions without a label, and a
version that is gone would be made anew, over the one that serves."""


def secret_name(context: StackContext, name: str) -> str:
    """Name in Secrets Manager of the secret with a logical name."""
    return context.global_name(name, limit=512)


@dataclass(frozen=True, kw_only=True)
class SecretOptions:
    """What seldom differs between secrets.

    Attributes:
        generation: Raise it to rotate: a new generation is a new password and a new secret version.
        recovery_window_days: Days that a deleted secret stays restorable, 7 to 30, or 0 for none; none: 30 in
            production, 0 elsewhere, because a name that waits for deletion cannot be made again.
        replica_key_arns: Regions to copy the secret to, with the KMS key there.
        stateful: Whether the stack's deletion protection covers it.
        value: A password that another region generated; none: one is generated.
        password_fields: Further fields of the document that hold the password at first.
        rotated: Whether a function changes the secret later: then the program gives its first value only.
    """

    generation: int = 1
    recovery_window_days: int | None = None
    replica_key_arns: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    stateful: bool = False
    value: pulumi.Input[str] | None = None
    password_fields: Sequence[str] = ()
    rotated: bool = False


class GeneratedSecret(Component):
    """A password that nobody types: generated, encrypted with the customer's key, never in clear.

    The secret holds a JSON document of `fields` and `password`. It names no host, so that the same document
    serves after a failover.

    Args:
        name: Logical name; the secret is called `parking-<environment>-<region code>-<name>`, with the region
            because a replicated secret keeps its name in the other region.
        context: Names, tags and protection of the stack.
        description: What the password opens.
        key_arn: KMS key that encrypts the secret.
        fields: Further keys of the document, e.g. `username`; none may be called `password`.
        options: Generation, recovery window, replicas, protection.
        opts: Options of the component itself.

    Outputs:
        arn: ARN of the secret.
        secret_name: Name of the secret.
        value: The password, of a rotated secret the first one; a Pulumi secret.

    Raises:
        ValueError: When a field is called `password`, or the recovery window is not 0 or 7 to 30 days.
    """

    arn: pulumi.Output[str]
    secret_name: pulumi.Output[str]
    value: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        description: str,
        key_arn: pulumi.Input[str],
        fields: Mapping[str, pulumi.Input[str]] | None = None,
        options: SecretOptions | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("GeneratedSecret", name, context=context, opts=opts)
        self._options = options or SecretOptions()
        self._fields = fields or {}
        if "password" in self._fields:
            raise ValueError(f"secret {name!r}: the field 'password' is the generated one")
        password = self._create_password().result if self._options.value is None else self._options.value
        self.value = pulumi.Output.secret(password)
        secret = self._create_secret(description, key_arn)
        self._create_version(secret)
        self.arn = secret.arn
        self.secret_name = secret.name
        self.register_outputs({"arn": self.arn, "secret_name": self.secret_name, "value": self.value})

    def _recovery_window(self) -> int:
        days = self._options.recovery_window_days
        if days is None:
            return RECOVERY_WINDOW_DAYS if self.context.environment is Environment.PROD else 0
        if days != 0 and not 7 <= days <= RECOVERY_WINDOW_DAYS:
            raise ValueError(
                f"secret {self._name!r}: a recovery window of {days} days; Secrets Manager takes 0 or 7 to 30"
            )
        return days

    def _create_password(self) -> random.RandomPassword:
        return random.RandomPassword(
            f"{self._name}-password",
            length=PASSWORD_LENGTH,
            special=False,
            keepers={"generation": str(self._options.generation)},
            opts=self.child(stateful=self._options.stateful),
        )

    def _create_secret(self, description: str, key_arn: pulumi.Input[str]) -> aws.secretsmanager.Secret:
        replicas = self._options.replica_key_arns
        return aws.secretsmanager.Secret(
            f"{self._name}-secret",
            name=secret_name(self.context, self._name),
            description=description,
            kms_key_id=key_arn,
            recovery_window_in_days=self._recovery_window(),
            replicas=[
                aws.secretsmanager.SecretReplicaArgs(region=region, kms_key_id=replicas[region])
                for region in sorted(replicas)
            ],
            tags=self.tags(),
            opts=self.child(stateful=self._options.stateful),
        )

    def _create_version(self, secret: aws.secretsmanager.Secret) -> None:
        passwords = dict.fromkeys(("password", *self._options.password_fields), self.value)
        document = pulumi.Output.all(**{**self._fields, **passwords}).apply(
            lambda values: json.dumps(values, sort_keys=True)
        )
        rotated = self._options.rotated
        aws.secretsmanager.SecretVersion(
            f"{self._name}-version",
            secret_id=secret.arn,
            secret_string=pulumi.Output.secret(document),
            version_stages=["AWSCURRENT", FIRST_STAGE] if rotated else None,
            # What serves is the function's business from then on, and so is which version that is.
            opts=self.child(ignore_changes=["secretString", "versionStages"] if rotated else None),
        )
