"""What is watched and who is told, read back from the state of every stack after `up`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.settings import from_file
from infra.slo.burn_rates import possible
from infra.slo.objectives import slos
from infra.slo.panels import KeyMetric
from services import CATALOGUE
from tests.engine.platform import REPOSITORY, Resource
from tests.unit.stack_files import STACKS

States = dict[str, list[Resource]]
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
TIERS = ("edge", "regional", "mesh", "cluster", "data")
_PAGE = re.compile(r"docs/runbooks/([a-z-]+)\.md(?:#([a-z0-9-]+))?")


def of(states: States, stack: str, token: str) -> list[Resource]:
    return [resource for resource in states[stack] if resource.type == token]


def custom(states: States, stack: str, kind: str) -> list[dict[str, Any]]:
    """Objects of a Kubernetes kind."""
    return [
        resource.inputs
        for resource in states[stack]
        if resource.type.startswith("kubernetes:") and resource.type.endswith(f":{kind}")
    ]


def topics(states: States, stack: str) -> dict[str, str]:
    """Severity of each topic, by its ARN; the edge's owner outside us-east-1 has a second pair there."""
    return {
        topic.outputs["arn"]: topic.inputs["tags"]["severity"]
        for topic in of(states, stack, "aws:sns/topic:Topic")
    }


