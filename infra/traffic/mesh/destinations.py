"""How the mesh picks a pod of a service, how much it sends there, and when it stops: DestinationRules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from infra.cluster.labels import CANARY, STABLE
from infra.model.service import MeshAlgorithm, Service
from infra.traffic.mesh.site import MeshSite
from infra.traffic.routing import VIEWER_ADDRESS_HEADER
from infra.traffic.timeouts import CONNECT_SECONDS

CONCURRENT_USERS = 10_000
"""Specification, expected load: peak of concurrent users."""
SEASONAL_INCREASE_PERCENT = 40
"""Specification, expected load: increase during holiday periods."""
CALLING_PROXIES = 3
"""Limits hold for each calling proxy: the ingress controller's pods, one a zone at least."""
REQUESTS_PER_PROXY = (
    math.ceil(CONCURRENT_USERS * (100 + SEASONAL_INCREASE_PERCENT) / 100 / CALLING_PROXIES / 1000) * 1000
)
"""Requests that one proxy may have open to one service, were every user's to go there; whole thousands."""
PENDING_PER_PROXY = REQUESTS_PER_PROXY // 5
"""Of these, how many may wait for a connection: past it, failing at once serves everybody better."""
IDLE_SECONDS = 300
RETRY_BUDGET_PERCENT = 20.0
"""Retries may add a fifth to the load at most, so that they never feed an overload."""

ERRORS_IN_A_ROW = 5
EJECTION_SECONDS = 30
"""First ejection; each further one of the same pod is that much longer."""
SCAN_SECONDS = 10
EJECTED_PERCENT = 50
"""Half of the pods stay in whatever they answer: errors of all pods are not theirs but of what they depend on."""

RING_SIZE = 1024
"""Points on the hash ring at least: over ten for each of the most pods of any service."""


def destination_rule(service: Service, site: MeshSite) -> Mapping[str, Any]:
    """Specification of a service's DestinationRule."""
    return {
        "host": site.host(service),
        "trafficPolicy": {
            "loadBalancer": load_balancer(service),
            "connectionPool": {
                "tcp": {"maxConnections": REQUESTS_PER_PROXY, "connectTimeout": f"{CONNECT_SECONDS}s"},
                "http": {
                    "http1MaxPendingRequests": PENDING_PER_PROXY,
                    "http2MaxRequests": REQUESTS_PER_PROXY,
                    "idleTimeout": f"{IDLE_SECONDS}s",
                },
            },
            "retryBudget": {"percent": RETRY_BUDGET_PERCENT, "minRetryConcurrency": 3},
            "outlierDetection": {
                "consecutive5xxErrors": ERRORS_IN_A_ROW,
                "splitExternalLocalOriginErrors": True,
                "consecutiveLocalOriginFailures": ERRORS_IN_A_ROW,
                "interval": f"{SCAN_SECONDS}s",
                "baseEjectionTime": f"{EJECTION_SECONDS}s",
                "maxEjectionPercent": EJECTED_PERCENT,
            },
        },
        "subsets": [{"name": name, "labels": {"version": name}} for name in (STABLE, CANARY)],
    }


def load_balancer(service: Service) -> Mapping[str, Any]:
    """Load balancer settings of a service.

    Pods of the caller's zone come first only where the service asks for it; elsewhere all zones share one pool.
    A hash needs that: were each zone to see other pods, one client would reach other pods through other proxies.

    Raises:
        ValueError: When a service asks for a hash and for its own zone at once.
    """
    balancing = service.load_balancing
    hash_key = _hash_key(service)
    if hash_key and balancing.locality_affinity:
        raise ValueError(
            f"{service.name}: a consistent hash ({balancing.mesh.value}) and localityAffinity contradict each other"
        )
    locality = {"localityLbSetting": {"enabled": balancing.locality_affinity}}
    if hash_key:
        return {"consistentHash": {**hash_key, "ringHash": {"minimumRingSize": RING_SIZE}}, **locality}
    # Also below the resource-aware policy: what a proxy takes that does not know it.
    return {"simple": "LEAST_REQUEST", **locality}


def affinity_cookie(service: Service) -> str:
    """Name of the cookie that keeps a session on its pod."""
    return f"{service.name}-affinity"


def _hash_key(service: Service) -> Mapping[str, Any] | None:
    balancing = service.load_balancing
    if balancing.mesh is MeshAlgorithm.COOKIE_HASH:
        attributes = [{"name": "Secure"}, {"name": "HttpOnly"}, {"name": "SameSite", "value": "Lax"}]
        cookie = {
            "name": affinity_cookie(service),
            # No wider: a cookie on other services' requests would keep their answers out of the edge's cache.
            "path": service.path_prefixes[0],
            "ttl": f"{balancing.sticky_cookie_seconds or 0}s",
            "attributes": attributes,
        }
        return {"httpCookie": cookie}
    if balancing.mesh is MeshAlgorithm.CLIENT_ADDRESS_HASH:
        return {"httpHeaderName": VIEWER_ADDRESS_HEADER}
    return None


def is_hashed(service: Service) -> bool:
    """Whether requests of one client or session always reach the same pod."""
    return service.load_balancing.mesh in (MeshAlgorithm.COOKIE_HASH, MeshAlgorithm.CLIENT_ADDRESS_HASH)
