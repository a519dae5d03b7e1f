"""The tables of instance types against the allowed values that cfn-lint bundles, region by region."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest

from infra.instances import BROKER_TYPES, CACHE_NODE_GIB, DATABASE_CLASSES, NODE_TYPES

REGIONS = ("us-east-1", "eu-west-1", "us-west-2")


def bundled(path: str) -> Any:
    return json.loads(resources.files("cfnlint.data.schemas.extensions").joinpath(path).read_text())


def postgres_classes(region: str) -> set[str]:
    """Classes that cfn-lint lists for the engine postgres in a region."""
    found: set[str] = set()
    text = bundled("aws_rds_dbinstance/dbinstanceclass_enum.json")
    for rule in text.get(region, {}).get("allOf", []):
        condition = json.dumps(rule.get("if", {}))
        if '"postgres"' in condition:
            found |= set(rule["then"]["properties"]["DBInstanceClass"]["enum"])
    return found


@pytest.mark.parametrize("region", REGIONS)
def test_every_node_type_exists_in_ec2(region: str) -> None:
    allowed = set(bundled("aws_ec2_instance/instancetype_enum.json")[region]["enum"])

    assert set(NODE_TYPES) <= allowed


@pytest.mark.parametrize("region", REGIONS)
def test_every_cache_node_type_exists_in_elasticache(region: str) -> None:
    allowed = set(bundled("aws_elasticache_cachecluster/cachenodetype_enum.json")[region]["enum"])

    assert set(CACHE_NODE_GIB) <= allowed
    assert "cache.r6g.medium" not in allowed, "the specification's type exists after all: use it"


@pytest.mark.parametrize("region", REGIONS)
def test_every_database_class_exists_in_rds(region: str) -> None:
    assert set(DATABASE_CLASSES) <= postgres_classes(region)


def test_the_specification_s_types_are_in_the_tables() -> None:
    assert {"c5.4xlarge", "r5.2xlarge", "c5.9xlarge", "g5.2xlarge"} <= set(NODE_TYPES)
    assert {"db.r6g.2xlarge", "db.r6g.xlarge"} <= set(DATABASE_CLASSES)
    assert "kafka.m5.2xlarge" in BROKER_TYPES
    assert CACHE_NODE_GIB["cache.r6g.xlarge"] == 26.32
    assert CACHE_NODE_GIB["cache.r6g.large"] == 13.07


def test_sizes_follow_from_family_and_size() -> None:
    size = NODE_TYPES["c5.9xlarge"]

    assert (size.vcpus, size.memory_gib, size.max_pods) == (36, 72, 250)
    assert NODE_TYPES["r5.2xlarge"].memory_gib == 64
    assert NODE_TYPES["g5.2xlarge"].memory_gib == 32
