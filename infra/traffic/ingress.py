"""The ingress controller's part of a request's way as data: one virtual server, and a route and a limit per service.

F5's controller: an Ingress cannot rewrite the Host header, by which the mesh finds a service; its own kinds can.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.cluster.manifests import Manifest
from infra.model.service import Service
from infra.traffic.mesh import MeshSite
from infra.traffic.routing import VIEWER_ADDRESS_HEADER
from infra.traffic.timeouts import CONNECT_SECONDS, health_seconds, ingress_seconds

NGINX = "k8s.nginx.org/v1"
CERTIFICATES = "cert-manager.io/v1"
CLASS = "nginx"
NAME = "ingress"
"""Name of the virtual server, of its certificate and of its issuer."""
CERTIFICATE = "ingress-tls"
"""Secret with the key and certificate of the way from the load balancer."""
CERTIFICATE_HOURS = 90 * 24
RENEWAL_HOURS = 30 * 24
MAX_BODY = "1m"
"""Largest request body: all operations take small JSON documents."""
KEPT_CONNECTIONS = 32
"""Idle connections that each worker keeps to a service's sidecar."""
RATE_WINDOW_SECONDS = 300
"""Window of the regional web ACL's limit, which `rate_limit_per_5_minutes` counts in."""
BURST_SHARE = 10
"""A client may spend a tenth of its window at once; past it, only the window's mean rate goes on."""
JSON = "application/json"
ERROR_PAGES: tuple[tuple[tuple[int, ...], str], ...] = (
    ((413,), "request body too large"),
    ((429,), "too many requests"),
    ((502, 503), "service unavailable"),
    ((504,), "service did not answer in time"),
)
"""Statuses that NGINX or the mesh answers with, not the services, and what a client then reads."""


@dataclass(frozen=True, kw_only=True)
class _Upstream:
    """One way to a service: the same address, with other patience."""

    name: str
    read_seconds: int


def rate_per_second(service: Service) -> int:
    """Mean requests a second that the web ACL's window allows one client, rounded up."""
    return math.ceil(service.rate_limit_per_5_minutes / RATE_WINDOW_SECONDS)


