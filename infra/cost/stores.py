"""PostgreSQL, Redis and Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from infra.cost.lines import Group, Line
from infra.cost.purchasing import Fleet, Reservations, reserve
from infra.cost.subject import Priced
from infra.instances import CACHE_NODE_GIB
from infra.model.stack import CacheSettings, CachesSettings, Role

STRIPED_GIB = 400
"""From this size on RDS stripes gp3, which includes more IOPS and throughput (RDS user guide, gp3 storage)."""
INCLUDED_IOPS, INCLUDED_MIBPS = 12_000, 500
"""What striped gp3 includes for PostgreSQL; readers have just that."""
VAULT = "aws:backup/vault:Vault"
MULTI_AZ_FACTOR = 2
"""A standby doubles the instance and its storage (RDS pricing)."""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """PostgreSQL servers of one kind.

    Attributes:
        name: What they are.
        instance_class: e.g. `db.r6g.2xlarge`.
        count: How many at the level.
        always: How many at the minimum.
        average: How many in an average month.
        multi_az: Whether each has a standby.
        provisioned: Whether they have the settings' IOPS and throughput, not what gp3 includes.
    """

    name: str
    instance_class: str
    count: int
    always: int
    average: int
    multi_az: bool
    provisioned: bool

    @property
    def factor(self) -> int:
        """How many times the single-zone price each costs."""
        return MULTI_AZ_FACTOR if self.multi_az else 1


def servers(on: Priced) -> tuple[Servers, ...]:
    """All PostgreSQL servers of the region.

    A primary has the writer; a secondary has recovery replicas, the first of which is its head and has the standby.
    """
    database = on.settings.database
    heads = 1
    beside = database.recovery_replicas - heads if on.settings.role is Role.SECONDARY else 0
    readers = on.pick(minimum=database.readers, average=database.readers, maximum=database.max_readers)
    head = "writer" if on.settings.role is Role.PRIMARY else "recovery replica 1"
    found = [
        Servers(
            name=head,
            instance_class=database.instance_class,
            count=heads,
            always=heads,
            average=heads,
            multi_az=database.multi_az,
            provisioned=True,
        ),
        Servers(
            name="further recovery replicas",
            instance_class=database.instance_class,
            count=beside,
            always=beside,
            average=beside,
            multi_az=False,
            provisioned=True,
        ),
        Servers(
            name="readers",
            instance_class=database.reader_class,
            count=round(readers),
            always=database.readers,
            average=database.readers,
            multi_az=False,
            provisioned=False,
        ),
    ]
    return tuple(each for each in found if each.count)


def reserved_servers(on: Priced) -> Reservations:
    """PostgreSQL servers reserved for a year."""
    fleets = [
        Fleet(
            key=_key(each),
            name=each.name,
            hourly_usd=on.usd(_key(each)) * each.factor,
            always=each.always,
            average=each.average,
        )
        for each in servers(on)
    ]
    return reserve(fleets, share=on.settings.purchasing.reserved_share)


def database_lines(on: Priced) -> Iterator[Line]:
    """Servers, storage, IOPS, throughput; backups are `backup_lines`."""
    database = on.settings.database
    reserved, kept = reserved_servers(on), 1 - on.prices.discounts["reserved_rds"].share
    storage = on.pick(
        minimum=database.storage_gib, average=database.storage_gib, maximum=database.max_storage_gib
    )
    for each in servers(on):
        committed = reserved.by_name[each.name]
        what = f"{each.name} {each.instance_class}" + (", Multi-AZ" if each.multi_az else "")
        for label, count, discount in (
            ("", each.count - committed, 1.0),
            (", reserved", committed, kept),
        ):
            if count:
                yield on.running(
                    Group.DATABASE, what + label, count, _key(each), factor=each.factor * discount
                )
        copies = each.count * each.factor
        yield on.line(Group.DATABASE, f"{each.name} storage", storage * copies, "rds.gp3_gib")
        if each.provisioned and storage >= STRIPED_GIB:
            iops = max(0, (database.iops or INCLUDED_IOPS) - INCLUDED_IOPS)
            mibps = max(0, (database.throughput_mibps or INCLUDED_MIBPS) - INCLUDED_MIBPS)
            if iops:
                yield on.line(
                    Group.DATABASE, f"{each.name} IOPS over {INCLUDED_IOPS:,}", iops * copies, "rds.gp3_iops"
                )
            if mibps:
                yield on.line(
                    Group.DATABASE,
                    f"{each.name} MiB/s over {INCLUDED_MIBPS}",
                    mibps * copies,
                    "rds.gp3_mibps",
                )


def stores(caches: CachesSettings) -> dict[str, CacheSettings]:
    """Redis stores by name."""
    return {"cache": caches.cache, "sessions": caches.sessions, "rate limits": caches.rate_limit}


def reserved_caches(on: Priced) -> Reservations:
    """Redis nodes reserved for a year; none grows or shrinks by itself."""
    fleets = [
        Fleet(
            key=store.node_type,
            name=name,
            hourly_usd=on.usd(store.node_type),
            always=store.nodes,
            average=store.nodes,
        )
        for name, store in stores(on.settings.caches).items()
    ]
    return reserve(fleets, share=on.settings.purchasing.reserved_share)


def cache_lines(on: Priced) -> Iterator[Line]:
    """Nodes of the three stores."""
    reserved, kept = reserved_caches(on), 1 - on.prices.discounts["reserved_cache"].share
    for name, store in stores(on.settings.caches).items():
        committed = reserved.by_name[name]
        for label, count, factor in (("", store.nodes - committed, 1.0), (", reserved", committed, kept)):
            if count:
                yield on.running(
                    Group.CACHE,
                    f"{name} {store.node_type}{label}",
                    count,
                    store.node_type,
                    factor=factor,
                    unit="node",
                )


def streaming_lines(on: Priced) -> Iterator[Line]:
    """Brokers and their volumes; MSK has no reservations."""
    streaming = on.settings.streaming
    key = streaming.broker_type.replace("kafka.", "msk.", 1)
    yield on.running(
        Group.STREAMING, f"brokers {streaming.broker_type}", streaming.brokers, key, unit="broker"
    )
    storage = on.pick(
        minimum=streaming.storage_gib, average=streaming.storage_gib, maximum=streaming.max_storage_gib
    )
    yield on.line(Group.STREAMING, "broker storage", storage * streaming.brokers, "msk.storage_gib")


def backup_lines(on: Priced) -> Iterator[Line]:
    """What backups take beyond what is free: RDS gives as much as the servers' storage, ElastiCache nothing."""
    database, usage = on.settings.database, on.settings.usage
    changed = usage.written_percent_a_day / 100
    storage = on.pick(
        minimum=database.storage_gib, average=database.storage_gib, maximum=database.max_storage_gib
    )
    backed_up = sum(each.count for each in servers(on) if each.provisioned)
    needed = backed_up * storage * (1 + changed * database.backup_retention_days)
    free = sum(each.count for each in servers(on)) * storage
    yield on.line(
        Group.STORAGE, "database backups beyond the free share", max(0.0, needed - free), "rds.backup_gib"
    )
    snapshots = sum(
        store.shards * CACHE_NODE_GIB[store.node_type] * store.snapshot_retention_days
        for store in stores(on.settings.caches).values()
    )
    if on.counts.get(VAULT):
        # A primary's vault holds its backups, a secondary's the copies.
        primary = on.settings.role is Role.PRIMARY
        recovery = on.settings.recovery
        days = recovery.backup_retention_days if primary else recovery.copy_retention_days
        kept = storage * (1 + changed * days)
        yield on.line(
            Group.STORAGE,
            "backups in the vault" if primary else "copies in the vault",
            kept,
            "backup.rds_gib",
        )
    yield on.line(Group.STORAGE, "Redis snapshots", snapshots, "cache.backup_gib")


def _key(each: Servers) -> str:
    return each.instance_class.replace("db.", "rds.", 1)
