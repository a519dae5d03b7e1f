"""Every limit of a stack beside what is needed of it, so that the tightest is known before it is met."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra import addressing
from infra.capacity.demand import Stage
from infra.capacity.plan import Plan, plan
from infra.catalogue import resolve
from infra.cluster import capacity
from infra.data import cache_memory, pgbouncer
from infra.instances import NODE_TYPES
from infra.model.service import Service
from infra.model.stack import StackSettings

_STORES = ("cache", "sessions", "rate-limit")


class Kind(StrEnum):
    """What is limited."""

    PODS = "pods"
    NODES = "nodes"
    CONNECTIONS = "connections"
    PARTITIONS = "partitions"
    ADDRESSES = "addresses"
    MEMORY = "memory"
    DISK = "disk"


@dataclass(frozen=True, kw_only=True)
class HeadRoom:
    """One limit.

    Attributes:
        kind: What is limited.
        what: Of what, e.g. `parking`.
        needed: What the stack needs of it at the stage looked at.
        offered: What it has.
        unit: What both count.
        by: What is looked at: a stage of demand, or everything at its maximum.
    """

    kind: Kind
    what: str
    needed: float
    offered: float
    unit: str
    by: str

    @property
    def factor(self) -> float:
        """How many times the need is offered; infinite where nothing is needed, under 1 where it does not suffice."""
        return self.offered / self.needed if self.needed else math.inf

    @property
    def used(self) -> float:
        """Share of the limit that is needed; over 1 where it does not suffice."""
        return self.needed / self.offered if self.offered else math.inf

    def __str__(self) -> str:
        return (
            f"{self.what} {self.kind.value}: {self.needed:,.0f} of {self.offered:,.0f} {self.unit} "
            f"({self.factor:.2f} times the need)"
        )


def head_rooms(settings: StackSettings, *, catalogue: Sequence[Service]) -> tuple[HeadRoom, ...]:
    """Every limit, in the season after the growth, or with everything at its maximum where that is what is checked.

    Args:
        settings: The stack's settings.
        catalogue: The services that it deploys.
    """
    services = [resolve(service, settings.services[service.name]) for service in catalogue]
    design = plan(settings, services=services, stage=Stage.DESIGN)
    return (
        *_of_plan(design),
        *_connections(design, settings, services),
        *_addresses(settings),
        *_memory(settings, services),
        HeadRoom(
            kind=Kind.DISK,
            what="Kafka",
            needed=design.broker_gib,
            offered=design.max_broker_gib,
            unit="GiB a broker",
            by=design.stage.value,
        ),
    )


def tightest(found: Sequence[HeadRoom]) -> HeadRoom:
    """The limit that is met first.

    Raises:
        ValueError: When there is none.
    """
    return min(found, key=lambda each: each.factor)


def _of_plan(design: Plan) -> Iterator[HeadRoom]:
    by = design.stage.value
    for service in design.services:
        needed = max(service.pods, service.min_replicas)
        yield HeadRoom(
            kind=Kind.PODS,
            what=service.service,
            needed=needed,
            offered=service.max_replicas,
            unit="pods",
            by=by,
        )
    for pool in design.pools:
        yield HeadRoom(
            kind=Kind.NODES,
            what=f"{pool.pool.value} pool",
            needed=pool.nodes,
            offered=pool.max_size,
            unit="nodes",
            by=by,
        )
    for topic in design.topics:
        yield HeadRoom(
            kind=Kind.PARTITIONS,
            what=topic.topic,
            needed=topic.partitions,
            offered=topic.offered,
            unit="partitions",
            by=by,
        )


def _connections(design: Plan, settings: StackSettings, services: Sequence[Service]) -> Iterator[HeadRoom]:
    database = settings.database
    budget = pgbouncer.budget(services, settings=settings.connection_pool, readers=database.readers)
    offered = database.max_connections - database.reserved_connections
    for what, needed in (("writer", budget.writer), ("reader", budget.reader)):
        yield HeadRoom(
            kind=Kind.CONNECTIONS,
            what=f"PostgreSQL {what}",
            needed=needed,
            offered=offered,
            unit="server connections",
            by="every pool full",
        )
    for service in design.services:
        own = service.connections
        if own is not None:
            yield HeadRoom(
                kind=Kind.CONNECTIONS,
                what=f"{service.service} pool",
                needed=own.clients,
                offered=own.clients_allowed,
                unit="client connections",
                by=design.stage.value,
            )


def _addresses(settings: StackSettings) -> Iterator[HeadRoom]:
    pools, network = settings.node_pools, settings.network
    needed = sum(
        capacity.addresses_of_nodes(
            nodes=pool.max_size, pods_per_node=NODE_TYPES[pool.instance_types[0]].max_pods
        )
        for pool in (pools.application, pools.database, pools.analytics, pools.analytics_gpu)
    )
    yield HeadRoom(
        kind=Kind.ADDRESSES,
        what="VPC",
        needed=needed,
        offered=addressing.pod_addresses(vpc_cidr=network.cidr, zones=network.zones),
        unit="addresses",
        by="every node pool at its maximum",
    )


def _memory(settings: StackSettings, services: Sequence[Service]) -> Iterator[HeadRoom]:
    caches = settings.caches
    for store, own in zip(_STORES, (caches.cache, caches.sessions, caches.rate_limit), strict=True):
        needed = cache_memory.needed_bytes(services, store=store)
        if needed:
            yield HeadRoom(
                kind=Kind.MEMORY,
                what=f"Redis {store}",
                needed=needed / 2**20,
                offered=cache_memory.offered_bytes(own) / 2**20,
                unit="MiB",
                by="every kind of entry alive",
            )
