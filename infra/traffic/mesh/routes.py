"""What the mesh does with a request of a service: its share of the canary, its timeout, its retries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.cluster.labels import CANARY, STABLE
from infra.model.service import Objective, Service
from infra.traffic.mesh.site import MeshSite
from infra.traffic.timeouts import RETRIES, health_seconds, operation_ms, other_ms, try_ms

HEALTH_ROUTE = "health"
READS_ROUTE = "other-reads"
OTHER_ROUTE = "other"
IDEMPOTENT_METHODS = ("GET", "HEAD", "OPTIONS")
RETRY_ON = "connect-failure,refused-stream,reset,gateway-error"
"""Failures of the way and answers that no application gives by intent (502, 503, 504)."""
NO_RETRIES: Mapping[str, Any] = {"attempts": 0}
"""Said out loud: left out, Istio would retry every method twice."""


def virtual_service(service: Service, site: MeshSite) -> Mapping[str, Any]:
    """Specification of a service's VirtualService: its health path, its operations, then everything else."""
    # The longest path first, for a path also matches what lies below it.
    operations = sorted(service.objectives, key=lambda objective: (-len(objective.path), objective.operation))
    return {
        "hosts": [site.host(service)],
        "gateways": ["mesh"],
        "http": [
            _health(service, site),
            *(_operation(service, site, objective) for objective in operations),
            *_others(service, site),
        ],
    }


def weighted_routes(service: Service) -> tuple[str, ...]:
    """Names of the routes that share requests between stable and canary."""
    return (*(objective.operation for objective in service.objectives), READS_ROUTE, OTHER_ROUTE)


def _health(service: Service, site: MeshSite) -> Mapping[str, Any]:
    return {
        "name": HEALTH_ROUTE,
        "match": [{"uri": {"exact": service.health.path}}],
        # A canary that fails must not take the region out; a failed check is news, not something to try again.
        "route": [_destination(service, site, STABLE)],
        "timeout": f"{health_seconds(service)}s",
        "retries": NO_RETRIES,
    }


def _operation(service: Service, site: MeshSite, objective: Objective) -> Mapping[str, Any]:
    method = {"exact": objective.method}
    timeout = operation_ms(objective)
    return {
        "name": objective.operation,
        "match": [
            {"uri": {"exact": objective.path}, "method": method},
            {"uri": {"prefix": f"{objective.path}/"}, "method": method},
        ],
        "route": _shares(service, site),
        "timeout": f"{timeout}ms",
        "retries": _retries(timeout) if objective.is_idempotent else NO_RETRIES,
    }


def _others(service: Service, site: MeshSite) -> Sequence[Mapping[str, Any]]:
    timeout = other_ms(service)
    reads = {
        "name": READS_ROUTE,
        "match": [{"method": {"exact": method}} for method in IDEMPOTENT_METHODS],
        "route": _shares(service, site),
        "timeout": f"{timeout}ms",
        "retries": _retries(timeout),
    }
    rest = {
        "name": OTHER_ROUTE,
        "route": _shares(service, site),
        "timeout": f"{timeout}ms",
        "retries": NO_RETRIES,
    }
    return reads, rest


def _retries(timeout_ms: int) -> Mapping[str, Any]:
    return {
        "attempts": RETRIES,
        "perTryTimeout": f"{try_ms(timeout_ms)}ms",
        "retryOn": RETRY_ON,
        # Else a service that hashes would be tried again on the pod that just failed.
        "retryIgnorePreviousHosts": True,
        "retryRemoteLocalities": True,
    }


def _shares(service: Service, site: MeshSite) -> Sequence[Mapping[str, Any]]:
    stable, canary = _destination(service, site, STABLE), _destination(service, site, CANARY)
    if service.canary_percent == 0:
        return [stable]
    return [
        {**stable, "weight": 100 - service.canary_percent},
        {**canary, "weight": service.canary_percent},
    ]


def _destination(service: Service, site: MeshSite, subset: str) -> Mapping[str, Any]:
    return {"destination": {"host": site.host(service), "subset": subset, "port": {"number": service.port}}}
