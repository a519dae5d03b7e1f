"""What all pods of a pool ask of its nodes: services, poolers and the head-room that waits for a spike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.cluster import capacity
from infra.cluster.capacity import Demand
from infra.data.pgbouncer import SURGE_PODS
from infra.model.service import Pool, Service
from infra.model.stack import PoolSettings, StackSettings

POOLER_REQUESTS = {"cpu": "250m", "memory": "128Mi"}
"""Requests of PgBouncer, which is one thread."""
POOLER_EXPORTER_REQUESTS = {"cpu": "20m", "memory": "32Mi"}
POOLERS = 2
"""Poolers of a region: read-write and read-only."""


def settings_of(pool: Pool, settings: StackSettings) -> PoolSettings:
    """The stack's word on a pool that pods are sent to."""
    pools = settings.node_pools
    return {
        Pool.APPLICATION: pools.application,
        Pool.DATABASE: pools.database,
        Pool.ANALYTICS: pools.analytics,
    }[pool]


def pool_demand(
    pool: Pool,
    *,
    settings: StackSettings,
    services: Sequence[Service],
    replicas: Mapping[str, int],
    surge: bool = True,
) -> Demand:
    """What the pods of a pool request together, their sidecars included.

    Controllers of add-ons are left out: their charts' requests are not this project's.

    Args:
        pool: The pool.
        settings: The stack's settings.
        services: The services; those of other pools do not count.
        replicas: Pods of each service, by its short name.
        surge: Count the pods by which poolers are replaced; a pool at its minimum may grow for them.
    """
    wanted = Demand(cpu_millis=0, memory_mib=0, pods=0)
    for service in services:
        if service.pool is pool:
            own = service.resources
            wanted += capacity.demand(
                cpu=own.cpu_request, memory=own.memory_request, pods=replicas[service.name]
            )
    if pool is Pool.DATABASE:
        wanted += pooler_demand(settings, surge=surge)
    if pool is Pool.APPLICATION:
        wanted += head_room_demand(settings)
    return wanted


def pooler_demand(settings: StackSettings, *, surge: bool) -> Demand:
    """The poolers of a region, with `surge` while one pod of each is being replaced."""
    pods = POOLERS * (settings.connection_pool.replicas + surge * SURGE_PODS)
    exporters = capacity.demand(
        cpu=POOLER_EXPORTER_REQUESTS["cpu"],
        memory=POOLER_EXPORTER_REQUESTS["memory"],
        pods=pods,
        sidecar=False,
    )
    poolers = capacity.demand(cpu=POOLER_REQUESTS["cpu"], memory=POOLER_REQUESTS["memory"], pods=pods)
    return Demand(
        cpu_millis=poolers.cpu_millis + exporters.cpu_millis,
        memory_mib=poolers.memory_mib + exporters.memory_mib,
        pods=pods,
    )


def head_room_demand(settings: StackSettings) -> Demand:
    """The pods that keep room free for a spike."""
    own = settings.node_pools.head_room
    return capacity.demand(cpu=own.cpu, memory=own.memory, pods=own.pods, sidecar=False)
