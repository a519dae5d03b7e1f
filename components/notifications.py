"""Where alarms go: an encrypted SNS topic a severity, and who listens to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.account import account_id
from components.base import Component
from infra.naming import StackContext
from infra.slo.severity import Severity

PUBLISHERS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com")
"""AWS services that publish by themselves: alarms, budgets, cost anomalies."""


def topic_policy(*, topic_arn: str, account: str) -> dict[str, object]:
    """Who may publish to a topic: AWS's own alarms and budgets of this account; IAM decides for everybody else.

    Args:
        topic_arn: The topic.
        account: Number of the AWS account.
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AlarmsAndBudgetsOfThisAccount",
                "Effect": "Allow",
                "Principal": {"Service": list(PUBLISHERS)},
                "Action": "sns:Publish",
                "Resource": topic_arn,
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            },
            {
                "Sid": "OnlyOverTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": topic_arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def protocol(endpoint: str) -> str:
    """How SNS delivers to an endpoint: `https` to an address of that scheme, else `email`."""
    return "https" if endpoint.startswith("https://") else "email"


class Notifications(Component):
    """Topics of one region: alarms can only tell a topic of their own region.

    A listener gets a message for each alarm that goes off and one when it recovers. E-mail addresses and webhooks
    confirm their subscription once, by the message that SNS sends them.

    Args:
        name: Logical name, e.g. `notifications`; children begin with it.
        context: Names, tags and protection of the stack.
        key_arn: Customer key of the topics, whose policy admits alarms and budgets (purpose NOTIFICATIONS).
        endpoints: Listeners of each severity: e-mail addresses and `https://` addresses.
        opts: Options of the component.

    Outputs:
        topic_arns: Topic of each severity.
    """

    topic_arns: Mapping[Severity, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        key_arn: pulumi.Input[str],
        endpoints: Mapping[Severity, Sequence[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Notifications", name, context=context, opts=opts)
        account = account_id(self)
        self.topic_arns = {severity: self._create_topic(severity, key_arn, account) for severity in Severity}
        for severity, listeners in endpoints.items():
            for endpoint in sorted(set(listeners)):
                self._subscribe(severity, endpoint)
        self.register_outputs({"topicArns": {key.value: arn for key, arn in self.topic_arns.items()}})

    def _create_topic(
        self, severity: Severity, key_arn: pulumi.Input[str], account: pulumi.Output[str]
    ) -> pulumi.Output[str]:
        topic = aws.sns.Topic(
            f"{self._name}-{severity.value}",
            name=self.context.name("alerts", severity.value, limit=256),
            display_name=f"{self.context.name()} {severity.value}",
            kms_master_key_id=key_arn,
            tags=self.tags(severity=severity.value),
            opts=self.child(),
        )
        policy = aws.sns.TopicPolicy(
            f"{self._name}-{severity.value}",
            arn=topic.arn,
            policy=pulumi.Output.all(topic.arn, account).apply(_policy),
            opts=self.child(),
        )
        # By way of the policy: an alarm that goes off before it would be refused.
        return policy.arn

    def _subscribe(self, severity: Severity, endpoint: str) -> None:
        # Named by the endpoint, so that one taken off the list leaves the others alone.
        digest = hashlib.sha256(endpoint.encode()).hexdigest()[:8]
        aws.sns.TopicSubscription(
            f"{self._name}-{severity.value}-{digest}",
            topic=self.topic_arns[severity],
            protocol=protocol(endpoint),
            endpoint=endpoint,
            opts=self.child(),
        )


def _policy(values: Sequence[str]) -> str:
    topic_arn, account = values
    return json.dumps(topic_policy(topic_arn=topic_arn, account=account))
