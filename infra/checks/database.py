"""PostgreSQL and the connections to it."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.subject import Subject, no_such_type
from infra.data import pgbouncer
from infra.instances import DATABASE_CLASSES
from infra.problems import Problem

_SMALL_VOLUME_GIB = 400
_MAX_REPLICAS = 15


def check_database(subject: Subject) -> Iterator[Problem]:
    """Instance classes, storage, replicas."""
    database = subject.settings.database
    for key, name in (("instanceClass", database.instance_class), ("readerClass", database.reader_class)):
        if name not in DATABASE_CLASSES:
            yield no_such_type(
                f"parking:database.{key}", name, sorted(DATABASE_CLASSES), "infra/instances.py"
            )
    if database.max_storage_gib < database.storage_gib:
        yield Problem(
            key="parking:database.maxStorageGib",
            found=str(database.max_storage_gib),
            allowed=f"{database.storage_gib} (storageGib) or more",
            why="storage autoscaling cannot end below the allocated size",
            action="raise maxStorageGib",
        )
    small = database.storage_gib < _SMALL_VOLUME_GIB
    if small and (database.iops is not None or database.throughput_mibps is not None):
        yield Problem(
            key="parking:database.iops",
            found=f"iops {database.iops}, throughputMibps {database.throughput_mibps}",
            allowed="null for both, with less than 400 GiB",
            why="RDS fixes gp3 at 3,000 IOPS and 125 MiB/s below 400 GiB",
            action="set iops and throughputMibps to null, or storageGib to 400 or more",
        )
    if not small and (database.iops is None or not 12_000 <= database.iops <= 64_000):
        yield Problem(
            key="parking:database.iops",
            found=str(database.iops),
            allowed="12,000 to 64,000, from 400 GiB",
            why="RDS stripes gp3 from 400 GiB on and starts at 12,000 IOPS",
            action="set iops in that range",
        )
    if not small and (database.throughput_mibps is None or database.throughput_mibps < 500):
        yield Problem(
            key="parking:database.throughputMibps",
            found=str(database.throughput_mibps),
            allowed="500 to 4,000, from 400 GiB",
            why="RDS stripes gp3 from 400 GiB on and starts at 500 MiB/s",
            action="set throughputMibps in that range",
        )
    if (
        database.readers > database.max_readers
        or database.max_readers + database.recovery_replicas > _MAX_REPLICAS
    ):
        yield Problem(
            key="parking:database.maxReaders",
            found=f"readers {database.readers}, maxReaders {database.max_readers}, "
            f"recoveryReplicas {database.recovery_replicas}",
            allowed="readers <= maxReaders, and maxReaders + recoveryReplicas at most 15",
            why="one RDS instance feeds at most 15 replicas",
            action="lower maxReaders, or raise it to readers",
        )


def check_connections(subject: Subject) -> Iterator[Problem]:
    """Server connections of all pools stay under what PostgreSQL takes."""
    pool, database = subject.settings.connection_pool, subject.settings.database
    taken = pgbouncer.budget(subject.catalogue, settings=pool, readers=database.readers)
    offered = database.max_connections - database.reserved_connections
    for server, needed, services in (
        ("writer", taken.writer, pgbouncer.writers(subject.catalogue)),
        ("reader", taken.reader, pgbouncer.users(subject.catalogue)),
    ):
        if needed > offered:
            yield Problem(
                key="parking:connectionPool",
                found=f"{needed} server connections on a {server}: {pool.server_connections} a pool, pools of "
                f"{', '.join(service.name for service in services)}, {pool.replicas} PgBouncer pods"
                + (f" in each of {pool.regions} regions" if server == "writer" else "")
                + f", {pgbouncer.SURGE_PODS} more while one is replaced",
                allowed=f"{offered}: database.maxConnections {database.max_connections} "
                f"less {database.reserved_connections} reserved",
                why="past its limit PostgreSQL refuses connections, to every service",
                action="lower replicas or clientConnections, or raise multiplexingRatio or database.maxConnections",
            )
