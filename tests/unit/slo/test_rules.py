"""Rules and alerts: complete over the catalogue, with sources, runbooks and a way to go off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.slo.burn_rates import possible
from infra.slo.metrics import BUCKET_FACTORS, SOURCES, bucket_bounds
from infra.slo.monitors import pod_monitors
from infra.slo.objectives import slos
from infra.slo.rules import alert_names, prometheus_rules
from services import CATALOGUE
from stacks.pooling import POOLERS
from tests.unit.slo.regions import STACKS, site

ROOT = Path(__file__).resolve().parents[3]
RUNBOOKS = ROOT / "docs" / "runbooks"
_NAME = re.compile(r"(?<![\w:\"{])([a-zA-Z_:][\w:]*)(?=\s*(?:[\[{]|$|[)\s]))")
_WORDS = {"by", "and", "or", "on", "unless", "le", "without", "sum", "max", "min", "rate", "vector", "absent"}


def rules(stack: str = "prod") -> Iterator[dict[str, Any]]:
    for manifest in prometheus_rules(CATALOGUE, site(stack)):
        for group in manifest.spec["groups"]:
            yield from group["rules"]


def metrics_of(expr: str) -> set[str]:
    """Names of the metrics that an expression reads."""
    bare = re.sub(r'"[^"]*"', '""', expr)
    bare = re.sub(r"\b(by|on|without|ignoring) ?\([^)]*\)", " ", bare)
    bare = re.sub(r"\{[^}]*\}", "{}", bare)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    words = set(re.findall(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])", bare))
    return {word for word in words if word not in _WORDS}


def test_the_reader_of_expressions_finds_metrics_and_nothing_else() -> None:
    expr = (
        '1 - avg_over_time(a:b:rate5m{x="y"}[30d]) / sum by (le) (rate(c_total[5m])) > 0.5 and on (x) d <= 0'
    )

    assert metrics_of(expr) == {"a:b:rate5m", "c_total", "d"}


def test_every_service_and_the_platform_have_an_object_of_their_own() -> None:
    names = [manifest.name for manifest in prometheus_rules(CATALOGUE, site())]

    assert names == [*(f"{service.name}-service-objectives" for service in CATALOGUE), "platform-objectives"]


def test_every_metric_is_recorded_here_or_has_a_source() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    read = {name for rule in rules() for name in metrics_of(rule["expr"])}

    assert not read - recorded - set(SOURCES)
    assert len(read & set(SOURCES)) > 15


def test_every_objective_burns_at_every_rate_that_it_can_reach() -> None:
    expected = {
        (
            slo.service,
            slo.kind.value,
            slo.objective and slo.objective.operation,
            rate.long,
            rate.severity.value,
        )
        for service in CATALOGUE
        for slo in slos(service)
        for rate in possible(slo.budget)
    }
    found = {
        (
            rule["labels"]["service"],
            rule["labels"]["slo"],
            rule["labels"].get("operation"),
            rule["labels"]["window"],
            rule["labels"]["severity"],
        )
        for rule in rules()
        if rule.get("alert", "").endswith("BudgetBurn")
    }

    assert found == expected


def test_thresholds_of_shares_lie_between_none_and_all() -> None:
    for rule in rules():
        if "alert" in rule and "_ratio:avg" in rule["expr"]:
            limits = [float(limit) for limit in re.findall(r"> ([0-9.e-]+)", rule["expr"])]
            assert limits, rule["expr"]
            assert all(0 < limit < 1 for limit in limits), rule["expr"]


def test_histograms_reach_past_what_counts_as_an_emergency() -> None:
    """A quantile never exceeds the last bound, so that a coarser histogram could never be twice the objective."""
    assert max(BUCKET_FACTORS) > 2
    assert 1 in BUCKET_FACTORS
    for service in CATALOGUE:
        for objective in service.objectives:
            assert objective.target_ms / 1000 in bucket_bounds(objective)


@pytest.mark.parametrize("stack", STACKS)
def test_every_alert_has_a_runbook_page_that_says_what_to_do(stack: str) -> None:
    pages = alert_names(CATALOGUE, site(stack))

    assert len(pages) > 12
    for name, page in pages.items():
        path = RUNBOOKS / f"{page}.md"
        assert path.is_file(), f"{name} has no page {path.relative_to(ROOT)}"
        text = path.read_text()
        assert f"`{name}`" in text, f"{path.name} does not name its alert {name}"
        for heading in ("## What it means", "## How to see it", "## What to do"):
            assert heading in text, f"{path.name} lacks {heading!r}"


def test_every_alert_links_to_its_page() -> None:
    pages = alert_names(CATALOGUE, site())
    for rule in rules():
        if "alert" in rule:
            assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{pages[rule['alert']]}.md"


def test_no_two_alerts_have_the_same_name_and_labels() -> None:
    keys = [(rule["alert"], tuple(sorted(rule["labels"].items()))) for rule in rules() if "alert" in rule]

    assert len(keys) == len(set(keys))


def test_budgets_are_counted_over_what_prometheus_keeps() -> None:
    assert site("prod").budget_window == "30d"
    assert site("staging").budget_window == "7d"
    assert any("[7d]" in rule["expr"] for rule in rules("staging"))
    assert not any("[30d]" in rule["expr"] for rule in rules("staging"))


def test_both_poolers_are_watched() -> None:
    watched = {rule["labels"].get("pooler") for rule in rules() if rule.get("alert") == "PoolerDown"}

    assert watched == set(POOLERS)


def test_jobs_that_alerts_name_are_those_that_monitors_make() -> None:
    """A PodMonitor's job is its namespace and name; another name would leave an alert always or never on."""
    made = {f"{monitor.namespace}/{monitor.name}" for monitor in pod_monitors(site())}
    made |= {f"{site().pooler_namespace}/{pooler}" for pooler in POOLERS}
    named = {job for rule in rules() for job in re.findall(r'job="([^"]+)"', rule["expr"])}

    assert named
    assert named <= made
