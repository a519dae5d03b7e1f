"""Who may talk to whom in the mesh: mutual TLS, authorization, and what leaves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra import ports
from infra.cluster.labels import selector_labels
from infra.model.service import Service
from infra.traffic.mesh.site import MeshSite

STRICT: Mapping[str, Any] = {"mtls": {"mode": "STRICT"}}
DENY_ALL: Mapping[str, Any] = {}
"""An AuthorizationPolicy that allows nothing: what no other one allows is refused."""


def ingress_authentication(site: MeshSite) -> Mapping[str, Any]:
    """PeerAuthentication of the ingress controller's pods: strict but for the port where they speak TLS themselves.

    The load balancer has no identity in the mesh. Its traffic passes the sidecar by
    (`traffic.sidecar.istio.io/excludeInboundPorts`); this says the same to whoever reads policies, and keeps the
    port open should the annotation go.
    """
    return {
        "selector": {"matchLabels": dict(site.ingress_labels)},
        **STRICT,
        "portLevelMtls": {str(site.ingress_port): {"mode": "DISABLE"}},
    }


def authorization(service: Service, site: MeshSite) -> Mapping[str, Any]:
    """AuthorizationPolicy of a service: the ingress controller and its declared callers, on its paths and port.

    Nothing is said of metrics: that port passes the sidecar by, and the network policy admits Prometheus alone.
    """
    callers = [
        site.principal(site.ingress_account, site.ingress_namespace),
        *(site.principal(f"{caller}-service") for caller in sorted(service.called_by)),
    ]
    paths = [path for prefix in service.path_prefixes for path in (prefix, f"{prefix}/*")]
    return {
        "selector": {"matchLabels": dict(selector_labels(service.workload_name))},
        "action": "ALLOW",
        "rules": [
            {
                "from": [{"source": {"principals": callers}}],
                "to": [{"operation": {"ports": [str(service.port)], "paths": paths}}],
            }
        ],
    }


def aws_host(site: MeshSite) -> str:
    """Wildcard over the region's AWS endpoints, e.g. Secrets Manager's."""
    return f"*.{site.region}.amazonaws.com"


def external(hosts: Sequence[str]) -> Mapping[str, Any]:
    """ServiceEntry of HTTPS hosts outside the mesh: told apart by the name in the TLS handshake, never opened."""
    return {
        "hosts": list(hosts),
        "exportTo": ["."],
        "location": "MESH_EXTERNAL",
        "ports": [{"number": ports.HTTPS, "name": "tls", "protocol": "TLS"}],
        "resolution": "NONE",
    }


def service_sidecar(service: Service, site: MeshSite, calls: Sequence[Service]) -> Mapping[str, Any]:
    """Sidecar of a service's pods: they know whom they call, AWS and their hosts on the internet, and no one else.

    Where a service calls the internet without naming hosts, the network policy alone holds it to port 443.
    """
    hosts = [site.host(called) for called in sorted(calls, key=lambda called: called.name)]
    known = [f"./{host}" for host in (*hosts, aws_host(site), *service.internet_hosts)]
    if service.uses_database and site.pooler_namespace:
        known.append(f"{site.pooler_namespace}/*")
    anywhere = service.calls_internet and not service.internet_hosts
    return {
        "workloadSelector": {"labels": dict(selector_labels(service.workload_name))},
        "egress": [{"hosts": known}],
        "outboundTrafficPolicy": {"mode": "ALLOW_ANY" if anywhere else "REGISTRY_ONLY"},
    }


def ingress_sidecar(site: MeshSite) -> Mapping[str, Any]:
    """Sidecar of the ingress controller's pods: they know the services and the Kubernetes API."""
    return {
        "workloadSelector": {"labels": dict(site.ingress_labels)},
        "egress": [
            {"hosts": [f"{site.namespace}/*", "default/kubernetes.default.svc.cluster.local"]},
        ],
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
    }
