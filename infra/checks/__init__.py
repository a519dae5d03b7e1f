"""Checks over several settings, all of them before any resource is declared.

Pure: settings and the catalogue in, problems out. `check` runs every one, so a stack file's errors come at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from infra.checks import (
    caches,
    capacity,
    cluster,
    cost,
    database,
    network,
    observability,
    recovery,
    roles,
    services,
    streaming,
    traffic,
)
from infra.checks.subject import Subject
from infra.model.service import Service
from infra.model.stack import StackSettings
from infra.problems import Problem

__all__ = ["check"]


def check(
    settings: StackSettings, *, catalogue: tuple[Service, ...], other_ranges: Mapping[str, str]
) -> list[Problem]:
    """Every problem of a stack's settings.

    Args:
        settings: The stack's settings, each field valid by itself.
        catalogue: The services that the stack deploys.
        other_ranges: VPC range of every other stack, by stack name.
    """
    subject = Subject(settings=settings, catalogue=catalogue, other_ranges=other_ranges)
    return [problem for one in _CHECKS for problem in one(subject)]


def _traffic(subject: Subject) -> Iterator[Problem]:
    yield from traffic.traffic_problems(subject.settings, subject.catalogue)


_CHECKS: tuple[Callable[[Subject], Iterator[Problem]], ...] = (
    network.check_zones,
    network.check_ranges,
    roles.check_roles,
    cluster.check_kubernetes,
    cluster.check_pools,
    cluster.check_fit,
    network.check_addresses,
    database.check_database,
    database.check_connections,
    recovery.check_recovery,
    caches.check_caches,
    streaming.check_streaming,
    streaming.check_consumers,
    services.check_services,
    capacity.check_capacity,
    observability.check_listeners,
    _traffic,
    cost.check_purchasing,
    cost.check_budget,
)
