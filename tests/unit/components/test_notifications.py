"""SNS topics by severity: encrypted, published to by this account's alarms only, heard by whom the stack names."""

from __future__ import annotations

from typing import Any

import pytest

from components.notifications import Notifications, protocol
from infra.slo.severity import Severity
from tests.unit.components.building import Built, build, context
from tests.unit.recording import ACCOUNT, parsed

TOPIC = "aws:sns/topic:Topic"
POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
KEY = "arn:aws:kms:us-east-1:123456789012:key/notifications"
MAIL, HOOK = "on-call@parking.example.com", "https://hooks.parking.example.com/page"


def notifications(*critical: str, warning: tuple[str, ...] = ()) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        made = Notifications(
            "notifications",
            context=context(),
            key_arn=KEY,
            endpoints={Severity.CRITICAL: critical, Severity.WARNING: warning},
            opts=opts,
        )
        return {severity.value: arn for severity, arn in made.topic_arns.items()}

    return build(make)


def test_each_severity_has_a_topic_under_the_stack_s_own_key() -> None:
    topics = {topic.name: topic.inputs for topic in notifications().recorder.of_type(TOPIC)}

    assert {name: topic["name"] for name, topic in topics.items()} == {
        "notifications-critical": "parking-prod-alerts-critical",
        "notifications-warning": "parking-prod-alerts-warning",
    }
    assert all(topic["kmsMasterKeyId"] == KEY for topic in topics.values())


def test_only_alarms_and_budgets_of_this_account_publish_and_only_over_tls() -> None:
    policy = parsed(notifications().recorder.one(POLICY, "notifications-critical").inputs["policy"])
    allowed, denied = policy["Statement"]

    assert allowed["Principal"] == {
        "Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com"]
    }
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert allowed["Resource"].endswith("topic/notifications-critical")
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_listeners_hear_their_severity_and_no_other() -> None:
    found = notifications(MAIL, HOOK, warning=(MAIL,)).recorder.of_type(SUBSCRIPTION)
    heard = {
        (one.inputs["topic"].rsplit("-", 1)[-1], one.inputs["protocol"], one.inputs["endpoint"])
        for one in found
    }

    assert heard == {("critical", "email", MAIL), ("critical", "https", HOOK), ("warning", "email", MAIL)}


def test_the_order_of_listeners_does_not_matter() -> None:
    def names(*listeners: str) -> list[str]:
        return [one.name for one in notifications(*listeners).recorder.of_type(SUBSCRIPTION)]

    assert names(MAIL, HOOK) == names(HOOK, MAIL)
    assert set(names(HOOK)) < set(names(MAIL, HOOK))


def test_without_listeners_there_are_topics_alone() -> None:
    assert not notifications().recorder.of_type(SUBSCRIPTION)


@pytest.mark.parametrize(("endpoint", "expected"), [(MAIL, "email"), (HOOK, "https")])
def test_the_protocol_follows_from_the_endpoint(endpoint: str, expected: str) -> None:
    assert protocol(endpoint) == expected
