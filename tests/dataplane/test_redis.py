"""The three stores' parameters, users and times to live on a real Redis cluster."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, RedisError

from components.cache import store_parameters
from components.cache_users import access_string
from components.workload import policy_document
from infra.model.stack import CacheSettings, CachesSettings
from services import CATALOGUE
from tests.dataplane.redis_cluster import RedisCluster
from tests.dataplane.servers import folder_for_servers, until

STORES = CachesSettings()
BY_NAME = {"cache": STORES.cache, "sessions": STORES.sessions, "rate-limit": STORES.rate_limit}
WORD = "for-this-test-only"
POLICIES: dict[str, Any] = {
    service.name: json.loads(json.dumps(policy_document(service))) for service in CATALOGUE
}
"""What each service is given as its ConfigMap, read back as it reads it."""
LIFETIMES = [
    (service, entry["store"], entry["entry"], entry["ttlSeconds"])
    for service, policy in POLICIES.items()
    for entry in (*policy["applicationCache"], *policy["queryCache"])
]
FASTER = 20_000
"""So much faster time passes where expiry is awaited: 24 hours are 4.3 s."""


def users_of(store: str) -> list[str]:
    """The store's users as rendered, in the form of an ACL file."""
    rendered = [
        (service.name, access_string(service.name)) for service in CATALOGUE if store in service.caches
    ]
    return ["default off -@all", *(f"{name} >{WORD} {access}" for name, access in rendered)]


def started(store: str, settings: CacheSettings, **more: str) -> Iterator[RedisCluster]:
    with folder_for_servers() as folder:
        cluster = RedisCluster(
            folder,
            masters=settings.shards,
            replicas_per_shard=settings.replicas_per_shard,
            parameters={**store_parameters(settings), **more},
            users=users_of(store),
            word=WORD,
        )
        try:
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture(scope="module")
def cache() -> Iterator[RedisCluster]:
    yield from started("cache", STORES.cache)


@pytest.fixture(scope="module")
def sessions() -> Iterator[RedisCluster]:
    yield from started("sessions", STORES.sessions, maxmemory="8mb")


@pytest.fixture(scope="module")
def rate_limit() -> Iterator[RedisCluster]:
    yield from started("rate-limit", STORES.rate_limit, maxmemory="8mb")


@pytest.fixture(params=sorted(BY_NAME))
def store(request: pytest.FixtureRequest) -> tuple[str, RedisCluster]:
    return request.param, request.getfixturevalue(request.param.replace("-", "_"))


def test_every_rendered_parameter_is_known_and_in_force_on_every_node(
    store: tuple[str, RedisCluster],
) -> None:
    name, cluster = store
    rendered = store_parameters(BY_NAME[name])
    for port in cluster.ports:
        with cluster.node(port) as node:
            assert {key: node.config_get(key)[key] for key in rendered} == rendered


def test_a_parameter_that_the_server_does_not_know_would_fail_the_start() -> None:
    with pytest.raises(RuntimeError, match="Bad directive"):
        next(started("rate-limit", STORES.rate_limit, **{"maxmemory-polizei": "noeviction"}))


def test_shards_and_copies_are_as_specified(store: tuple[str, RedisCluster]) -> None:
    name, cluster = store
    masters = cluster.masters()

    assert len(masters) == BY_NAME[name].shards == (3 if name == "cache" else 1)
    assert len(cluster.ports) == (6 if name == "cache" else 3)
    for port in masters:
        with cluster.node(port) as node:
            assert node.info("replication")["connected_slaves"] == BY_NAME[name].replicas_per_shard


def test_a_service_has_its_own_keys_and_no_other_s(store: tuple[str, RedisCluster]) -> None:
    name, cluster = store
    mine = next(service.name for service in CATALOGUE if name in service.caches)
    client = cluster.client(mine, WORD)
    try:
        client.set(f"{mine}:{{user-1}}:name", "x", ex=60)
        assert client.get(f"{mine}:{{user-1}}:name") == "x"
        for key in ("other:key", "key"):
            with pytest.raises(NoPermissionError):
                client.set(key, "x")
            with pytest.raises(NoPermissionError):
                client.get(key)
        for command in ("KEYS *", "FLUSHALL", "CONFIG GET maxmemory"):
            with pytest.raises(NoPermissionError):
                client.execute_command(*command.split(), target_nodes=client.get_random_node())
    finally:
        client.close()


@pytest.mark.parametrize("login", [("auth", "another"), (None, WORD), (None, None)])
def test_nobody_gets_in_without_a_name_or_with_a_wrong_password(
    cache: RedisCluster, login: tuple[str | None, str | None]
) -> None:
    user, word = login
    with cache.node(cache.ports[0], user=user, word=word) as node, pytest.raises(AuthenticationError):
        node.ping()


