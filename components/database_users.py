"""Passwords of the database roles that services log in with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pulumi

from components.base import Component
from components.secret import GeneratedSecret, SecretOptions
from infra.data.logins import logins, password_field
from infra.naming import PROJECT, StackContext


class DatabaseUsers(Component):
    """One secret a database role, each with a generated password.

    The roles themselves are made in the database by the migrations, which read the same secrets. A secondary
    region's replicas have the primary's roles: there the primary's passwords are given, and only kept. A role has two
    logins (`infra.data.logins`), which start with one password; from then on `PasswordRotation` changes the secrets,
    in every region.

    Args:
        name: Logical name; a role's secret is `<name>-<role>`.
        context: Names, tags and protection of the stack.
        roles: Roles of the database.
        key_arn: KMS key that encrypts the secrets.
        passwords: Passwords by role, where another region made them; none: they are generated.
        opts: Options of the component itself.

    Outputs:
        logical_names: Logical name of each role's secret, the same in every region.
        secret_names: Name of each role's secret in Secrets Manager.
        secret_arns: Its ARN; the document has `username` and `password` of the login that serves, `dbname`, and
            `<login>_password` of both.
        passwords: The first passwords; secret.

    Raises:
        ValueError: When a role is named twice, or given passwords are not exactly the roles'.
    """

    logical_names: Mapping[str, str]
    secret_names: Mapping[str, pulumi.Output[str]]
    secret_arns: Mapping[str, pulumi.Output[str]]
    passwords: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        roles: Sequence[str],
        key_arn: pulumi.Input[str],
        passwords: Mapping[str, pulumi.Output[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("DatabaseUsers", name, context=context, opts=opts)
        if len(set(roles)) != len(roles):
            raise ValueError(f"database roles must differ; found {sorted(roles)}")
        if passwords is not None and set(passwords) != set(roles):
            raise ValueError(f"passwords for {sorted(passwords)} given, roles are {sorted(roles)}")
        self._key_arn = key_arn
        self.logical_names = MappingProxyType({role: f"{name}-{role}" for role in sorted(roles)})
        made = {role: self._create_secret(role, (passwords or {}).get(role)) for role in sorted(roles)}
        self.secret_names = MappingProxyType({role: secret.secret_name for role, secret in made.items()})
        self.secret_arns = MappingProxyType({role: secret.arn for role, secret in made.items()})
        self.passwords = MappingProxyType({role: secret.value for role, secret in made.items()})
        self.register_outputs(
            {"secret_names": dict(self.secret_names), "secret_arns": dict(self.secret_arns)}
        )

    def _create_secret(self, role: str, value: pulumi.Output[str] | None) -> GeneratedSecret:
        return GeneratedSecret(
            self.logical_names[role],
            context=self.context,
            description=f"Database role {role}",
            key_arn=self._key_arn,
            fields={"username": role, "dbname": PROJECT},
            options=SecretOptions(
                value=value, password_fields=[password_field(login) for login in logins(role)], rotated=True
            ),
            opts=self.child(),
        )
