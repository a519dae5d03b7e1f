"""How long each tier waits for the next, in one place.

Answers: an outer tier waits longer than the one behind it, so that who gives up first is who knows why, and
nobody works for a caller that has gone. Idle connections: who sends on a connection forgets it before who
receives closes it, so that no request is written to a closed one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from infra.model.service import Objective, Service

CLOUDFRONT_RESPONSE_SECONDS = 60
"""CloudFront's wait for an answer of the origin; the most without a quota increase."""
LOAD_BALANCER_IDLE_SECONDS = 45
"""The load balancer's wait for an answer, and its idle connections' life on both sides."""
CLOUDFRONT_KEEP_ALIVE_SECONDS = 30
INGRESS_KEEP_ALIVE_SECONDS = 60
INGRESS_MARGIN_SECONDS = 5
"""How much longer the ingress controller waits than the mesh's slowest route: time for the mesh to say so."""
CONNECT_SECONDS = 5
"""For a TCP connection inside the region, at every tier."""

TIMEOUT_FACTOR = 4
"""The mesh gives an operation up after so many times its objective: past the emergency threshold (2 x objective)."""
SHORTEST_TIMEOUT_MS = 1000
"""Under this, one pause of garbage collection would fail a request."""
OTHER_TIMEOUT_MS = 10_000
"""For paths without an objective of their own."""
RETRIES = 2
"""Further tries of an idempotent request; each gets an equal part of the timeout, which still exceeds the objective."""


def operation_ms(objective: Objective) -> int:
    """When the mesh gives an operation up, in milliseconds."""
    return objective.timeout_ms or max(TIMEOUT_FACTOR * objective.target_ms, SHORTEST_TIMEOUT_MS)


def try_ms(timeout_ms: int) -> int:
    """How long one try of a request that may be retried takes at most, in milliseconds."""
    return timeout_ms // (RETRIES + 1)


def other_ms(service: Service) -> int:
    """When the mesh gives up a request for a path without an objective, in milliseconds."""
    return max((OTHER_TIMEOUT_MS, *map(operation_ms, service.objectives)))


def health_seconds(service: Service) -> int:
    """When the mesh gives up a health check: before tier 2, which so learns a status and not a silence."""
    return service.health.timeout_seconds - 1


def ingress_seconds(service: Service) -> int:
    """How long the ingress controller waits for an answer of a service."""
    return math.ceil(other_ms(service) / 1000) + INGRESS_MARGIN_SECONDS


@dataclass(frozen=True, kw_only=True)
class Wait:
    """A tier's patience.

    Attributes:
        who: Which tier waits, in people's words.
        seconds: How long.
    """

    who: str
    seconds: float


def answers(service: Service) -> tuple[Wait, ...]:
    """Who waits for a service's answers, from CloudFront inwards; each must wait longer than the next."""
    return (
        Wait(who="CloudFront's response timeout", seconds=CLOUDFRONT_RESPONSE_SECONDS),
        Wait(who="the load balancer's idle timeout", seconds=LOAD_BALANCER_IDLE_SECONDS),
        Wait(who=f"the ingress controller's wait for {service.name}", seconds=ingress_seconds(service)),
        Wait(who=f"the mesh's longest wait for {service.name}", seconds=other_ms(service) / 1000),
    )


def operation(objective: Objective) -> tuple[Wait, ...]:
    """Who waits for one operation, from the mesh inwards: a timeout under the objective would break it by itself."""
    patience = operation_ms(objective)
    one_try = try_ms(patience) if objective.is_idempotent else patience
    return (
        Wait(who=f"the mesh's wait for one try of {objective.operation}", seconds=one_try / 1000),
        Wait(who=f"the objective of {objective.operation}", seconds=objective.target_ms / 1000),
    )


def health_checks(service: Service) -> tuple[Wait, ...]:
    """Who waits for a health path, from tier 2 inwards."""
    return (
        Wait(
            who=f"the load balancer's health check of {service.name}", seconds=service.health.timeout_seconds
        ),
        Wait(who=f"the mesh's timeout of {service.health.path}", seconds=health_seconds(service)),
    )


def idle_connections() -> tuple[Wait, ...]:
    """Who keeps idle connections, from the inside outwards: who receives keeps them longer than who sends."""
    return (
        Wait(who="the ingress controller's keep-alive", seconds=INGRESS_KEEP_ALIVE_SECONDS),
        Wait(who="the load balancer's idle timeout", seconds=LOAD_BALANCER_IDLE_SECONDS),
        Wait(who="CloudFront's keep-alive", seconds=CLOUDFRONT_KEEP_ALIVE_SECONDS),
    )


def impatient(waits: Sequence[Wait]) -> Iterator[tuple[Wait, Wait]]:
    """Neighbours of which the first does not wait longer than the second."""
    return ((outer, inner) for outer, inner in pairwise(waits) if outer.seconds <= inner.seconds)