def headings(page: Path) -> set[str]:
    """Anchors of a page, as GitHub makes them."""
    lines = [line.lstrip("#").strip() for line in page.read_text().splitlines() if line.startswith("#")]
    return {re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("stack", STACKS)
def test_every_alarm_tells_a_topic_of_its_region_when_it_goes_off_and_when_it_ends(
    states: States, stack: str
) -> None:
    alarms = of(states, stack, "aws:cloudwatch/metricAlarm:MetricAlarm")
    known = topics(states, stack)

    assert len(alarms) > 25
    for alarm in alarms:
        # Alarms of services' own autoscaling move capacity, and are not ours to count.
        assert alarm.inputs["alarmActions"], alarm.name
        assert set(alarm.inputs["alarmActions"]) <= set(known), alarm.name
        assert alarm.inputs["okActions"] == alarm.inputs["alarmActions"], alarm.name
        assert alarm.inputs.get("actionsEnabled", True), alarm.name
        region = alarm.outputs["arn"].split(":")[3]
        assert {arn.split(":")[3] for arn in alarm.inputs["alarmActions"]} == {region}, alarm.name


@pytest.mark.parametrize("stack", STACKS)
def test_every_alarm_s_description_leads_to_a_section_of_a_page_that_exists(
    states: States, stack: str
) -> None:
    for alarm in of(states, stack, "aws:cloudwatch/metricAlarm:MetricAlarm"):
        found = _PAGE.search(alarm.inputs["alarmDescription"])
        assert found is not None, f"{alarm.name}: {alarm.inputs['alarmDescription']}"
        page = RUNBOOKS / f"{found[1]}.md"
        assert page.is_file(), f"{alarm.name}: {page}"
        assert found[2] is None or found[2] in headings(page), f"{alarm.name}: {found[0]}"


@pytest.mark.parametrize("stack", STACKS)
def test_every_topic_s_listeners_are_those_of_the_stack_file(states: States, stack: str) -> None:
    own = from_file(stack, catalogue=CATALOGUE).observability
    wanted = {"critical": set(own.critical_endpoints), "warning": set(own.warning_endpoints)}
    heard: dict[str, set[str]] = {arn: set() for arn in topics(states, stack)}
    for subscription in of(states, stack, "aws:sns/topicSubscription:TopicSubscription"):
        heard[subscription.inputs["topic"]].add(subscription.inputs["endpoint"])

    assert set(topics(states, stack).values()) == {"critical", "warning"}
    for arn, severity in topics(states, stack).items():
        assert heard[arn] == wanted[severity], arn
    assert any(heard.values()), "this stack tells nobody anything"


@pytest.mark.parametrize("stack", ["prod", "prod-eu-west-1"])
def test_production_calls_somebody(states: States, stack: str) -> None:
    critical = {arn for arn, severity in topics(states, stack).items() if severity == "critical"}
    called = {s.inputs["topic"] for s in of(states, stack, "aws:sns/topicSubscription:TopicSubscription")}

    assert critical
    assert critical <= called


def rules(states: States, stack: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every rule of the stack's PrometheusRule objects, with its object's name."""
    for rule in custom(states, stack, "PrometheusRule"):
        for group in rule["spec"]["groups"]:
            for each in group["rules"]:
                yield rule["metadata"]["name"], each


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("service", CATALOGUE, ids=lambda service: service.name)
def test_every_service_records_its_rates_and_alerts_at_every_rate_it_can_reach(
    states: States, stack: str, service: Any
) -> None:
    own = [rule for name, rule in rules(states, stack) if name == f"{service.workload_name}-objectives"]
    recorded = {rule["record"] for rule in own if "record" in rule}
    burning = [rule for rule in own if rule.get("alert", "").endswith("BudgetBurn")]
    wanted = {
        (slo.kind.value, slo.objective and slo.objective.operation, rate.long)
        for slo in slos(service)
        for rate in possible(slo.budget)
    }

    assert len(recorded) >= 5
    assert {
        (rule["labels"]["slo"], rule["labels"].get("operation"), rule["labels"]["window"]) for rule in burning
    } == wanted
    for rule in burning:
        # A long and a short window, each of a series that is recorded here.
        windows = re.findall(r"([a-z_:]+:(?:avg|rate)[0-9a-z]+)\{", rule["expr"])
        assert len(set(windows)) == 2, rule["expr"]
        assert set(windows) <= recorded, rule["expr"]


@pytest.mark.parametrize("stack", STACKS)
def test_every_alert_has_a_severity_that_is_routed_and_a_page_that_names_it(
    states: States, stack: str
) -> None:
    alerts = [rule for _, rule in rules(states, stack) if "alert" in rule]

    assert len({alert["alert"] for alert in alerts}) > 12
    for alert in alerts:
        assert alert["labels"]["severity"] in {"critical", "warning"}, alert["alert"]
        page = RUNBOOKS / Path(alert["annotations"]["runbook_url"]).name
        assert f"`{alert['alert']}`" in page.read_text(), alert["alert"]


@pytest.mark.parametrize("stack", STACKS)
def test_alertmanager_s_routes_lead_to_the_topics_of_the_stack(states: States, stack: str) -> None:
    (release,) = [
        resource
        for resource in states[stack]
        if resource.type == "kubernetes:helm.sh/v3:Release"
        and "kube-prometheus-stack" in resource.inputs["chart"]
    ]
    config = release.inputs["values"]["alertmanager"]["config"]
    told = {
        receiver["name"]: {sns["topic_arn"] for sns in receiver.get("sns_configs", [])}
        for receiver in config["receivers"]
    }
    region = from_file(stack, catalogue=CATALOGUE).region
    for arn, severity in topics(states, stack).items():
        if arn.split(":")[3] == region:
            routes = [r for r in config["route"]["routes"] if f'severity="{severity}"' in r["matchers"]]
            assert [told[route["receiver"]] for route in routes] == [{arn}], severity


@pytest.mark.parametrize("stack", STACKS)
def test_the_region_is_asked_from_outside_and_its_silence_is_an_alarm(states: States, stack: str) -> None:
    (canary,) = of(states, stack, "aws:synthetics/canary:Canary")
    watching = [
        alarm
        for alarm in of(states, stack, "aws:cloudwatch/metricAlarm:MetricAlarm")
        if alarm.inputs.get("dimensions", {}).get("CanaryName") == canary.inputs["name"]
    ]

    assert canary.inputs["startCanary"]
    assert [alarm.inputs["treatMissingData"] for alarm in watching] == ["breaching"]


@pytest.mark.parametrize("stack", STACKS)
def test_dashboards_show_every_key_metric_of_the_specification(states: States, stack: str) -> None:
    shown: dict[str, dict[str, Any]] = {}
    for config in custom(states, stack, "ConfigMap"):
        if "grafana_dashboard" in config["metadata"].get("labels", {}):
            shown |= {name: json.loads(text) for name, text in config["data"].items()}
    (overview,) = [board for name, board in shown.items() if "overview" in name]
    told = " ".join(panel.get("description", "") for panel in overview["panels"])

    assert len(shown) == 1 + len(CATALOGUE) + len(TIERS)
    assert [key.value for key in KeyMetric if key.value not in told] == []
    for board in shown.values():
        assert all(panel["targets"] for panel in board["panels"])
    assert len(of(states, stack, "aws:cloudwatch/dashboard:Dashboard")) == 1


@pytest.mark.parametrize("stack", STACKS)
def test_budget_and_anomalies_tell_the_topics_too(states: States, stack: str) -> None:
    (budget,) = of(states, stack, "aws:budgets/budget:Budget")
    told = {arn for n in budget.inputs["notifications"] for arn in n["subscriberSnsTopicArns"]}

    assert told
    assert told <= set(topics(states, stack))
    for anomalies in of(states, stack, "aws:costexplorer/anomalySubscription:AnomalySubscription"):
        assert {s["address"] for s in anomalies.inputs["subscribers"]} <= set(topics(states, stack))
