"""The stack's budget in AWS: warned at a share, at the forecast and at the limit, and told of anomalies."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.model.cost import BudgetSettings
from infra.naming import StackContext

GLOBAL_REGION_NAME = "global"
"""How Cost Explorer calls the region of CloudFront, Route 53 and other global services."""


class Budget(Component):
    """A monthly cost budget of the stack, and for the whole environment a monitor of cost anomalies.

    The budget counts what carries the environment's tag in the stack's region; the stack with the global tier counts
    global services too. The tag `environment` has to be activated once for cost allocation, by the account that pays;
    until then the budget sees nothing. The topic is told when more than `warn_percent` is spent, when the forecast is
    over 100%, and when all is spent.

    Args:
        name: Logical name, e.g. `budget`.
        context: Names, tags and protection of the stack.
        settings: Limit in USD a month, and thresholds.
        topic_arn: SNS topic that is told; its policy and its key must let budgets and cost alerts publish.
        owns_global: Whether the stack has the global tier: it counts global services and watches for anomalies, once
            for the environment.
        opts: Options of the component.

    Outputs:
        budget_name: The budget, as AWS calls it.

    Source of the numbers: the architecture specification's bill (17,100 USD) as the default limit.
    """

    budget_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: BudgetSettings,
        topic_arn: pulumi.Input[str],
        owns_global: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Budget", name, context=context, opts=opts)
        self._settings = settings
        self.budget_name = self._create_budget(topic_arn, owns_global=owns_global).name
        if owns_global:
            self._create_anomaly_monitor(topic_arn)
        self.register_outputs({"budgetName": self.budget_name})

    def _create_budget(self, topic_arn: pulumi.Input[str], *, owns_global: bool) -> aws.budgets.Budget:
        regions = [self.context.region, *([GLOBAL_REGION_NAME] if owns_global else [])]
        thresholds = (("ACTUAL", self._settings.warn_percent), ("FORECASTED", 100), ("ACTUAL", 100))
        return aws.budgets.Budget(
            f"{self._name}-monthly",
            name=self.context.global_name("monthly", limit=100),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{self._settings.monthly_usd:.2f}",
            limit_unit="USD",
            cost_filters=[
                aws.budgets.BudgetCostFilterArgs(name="Region", values=regions),
                aws.budgets.BudgetCostFilterArgs(
                    name="TagKeyValue", values=[f"user:environment${self.context.environment.value}"]
                ),
            ],
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=float(percent),
                    threshold_type="PERCENTAGE",
                    subscriber_sns_topic_arns=[topic_arn],
                )
                for kind, percent in dict.fromkeys(thresholds)
            ],
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_anomaly_monitor(self, topic_arn: pulumi.Input[str]) -> None:
        environment = self.context.environment.value
        monitor = aws.costexplorer.AnomalyMonitor(
            f"{self._name}-anomalies",
            name=self.context.name("anomalies", limit=50),
            monitor_type="CUSTOM",
            monitor_specification=json.dumps(
                {"Tags": {"Key": "environment", "MatchOptions": None, "Values": [environment]}}
            ),
            tags=self.tags(),
            opts=self.child(),
        )
        aws.costexplorer.AnomalySubscription(
            f"{self._name}-anomalies-told",
            name=self.context.name("anomalies-told", limit=50),
            # What is told at once goes to a topic, not to people; the topic's listeners are the settings'.
            frequency="IMMEDIATE",
            monitor_arn_lists=[monitor.arn],
            subscribers=[aws.costexplorer.AnomalySubscriptionSubscriberArgs(type="SNS", address=topic_arn)],
            threshold_expression=aws.costexplorer.AnomalySubscriptionThresholdExpressionArgs(
                dimension=aws.costexplorer.AnomalySubscriptionThresholdExpressionDimensionArgs(
                    key="ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    match_options=["GREATER_THAN_OR_EQUAL"],
                    values=[f"{self._settings.anomaly_usd:g}"],
                )
            ),
            tags=self.tags(),
            opts=self.child(),
        )
