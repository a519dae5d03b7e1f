"""How a pod leaves: it serves until nobody sends to it any more, then ends what it has begun."""

from __future__ import annotations

from infra.model.service import Service
from infra.traffic.timeouts import other_ms

DRAIN_MARGIN_SECONDS = 5
"""How much longer a pod serves than the load balancer's deregistration delay."""


def pre_stop_seconds(service: Service) -> int:
    """How long a leaving pod still serves: until every tier before it has stopped sending."""
    return service.load_balancing.deregistration_delay_seconds + DRAIN_MARGIN_SECONDS


def least_grace_seconds(service: Service) -> float:
    """What a termination grace must exceed: the drain, then the longest that the mesh waits for an answer."""
    return pre_stop_seconds(service) + other_ms(service) / 1000


def grace_is_enough(service: Service) -> bool:
    """Whether the termination grace cuts no request."""
    return service.termination_grace_seconds > least_grace_seconds(service)


def explain_grace(service: Service) -> str:
    """The least grace of a service, and of what it consists."""
    return (
        f"{least_grace_seconds(service):g} s: {service.load_balancing.deregistration_delay_seconds} s "
        f"deregistration, {DRAIN_MARGIN_SECONDS} s margin and {other_ms(service) / 1000:g} s of the slowest request"
    )
