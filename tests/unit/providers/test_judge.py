"""The memory in front of cfn-lint: what is asked, what is never asked, and what is asked only once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.local.providers.plugin import Instance, Resource
from infra.local.providers.values import UNKNOWN, Map, Secret
from infra.local.value_checks.judge import Judge, asked_of, memory_folder
from infra.local.value_checks.linter import Linter
from infra.local.value_checks.translate import translate
from tests.unit.providers.conftest import urn

DATABASE = "aws:rds/instance:Instance"


def resource(inputs: Map, token: str = DATABASE) -> Resource:
    return Resource(urn(token, "writer"), inputs, Instance({"region": "us-east-1"}))


def test_what_was_judged_once_is_known_to_the_next_run_without_loading_cfn_lint(tmp_path: Path) -> None:
    wrong = resource({"engine": "postgres", "engineVersion": "17.99"})
    first = Judge(tmp_path)
    said = first.failures(wrong, "us-east-1")
    first.close()
    (memory,) = tmp_path.glob("*.jsonl")
    with memory.open("a", encoding="utf-8") as file:
        # As a killed run leaves it.
        file.write('["0123456789')

    second = Judge(tmp_path)

    assert [failure.path for failure in said] == ["engineVersion"]
    assert "AWS takes one of" in said[0].reason
    assert second.failures(wrong, "us-east-1") == said
    assert not second.is_running


def test_regions_are_judged_by_their_own_offer() -> None:
    linter = Linter()
    asked = {"engine": "postgres", "instanceClass": "db.m9g.large"}
    found = {region: linter.findings(DATABASE, region, asked) for region in ("us-east-1", "af-south-1")}

    assert found["us-east-1"] == []
    assert any("in 'af-south-1'" in reason for _, reason in found["af-south-1"])


def test_a_region_that_cfn_lint_does_not_know_is_not_judged() -> None:
    asked = {"engine": "postgres", "engineVersion": "17.99"}

    assert Linter().findings(DATABASE, "us-east-1", asked)
    assert Linter().findings(DATABASE, "xx-north-1", asked) == []


def test_secrets_unknowns_and_what_aws_made_up_are_never_asked() -> None:
    asked = asked_of(
        resource(
            {
                "username": Secret("admin"),
                "engineVersion": UNKNOWN,
                "kmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/1",
                "vpcSecurityGroupIds": ["sg-0123456789abcdef0"],
                "tags": {"owner": "me"},
                "__defaults": [],
                "engine": "postgres",
            }
        ),
        "us-east-1",
    )

    assert asked["inputs"] == {
        "engine": "postgres",
        "engineVersion": None,
        "kmsKeyId": None,
        "username": None,
        "vpcSecurityGroupIds": [None],
    }
    assert "admin" not in json.dumps(asked)


def test_the_memory_lies_in_the_cache_that_all_clones_share_else_in_the_state_folder(tmp_path: Path) -> None:
    shared, state = tmp_path / "cache", tmp_path / "state"

    assert memory_folder({"PULUMI_LOCAL_CACHE": str(shared)}, state) == shared / "values"
    assert memory_folder({}, state) == state / "values"


@pytest.mark.parametrize(
    ("token", "inputs", "expected"),
    [
        (DATABASE, {"instanceClass": "x", "backupWindow": "y"}, {"DBInstanceClass": "x", "PreferredBackupWindow": "y"}),
        (
            "aws:lb/targetGroup:TargetGroup",
            {"port": 80, "healthCheck": {"interval": 10}},
            {"Port": 80, "HealthCheckIntervalSeconds": 10},
        ),
        (
            "aws:cloudfront/cachePolicy:CachePolicy",
            {"name": "a", "minTtl": 1},
            {"CachePolicyConfig": {"Name": "a", "MinTTL": 1}},
        ),
        # A list that lost an element would be judged for a length that it does not have.
        ("aws:eks/nodeGroup:NodeGroup", {"subnetIds": ["a", None], "diskSize": 20.0}, {"DiskSize": 20}),
    ],
)  # fmt: skip
def test_properties_go_where_cloudformation_has_them(
    token: str, inputs: dict[str, object], expected: dict[str, object]
) -> None:
    assert translate(token, inputs, "us-east-1")[0].properties == expected


def test_a_type_that_cloudformation_does_not_have_is_not_judged() -> None:
    assert translate("aws:acm/certificateValidation:CertificateValidation", {}, "us-east-1") == []
    assert translate("aws:autoscaling/tag:Tag", {}, "us-east-1") == []
