"""What a region is watched with: who is told, rules, dashboards, alarms, and a check from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.alarms import Alerting
from components.encryption import Purpose
from components.notifications import Notifications
from infra.model.stack import ObservabilitySettings, StackSettings
from infra.naming import StackContext
from infra.slo.severity import Severity
from stacks.foundation import Foundation


def create_alerting(*, context: StackContext, settings: StackSettings, foundation: Foundation) -> Alerting:
    """Create the topics that the region's alarms tell, before anything that has alarms."""
    notifications = Notifications(
        "notifications",
        context=context,
        key_arn=foundation.keys.arn(Purpose.NOTIFICATIONS),
        endpoints=listeners(settings.observability),
    )
    return Alerting(topics=notifications.topic_arns, runbooks=settings.observability.runbooks_url)


def listeners(settings: ObservabilitySettings) -> Mapping[Severity, Sequence[str]]:
    """Who hears which severity."""
    return {
        Severity.CRITICAL: settings.critical_endpoints,
        Severity.WARNING: settings.warning_endpoints,
    }
