"""Who is told when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.subject import Subject
from infra.model.stack import Environment
from infra.problems import Problem


def check_listeners(subject: Subject) -> Iterator[Problem]:
    """Somebody is called when production hurts its users."""
    settings = subject.settings
    if settings.environment is Environment.PROD and not settings.observability.critical_endpoints:
        yield Problem(
            key="parking:observability.criticalEndpoints",
            found="none, in production",
            allowed="at least one e-mail address or https:// address",
            why="critical alerts would be published to a topic that nobody hears",
            action="name whom to call, e.g. on-call@example.com, or the address of your paging service",
        )
