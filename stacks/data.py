"""The data tier of a region: PostgreSQL, three Redis stores, Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.alarms import Alerting
from components.cache import Cache
from components.cluster import Cluster
from components.data_site import DataSite
from components.database import OWNER_NAME, Database, ReplicationSource
from components.database_users import DatabaseUsers
from components.encryption import Purpose
from components.private_zone import PrivateZone
from components.reader_scaling import Observation, ReaderFleet, ReaderRecord, ReaderScaling
from components.streaming import Streaming
from infra.data.pgbouncer import role, users
from infra.model.service import Service
from infra.model.stack import CacheSettings, DatabaseSettings, StackSettings
from infra.naming import StackContext
from stacks.contract import Peer
from stacks.foundation import Foundation


@dataclass(frozen=True, kw_only=True)
class Data:
    """The stores of a region."""

    database: Database
    users: DatabaseUsers
    reader_host: pulumi.Output[str] | None
    """Name that stands for all readers that serve; none where the region has no readers of its own."""
    caches: Mapping[str, Cache]
    """By name: cache, sessions, rate-limit."""
    streaming: Streaming


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    services: tuple[Service, ...],
    foundation: Foundation,
    cluster: Cluster,
    alerting: Alerting,
    primary: Peer | None,
    owner: Peer | None,
) -> Data:
    """Create the stores of a region.

    Args:
        context: Names, tags and protection of the stack.
        settings: Settings of the stack.
        services: The services as this stack runs them.
        foundation: Keys and network.
        cluster: Its nodes are the stores' only clients.
        alerting: Whom the stores' alarms tell.
        primary: The primary's contract; None in the primary itself.
        owner: The stack that generated the environment's passwords; None: this one does.
    """
    site = DataSite(
        vpc_id=foundation.network.vpc_id,
        subnet_ids=foundation.network.database_subnet_ids,
        zones=sorted(settings.network.zones),
        clients={"nodes": cluster.cluster_security_group_id},
        monitors={"nodes": cluster.cluster_security_group_id},
        secrets_key_arn=foundation.keys.arn(Purpose.SECRETS),
        log_key_arn=foundation.keys.arn(Purpose.LOGS),
        alerting=alerting,
    )
    database = Database(
        "database",
        context=context,
        settings=settings.database,
        site=site,
        key_arn=foundation.keys.arn(Purpose.DATABASE),
        source=_source(primary),
        owner_password=owner.database_password(OWNER_NAME) if owner else None,
    )
    roles = [role(service) for service in users(services)]
    database_users = DatabaseUsers(
        "database-user",
        context=context,
        roles=roles,
        key_arn=foundation.keys.arn(Purpose.SECRETS),
        passwords=None if owner is None else {name: owner.database_password(name) for name in roles},
    )
    reader_host = None
    if settings.database.readers:
        reader_host = _scale_readers(
            context=context, settings=settings.database, database=database, site=site, foundation=foundation
        )
    stores: dict[str, CacheSettings] = {
        "cache": settings.caches.cache,
        "sessions": settings.caches.sessions,
        "rate-limit": settings.caches.rate_limit,
    }
    caches = {
        name: Cache(
            name,
            context=context,
            settings=store,
            engine_version=settings.caches.engine_version,
            site=site,
            key_arn=foundation.keys.arn(Purpose.CACHE),
            services=[service.name for service in services if name in service.caches],
        )
        for name, store in stores.items()
    }
    streaming = Streaming(
        "streaming",
        context=context,
        settings=settings.streaming,
        topics=[topic for service in services for topic in service.topics],
        site=site,
        key_arn=foundation.keys.arn(Purpose.STREAMING),
    )
    return Data(
        database=database, users=database_users, reader_host=reader_host, caches=caches, streaming=streaming
    )


def _scale_readers(
    *,
    context: StackContext,
    settings: DatabaseSettings,
    database: Database,
    site: DataSite,
    foundation: Foundation,
) -> pulumi.Output[str]:
    zone = PrivateZone(
        "private-zone",
        context=context,
        domain=f"{context.environment.value}.internal",
        vpc_id=foundation.network.vpc_id,
    )
    scaling = ReaderScaling(
        "reader-scaling",
        context=context,
        settings=settings,
        fleet=ReaderFleet(
            head=database.identifier,
            fixed=database.reader_identifiers,
            parameter_group=database.parameter_group_name,
            security_group_id=database.security_group_id,
            key_arn=foundation.keys.arn(Purpose.DATABASE),
            zones=site.zones,
        ),
        record=ReaderRecord(zone_id=zone.zone_id, zone_arn=zone.arn, name=f"database-readers.{zone.domain}"),
        observation=Observation(log_key_arn=site.log_key_arn, alerting=site.alerting),
    )
    # By way of the function: without it nobody answers under the name.
    return scaling.function_name.apply(lambda _: scaling.record)


def _source(primary: Peer | None) -> ReplicationSource | None:
    if primary is None:
        return None
    return ReplicationSource(arn=primary.contract.database_arn)
