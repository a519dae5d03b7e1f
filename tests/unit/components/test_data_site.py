"""A data site: zones and subnets that fit, and alarms that CloudWatch takes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from components.alarms import AlarmRule, AlarmTarget, create_alarm
from components.base import Component
from infra.windows import quiet_windows
from tests.unit.components.building import build, context
from tests.unit.components.sites import site

RULE = AlarmRule(
    key="low",
    metric="Free",
    statistic="Minimum",
    comparison="LessThanThreshold",
    threshold=1,
    why="it is low",
)


def test_a_site_needs_a_subnet_for_each_of_its_zones() -> None:
    with pytest.raises(ValueError, match="2 data subnets for 3 zones"):
        dataclasses.replace(site(), subnet_ids=["subnet-a", "subnet-b"])


def test_a_site_spans_two_zones_at_least() -> None:
    with pytest.raises(ValueError, match="at least 2 zones"):
        site(zones=("us-east-1a",))


@pytest.mark.parametrize("metrics", [0, 11])
def test_an_alarm_reads_one_to_ten_metrics(metrics: int) -> None:
    target = AlarmTarget(
        namespace="N", dimensions=[{"Id": str(n)} for n in range(metrics)], alerting=None, runbook="page"
    )

    def make(opts: Any) -> dict[str, Any]:
        create_alarm(
            Component("Owner", "owner", context=context(), opts=opts), "owner", rule=RULE, target=target
        )
        return {}

    with pytest.raises(ValueError, match=rf"reads {metrics} metrics; CloudWatch takes 1 to 10"):
        build(make)


def test_the_worst_of_several_low_values_is_the_lowest() -> None:
    target = AlarmTarget(namespace="N", dimensions=[{"Id": "1"}, {"Id": "2"}], alerting=None, runbook="page")

    def make(opts: Any) -> dict[str, Any]:
        create_alarm(
            Component("Owner", "owner", context=context(), opts=opts), "owner", rule=RULE, target=target
        )
        return {}

    alarm = build(make).recorder.one("aws:cloudwatch/metricAlarm:MetricAlarm").inputs

    assert alarm["metricQueries"][0]["expression"] == "MIN([m1,m2])"
    assert not {"namespace", "metricName", "dimensions", "statistic", "period"} & alarm.keys()


@pytest.mark.parametrize(
    ("region", "backup"),
    [
        ("us-east-1", "07:00-08:00"),
        ("us-west-2", "10:00-11:00"),
        ("eu-west-1", "02:00-03:00"),
        ("ap-southeast-2", "17:00-18:00"),
        ("mx-central-1", "03:00-04:00"),
    ],
)
def test_backups_run_in_the_regions_night(region: str, backup: str) -> None:
    assert quiet_windows(region=region).backup == backup


def test_the_regions_of_production_are_not_maintained_on_the_same_day() -> None:
    assert quiet_windows(region="us-east-1").maintenance == "mon:08:30-mon:09:30"
    assert quiet_windows(region="eu-west-1").maintenance == "thu:03:30-thu:04:30"
