"""Which alert reaches which topic."""

from __future__ import annotations

import pytest

from infra.slo.alertmanager import NOBODY, configuration
from infra.slo.severity import Severity

TOPICS = {severity.value: f"arn:aws:sns:eu-west-1:123456789012:{severity.value}" for severity in Severity}


def test_each_severity_has_a_route_to_a_topic_of_its_own() -> None:
    made = configuration(topics=TOPICS, region="eu-west-1", stack="parking-prod")
    receivers = {one["name"]: one for one in made["receivers"]}

    for route in made["route"]["routes"]:
        severity = route["receiver"]
        assert route["matchers"] == [f'severity="{severity}"']
        (sns,) = receivers[severity]["sns_configs"]
        assert sns["topic_arn"] == TOPICS[severity]
        assert sns["sigv4"] == {"region": "eu-west-1"}
    assert [route["receiver"] for route in made["route"]["routes"]] == ["critical", "warning"]


def test_alerts_without_a_severity_of_ours_reach_nobody() -> None:
    made = configuration(topics=TOPICS, region="eu-west-1", stack="parking-prod")

    assert made["route"]["receiver"] == NOBODY
    assert {"name": NOBODY} in made["receivers"]


def test_a_severity_without_a_topic_is_refused() -> None:
    with pytest.raises(ValueError, match="severity critical"):
        configuration(topics={"warning": TOPICS["warning"]}, region="eu-west-1", stack="x")
