"""Rotation of the environment's database passwords, in the stack that generated them."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.alarms import Alerting
from components.database import OWNER_NAME
from components.encryption import Purpose
from components.password_rotation import PasswordRotation, RotatedSecret, RotationSite
from infra.addressing import Tier, plan
from infra.data.logins import logins
from infra.data.rds_authorities import bundle
from infra.model.stack import StackSettings
from infra.naming import StackContext
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.pooling import Writer


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    foundation: Foundation,
    data: Data,
    writer: Writer,
    alerting: Alerting,
    after: Sequence[pulumi.Resource],
) -> None:
    """Rotate all database passwords.

    Args:
        context: Names, tags and protection of the stack.
        settings: Settings of the stack.
        foundation: Keys and network.
        data: The database and its users.
        writer: Where passwords are changed, wherever it is.
        alerting: Whom the alarms tell.
        after: What makes the logins, where this stack does.
    """
    roles = {
        secret: RotatedSecret(arn=data.users.secret_arns[role], logins=logins(role))
        for role, secret in data.users.logical_names.items()
    }
    network = settings.network
    own = [
        subnet.cidr
        for subnet in plan(vpc_cidr=network.cidr, zones=network.zones)
        if subnet.tier is Tier.DATABASE
    ]
    regions = [sibling.region for sibling in writer.siblings]
    PasswordRotation(
        "password-rotation",
        context=context,
        secrets={
            **roles,
            data.database.owner_secret: RotatedSecret(arn=data.database.secret_arn, logins=[OWNER_NAME]),
        },
        copy_to=regions,
        site=RotationSite(
            vpc_id=foundation.network.vpc_id,
            subnet_ids=foundation.network.private_subnet_ids,
            host=writer.host,
            database_security_group_id=data.database.security_group_id,
            database_cidrs=[*own, *(cidr for sibling in writer.siblings for cidr in sibling.database_cidrs)],
            authorities=bundle(context.region, *regions),
            secrets_key_arn=foundation.keys.arn(Purpose.SECRETS),
            log_key_arn=foundation.keys.arn(Purpose.LOGS),
            log_retention_days=settings.database.log_retention_days,
            alerting=alerting,
        ),
        after=after,
    )
