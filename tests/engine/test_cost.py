"""What the cost model counts is what the stacks hold; a budget stops a preview; a preview ends with a summary."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from infra.cost.estimate import estimate
from infra.cost.lines import Level
from infra.cost.resource_types import unpriced
from infra.settings import from_file
from services import CATALOGUE
from tests.engine.platform import Platform, Resource
from tests.unit.stack_files import STACKS

States = dict[str, list[Resource]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """A copy whose stack files a test may change."""
    return Platform.copy_to(tmp_path_factory.mktemp("budget") / "program")


def of(resources: list[Resource], token: str) -> list[Resource]:
    return [resource for resource in resources if resource.type == token]


@pytest.mark.parametrize("stack", STACKS)
def test_every_aws_type_of_a_stack_is_priced_or_free(states: States, stack: str) -> None:
    types = {resource.type for resource in states[stack]}

    assert len([token for token in types if token.startswith("aws:")]) > 60
    assert unpriced(types) == []


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_priced_from_settings_is_what_the_stack_holds(states: States, stack: str) -> None:
    resources = states[stack]
    counts = Counter(r.type for r in resources if r.type.startswith("aws:"))
    bill = estimate(from_file(stack, catalogue=CATALOGUE), catalogue=CATALOGUE, counts=counts).bills[
        Level.AVERAGE
    ]

    def priced(unit: str, *keys: str) -> float:
        return sum(
            line.quantity for line in bill.lines if line.unit == unit and line.price_keys[0].startswith(keys)
        )

    groups = of(resources, "aws:eks/nodeGroup:NodeGroup")
    assert priced("node", "ec2.") == sum(g.inputs["scalingConfig"]["desiredSize"] for g in groups)
    assert priced("instance", "rds.") == counts["aws:rds/instance:Instance"]
    stores = of(resources, "aws:elasticache/replicationGroup:ReplicationGroup")
    assert priced("node", "cache.") == sum(
        s.inputs["numNodeGroups"] * (1 + s.inputs["replicasPerNodeGroup"]) for s in stores
    )
    (kafka,) = of(resources, "aws:msk/cluster:Cluster")
    assert priced("broker", "msk.") == kafka.inputs["numberOfBrokerNodes"]
    assert priced("gateway", "nat.") == counts["aws:ec2/natGateway:NatGateway"]
    interfaces = [
        e
        for e in of(resources, "aws:ec2/vpcEndpoint:VpcEndpoint")
        if e.inputs["vpcEndpointType"] == "Interface"
    ]
    assert priced("endpoint and zone", "endpoint.") == sum(len(e.inputs["subnetIds"]) for e in interfaces)
    acls = of(resources, "aws:wafv2/webAcl:WebAcl")
    assert priced("month", "waf.acl") == len(acls)
    assert priced("month", "waf.rule") == sum(len(acl.inputs["rules"]) for acl in acls)
    assert priced("month", "route53.zone") == counts["aws:route53/zone:Zone"]
    assert priced("month", "route53.check") == pytest.approx(
        # The calculated check has no options, each other one three.
        counts["aws:route53/healthCheck:HealthCheck"] * 4 - 3
    )


def test_a_preview_over_the_budget_fails_before_anything_is_registered_until_it_is_raised(
    program: Platform,
) -> None:
    program.set("staging", "budget.monthlyUsd", 1000)
    said = program.refused("preview", "--stack", "staging")

    assert "parking:budget.monthlyUsd" in said
    assert "1,000 USD a month, and the stack costs 1," in said
    assert "nothing was registered" in said
    program.set("staging", "budget.monthlyUsd", 2000)
    assert "Summary of staging" in program.ok("preview", "--stack", "staging")


def test_the_summary_is_the_last_that_a_preview_says_and_is_no_change(platform: Platform) -> None:
    shown = platform.ok("preview", "--expect-no-changes", "--stack", "staging")

    said = shown.rstrip().splitlines()[-5:]
    assert [line.split()[0] for line in said] == ["Summary", "resources", "cost", "head-room", "objectives"]
    assert shown.count("Summary of staging") == 1


def test_a_preview_as_json_is_the_engine_s_json_and_nothing_else(platform: Platform) -> None:
    shown = platform.ok("preview", "--json", "--expect-no-changes", "--stack", "staging")

    document = json.loads(shown)
    assert set(document["changeSummary"]) == {"same"}
    assert "Summary of" not in shown


def test_a_preview_that_fails_keeps_its_error_last_and_sums_up_nothing(program: Platform) -> None:
    program.set("staging", "budget.monthlyUsd", 2000)
    program.set("staging", "edge.domain", "no domain")
    said = program.refused("preview", "--stack", "staging")

    assert "Summary of" not in said
