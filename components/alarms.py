"""CloudWatch alarms of managed stores, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.base import Component

MAX_METRICS_IN_AN_ALARM = 10
"""CloudWatch quota: metrics that one metric-math alarm may read."""


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """When one metric is wrong.

    Attributes:
        key: Short name of the alarm, unique over its store.
        metric: CloudWatch metric name.
        statistic: Statistic over each period.
        comparison: Which side of the threshold is wrong.
        threshold: In the metric's own unit.
        why: What it means and what to do first; becomes the alarm's description.
        period_seconds: Length of a period.
        periods: Periods looked at.
        breaching_periods: Of those, how many must be wrong.
        missing: How a period without data counts.
    """

    key: str
    metric: str
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"]
    comparison: Literal["GreaterThanThreshold", "LessThanThreshold"]
    threshold: float
    why: str
    period_seconds: int = 60
    periods: int = 5
    breaching_periods: int = 5
    missing: Literal["missing", "notBreaching", "breaching"] = "missing"


@dataclass(frozen=True, kw_only=True)
class AlarmTarget:
    """What an alarm watches.

    Attributes:
        namespace: CloudWatch namespace, e.g. `AWS/RDS`.
        dimensions: One set of dimensions a metric; of several sets the worst value counts.
        topic_arn: SNS topic told when the alarm goes off and when it recovers; none: nobody.
    """

    namespace: str
    dimensions: Sequence[Mapping[str, pulumi.Input[str]]]
    topic_arn: pulumi.Input[str] | None


def create_alarm(
    owner: Component, name: str, *, rule: AlarmRule, target: AlarmTarget
) -> aws.cloudwatch.MetricAlarm:
    """Create the alarm of one rule on one target.

    Args:
        owner: Component that the alarm belongs to.
        name: Logical name of what is watched; the rule's key is added.
        rule: When it is wrong.
        target: What is watched.

    Raises:
        ValueError: When the target has no dimensions, or more than CloudWatch reads in one alarm.
    """
    if not 1 <= len(target.dimensions) <= MAX_METRICS_IN_AN_ALARM:
        raise ValueError(
            f"alarm {name}-{rule.key} reads {len(target.dimensions)} metrics; CloudWatch takes 1 to 10"
        )
    single = target.dimensions[0] if len(target.dimensions) == 1 else None
    actions = None if target.topic_arn is None else [target.topic_arn]
    return aws.cloudwatch.MetricAlarm(
        f"{name}-{rule.key}-alarm",
        name=owner.context.name(name, rule.key, limit=255),
        alarm_description=rule.why,
        comparison_operator=rule.comparison,
        threshold=rule.threshold,
        evaluation_periods=rule.periods,
        datapoints_to_alarm=rule.breaching_periods,
        treat_missing_data=rule.missing,
        namespace=None if single is None else target.namespace,
        metric_name=None if single is None else rule.metric,
        statistic=None if single is None else rule.statistic,
        period=None if single is None else rule.period_seconds,
        dimensions=single,
        metric_queries=None if single is not None else _worst_of(rule, target),
        alarm_actions=actions,
        ok_actions=actions,
        tags=owner.tags(),
        opts=owner.child(),
    )


def _worst_of(rule: AlarmRule, target: AlarmTarget) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    """Metric math: the worst value over all of the target's metrics."""
    ids = [f"m{index}" for index in range(1, len(target.dimensions) + 1)]
    function = "MAX" if rule.comparison == "GreaterThanThreshold" else "MIN"
    queries = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=query,
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=target.namespace,
                metric_name=rule.metric,
                stat=rule.statistic,
                period=rule.period_seconds,
                dimensions=dimensions,
            ),
        )
        for query, dimensions in zip(ids, target.dimensions, strict=True)
    ]
    worst = aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id="worst", expression=f"{function}([{','.join(ids)}])", label=rule.key, return_data=True
    )
    return [worst, *queries]
