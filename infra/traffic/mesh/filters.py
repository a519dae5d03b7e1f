"""What Envoy can do and Istio's own kinds cannot say: EnvoyFilters, as few and as small as possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.cluster.labels import CANARY, STABLE
from infra.model.service import Service
from infra.traffic.mesh.routes import weighted_routes
from infra.traffic.mesh.site import MeshSite

_POLICIES = "envoy.load_balancing_policies"
_TYPES = "type.googleapis.com/envoy.extensions.load_balancing_policies"
LOAD_METRICS = ("cpu_utilization", "mem_utilization")
"""Fields of a pod's report of which the greater counts, unless it sums its load up itself."""
CALLER_CONTEXTS = ("SIDECAR_OUTBOUND", "GATEWAY")


def reported_load(service: Service, site: MeshSite) -> Mapping[str, Any]:
    """EnvoyFilter that weighs a service's pods by the load which they report with every answer (ORCA).

    DestinationRule knows no such algorithm. A pod without a report counts as the mean of the others; when none
    reports, the turns are equal. The second policy is for proxies that do not know the first.
    """
    weighted = {
        "@type": f"{_TYPES}.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin",
        "blackout_period": "10s",
        "weight_expiration_period": "60s",
        "weight_update_period": "1s",
        "error_utilization_penalty": 1.0,
        "metric_names_for_computing_utilization": list(LOAD_METRICS),
    }
    fallback = {"@type": f"{_TYPES}.least_request.v3.LeastRequest"}
    policies = [
        _policy("client_side_weighted_round_robin", weighted),
        _policy("least_request", fallback),
    ]
    return {
        "configPatches": [
            {
                "applyTo": "CLUSTER",
                "match": {
                    "context": context,
                    "cluster": {"service": site.host(service), "subset": subset, "portNumber": service.port},
                },
                "patch": {
                    "operation": "MERGE",
                    "value": {"load_balancing_policy": {"policies": policies}},
                },
            }
            for context in CALLER_CONTEXTS
            for subset in (STABLE, CANARY)
        ]
    }


def _policy(name: str, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"typed_extension_config": {"name": f"{_POLICIES}.{name}", "typed_config": configuration}}


def steady_shares(service: Service, site: MeshSite) -> Mapping[str, Any]:
    """EnvoyFilter that sends one client's requests to one version, for services with affinity and a canary.

    By itself, a route draws lots between stable and canary for every request, and a session would change sides.
    """
    value = {"route": {"weighted_clusters": {"use_hash_policy": True}}}
    return {"configPatches": [_route_patch(service, site, name, value) for name in weighted_routes(service)]}


def _route_patch(
    service: Service, site: MeshSite, route: str, value: Mapping[str, Any]
) -> Mapping[str, Sequence[Any] | Any]:
    vhost = {"name": f"{site.host(service)}:{service.port}", "route": {"name": route}}
    return {
        "applyTo": "HTTP_ROUTE",
        "match": {"context": "SIDECAR_OUTBOUND", "routeConfiguration": {"vhost": vhost}},
        "patch": {"operation": "MERGE", "value": value},
    }
