"""The facts of a report: what is read from a plan, what follows from settings, and how replicas move."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, cast

import jsonschema
import pytest

from infra.report.curves import curves
from infra.report.deviations import deviations
from infra.report.facts import FORMAT, Facts, facts
from services import CATALOGUE
from tests.unit.report.graphs import graph, resource
from tests.unit.stack_files import ROOT, STACKS

SCHEMA = json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))


def found(stack: str = "prod") -> Facts:
    return facts(stack, catalogue=CATALOGUE, root=ROOT)


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_s_facts_are_json_as_the_schema_says_it(stack: str) -> None:
    planned = facts(stack, catalogue=CATALOGUE, root=ROOT, graph=graph())

    for each in (found(stack), planned):
        jsonschema.validate(json.loads(json.dumps(each, allow_nan=False)), SCHEMA)


def places(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object of a schema, however deep."""
    if schema.get("type") == "object":
        yield schema
    for child in schema.values():
        if isinstance(child, dict):
            yield from places(cast("dict[str, Any]", child))


def test_the_schema_leaves_nothing_open_and_says_what_is_fixed() -> None:
    """A key that is added, dropped or renamed fails the test above unless the schema says it, too."""
    objects = list(places(SCHEMA))

    assert len(objects) > 15
    assert all("additionalProperties" in each for each in objects)
    assert SCHEMA["properties"]["format"]["const"] == FORMAT
    assert set(SCHEMA["properties"]) - set(SCHEMA["required"]) == {"plan"}


def test_a_key_too_many_or_too_few_is_noticed() -> None:
    whole = found()
    more, fewer = copy.deepcopy(whole), copy.deepcopy(whole)
    more["cost"]["new"] = 1
    del fewer["headRooms"][0]["unit"]

    for wrong in (more, fewer):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


def test_a_plan_is_counted_by_package_type_and_part() -> None:
    plan = facts("prod", catalogue=CATALOGUE, root=ROOT, graph=graph())["plan"]

    assert plan["resources"] == 4
    assert plan["packages"] == {"aws": 3, "kubernetes": 1}
    assert {part["part"]: part["resources"] for part in plan["parts"]} == {
        "Load balancer": 1,
        "auth": 1,
        "Keys": 1,
        "Network": 1,
    }


def test_a_plan_s_own_count_prices_what_is_billed_by_the_piece() -> None:
    def usd(*names: str) -> float:
        more = [resource("aws:kms/key:Key", name, parent="keys") for name in names]
        cost = facts("prod", catalogue=CATALOGUE, root=ROOT, graph=graph(*more))["cost"]
        return next(line["usd"] for line in cost["lines"] if line["item"] == "encryption keys")

    assert (usd(), usd("second", "third")) == (1.0, 3.0)


def test_the_lines_of_a_bill_add_up_to_its_groups_and_to_its_level() -> None:
    cost = found()["cost"]

    assert sum(line["usd"] for line in cost["lines"]) == pytest.approx(cost["levels"]["average"])
    assert sum(group["average"] for group in cost["groups"].values()) == pytest.approx(
        cost["levels"]["average"]
    )
    assert cost["drivers"] == sorted(cost["drivers"], key=lambda line: -line["usd"])


def test_limits_come_tightest_first() -> None:
    facts_of = found()
    used = [room["used"] for room in facts_of["headRooms"]]

    assert used == sorted(used, reverse=True)
    assert facts_of["tightest"] == facts_of["headRooms"][0]


def test_every_objective_of_the_catalogue_is_there() -> None:
    shown = {(row["service"], row["operation"]) for row in found()["objectives"]}

    assert {(s.name, o.operation) for s in CATALOGUE for o in s.objectives} <= shown
    assert {s.name for s in CATALOGUE} == {service for service, _ in shown}


def test_recovery_objectives_say_what_they_add_up_to_and_which_are_accepted() -> None:
    rows = {row["name"]: row for row in found()["recovery"]}

    failover = rows["region-failover"]
    assert failover["met"]
    assert failover["computedSeconds"] == sum(part["seconds"] for part in failover["parts"]) == 90
    assert (rows["database-failover"]["met"], rows["database-failover"]["accepted"]) == (False, True)


def test_auth_doubles_each_minute_and_halves_every_five() -> None:
    auth = {each.service: each for each in curves(CATALOGUE)}["auth"]

    assert [step.replicas for step in auth.up] == [3, 6, 12, 24, 48, 50]
    assert [step.replicas for step in auth.down] == [50, 25, 12, 6, 3]
    # A window of 60 s, then four periods of 60 s; down a window of 300 s, then three periods of it.
    assert (auth.seconds_up, auth.seconds_down) == (300, 1200)


def test_payment_follows_the_steps_of_its_triggers() -> None:
    payment = {each.service: each for each in curves(CATALOGUE)}["payment"]

    # +3 every 30 s is the widest of its three steps.
    assert [step.replicas for step in payment.up] == list(range(3, 31, 3))
    assert payment.up[2].at - payment.up[1].at == 30


def test_every_service_reaches_both_its_bounds() -> None:
    for each in curves(CATALOGUE):
        assert each.up[-1].replicas == each.max_replicas, each.service
        assert each.down[-1].replicas == each.min_replicas, each.service


def test_every_row_of_the_deviations_page_is_read_with_its_part() -> None:
    rows = deviations(ROOT)
    page = (ROOT / "docs/deviations.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    tables = page.count("| asked | built | why |")

    assert len(rows) == len(lines) - 2 * tables
    assert {row.part for row in rows} >= {"Cluster", "Load balancing", "Autoscaling", "Data", "Cost"}
    assert all(row.asked and row.built and row.why for row in rows)
    assert not any("](" in row.why for row in rows)
