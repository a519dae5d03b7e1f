"""How long clients keep asking a region that is out: the arithmetic of DNS failover."""

from __future__ import annotations

from collections.abc import Sequence

from infra.model.service import ErrorClass, Service

CHECK_INTERVAL_SECONDS = 10
"""How often each health checker asks; Route 53 offers 10 (fast) and 30 s."""
FAILURE_THRESHOLD = 3
"""Checks in a row that must disagree before an endpoint changes state (design: 10 s x 3 failures)."""
ALIAS_TTL_SECONDS = 60
"""TTL that Route 53 answers for an alias to a load balancer; it cannot be set."""
REGION_FAILOVER_OBJECTIVE_SECONDS = 120
"""Specification, recovery time objectives: region failover in under 2 minutes."""


def region_failover_seconds(
    *,
    interval_seconds: int = CHECK_INTERVAL_SECONDS,
    failures: int = FAILURE_THRESHOLD,
    ttl_seconds: int = ALIAS_TTL_SECONDS,
) -> int:
    """Longest time until no resolver sends a client to a failed region: detection, then one TTL."""
    return interval_seconds * failures + ttl_seconds


def decides_failover(service: Service) -> bool:
    """Whether a region without this service is out: its operations are critical ones.

    A region is not given up for reports or notifications, which have error budgets to spend.
    """
    return service.error_class is ErrorClass.CRITICAL


def failover_paths(services: Sequence[Service]) -> dict[str, str]:
    """Health path by name of each service that decides about its region."""
    return {service.name: service.health.path for service in services if decides_failover(service)}
