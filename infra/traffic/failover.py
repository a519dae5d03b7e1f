"""How long each tier goes on asking what is out: regions, ingress pods, service pods."""

from __future__ import annotations

from collections.abc import Sequence

from infra.model.service import ErrorClass, HealthCheck, Service
from infra.traffic.timeouts import other_ms

CHECK_INTERVAL_SECONDS = 10
"""How often each health checker asks; Route 53 offers 10 (fast) and 30 s."""
FAILURE_THRESHOLD = 3
"""Checks in a row that must disagree before an endpoint changes state (design: 10 s x 3 failures)."""
ALIAS_TTL_SECONDS = 60
"""TTL that Route 53 answers for an alias to a load balancer; it cannot be set."""
REGION_FAILOVER_OBJECTIVE_SECONDS = 120
"""Specification, recovery time objectives: region failover in under 2 minutes."""

SERVICE_RESTART_OBJECTIVE_SECONDS = 30
"""Specification, recovery time objectives: service restart in under 30 seconds."""


def region_failover_seconds(
    *,
    interval_seconds: int = CHECK_INTERVAL_SECONDS,
    failures: int = FAILURE_THRESHOLD,
    ttl_seconds: int = ALIAS_TTL_SECONDS,
) -> int:
    """Longest time until no resolver sends a client to a failed region: detection, then one TTL."""
    return interval_seconds * failures + ttl_seconds


def target_failover_seconds(health: HealthCheck) -> int:
    """Longest time until the load balancer leaves out an ingress pod that died without a word, e.g. with its node.

    A pod that leaves in order is taken out at once, by the controller that registered it.
    """
    return health.interval_seconds * health.unhealthy_threshold + health.timeout_seconds


def ejection_seconds(service: Service) -> float:
    """Longest time until a calling proxy leaves out a pod that hangs, with enough requests under way to notice.

    Errors are counted as they come, so a pod that answers wrongly is out after so many requests as a row of errors
    has; one that answers nothing is out when the slowest of them is given up.
    """
    return other_ms(service) / 1000


def endpoint_failover_seconds(*, period_seconds: int, failures: int, timeout_seconds: int) -> int:
    """Longest time until Kubernetes takes a pod whose health path fails out of its service."""
    return period_seconds * failures + timeout_seconds


def decides_failover(service: Service) -> bool:
    """Whether a region without this service is out: its operations are critical ones.

    A region is not given up for reports or notifications, which have error budgets to spend.
    """
    return service.error_class is ErrorClass.CRITICAL


def failover_paths(services: Sequence[Service]) -> dict[str, str]:
    """Health path by name of each service that decides about its region."""
    return {service.name: service.health.path for service in services if decides_failover(service)}


WRITER_TTL_SECONDS = 5
"""TTL of the writer's name; the poolers ask again at the end of it, so it counts whole in a failover."""


def private_domain(environment: str) -> str:
    """Private zone that every region of an environment sees; below it are names that follow the writer."""
    return f"database.{environment}.internal"


def writer_name(environment: str) -> str:
    """Name under which every region reaches the writer."""
    return f"writer.{private_domain(environment)}"
