"""What is counted in the plan: every type known, and counts of a stack that was never planned."""

from __future__ import annotations

import re

import pytest

from infra.cost import pieces
from infra.cost.resource_types import unpriced
from infra.diagram.graph import Graph, Resource
from infra.docs.counted_types import content
from tests.unit.cost.subjects import estimated
from tests.unit.stack_files import ROOT, STACKS, load


def test_every_type_of_the_recorded_plans_is_priced_or_free() -> None:
    types = {token for kind in pieces.counted().values() for token in kind}

    assert len(types) > 60
    assert unpriced(types) == []


def test_every_type_that_the_documentation_counts_is_priced_or_free() -> None:
    page = (ROOT / "docs/resources.md").read_text(encoding="utf-8")
    types = re.findall(r"^\| `(aws:[^`]+)` \|", page, re.MULTILINE)

    assert len(types) > 60
    assert unpriced(types) == []


def test_every_type_that_the_program_s_own_code_makes_is_priced_or_free() -> None:
    made = set[str]()
    for folder in ("components", "stacks"):
        for path in (ROOT / folder).rglob("*.py"):
            calls = re.findall(r"\baws\.(\w+)\.([A-Z]\w*)\(", path.read_text(encoding="utf-8"))
            # Modules named as a keyword of Python end in an underscore.
            made |= {f"aws:{module.rstrip('_')}/{kind[0].lower()}{kind[1:]}:{kind}" for module, kind in calls}
    types = {token for token in made if not token.endswith("Args")}

    assert len(types) > 60
    assert unpriced(types) == []


@pytest.mark.parametrize("stack", STACKS)
def test_each_stack_s_kind_was_planned(stack: str) -> None:
    assert pieces.kind_of(load(stack)) in pieces.counted()


def test_a_kind_that_was_never_planned_has_the_most_of_any() -> None:
    recorded = {"other primary": {"a": 1, "b": 5}, "other secondary": {"a": 3}}

    assert pieces.counts_for(load("prod"), recorded) == {"a": 3, "b": 5}


def test_keys_and_secrets_are_the_plan_s_number_times_the_price() -> None:
    counts = pieces.counts_for(load("prod"))
    found = estimated()

    lines = {line.item: line.usd for line in found.average.lines}
    assert lines["encryption keys"] == counts["aws:kms/key:Key"] * 1.0
    assert lines["secrets"] == pytest.approx(counts["aws:secretsmanager/secret:Secret"] * 0.40)


def test_counting_a_plan_leaves_out_what_is_not_aws() -> None:
    graph = Graph(
        resources={
            urn: Resource(urn=urn, type=token, name=urn)
            for urn, token in (
                ("1", "aws:kms/key:Key"),
                ("2", "aws:kms/key:Key"),
                ("3", "pulumi:providers:aws"),
            )
        }
    )

    assert content({"prod": graph}) == '{\n "prod primary": {\n  "aws:kms/key:Key": 2\n }\n}\n'
