"""The three Redis stores."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.subject import Subject, no_such_type
from infra.data import cache_memory
from infra.instances import CACHE_NODE_GIB
from infra.model.stack import CacheSettings
from infra.problems import Problem

_DURABLE_ENGINE = (9, 0)


def check_caches(subject: Subject) -> Iterator[Problem]:
    """Node types, memory for what lives at once, durability."""
    caches = subject.settings.caches
    engine = tuple(int(part) for part in caches.engine_version.split("."))
    stores: tuple[tuple[str, CacheSettings], ...] = (
        ("cache", caches.cache),
        ("sessions", caches.sessions),
        ("rateLimit", caches.rate_limit),
    )
    for name, store in stores:
        key = f"parking:caches.{name}"
        if store.node_type not in CACHE_NODE_GIB:
            yield no_such_type(
                f"{key}.nodeType", store.node_type, sorted(CACHE_NODE_GIB), "infra/instances.py"
            )
        else:
            yield from _memory(subject, key, store, name="rate-limit" if name == "rateLimit" else name)
        if store.durability != "disabled" and (engine < _DURABLE_ENGINE or store.replicas_per_shard < 1):
            yield Problem(
                key=f"{key}.durability",
                found=f"{store.durability} with engine {caches.engine_version} and "
                f"{store.replicas_per_shard} replicas a shard",
                allowed="async or sync with engine 9.0 or later and at least 1 replica a shard; else disabled",
                why="ElastiCache writes the durable log to replicas, from Valkey 9 on",
                action="add a replica, raise engineVersion, or set durability to disabled",
            )


def _memory(subject: Subject, key: str, store: CacheSettings, *, name: str) -> Iterator[Problem]:
    needed = cache_memory.needed_bytes(subject.catalogue, store=name)
    offered = cache_memory.offered_bytes(store)
    if needed > offered:
        yield Problem(
            key=f"{key}.nodeType",
            found=f"{store.shards} x {store.node_type}, {offered / 2**30:.1f} GiB for data",
            allowed=f"{needed / 2**30:.1f} GiB or more",
            why="entries that live at once (writes a second x TTL) must fit, or they are evicted before their time",
            action="take larger nodes or more shards, or correct the assumptions at the entries in services/",
        )
