"""Alarms of load balancer, web ACLs, NAT and CloudFront; every alarm rule has its section in the runbooks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from components import aws_alarms, cache, database_alarms, reader_scaling, streaming, synthetic_check
from components.alarms import AlarmRule
from components.aws_alarms import CloudWatchDashboard, EdgeAlarms, RegionalAlarms, RegionalParts
from infra.model.stack import CachesSettings, DatabaseSettings
from tests.unit.components.building import Built, build, context
from tests.unit.components.sites import ALERTING, TOPIC, URGENT_TOPIC
from tests.unit.recording import parsed

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
RUNBOOKS = Path(__file__).resolve().parents[3] / "docs" / "runbooks"
_DATABASE = DatabaseSettings()
_CACHES = CachesSettings()
RULES: dict[str, tuple[AlarmRule, ...]] = {
    aws_alarms.BALANCER_PAGE: (
        *aws_alarms.BALANCER_RULES,
        *aws_alarms.TARGET_RULES,
        *aws_alarms.WEB_ACL_RULES,
    ),
    aws_alarms.NETWORK_PAGE: aws_alarms.NAT_RULES,
    aws_alarms.EDGE_PAGE: (*aws_alarms.DISTRIBUTION_RULES, *aws_alarms.WEB_ACL_RULES),
    database_alarms.RUNBOOK: (
        *database_alarms.server_rules(_DATABASE),
        *database_alarms.writer_rules(),
        *database_alarms.replica_rules(lag_seconds=30),
    ),
    cache.RUNBOOK: cache.store_rules(_CACHES.cache),
    streaming.RUNBOOK: (*streaming.BROKER_RULES, *streaming.CLUSTER_RULES),
}
"""Rules of each page; those of functions and canaries are in the states of the stacks (tests/engine)."""


def regional() -> Built:
    def make(opts: Any) -> dict[str, Any]:
        RegionalAlarms(
            "regional-alarms",
            context=context(),
            parts=RegionalParts(
                load_balancer="app/origin/1",
                target_groups={"auth": "targetgroup/auth/1", "parking": "targetgroup/parking/1"},
                web_acl="regional",
                nat_gateways={"a": "nat-a", "b": "nat-b"},
            ),
            alerting=ALERTING,
            opts=opts,
        )
        return {}

    return build(make)


def edge() -> Built:
    def make(opts: Any) -> dict[str, Any]:
        EdgeAlarms(
            "edge-alarms",
            context=context(),
            distribution_id="E1",
            web_acl="global",
            alerting=ALERTING,
            opts=opts,
        )
        return {}

    return build(make)


@pytest.mark.parametrize("page", sorted(RULES))
def test_every_rule_has_a_section_in_its_page(page: str) -> None:
    headings = set(re.findall(r"^## (\S+)$", (RUNBOOKS / f"{page}.md").read_text(), re.MULTILINE))

    assert {rule.key for rule in RULES[page]} == headings


def test_pages_of_functions_exist_too() -> None:
    for page in (reader_scaling.RUNBOOK, synthetic_check.RUNBOOK):
        assert (RUNBOOKS / f"{page}.md").is_file()


def test_every_service_s_targets_are_watched_with_their_balancer() -> None:
    alarm = regional().recorder.one(ALARM, "regional-alarms-targets-parking-no-targets-alarm").inputs

    assert alarm["dimensions"] == {"LoadBalancer": "app/origin/1", "TargetGroup": "targetgroup/parking/1"}
    assert (alarm["threshold"], alarm["treatMissingData"]) == (1, "breaching")
    assert alarm["alarmActions"] == [URGENT_TOPIC]


def test_errors_are_a_share_of_the_requests() -> None:
    alarm = regional().recorder.one(ALARM, "regional-alarms-balancer-own-errors-alarm").inputs
    share, *parts = alarm["metricQueries"]

    assert alarm["threshold"] == 5
    assert share["returnData"] is True
    assert "part" in share["expression"]
    assert "whole" in share["expression"]
    assert {one["id"]: one["metric"]["metricName"] for one in parts} == {
        "part": "HTTPCode_ELB_5XX_Count",
        "whole": "RequestCount",
    }
    assert "metricName" not in alarm


def test_each_gateway_and_the_web_acl_are_watched() -> None:
    names = {one.name for one in regional().recorder.of_type(ALARM)}

    assert {
        "regional-alarms-nat-a-ports-alarm",
        "regional-alarms-nat-b-dropped-alarm",
        "regional-alarms-web-acl-blocked-alarm",
    } <= names
    assert regional().recorder.one(ALARM, "regional-alarms-web-acl-blocked-alarm").inputs["alarmActions"] == [
        TOPIC
    ]


def test_global_metrics_have_global_dimensions() -> None:
    alarms = {one.name: one.inputs for one in edge().recorder.of_type(ALARM)}

    assert alarms["edge-alarms-distribution-errors-alarm"]["dimensions"] == {
        "DistributionId": "E1",
        "Region": "Global",
    }
    assert alarms["edge-alarms-web-acl-blocked-alarm"]["dimensions"] == {"WebACL": "global", "Rule": "ALL"}


def test_descriptions_say_where_to_read_what_to_do() -> None:
    for built in (regional(), edge()):
        for one in built.recorder.of_type(ALARM):
            where = one.inputs["alarmDescription"].rpartition("What to do: ")[2]
            assert re.fullmatch(r"https://runbooks\.example/[a-z-]+\.md#[a-z-]+", where)


def test_the_dashboard_is_named_by_region() -> None:
    def make(opts: Any) -> dict[str, Any]:
        CloudWatchDashboard(
            "aws-dashboard",
            context=context(),
            parts={"load_balancer": "app/origin/1", "web_acl": "regional", "canary": "check"},
            opts=opts,
        )
        return {}

    made = build(make).recorder.one(DASHBOARD).inputs
    assert made["dashboardName"] == "parking-prod-use1"
    assert parsed(made["dashboardBody"])["widgets"]
