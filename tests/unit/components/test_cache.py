"""The Valkey stores: node counts, durability and eviction by purpose, users by service."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from components.cache import Cache
from components.cache_users import CacheUsers, access_string
from infra.model.stack import CacheSettings, CachesSettings
from tests.unit.components.building import Built, build, context
from tests.unit.components.sites import DATA_KEY, LOG_KEY, SECRETS_KEY, TOPIC, revealed, site
from tests.unit.recording import parsed

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
PARAMETERS = "aws:elasticache/parameterGroup:ParameterGroup"
USER = "aws:elasticache/user:User"
USER_GROUP = "aws:elasticache/userGroup:UserGroup"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
STORED = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
STORES = CachesSettings()


def build_store(
    name: str,
    settings: CacheSettings,
    *,
    engine_version: str = "9.0",
    services: tuple[str, ...] = ("web", "batch"),
    protect: bool = True,
) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        cache = Cache(
            name,
            context=context(protect=protect),
            settings=settings,
            engine_version=engine_version,
            site=site(),
            key_arn=DATA_KEY,
            services=services,
            opts=opts,
        )
        return {"secrets": dict(cache.secret_arns), "id": cache.replication_group_id}

    return build(make)


@functools.cache
def cache() -> Built:
    return build_store("cache", STORES.cache)


@functools.cache
def sessions() -> Built:
    return build_store("sessions", STORES.sessions)


@functools.cache
def rate_limit() -> Built:
    return build_store("rate-limit", STORES.rate_limit)


@pytest.mark.parametrize(
    ("store", "node_type", "shards", "replicas", "durability", "snapshots"),
    [
        (cache, "cache.r6g.xlarge", 3, 1, "async", 7),
        (sessions, "cache.r6g.large", 1, 2, "sync", 0),
        (rate_limit, "cache.m6g.large", 1, 2, "disabled", 0),
    ],
    ids=["cache", "sessions", "rate-limit"],
)
def test_each_store_has_the_nodes_and_the_persistence_of_the_specification(
    store: Callable[[], Built], node_type: str, shards: int, replicas: int, durability: str, snapshots: int
) -> None:
    inputs = store().recorder.one(GROUP).inputs

    assert inputs["nodeType"] == node_type
    assert (inputs["numNodeGroups"], inputs["replicasPerNodeGroup"]) == (shards, replicas)
    assert inputs["durability"] == durability
    assert inputs["snapshotRetentionLimit"] == snapshots


def test_the_cache_has_six_nodes_and_the_others_three() -> None:
    nodes = [
        built.recorder.one(GROUP).inputs["numNodeGroups"]
        * (1 + built.recorder.one(GROUP).inputs["replicasPerNodeGroup"])
        for built in (cache(), sessions(), rate_limit())
    ]

    assert nodes == [6, 3, 3]


@pytest.mark.parametrize("store", [cache, sessions, rate_limit], ids=["cache", "sessions", "rate-limit"])
def test_every_store_is_valkey_9_in_cluster_mode_over_zones_with_tls_and_the_customers_key(
    store: Callable[[], Built],
) -> None:
    inputs = store().recorder.one(GROUP).inputs

    assert (inputs["engine"], inputs["engineVersion"]) == ("valkey", "9.0")
    assert inputs["clusterMode"] == "enabled"
    assert inputs["automaticFailoverEnabled"] is True
    assert inputs["multiAzEnabled"] is True
    assert inputs["transitEncryptionEnabled"] is True
    assert inputs["transitEncryptionMode"] == "required"
    assert inputs["atRestEncryptionEnabled"] is True
    assert inputs["kmsKeyId"] == DATA_KEY
    assert inputs["autoMinorVersionUpgrade"] is False
    assert inputs["applyImmediately"] is False
    assert "authToken" not in inputs


def test_only_the_cache_takes_snapshots_and_leaves_a_last_one() -> None:
    kept = cache().recorder.one(GROUP).inputs

    assert kept["snapshotWindow"] == "07:00-08:00"
    assert kept["finalSnapshotIdentifier"].startswith("parking-prod-cache-final-")
    for built in (sessions(), rate_limit()):
        assert not {"snapshotWindow", "finalSnapshotIdentifier"} & built.recorder.one(GROUP).inputs.keys()


@pytest.mark.parametrize(
    ("store", "policy"),
    [(cache, "volatile-lru"), (sessions, "noeviction"), (rate_limit, "volatile-ttl")],
    ids=["cache", "sessions", "rate-limit"],
)
def test_the_parameter_group_says_cluster_mode_and_the_eviction_policy(
    store: Callable[[], Built], policy: str
) -> None:
    built = store()
    group = built.recorder.one(PARAMETERS).inputs
    values = {parameter["name"]: parameter["value"] for parameter in group["parameters"]}

    assert group["family"] == "valkey9"
    assert values["cluster-enabled"] == "yes"
    assert values["maxmemory-policy"] == policy
    assert built.recorder.one(GROUP).inputs["parameterGroupName"] == group["name"]


def test_stores_that_keep_something_are_protected_and_rate_limits_are_not() -> None:
    assert cache().protected() == {(GROUP, "cache-group")}
    assert sessions().protected() == {(GROUP, "sessions-group")}
    assert rate_limit().protected() == set()
    assert build_store("cache", STORES.cache, protect=False).protected() == set()


def test_each_service_has_a_user_that_sees_its_own_keys_and_no_dangerous_command() -> None:
    users = {user.inputs["userName"]: user.inputs for user in cache().recorder.of_type(USER)}

    assert set(users) == {"default", "web", "batch"}
    assert users["web"]["accessString"] == "on ~web:* +@all -@dangerous +info"
    assert revealed(users["web"]["passwords"]) == ["generated-value"]
    assert users["web"]["userId"] == "parking-prod-cache-web"
    assert all(user["engine"] == "valkey" for user in users.values())
    assert not any("noPasswordRequired" in user for user in users.values())


def test_the_default_user_is_off_and_in_the_group() -> None:
    built = cache()
    users = {user.inputs["userName"]: user.inputs for user in built.recorder.of_type(USER)}

    assert users["default"]["accessString"] == "off -@all"
    assert set(built.recorder.one(USER_GROUP).inputs["userIds"]) == {
        "parking-prod-cache-default",
        "parking-prod-cache-web",
        "parking-prod-cache-batch",
    }
    assert built.recorder.one(GROUP).inputs["userGroupIds"] == ["parking-prod-cache"]


def test_each_services_password_is_a_secret_of_its_own_under_the_secrets_key() -> None:
    built = cache()

    assert set(built.outputs["secrets"]) == {"web", "batch"}
    assert {secret.inputs["kmsKeyId"] for secret in built.recorder.of_type(STORED)} == {SECRETS_KEY}
    document = parsed(revealed(built.recorder.one(VERSION, "cache-web-version").inputs["secretString"]))
    assert document == {"username": "web", "password": "generated-value"}


def test_the_longest_names_stay_within_what_elasticache_takes() -> None:
    built = build_store("rate-limit", STORES.rate_limit, services=("configurationmain",))

    assert len(built.recorder.one(GROUP).inputs["replicationGroupId"]) <= 40
    assert all(len(user.inputs["userId"]) <= 40 for user in built.recorder.of_type(USER))


def test_only_the_given_clients_reach_the_store() -> None:
    rules = cache().recorder.of_type(RULE)

    assert {
        (rule.inputs["referencedSecurityGroupId"], rule.inputs["fromPort"], rule.inputs["toPort"])
        for rule in rules
    } == {
        ("sg-pools", 6379, 6379),
        ("sg-nodes", 6379, 6379),
    }


def test_slow_and_engine_logs_go_to_encrypted_groups_that_log_delivery_may_write() -> None:
    built = cache()
    groups = {group.inputs["name"]: group.inputs for group in built.recorder.of_type(LOG_GROUP)}
    deliveries = built.recorder.one(GROUP).inputs["logDeliveryConfigurations"]

    assert set(groups) == {
        "/aws/vendedlogs/elasticache/parking-prod-cache/slow",
        "/aws/vendedlogs/elasticache/parking-prod-cache/engine",
    }
    assert {group["kmsKeyId"] for group in groups.values()} == {LOG_KEY}
    assert {(delivery["logType"], delivery["destination"]) for delivery in deliveries} == {
        ("slow-log", "/aws/vendedlogs/elasticache/parking-prod-cache/slow"),
        ("engine-log", "/aws/vendedlogs/elasticache/parking-prod-cache/engine"),
    }


def test_every_shard_is_watched_for_cpu_memory_evictions_and_lag_on_its_worst_node() -> None:
    alarms = {alarm.name: alarm.inputs for alarm in cache().recorder.of_type(ALARM)}

    assert set(alarms) == {
        f"cache-000{shard}-{rule}-alarm"
        for shard in (1, 2, 3)
        for rule in ("cpu", "memory", "evictions", "lag")
    }
    worst, *nodes = alarms["cache-0002-memory-alarm"]["metricQueries"]
    assert worst["expression"] == "MAX([m1,m2])"
    assert [query["metric"]["dimensions"] for query in nodes] == [
        {"CacheClusterId": "parking-prod-cache-0002-001"},
        {"CacheClusterId": "parking-prod-cache-0002-002"},
    ]
    assert all(alarm["alarmActions"] == [TOPIC] for alarm in alarms.values())


def test_one_eviction_is_too_many_where_nothing_may_be_evicted() -> None:
    strict = {alarm.name: alarm.inputs for alarm in sessions().recorder.of_type(ALARM)}
    lenient = {alarm.name: alarm.inputs for alarm in cache().recorder.of_type(ALARM)}

    assert strict["sessions-0001-evictions-alarm"]["threshold"] == 0
    assert lenient["cache-0001-evictions-alarm"]["threshold"] == 1000


def test_a_shard_without_replicas_has_no_second_zone_and_no_lag() -> None:
    alone = STORES.rate_limit.model_copy(update={"replicas_per_shard": 0})
    built = build_store("rate-limit", alone)

    assert built.recorder.one(GROUP).inputs["multiAzEnabled"] is False
    assert not [alarm for alarm in built.recorder.of_type(ALARM) if "lag" in alarm.name]
    cpu = built.recorder.one(ALARM, "rate-limit-0001-cpu-alarm").inputs
    assert cpu["metricName"] == "EngineCPUUtilization"
    assert cpu["dimensions"] == {"CacheClusterId": "parking-prod-rate-limit-0001-001"}


@pytest.mark.parametrize(("engine_version", "replicas"), [("8.2", 1), ("9.0", 0)])
def test_durability_that_elasticache_refuses_is_refused_here(engine_version: str, replicas: int) -> None:
    settings = STORES.cache.model_copy(update={"replicas_per_shard": replicas})

    with pytest.raises(ValueError, match=r"durability async.*9\.0 or later and at least 1 replica"):
        build_store("cache", settings, engine_version=engine_version)


@pytest.mark.parametrize("services", [("default",), ("web", "web")])
def test_users_must_differ_and_none_may_take_the_default_users_name(services: tuple[str, ...]) -> None:
    def make(opts: Any) -> dict[str, Any]:
        CacheUsers("cache", context=context(), services=services, secrets_key_arn=SECRETS_KEY, opts=opts)
        return {}

    with pytest.raises(ValueError, match="must differ, and none may be 'default'"):
        build(make)


def test_a_user_reaches_the_keys_of_its_service_alone() -> None:
    assert "~web:*" in access_string("web").split()
    assert "~*" not in access_string("web").split()
