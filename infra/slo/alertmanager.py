"""Alertmanager's configuration: which alert goes to which SNS topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.slo.severity import Severity

NOBODY = "nobody"
REPEAT = {Severity.CRITICAL: "1h", Severity.WARNING: "24h"}
"""How soon an alert that is still on is said again."""
WAIT = {Severity.CRITICAL: "10s", Severity.WARNING: "1m"}
"""How long a group waits for more alerts of the same cause before it is said at all."""
SUBJECT = "{{ .Status | toUpper }} {{ .GroupLabels.alertname }} {{ .GroupLabels.service }} (%s)"
MESSAGE = """{{ range .Alerts }}{{ .Annotations.summary }}
{{ if .Annotations.runbook_url }}What to do: {{ .Annotations.runbook_url }}
{{ end }}{{ range .Labels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}
{{ end }}"""


def configuration(*, topics: Mapping[str, str], region: str, stack: str) -> dict[str, Any]:
    """The configuration as `alertmanager.yml` has it.

    Alerts of other severities (the chart's own `none` and `info`, its watchdog) reach nobody.

    Args:
        topics: ARN of the topic of each severity.
        region: AWS region of the topics.
        stack: What subjects call the stack, e.g. `parking-prod us-east-1`.

    Raises:
        ValueError: When a severity has no topic.
    """
    missing = [severity.value for severity in Severity if severity.value not in topics]
    if missing:
        raise ValueError(f"no topic for severity {', '.join(missing)}: its alerts would reach nobody")
    return {
        "global": {"resolve_timeout": "5m"},
        "route": {
            "receiver": NOBODY,
            "group_by": ["alertname", "service"],
            "group_interval": "5m",
            "routes": [_route(severity) for severity in Severity],
        },
        # Who has been woken for a service need not be told as well that the same alert burns slowly.
        "inhibit_rules": [
            {
                "source_matchers": [f'severity="{Severity.CRITICAL.value}"'],
                "target_matchers": [f'severity="{Severity.WARNING.value}"'],
                "equal": ["alertname", "service", "operation", "namespace"],
            }
        ],
        "receivers": [
            {"name": NOBODY},
            *(_receiver(severity, topics[severity.value], region, stack) for severity in Severity),
        ],
        "templates": [],
    }


def _route(severity: Severity) -> dict[str, Any]:
    return {
        "receiver": severity.value,
        "matchers": [f'severity="{severity.value}"'],
        "group_wait": WAIT[severity],
        "repeat_interval": REPEAT[severity],
    }


def _receiver(severity: Severity, topic_arn: str, region: str, stack: str) -> dict[str, Any]:
    return {
        "name": severity.value,
        "sns_configs": [
            {
                "topic_arn": topic_arn,
                "sigv4": {"region": region},
                "send_resolved": True,
                "subject": SUBJECT % stack,
                "message": MESSAGE,
                "attributes": {"severity": severity.value},
            }
        ],
    }
