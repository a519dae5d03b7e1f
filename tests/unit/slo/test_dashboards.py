"""Dashboards: one overview, one a service, one a tier; every key metric has a panel and a source."""

from __future__ import annotations

import json
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from infra.slo.cloudwatch import DashboardParts, dashboard_body
from infra.slo.dashboards import dashboards, plans
from infra.slo.metrics import SOURCES
from infra.slo.panels import CloudQuery, KeyMetric, Query
from services import CATALOGUE
from tests.unit.slo.regions import site
from tests.unit.slo.test_rules import metrics_of, rules

TIERS = ("edge", "regional", "mesh", "cluster", "data")
SPECIFIED = (
    "CPU/Memory utilization per service",
    "Request rate and response times",
    "Database connection pool usage",
    "Queue depth and processing lag",
    "Error rates and availability",
    "Cost per request and monthly spend",
)
"""The specification's list of key scaling metrics."""
CONFIGMAP_BYTES = 1024 * 1024


def rendered() -> dict[str, dict[str, Any]]:
    return {name: json.loads(text) for name, text in dashboards(CATALOGUE, site()).items()}


def test_there_is_an_overview_and_one_for_each_service_and_tier() -> None:
    services = [f"service-{service.name}" for service in CATALOGUE]

    assert list(rendered()) == ["overview", *services, *(f"tier-{tier}" for tier in TIERS)]


def test_the_key_metrics_are_the_specification_s() -> None:
    assert tuple(key.value for key in KeyMetric) == SPECIFIED


@pytest.mark.parametrize("key", KeyMetric)
def test_every_key_metric_has_a_panel_on_the_overview(key: KeyMetric) -> None:
    assert any(key in panel.key for panel in plans(CATALOGUE, site())["overview"])


def test_every_panel_reads_a_recorded_series_a_known_metric_or_cloudwatch() -> None:
    known = {rule["record"] for rule in rules() if "record" in rule} | set(SOURCES)
    for name, shown in plans(CATALOGUE, site()).items():
        for panel in shown:
            for query in panel.queries:
                if isinstance(query, CloudQuery):
                    assert query.namespace.startswith(("AWS/", "CloudWatch")), panel.title
                    assert query.dimensions, panel.title
                else:
                    read = metrics_of(query.expr)
                    assert read, query.expr
                    assert read <= known, f"{name}/{panel.title}: {read - known}"


def test_no_source_is_listed_that_nothing_reads() -> None:
    in_panels = {
        metric
        for shown in plans(CATALOGUE, site()).values()
        for panel in shown
        for query in panel.queries
        if isinstance(query, Query)
        for metric in metrics_of(query.expr)
    }
    in_rules = {metric for rule in rules() for metric in metrics_of(rule["expr"])}

    assert not set(SOURCES) - in_panels - in_rules


@pytest.mark.parametrize("name", list(plans(CATALOGUE, site())))
def test_grafana_s_own_library_reads_back_what_it_wrote(name: str) -> None:
    text = dashboards(CATALOGUE, site())[name]
    read = models.Dashboard.from_json(json.loads(text))

    assert json.loads(JSONEncoder().encode(read)) == json.loads(text)
    assert len(text.encode()) < CONFIGMAP_BYTES


def test_dashboards_and_panels_have_identities_of_their_own() -> None:
    every = rendered()
    assert len({one["uid"] for one in every.values()}) == len(every)
    for one in every.values():
        panels = one["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        assert len({panel["title"] for panel in panels}) == len(panels)
        assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_each_service_s_dashboard_draws_its_objectives() -> None:
    for service in CATALOGUE:
        panels = rendered()[f"service-{service.name}"]["panels"]
        drawn = {
            panel["title"]: panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"]
            for panel in panels
            if "percentile" in panel["title"]
        }
        assert drawn == {
            f"{one.operation}: {one.percentile:g}th percentile": one.target_ms / 1000
            for one in service.objectives
        }


def test_global_metrics_are_read_where_aws_keeps_them() -> None:
    for panel in rendered()["tier-edge"]["panels"]:
        assert all(target["region"] == "us-east-1" for target in panel["targets"])


def body(**more: str) -> dict[str, Any]:
    parts = DashboardParts(
        prefix="parking-prod",
        region="eu-west-1",
        load_balancer="app/parking/1",
        web_acl="acl",
        canary="check",
        **more,
    )
    return json.loads(dashboard_body(parts))


def test_the_cloudwatch_dashboard_shows_every_aws_part() -> None:
    text = json.dumps(body(distribution="E1", global_web_acl="global"))

    for namespace in (
        "ApplicationELB",
        "RDS",
        "ElastiCache",
        "Kafka",
        "WAFV2",
        "CloudFront",
        "NATGateway",
        "CloudWatchSynthetics",
    ):
        assert namespace in text, namespace
    assert "ReplicaLag" in text


def test_a_stack_without_the_edge_shows_nothing_global() -> None:
    regions = {widget["properties"]["region"] for widget in body()["widgets"]}

    assert regions == {"eu-west-1"}
    assert "CloudFront" not in json.dumps(body())
