"""Which requests go to which service: the listener rules of a region, planned and checked before any exists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from infra.model.service import Service

ORIGIN_VERIFY_HEADER = "X-Origin-Verify"
"""Header by which the load balancer knows its own CloudFront distribution from everybody else's."""
VIEWER_ADDRESS_HEADER = "X-Viewer-Address"
"""Header with the address that connected to CloudFront; CloudFront overwrites what a client sends."""
FORWARDED_HOST_HEADER = "X-Forwarded-Host"
"""Header with the host name that the client asked for; the load balancer itself is asked for the origin's."""
CACHE_PARTITION_HEADER = "X-Cache-Partition"
"""Part of every API cache key: `anonymous`, or a request's own id when it carries credentials."""
BALANCER_COOKIES = ("AWSALB", "AWSALBCORS", "AWSALBTG", "AWSALBTGCORS")
"""Cookies by which load balancers keep a client on a target, with and without CORS; they say nothing of a person."""

MAX_ORIGIN_SECRETS = 3
"""Secrets accepted at once while one replaces another: previous, current and next."""
MAX_CONDITION_VALUES = 5
"""Values that AWS allows in all conditions of one listener rule."""
HEALTH_RULE_OFFSET = 20_000
"""Added to a service's priority for the rule of its health path."""
UNKNOWN_PATH_PRIORITY = 50_000
"""The last rule: a request of our own edge that no service serves; also AWS's highest priority."""


def api_domain(domain: str) -> str:
    """Name that clients use, answered by CloudFront."""
    return f"api.{domain}"


def origin_domain(domain: str) -> str:
    """Name that CloudFront asks, answered by the nearest healthy region's load balancer."""
    return f"origin.{domain}"


class RouteError(ValueError):
    """Services whose routes cannot be told apart, or that AWS would refuse."""


@dataclass(frozen=True, kw_only=True)
class RoutePlan:
    """One listener rule.

    Attributes:
        name: Key of the rule, unique and stable, e.g. `auth` or `auth-health`.
        service: Service that the rule forwards to.
        priority: Lower is asked first; 1 to 50,000.
        path_patterns: ALB path patterns; one of them must match.
        needs_secret: Whether the request must carry the origin secret.
    """

    name: str
    service: str
    priority: int
    path_patterns: tuple[str, ...]
    needs_secret: bool


def plan_routes(services: Sequence[Service]) -> tuple[RoutePlan, ...]:
    """Listener rules of a catalogue: one for each path prefix, and one for each health path.

    Args:
        services: The services, each with path prefixes and a rule priority.

    Returns:
        The rules by priority. Only those of health paths do without the origin secret.

    Raises:
        RouteError: When services share a name, a priority or a path, or a health path is outside its service.
    """
    _require_distinct_names(services)
    _require_disjoint_prefixes(services)
    _require_own_health_paths(services)
    rules = tuple(sorted(_rules(services), key=lambda rule: rule.priority))
    _require_distinct_priorities(rules)
    return rules


def _rules(services: Sequence[Service]) -> Iterator[RoutePlan]:
    for service in services:
        for index, prefix in enumerate(service.path_prefixes):
            yield RoutePlan(
                name=service.name if index == 0 else f"{service.name}-{index}",
                service=service.name,
                priority=service.rule_priority + index,
                path_patterns=(prefix, f"{prefix}/*"),
                needs_secret=True,
            )
        yield RoutePlan(
            name=f"{service.name}-health",
            service=service.name,
            priority=HEALTH_RULE_OFFSET + service.rule_priority,
            path_patterns=(service.health.path,),
            needs_secret=False,
        )


def _require_distinct_names(services: Sequence[Service]) -> None:
    names = [service.name for service in services]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RouteError(f"services named twice: {', '.join(twice)}; a name is the key of a target group")


def _require_disjoint_prefixes(services: Sequence[Service]) -> None:
    owned = sorted((prefix, service.name) for service in services for prefix in service.path_prefixes)
    for prefix, name in owned:
        if not prefix.startswith("/") or len(prefix) < 2 or prefix.endswith("/") or set("*?") & set(prefix):
            raise RouteError(
                f"path prefix {prefix!r} of {name}: write `/word`, without end slash or wildcard"
            )
    # Sorted, a prefix stands before everything that begins with it.
    for (prefix, name), (longer, other) in pairwise(owned):
        if longer.startswith(prefix):
            raise RouteError(
                f"path prefix {longer!r} of {other} begins with {prefix!r} of {name}: rate limits and cache "
                "rules match by prefix, so no prefix may begin with another"
            )


def _require_own_health_paths(services: Sequence[Service]) -> None:
    for service in services:
        if not any(service.health.path.startswith(f"{prefix}/") for prefix in service.path_prefixes):
            raise RouteError(
                f"health path {service.health.path!r} of {service.name} is under none of its path prefixes "
                f"{list(service.path_prefixes)}"
            )


def _require_distinct_priorities(rules: Sequence[RoutePlan]) -> None:
    taken: dict[int, str] = {}
    for rule in rules:
        limit = HEALTH_RULE_OFFSET if rule.needs_secret else UNKNOWN_PATH_PRIORITY
        if rule.priority >= limit:
            raise RouteError(
                f"rule {rule.name} would get priority {rule.priority}; a service's rulePriority and one more for "
                f"each further prefix must stay under {HEALTH_RULE_OFFSET}"
            )
        if rule.priority in taken:
            raise RouteError(
                f"rules {taken[rule.priority]} and {rule.name} both have priority {rule.priority}; a service takes "
                "its rulePriority and one more for each further prefix"
            )
        taken[rule.priority] = rule.name
