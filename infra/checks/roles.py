"""Which stack is what to the others."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.subject import Subject
from infra.model.stack import Role, StackSettings
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
            why="the database of a primary follows no other",
            action="remove parking:primaryStack, or set parking:role to secondary",
        )
    yield from _check_edge_stack(settings)


def _check_edge_stack(settings: StackSettings) -> Iterator[Problem]:
    if settings.edge.enabled and settings.edge_stack is not None:
        yield Problem(
            key="parking:edgeStack",
            found=settings.edge_stack,
            allowed="nothing, in the stack that owns the edge",
            why="an environment has one edge",
            action="remove parking:edgeStack, or set parking:edge.enabled to false",
        )
    if not settings.edge.enabled and settings.global_stack is None:
        yield Problem(
            key="parking:edgeStack",
            found="nothing",
            allowed="the name of the stack that owns the environment's edge, e.g. prod",
            why="zone, writer's name and passwords of the environment are its",
            action="add parking:edgeStack, or set parking:edge.enabled to true",
        )
    if settings.edge.enabled and settings.peer_stacks:
        yield Problem(
            key="parking:peerStacks",
            found=", ".join(settings.peer_stacks),
            allowed="nothing, in the stack that owns the edge",
            why="it is applied first: every other region connects itself to it",
            action="name this stack, or nothing, in the others' parking:peerStacks",
        )
