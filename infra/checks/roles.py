"""Which stack is what to the others."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.subject import Subject
from infra.model.stack import Role
from infra.problems import Problem


def check_roles(subject: Subject) -> Iterator[Problem]:
    """A secondary names its primary, a primary names none."""
    settings = subject.settings
    if settings.role is Role.SECONDARY and settings.primary_stack is None:
        yield Problem(
            key="parking:primaryStack",
            found="nothing",
            allowed="the name of the primary's stack, e.g. prod",
            why="a secondary region reads the primary's outputs",
            action="add parking:primaryStack, or set parking:role to primary",
        )
    if settings.role is Role.PRIMARY and settings.primary_stack is not None:
        yield Problem(
            key="parking:primaryStack",
            found=settings.primary_stack,
            allowed="nothing, in a primary stack",
            why="a primary reads no other stack; two would wait for each other",
            action="remove parking:primaryStack, or set parking:role to secondary",
        )