def burst(service: Service) -> int:
    """Requests that a client may make at once."""
    return max(1, service.rate_limit_per_5_minutes // BURST_SHARE)


def plan(services: Sequence[Service], *, site: MeshSite, host: str) -> tuple[Manifest, ...]:
    """Every object of the ingress.

    Args:
        services: The catalogue as the stack runs it.
        site: Namespaces of the mesh.
        host: Name that CloudFront asks the region by.
    """
    return (
        _manifest(site, CERTIFICATES, "Issuer", "issuer", NAME, {"selfSigned": {}}),
        _manifest(site, CERTIFICATES, "Certificate", "certificate", NAME, _certificate(host)),
        _manifest(site, NGINX, "VirtualServer", "server", NAME, _server(services, site, host)),
        *(manifest for service in services for manifest in _of_service(service, site, host)),
    )


def _manifest(
    site: MeshSite, api_version: str, kind: str, key: str, name: str, spec: Mapping[str, Any]
) -> Manifest:
    return Manifest(
        key=key, api_version=api_version, kind=kind, namespace=site.namespace, name=name, spec=spec
    )


def _certificate(host: str) -> Mapping[str, Any]:
    """For the way from the load balancer, which encrypts and verifies no name: self-signed, renewed by itself."""
    return {
        "secretName": CERTIFICATE,
        "dnsNames": [host],
        "duration": f"{CERTIFICATE_HOURS}h",
        "renewBefore": f"{RENEWAL_HOURS}h",
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "usages": ["digital signature", "server auth"],
        "issuerRef": {"group": "cert-manager.io", "kind": "Issuer", "name": NAME},
    }


def _server(services: Sequence[Service], site: MeshSite, host: str) -> Mapping[str, Any]:
    """The one server on the TLS port, and so the one that answers whatever name is asked for.

    The load balancer's health checks ask by the pod's address. The controller's own default server listens
    elsewhere (`components.addon_ingress`).
    """
    delegated = [
        {"path": prefix, "route": f"{site.namespace}/{_route_name(service, index)}"}
        for service in services
        for index, prefix in enumerate(service.path_prefixes)
    ]
    unknown = {"code": 404, "type": JSON, "body": _body("not found")}
    return {
        "ingressClassName": CLASS,
        "host": host,
        "tls": {"secret": CERTIFICATE},
        "routes": [*delegated, {"path": "/", "action": {"return": unknown}}],
    }


def _route_name(service: Service, index: int) -> str:
    return service.workload_name if index == 0 else f"{service.workload_name}-{index}"


def _of_service(service: Service, site: MeshSite, host: str) -> Iterator[Manifest]:
    yield _manifest(site, NGINX, "Policy", f"{service.name}-limit", service.workload_name, _limit(service))
    for index, prefix in enumerate(service.path_prefixes):
        key = f"{service.name}-route" if index == 0 else f"{service.name}-route-{index}"
        spec = _route(service, site, host=host, prefix=prefix)
        yield _manifest(site, NGINX, "VirtualServerRoute", key, _route_name(service, index), spec)


def _limit(service: Service) -> Mapping[str, Any]:
    return {
        "ingressClassName": CLASS,
        "rateLimit": {
            "rate": f"{rate_per_second(service)}r/s",
            "key": "${binary_remote_addr}",
            "zoneSize": "10M",
            "burst": burst(service),
            "noDelay": True,
            "rejectCode": 429,
            "logLevel": "warn",
        },
    }


def _route(service: Service, site: MeshSite, *, host: str, prefix: str) -> Mapping[str, Any]:
    requests = _Upstream(name=service.name, read_seconds=ingress_seconds(service))
    health = _Upstream(name=f"{service.name}-health", read_seconds=health_seconds(service))
    upstreams, subroutes = [_upstream(service, requests)], [_requests(service, site, prefix, requests)]
    if service.health.path.startswith(f"{prefix}/"):
        upstreams.append(_upstream(service, health))
        subroutes.append(_health(service, site, health))
    return {"ingressClassName": CLASS, "host": host, "upstreams": upstreams, "subroutes": subroutes}


def _upstream(service: Service, upstream: _Upstream) -> Mapping[str, Any]:
    return {
        "name": upstream.name,
        "service": service.workload_name,
        "port": service.port,
        # One address a service: which pod serves is the mesh's choice.
        "use-cluster-ip": True,
        "keepalive": KEPT_CONNECTIONS,
        "connect-timeout": f"{CONNECT_SECONDS}s",
        "read-timeout": f"{upstream.read_seconds}s",
        "send-timeout": f"{upstream.read_seconds}s",
        "client-max-body-size": MAX_BODY,
        # Trying again is the mesh's part, which knows what is idempotent.
        "next-upstream": "off",
    }


def _requests(service: Service, site: MeshSite, prefix: str, upstream: _Upstream) -> Mapping[str, Any]:
    return {
        "path": prefix,
        "policies": [{"name": service.workload_name}],
        "action": _proxy(service, site, upstream),
        "errorPages": [
            {"codes": list(codes), "return": {"type": JSON, "body": _body(message)}}
            for codes, message in ERROR_PAGES
        ],
    }


def _health(service: Service, site: MeshSite, upstream: _Upstream) -> Mapping[str, Any]:
    # Without a limit, and with the service's own answer: those who ask here decide by it.
    return {"path": service.health.path, "action": _proxy(service, site, upstream)}


def _proxy(service: Service, site: MeshSite, upstream: _Upstream) -> Mapping[str, Any]:
    address = "${remote_addr}"
    headers = {
        "Host": site.host(service),
        # The address that NGINX resolved, alone: what a client wrote before it is not passed on.
        "X-Forwarded-For": address,
        VIEWER_ADDRESS_HEADER: address,
    }
    return {
        "proxy": {
            "upstream": upstream.name,
            "requestHeaders": {
                "pass": True,
                "set": [{"name": name, "value": value} for name, value in headers.items()],
            },
        }
    }


def _body(message: str) -> str:
    """A JSON document as the controller takes text: quotes escaped."""
    return f'{{\\"error\\":\\"{message}\\"}}'
