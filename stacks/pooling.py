"""Connection pooling of a region: what stands between the services and the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.cluster_site import ClusterSite
from components.connection_pool import ConnectionPool, PooledServer, PoolerSite
from components.database import OWNER_NAME
from components.database_jobs import DatabaseJobs, JobSite, Logins
from components.encryption import Purpose
from components.namespaces import WorkloadNamespace
from components.secret import GeneratedSecret
from components.secret_store import KeptPassword, SecretStore, login_passwords
from infra.data.pgbouncer import STATISTICS_USER, TlsMode, read_only_pool, role, users, writers
from infra.data.rds_authorities import bundle
from infra.model.service import Service
from infra.model.sibling import Sibling
from infra.model.stack import StackSettings
from infra.naming import PROJECT, StackContext
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.mesh import POOLER_NAMESPACE

WRITER_POOLER, READER_POOLER = POOLERS = ("pgbouncer", "pgbouncer-readers")


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Where the environment's writer is, and where it may come to be.

    Attributes:
        host: The name that follows it.
        here: Whether it is in this region, which then keeps the schema.
        siblings: The other regions, each of which may come to hold it.
    """

    host: pulumi.Input[str]
    here: bool
    siblings: Sequence[Sibling] = ()


@dataclass(frozen=True, kw_only=True)
class Pools:
    """The poolers of a region."""

    writer: ConnectionPool
    readers: ConnectionPool
    migrated: tuple[pulumi.Resource, ...]
    """What brought the schema up to date; services roll after it. Empty in a secondary."""


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    services: tuple[Service, ...],
    foundation: Foundation,
    data: Data,
    site: ClusterSite,
    writer: Writer,
) -> Pools:
    """Create the read-write and the read-only pooler.

    Two, because PgBouncer is one thread: a storm of reports must not slow vehicle entries down.

    Args:
        context: Names, tags and protection of the stack.
        settings: Settings of the stack.
        services: The services as this stack runs them.
        foundation: Keys.
        data: The database and its users.
        site: The cluster, as the services see it.
        writer: Where writes go, from every region to the same server.
    """
    namespace = WorkloadNamespace(
        "pooling", context=context, namespace=POOLER_NAMESPACE, provider=site.provider, after=site.after
    )
    store = SecretStore(
        "pooling-secrets",
        context=context,
        provider=site.provider,
        namespace=namespace.namespace,
        after=site.after,
    )
    statistics = GeneratedSecret(
        "pooler-statistics",
        context=context,
        description="Reads the poolers' own statistics",
        key_arn=foundation.keys.arn(Purpose.SECRETS),
        fields={"username": STATISTICS_USER},
    )
    passwords = {
        **login_passwords(data.users.secret_names),
        STATISTICS_USER: KeptPassword(kept_in=statistics.secret_name),
    }
    pooler_site = PoolerSite(
        provider=site.provider,
        namespace=namespace.namespace,
        client_namespace=PROJECT,
        mesh_namespace=site.mesh_namespace,
        monitoring_namespace=site.monitoring_namespace,
        data_cidrs=[*site.data_cidrs, *(cidr for other in writer.siblings for cidr in other.database_cidrs)],
        store=store.store,
        authorities=bundle(context.region, *(other.region for other in writer.siblings)),
        after=site.after,
    )
    migrated = (
        _migrate(context=context, settings=settings, services=services, data=data, site=pooler_site)
        if writer.here
        else ()
    )
    servers = {
        WRITER_POOLER: PooledServer(
            host=writer.host,
            databases=[role(service) for service in writers(services)],
            # The name follows the writer and is in no server's certificate; the authority signs RDS' servers only.
            tls=TlsMode.VERIFY_CA,
        ),
        READER_POOLER: PooledServer(
            host=data.reader_host or data.database.address,
            databases=[read_only_pool(service) for service in users(services)],
            # As above, where a name stands for all readers.
            tls=TlsMode.VERIFY_CA if data.reader_host else TlsMode.VERIFY_FULL,
        ),
    }
    pools = {
        name: ConnectionPool(
            name,
            context=context,
            settings=settings.connection_pool,
            site=pooler_site,
            server=server,
            passwords=passwords,
        )
        for name, server in servers.items()
    }
    return Pools(writer=pools[WRITER_POOLER], readers=pools[READER_POOLER], migrated=migrated)


def _migrate(
    *,
    context: StackContext,
    settings: StackSettings,
    services: tuple[Service, ...],
    data: Data,
    site: PoolerSite,
) -> tuple[pulumi.Resource, ...]:
    """Schema, roles and partitions; only where the writer is."""
    jobs = DatabaseJobs(
        "database-jobs",
        context=context,
        site=JobSite(
            provider=site.provider,
            namespace=site.namespace,
            store=site.store,
            data_cidrs=site.data_cidrs,
            authorities=site.authorities,
            after=site.after,
        ),
        host=data.database.address,
        logins=Logins(
            owner=OWNER_NAME,
            owner_secret=data.database.secret_arn,
            role_secrets=data.users.secret_names,
            writers=[role(service) for service in writers(services)],
            statement_timeout_seconds=settings.connection_pool.statement_timeout_seconds,
        ),
    )
    return jobs.ready
