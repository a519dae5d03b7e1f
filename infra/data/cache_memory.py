"""Whether what the services keep in Redis fits: entries that live at once, times their size."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from infra.instances import CACHE_NODE_GIB
from infra.model.cache_policy import QUERY_CACHE
from infra.model.service import CacheTtl, Service
from infra.model.stack import CacheSettings

OVERHEAD_BYTES = 100
"""Key, expiry and allocator's share of an entry, beside its value."""
USABLE_PERCENT = 75
"""ElastiCache reserves a quarter of a node's memory for snapshots and failovers (`reserved-memory-percent`)."""


def working_set_bytes(entry: CacheTtl) -> int:
    """Bytes of all entries of a kind that are alive at once: never more than there are different ones.

    Args:
        entry: Its time to live, how many are written a second, how many different ones there are, their size.
    """
    alive = min(entry.distinct, round(entry.writes_per_second * entry.ttl_seconds))
    return alive * (entry.entry_bytes + OVERHEAD_BYTES)


def needed_bytes(services: Sequence[Service], *, store: str) -> int:
    """Bytes of everything that services keep in a store, results of queries included, which all share.

    Args:
        services: The catalogue.
        store: `cache`, `sessions` or `rate-limit`.
    """
    return sum(
        working_set_bytes(entry)
        for entry in (*QUERY_CACHE, *(entry for service in services for entry in service.application_cache))
        if entry.store == store
    )


def offered_bytes(settings: CacheSettings) -> int:
    """Bytes that a store's masters offer; replicas hold copies.

    Raises:
        KeyError: When the node type is not in the table.
    """
    return int(Fraction(CACHE_NODE_GIB[settings.node_type]) * 2**30 * settings.shards * USABLE_PERCENT / 100)