def test_entries_of_every_service_get_the_lifetime_of_their_policy(
    cache: RedisCluster, sessions: RedisCluster, rate_limit: RedisCluster
) -> None:
    clusters = {"cache": cache, "sessions": sessions, "rate-limit": rate_limit}
    seen: dict[str, int] = {}
    for service, store_name, entry, ttl in LIFETIMES:
        client = clusters[store_name].client(service, WORD)
        try:
            client.set(f"{service}:{entry}:1", "x", ex=ttl)
            left = client.ttl(f"{service}:{entry}:1")
        finally:
            client.close()
        assert ttl - 60 < left <= ttl
        seen[f"{service}/{entry}"] = ttl

    level_3 = {"frequently-accessed-queries": 900, "statistics-queries": 300, "location-based-queries": 1800}
    databases = [service.name for service in CATALOGUE if service.uses_database]
    assert seen == {
        "auth/user-sessions": 3600,
        "auth/jwt-validation": 900,
        "auth/permission-lookups": 1800,
        "parking/location-configurations": 3600,
        "parking/rate-calculations": 21_600,
        "parking/search-results": 300,
        "configuration/tenant-configs": 86_400,
        "configuration/feature-flags": 3600,
        "configuration/business-rules": 7200,
        **{f"{service}/{entry}": ttl for service in databases for entry, ttl in level_3.items()},
    }


def test_an_entry_is_there_until_its_time_and_gone_after(cache: RedisCluster) -> None:
    waiting: dict[str, float] = {}
    client = cache.node(cache.masters()[0])
    with client:
        # One slot, so that one node holds all; times are the policies', divided.
        slot_key = next(
            f"{{{number}}}"
            for number in range(1000)
            if owns(client, client.cluster("KEYSLOT", f"{{{number}}}"))
        )
        for service, _, entry, ttl in LIFETIMES:
            key, milliseconds = f"{service}:{slot_key}:{entry}", ttl * 1000 // FASTER
            # Noted before the server has it: it is gone no sooner than this says.
            waiting[key] = time.monotonic() + milliseconds / 1000
            client.set(key, "x", px=milliseconds)
        gone: dict[str, float] = {}

        def all_gone() -> bool:
            for key in waiting.keys() - gone.keys():
                if not client.exists(key):
                    gone[key] = time.monotonic()
            return gone.keys() == waiting.keys()

        until(all_gone, what="the expiry of every entry", seconds=30)

    # The server counts in whole milliseconds.
    assert all(gone[key] > waiting[key] - 0.005 for key in waiting)


def owns(node: Any, slot: int) -> bool:
    """Whether a node answers for a slot."""
    mine = next(line for line in node.execute_command("CLUSTER NODES").values() if "myself" in line["flags"])
    return any(int(low) <= slot <= int(high) for low, high in mine["slots"])


def fill(client: Any, prefix: str, *, count: int, **expiry: int) -> None:
    value = "x" * 10_000
    for number in range(count):
        client.set(f"{prefix}:{{one}}:{number}", value, **expiry)


def test_full_sessions_refuse_writes_and_forget_nobody(sessions: RedisCluster) -> None:
    client = sessions.client("auth", WORD)
    try:
        client.set("auth:{one}:first", "x", ex=3600)
        with pytest.raises(OutOfMemoryError):
            fill(client, "auth:session", count=2000, ex=3600)
        assert client.get("auth:{one}:first") == "x"
    finally:
        client.close()
    with sessions.node(sessions.masters()[0]) as node:
        assert node.info("stats")["evicted_keys"] == 0


def test_full_rate_limits_drop_what_ends_soonest(rate_limit: RedisCluster) -> None:
    client = rate_limit.client("auth", WORD)
    try:
        fill(client, "auth:late", count=200, ex=3600)
        fill(client, "auth:soon", count=2000, ex=60)
        assert client.exists("auth:late:{one}:7")
    finally:
        client.close()
    with rate_limit.node(rate_limit.masters()[0]) as node:
        assert node.info("stats")["evicted_keys"] > 0


def test_a_killed_master_is_replaced_and_the_keys_are_kept(cache: RedisCluster) -> None:
    client = cache.client("parking", WORD)
    try:
        for number in range(300):
            client.set(f"parking:{number}", number, ex=3600)
        # Replication is asynchronous: what was acknowledged a moment ago is on its way.
        for port in cache.masters():
            with cache.node(port) as node:
                assert node.wait(1, 10_000) == 1
        cache.kill(cache.masters()[0])
        started_at = time.monotonic()

        def all_written() -> bool:
            try:
                for number in range(300):
                    client.set(f"parking:again:{number}", number, ex=3600)
            except RedisError:
                return False
            return True

        until(all_written, what="writes to all shards", seconds=90)
        print("writes to all shards after, seconds", round(time.monotonic() - started_at, 1))
        assert [client.get(f"parking:{number}") for number in range(300)] == [str(n) for n in range(300)]
    finally:
        client.close()
