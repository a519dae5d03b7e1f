"""The budget: its limit, what it counts, who is told, and anomalies once for an environment."""

from __future__ import annotations

import pulumi

from components.budget import Budget
from infra.model.cost import BudgetSettings
from tests.unit.components.building import Built, build, context
from tests.unit.recording import parsed

BUDGET = "aws:budgets/budget:Budget"
MONITOR = "aws:costexplorer/anomalyMonitor:AnomalyMonitor"
TOLD = "aws:costexplorer/anomalySubscription:AnomalySubscription"


def built(*, owns_global: bool = True, settings: BudgetSettings | None = None) -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, object]:
        budget = Budget(
            "budget",
            context=context(),
            settings=settings or BudgetSettings(),
            topic_arn="topic",
            owns_global=owns_global,
            opts=opts,
        )
        return {"name": budget.budget_name}

    return build(make)


def test_the_limit_is_the_setting_s_in_dollars_a_month() -> None:
    inputs = built().recorder.one(BUDGET).inputs

    assert (inputs["limitAmount"], inputs["limitUnit"], inputs["timeUnit"]) == ("17100.00", "USD", "MONTHLY")


def test_it_warns_at_80_percent_at_the_forecast_and_at_the_limit() -> None:
    inputs = built().recorder.one(BUDGET).inputs

    told = [(n["notificationType"], n["threshold"]) for n in inputs["notifications"]]
    assert told == [("ACTUAL", 80.0), ("FORECASTED", 100.0), ("ACTUAL", 100.0)]
    assert all(n["subscriberSnsTopicArns"] == ["topic"] for n in inputs["notifications"])


def test_a_warning_at_100_percent_is_not_sent_twice() -> None:
    inputs = built(settings=BudgetSettings(warn_percent=100)).recorder.one(BUDGET).inputs

    assert [n["notificationType"] for n in inputs["notifications"]] == ["ACTUAL", "FORECASTED"]


def test_it_counts_the_environment_s_costs_of_its_region_and_global_ones_where_the_edge_is() -> None:
    def filters(*, owns_global: bool) -> dict[str, list[str]]:
        inputs = built(owns_global=owns_global).recorder.one(BUDGET).inputs
        return {each["name"]: each["values"] for each in inputs["costFilters"]}

    assert filters(owns_global=True) == {
        "Region": ["us-east-1", "global"],
        "TagKeyValue": ["user:environment$prod"],
    }
    assert filters(owns_global=False)["Region"] == ["us-east-1"]


def test_anomalies_of_the_environment_are_told_at_once_from_the_threshold_on() -> None:
    recorder = built(settings=BudgetSettings(anomaly_usd=150)).recorder

    specification = parsed(recorder.one(MONITOR).inputs["monitorSpecification"])
    assert specification["Tags"]["Key"] == "environment"
    assert specification["Tags"]["Values"] == ["prod"]
    told = recorder.one(TOLD).inputs
    assert told["frequency"] == "IMMEDIATE"
    assert told["subscribers"] == [{"type": "SNS", "address": "topic"}]
    assert told["thresholdExpression"]["dimension"]["values"] == ["150"]


def test_a_stack_without_the_edge_leaves_anomalies_to_the_one_that_has_it() -> None:
    recorder = built(owns_global=False).recorder

    assert recorder.of_type(MONITOR) == []
    assert recorder.of_type(TOLD) == []
