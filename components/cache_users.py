"""Who may use a store: one user a service, with a generated password and keys of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.base import Component
from components.secret import GeneratedSecret
from infra.naming import StackContext

ENGINE = "valkey"
_ID_LIMIT = 40


def access_string(service: str) -> str:
    """What a service's user may do: every command on keys that start with `<service>:`, but dangerous ones.

    A hash tag goes after the prefix (`auth:{user}:...`). INFO is dangerous by category, yet clients look at it.
    """
    return f"on ~{service}:* +@all -@dangerous +info"


class CacheUsers(Component):
    """Users of one store and the group that admits them.

    Services log in with a password of their own, not by IAM, whose tokens live for 15 minutes and need a client
    that renews them. The user called `default`, as which a client without a name logs in, is there but off.

    Args:
        name: Logical name of the store.
        context: Names, tags and protection of the stack.
        services: Services that get a user, by name; their order does not matter.
        secrets_key_arn: KMS key of the generated passwords.
        opts: Options of the component itself.

    Outputs:
        group_id: Id of the user group.
        secret_arns: Secret with `username` and `password`, by service.

    Raises:
        ValueError: When a service is named `default`, or twice.
    """

    group_id: pulumi.Output[str]
    secret_arns: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        services: Sequence[str],
        secrets_key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("CacheUsers", name, context=context, opts=opts)
        if "default" in services or len(set(services)) != len(services):
            raise ValueError(f"users of {name}: {sorted(services)} must differ, and none may be 'default'")
        self._key_arn = secrets_key_arn
        secrets = {user: self._create_secret(user) for user in ("default", *sorted(services))}
        users = [self._create_user(user, secret) for user, secret in secrets.items()]
        self.group_id = self._create_group(users).user_group_id
        self.secret_arns = {user: secret.arn for user, secret in secrets.items() if user != "default"}
        self.register_outputs({"group_id": self.group_id, "secret_arns": dict(self.secret_arns)})

    def _create_secret(self, user: str) -> GeneratedSecret:
        return GeneratedSecret(
            f"{self._name}-{user}",
            context=self.context,
            description=f"User {user} of {self.context.name(self._name)}",
            key_arn=self._key_arn,
            fields={"username": user},
            opts=self.child(),
        )

    def _create_user(self, user: str, secret: GeneratedSecret) -> aws.elasticache.User:
        return aws.elasticache.User(
            f"{self._name}-{user}-user",
            user_id=self.context.name(self._name, user, limit=_ID_LIMIT),
            user_name=user,
            engine=ENGINE,
            access_string="off -@all" if user == "default" else access_string(user),
            passwords=[secret.value],
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_group(self, users: Sequence[aws.elasticache.User]) -> aws.elasticache.UserGroup:
        return aws.elasticache.UserGroup(
            f"{self._name}-users",
            user_group_id=self.context.name(self._name, limit=_ID_LIMIT),
            engine=ENGINE,
            user_ids=[user.user_id for user in users],
            tags=self.tags(),
            opts=self.child(),
        )
