"""CloudWatch alarms of managed stores, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.slo.severity import Severity

MAX_METRICS_IN_AN_ALARM = 10
"""CloudWatch quota: metrics that one metric-math alarm may read."""


@dataclass(frozen=True, kw_only=True)
class Alerting:
    """Who is told, and where they read what to do.

    Attributes:
        topics: SNS topic of each severity, in the alarms' own region.
        runbooks: Address under which the pages of `docs/runbooks` are found, without a slash at its end.
    """

    topics: Mapping[Severity, pulumi.Input[str]]
    runbooks: str

    def page(self, runbook: str, key: str) -> str:
        """Address of an alarm's section in a page of the runbooks."""
        return f"{self.runbooks}/{runbook}.md#{key}"


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
        severity: Whom it concerns.
        of: Metric that the first is a share of: then the threshold is in percent of it; none: an absolute value.
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
    severity: Severity = Severity.WARNING
    of: str | None = None


@dataclass(frozen=True, kw_only=True)
class AlarmTarget:
    """What an alarm watches.

    Attributes:
        namespace: CloudWatch namespace, e.g. `AWS/RDS`.
        dimensions: One set of dimensions a metric; of several sets the worst value counts.
        alerting: Who is told when the alarm goes off and when it recovers; none: nobody.
        runbook: Page of `docs/runbooks` with a section for each rule's key, e.g. `aws-database`.
    """

    namespace: str
    dimensions: Sequence[Mapping[str, pulumi.Input[str]]]
    alerting: Alerting | None
    runbook: str


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
        ValueError: When the target has no dimensions, or more than CloudWatch reads in one alarm, or a share is
            asked of several.
    """
    if not 1 <= len(target.dimensions) <= MAX_METRICS_IN_AN_ALARM:
        raise ValueError(
            f"alarm {name}-{rule.key} reads {len(target.dimensions)} metrics; CloudWatch takes 1 to 10"
        )
    single = target.dimensions[0] if len(target.dimensions) == 1 and rule.of is None else None
    alerting = target.alerting
    actions = None if alerting is None else [alerting.topics[rule.severity]]
    where = "" if alerting is None else f". What to do: {alerting.page(target.runbook, rule.key)}"
    return aws.cloudwatch.MetricAlarm(
        f"{name}-{rule.key}-alarm",
        name=owner.context.name(name, rule.key, limit=255),
        alarm_description=f"{rule.why}{where}",
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
        metric_queries=None if single is not None else _queries(rule, target),
        alarm_actions=actions,
        ok_actions=actions,
        tags=owner.tags(),
        opts=owner.child(),
    )


def _queries(rule: AlarmRule, target: AlarmTarget) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    return _worst_of(rule, target) if rule.of is None else _share_of(rule, rule.of, target)


def _share_of(
    rule: AlarmRule, whole: str, target: AlarmTarget
) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    """Metric math: one metric in percent of another, of one target; without a whole, nothing is wrong."""
    if len(target.dimensions) != 1:
        raise ValueError(f"{rule.key}: a share is computed of one target, found {len(target.dimensions)}")
    parts = {"part": rule.metric, "whole": whole}
    queries = [_query(identifier, metric, rule, target, 0) for identifier, metric in parts.items()]
    share = aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id="share",
        expression="IF(FILL(whole,0)>0, 100*FILL(part,0)/whole, 0)",
        label=rule.key,
        return_data=True,
    )
    return [share, *queries]


def _query(
    identifier: str, metric: str, rule: AlarmRule, target: AlarmTarget, index: int
) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=identifier,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=target.namespace,
            metric_name=metric,
            stat=rule.statistic,
            period=rule.period_seconds,
            dimensions=target.dimensions[index],
        ),
    )


def _worst_of(rule: AlarmRule, target: AlarmTarget) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    """Metric math: the worst value over all of the target's metrics."""
    ids = [f"m{index}" for index in range(1, len(target.dimensions) + 1)]
    function = "MAX" if rule.comparison == "GreaterThanThreshold" else "MIN"
    queries = [_query(query, rule.metric, rule, target, index) for index, query in enumerate(ids)]
    worst = aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id="worst", expression=f"{function}([{','.join(ids)}])", label=rule.key, return_data=True
    )
    return [worst, *queries]
