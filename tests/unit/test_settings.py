"""Stack files: what they mean, and what a wrong one says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra import settings
from infra.model.stack import Environment, Role
from infra.problems import SettingsError
from services import CATALOGUE
from tests.unit.stack_files import REMOVED, STACKS, changed, load, problems


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_file_of_the_repository_is_valid(stack: str) -> None:
    assert problems(stack) == ()


def test_prod_is_the_primary_in_us_east_1_with_the_edge() -> None:
    prod = load("prod")

    assert (prod.environment, prod.role, prod.region) == (Environment.PROD, Role.PRIMARY, "us-east-1")
    assert prod.edge.enabled
    assert prod.deletion_protection


def test_the_secondary_follows_prod_and_leaves_the_edge_to_it() -> None:
    secondary = load("prod-eu-west-1")

    assert (secondary.role, secondary.region, secondary.primary_stack) == (
        Role.SECONDARY,
        "eu-west-1",
        "prod",
    )
    assert not secondary.edge.enabled


def test_staging_is_small_unprotected_and_in_us_west_2() -> None:
    staging = load("staging")

    assert (staging.role, staging.region) == (Role.PRIMARY, "us-west-2")
    assert not staging.deletion_protection
    assert staging.node_pools.application.max_size < load("prod").node_pools.application.max_size


@pytest.mark.parametrize("stack", ["prod", "prod-eu-west-1"])
def test_production_has_the_sizes_of_the_specification(stack: str) -> None:
    loaded = load(stack)
    pools, database, caches, streaming = (
        loaded.node_pools,
        loaded.database,
        loaded.caches,
        loaded.streaming,
    )

    assert [(p.instance_types, p.min_size, p.max_size) for p in (pools.application, pools.database)] == [
        (("c5.4xlarge",), 5, 50),
        (("r5.2xlarge",), 3, 10),
    ]
    assert (pools.analytics.instance_types, pools.analytics.min_size, pools.analytics.max_size) == (
        ("c5.9xlarge",),
        2,
        20,
    )
    assert pools.application.spot_share == 0.3
    assert (database.instance_class, database.storage_gib, database.iops) == ("db.r6g.2xlarge", 1024, 16_000)
    assert (database.max_connections, database.readers, database.reader_class) == (500, 3, "db.r6g.xlarge")
    assert database.recovery_replicas == 2
    assert database.multi_az
    assert (caches.cache.nodes, caches.sessions.nodes, caches.rate_limit.nodes) == (6, 3, 3)
    assert (streaming.brokers, streaming.broker_type, streaming.storage_gib) == (3, "kafka.m5.2xlarge", 1024)
    assert streaming.replication_factor == 3
    pool = loaded.connection_pool
    assert (pool.client_connections, pool.multiplexing_ratio, pool.server_connections) == (200, 10, 20)
    assert (pool.statement_timeout_seconds, pool.idle_timeout_seconds) == (30, 300)


def test_a_nested_value_keeps_the_defaults_beside_it() -> None:
    application = load("prod", nodePools__application__maxSize=40).node_pools.application

    assert (application.min_size, application.max_size, application.spot_share) == (5, 40, 0.3)


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown key": ({"ownr": "me"}, "parking:ownr", "did you mean owner"),
    "unknown nested key": ({"cluster__vresion": "1.36"}, "parking:cluster.vresion", "did you mean version"),
    "unknown service key": ({"services__auth__imag": {}}, "parking:services.auth.imag", "did you mean image"),
    "missing key": ({"owner": REMOVED}, "parking:owner", "add parking:owner"),
    "missing region": ({"region": REMOVED}, "aws:region", "add aws:region"),
    "text for a number": ({"database__readers": "three"}, "parking:database.readers", "a whole number"),
    "quoted number": ({"database__readers": "3"}, "parking:database.readers", "a whole number"),
    "text for a boolean": ({"deletionProtection": "yes"}, "parking:deletionProtection", "true or false"),
    "text for a mapping": ({"network": "10.0.0.0/16"}, "parking:network", "a mapping"),
    "text for a list": ({"network__zones": "us-east-1a"}, "parking:network.zones", "a list"),
    "unknown choice": ({"role": "boss"}, "parking:role", "one of 'primary' or 'secondary'"),
    "spot share over 30%": (
        {"nodePools__application__spotShare": 0.31},
        "parking:nodePools.application.spotShare",
        "less than or equal to 0.3",
    ),
    "zone of another region": ({"region": "us-east-2"}, "parking:network.zones[0]", "us-east-2a"),
    "zone past d": (
        {"network__zones": ["us-east-1a", "us-east-1f", "us-east-1c"]},
        "parking:network.zones[1]",
        "us-east-1d",
    ),
    "zone twice": (
        {"network__zones": ["us-east-1a", "us-east-1a", "us-east-1c"]},
        "parking:network.zones",
        "each zone once",
    ),
    "VPC range of the wrong size": ({"network__cidr": "10.0.0.0/20"}, "parking:network.cidr", "/16"),
    "VPC range with host bits": ({"network__cidr": "10.0.0.1/16"}, "parking:network.cidr", "/16"),
    "public VPC range": ({"network__cidr": "8.8.0.0/16"}, "parking:network.cidr", "private"),
    "service range in the VPC": (
        {"cluster__serviceCidr": "10.0.128.0/20"},
        "parking:cluster.serviceCidr",
        "outside",
    ),
    "open API endpoint": (
        {"cluster__publicAccessCidrs": ["0.0.0.0/0"]},
        "parking:cluster.publicAccessCidrs[0]",
        "never 0.0.0.0/0",
    ),
    "Kubernetes out of support": ({"cluster__version": "1.28"}, "parking:cluster.version", "1.36"),
    "primary with a primary": ({"primaryStack": "other"}, "parking:primaryStack", "nothing, in a primary"),
    "secondary without a primary": (
        {"role": "secondary"},
        "parking:primaryStack",
        "name of the primary's stack",
    ),
    "sizes out of order": (
        {"nodePools__database__maxSize": 2},
        "parking:nodePools.database",
        "minSize <= desiredSize <= maxSize",
    ),
    "spot without types": (
        {"nodePools__application__spotInstanceTypes": []},
        "parking:nodePools.application.spotInstanceTypes",
        "several like-sized",
    ),
    "node type that cannot exist": (
        {"nodePools__application__instanceTypes": ["c5.3xlarge"]},
        "parking:nodePools.application",
        "c5.4xlarge",
    ),
    "database class that cannot exist": (
        {"database__instanceClass": "db.r6g.3xlarge"},
        "parking:database.instanceClass",
        "db.r6g.2xlarge",
    ),
    "cache node that cannot exist": (
        {"caches__rateLimit__nodeType": "cache.r6g.medium"},
        "parking:caches.rateLimit.nodeType",
        "cache.r6g.large",
    ),
    "broker type that cannot exist": (
        {"streaming__brokerType": "kafka.m5.3xlarge"},
        "parking:streaming.brokerType",
        "kafka.m5.2xlarge",
    ),
    "storage ceiling under the storage": (
        {"database__maxStorageGib": 500},
        "parking:database.maxStorageGib",
        "1024 (storageGib) or more",
    ),
    "IOPS that gp3 cannot give": ({"database__iops": 4000}, "parking:database.iops", "12,000 to 64,000"),
    "IOPS on a small volume": ({"database__storageGib": 100}, "parking:database.iops", "null for both"),
    "throughput too low": (
        {"database__throughputMibps": 200},
        "parking:database.throughputMibps",
        "500 to 4,000",
    ),
    "too many readers": ({"database__maxReaders": 14}, "parking:database.maxReaders", "at most 15"),
    "connections over the database's": (
        {"database__maxConnections": 200},
        "parking:connectionPool",
        "150: database.maxConnections 200 less 50 reserved",
    ),
    "durability without replicas": (
        {"caches__sessions__replicasPerShard": 0},
        "parking:caches.sessions.durability",
        "at least 1 replica",
    ),
    "durability on an old engine": (
        {"caches__engineVersion": "8.1"},
        "parking:caches.cache.durability",
        "engine 9.0",
    ),
    "brokers not in every zone": ({"streaming__brokers": 4}, "parking:streaming.brokers", "a multiple of 3"),
    "as many in-sync replicas as replicas": (
        {"streaming__minInsyncReplicas": 3},
        "parking:streaming.replicationFactor",
        "minInsyncReplicas < replicationFactor",
    ),
    "topic of nobody": (
        {"streaming__topics": {"vehicle-event": {"partitions": 9}}},
        "parking:streaming.topics.vehicle-event",
        "vehicle-events",
    ),
    "more consumers than partitions": (
        {"services__payment__consumers": 21},
        "parking:services.payment.consumers",
        "at most 20",
    ),
    "more pods than partitions": (
        {"streaming__topics": {"notification-events": {"partitions": 12}}},
        "parking:services.notification.maxReplicas",
        "at most 12",
    ),
    "service left out": ({"services__auth": REMOVED}, "parking:services.auth", "auth"),
    "unknown service": (
        {"services__billing": {"image": {"tag": "1"}}},
        "parking:services.billing",
        "payment",
    ),
    "replica bounds crossed": (
        {"services__auth__minReplicas": 60},
        "parking:services.auth.minReplicas",
        "minReplicas <= maxReplicas",
    ),
    "movable image tag": (
        {"services__auth__image": {"tag": "latest"}},
        "parking:services.auth.image",
        "not latest",
    ),
    "tag and digest": (
        {"services__auth__image": {"tag": "1.0.0", "digest": "sha256:" + "0" * 64}},
        "parking:services.auth.image",
        "either",
    ),
    "pool too small for its pods": (
        {"nodePools__application__maxSize": 5, "nodePools__application__desiredSize": 5},
        "parking:nodePools.application.maxSize",
        "or more of this instance type",
    ),
    "pool too small for its pods on trial": (
        {
            "nodePools__application__maxSize": 8,
            "nodePools__application__desiredSize": 5,
            "services__parking__canaryTag": "1.1.0",
            "services__parking__canaryPercent": 10,
        },
        "parking:nodePools.application.maxSize",
        "9 or more of this instance type: 231 pods",
    ),
    "addresses too few": (
        {
            "network__zones": ["us-east-1a", "us-east-1b"],
            "nodePools__application__maxSize": 120,
            "streaming__brokers": 4,
        },
        "parking:network.zones",
        "at least",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_refused_with_its_key_and_what_is_allowed(case: str) -> None:
    changes, key, expected = WRONG[case]

    found = {problem.key: problem for problem in problems("prod", **changes)}

    assert key in found
    assert expected in str(found[key])


@pytest.mark.parametrize("case", WRONG)
def test_every_problem_says_key_found_allowed_why_and_what_to_do(case: str) -> None:
    for problem in problems("prod", **WRONG[case][0]):
        assert all((problem.key, problem.found, problem.allowed, problem.why, problem.action))


def test_overlapping_ranges_of_two_stacks_are_refused() -> None:
    found = problems("prod", other_ranges={"staging": "10.0.128.0/17"})

    assert [problem.key for problem in found] == ["parking:network.cidr"]
    assert "staging" in found[0].found


def test_disjoint_ranges_are_accepted() -> None:
    assert problems("prod", other_ranges={"staging": "10.2.0.0/16"}) == ()


def test_all_problems_are_reported_at_once_shape_and_meaning_together() -> None:
    found = problems(
        "prod",
        ownr="me",
        database__readers="three",
        network__cidr="10.0.0.0/20",
        caches__rateLimit__nodeType="cache.r6g.medium",
        services__payment__consumers=21,
    )

    assert {problem.key for problem in found} >= {
        "parking:ownr",
        "parking:database.readers",
        "parking:network.cidr",
        "parking:caches.rateLimit.nodeType",
        "parking:services.payment.consumers",
    }


def test_the_message_names_the_file_and_counts_the_problems() -> None:
    with pytest.raises(SettingsError, match=r"Pulumi.prod.yaml has 1 problem; nothing was registered."):
        load("prod", role="boss")


def test_ranges_are_compared_with_the_stack_files_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.other.yaml").write_text("config: {parking:network: {cidr: 10.0.0.0/16}}")
    (tmp_path / "Pulumi.broken.yaml").write_text("config: [")
    monkeypatch.setattr("pulumi.get_stack", lambda: "prod")
    monkeypatch.setattr("pulumi.runtime.config.get_config_env", lambda: changed("prod"))

    with pytest.raises(SettingsError, match=r"overlapping 10\.0\.0\.0/16 of stack other"):
        settings.load(catalogue=CATALOGUE, root=tmp_path)
