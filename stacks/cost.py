"""What keeps a stack within its budget once it is built."""

from __future__ import annotations

from components.alarms import Alerting
from components.budget import Budget
from infra.model.stack import StackSettings
from infra.naming import StackContext
from infra.slo.severity import Severity


def build(*, context: StackContext, settings: StackSettings, alerting: Alerting) -> Budget:
    """Create the stack's budget; who hears of warnings is told of it: money can wait for the next working day."""
    return Budget(
        "budget",
        context=context,
        settings=settings.budget,
        topic_arn=alerting.topics[Severity.WARNING],
        owns_global=settings.edge.enabled,
    )
