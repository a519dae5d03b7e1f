"""The ingress controller and the issuer of its certificate as add-ons: F5's nginx-ingress and cert-manager."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from components.addon_contract import AddOn, AddOnSizes, IngressTraffic
from infra.cluster import versions
from infra.traffic.timeouts import CONNECT_SECONDS, INGRESS_KEEP_ALIVE_SECONDS

INGRESS_NAMESPACE = "nginx-ingress"
INGRESS_ACCOUNT = "nginx-ingress"
INGRESS_LABELS: Mapping[str, str] = {"app.kubernetes.io/name": "nginx-ingress"}
"""Labels of the controller's pods, as its chart sets them."""
INGRESS_PORT = 443
CERTIFICATES_NAMESPACE = "cert-manager"
READINESS_PORT = 8081
METRICS_PORT = 9113
UNUSED_PORT = 9443
"""Where the controller's own default server listens, unreachable: on the TLS port, ours answers for any host."""
CLIENT_SECONDS = 10
"""For a client's headers, and between two pieces of its body: the load balancer sends both at once."""
REQUESTS_PER_CONNECTION = 10_000
STOP_MARGIN_SECONDS = 10
_LOG = {
    "time": "$time_iso8601",
    "client": "$remote_addr",
    "hop": "$realip_remote_addr",
    "method": "$request_method",
    "path": "$uri",
    "status": "$status",
    "seconds": "$request_time",
    "service": "$service",
    "trace": "$http_x_amzn_trace_id",
}
"""A line of the access log; query strings are left out, for they name people."""


def cert_manager(sizes: AddOnSizes, *, node_selector: Mapping[str, str]) -> AddOn:
    """cert-manager, which signs the certificate that the load balancer speaks TLS to.

    Args:
        sizes: Replicas of each controller.
        node_selector: Labels of the nodes it runs on.
    """
    part = {"replicaCount": sizes.replicas, "nodeSelector": node_selector}
    values: dict[str, Any] = {
        **part,
        "crds": {"enabled": True},
        "podDisruptionBudget": {"enabled": sizes.replicas > 1, "minAvailable": 1},
        "webhook": part,
        "cainjector": part,
        "startupapicheck": {"nodeSelector": node_selector},
    }
    return AddOn(
        name="cert-manager", chart=versions.CERT_MANAGER, namespace=CERTIFICATES_NAMESPACE, values=values
    )


def nginx_ingress(sizes: AddOnSizes, *, traffic: IngressTraffic, node_selector: Mapping[str, str]) -> AddOn:
    """F5's NGINX ingress controller, in the mesh for what it sends, outside it for what the load balancer sends.

    Args:
        sizes: Replicas of the ingress.
        traffic: Whom it believes, and how long requests and their drain take.
        node_selector: Labels of the nodes it runs on.
    """
    controller: dict[str, Any] = {
        "kind": "deployment",
        "replicaCount": sizes.ingress_replicas,
        **_placement(node_selector),
        "ingressClass": {"name": "nginx", "create": True, "setAsDefaultIngress": True},
        # The load balancer reaches pods by a target group binding, so no load balancer is asked for here.
        "service": {
            "create": True,
            "type": "ClusterIP",
            "externalTrafficPolicy": "",
            "httpPort": {"enable": False},
        },
        "serviceAccount": {"name": INGRESS_ACCOUNT},
        "defaultHTTPSListenerPort": UNUSED_PORT,
        "enableSnippets": False,
        "reportIngressStatus": {"enable": False},
        "telemetryReporting": {"enable": False},
        "healthStatus": True,
        "readyStatus": {"enable": True, "port": READINESS_PORT},
        "podDisruptionBudget": {"enabled": sizes.ingress_replicas > 1, "maxUnavailable": 1},
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        **_departure(traffic),
        "pod": {"annotations": _mesh_annotations()},
        "config": {"entries": _configuration(traffic)},
    }
    values = {"controller": controller, "prometheus": {"create": True, "port": METRICS_PORT}}
    return AddOn(
        name="nginx-ingress", chart=versions.NGINX_INGRESS, namespace=INGRESS_NAMESPACE, values=values
    )


def _placement(node_selector: Mapping[str, str]) -> Mapping[str, Any]:
    """Even over zones and nodes, as a wish: a demand would stop a zone from taking over for another."""
    chosen = {"labelSelector": {"matchLabels": dict(INGRESS_LABELS)}}
    term = {"weight": 100, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", **chosen}}
    return {
        "nodeSelector": node_selector,
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", **chosen}
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}},
        # Kubernetes' own class: the services' classes are made after the add-ons.
        "priorityClassName": "system-cluster-critical",
    }


def _departure(traffic: IngressTraffic) -> Mapping[str, Any]:
    """A leaving pod serves until the load balancer has let go of it, then ends what it has begun."""
    grace = traffic.drain_seconds + traffic.request_seconds + STOP_MARGIN_SECONDS
    return {
        "lifecycle": {"preStop": {"sleep": {"seconds": traffic.drain_seconds}}},
        "terminationGracePeriodSeconds": grace,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        },
    }


def _mesh_annotations() -> Mapping[str, str]:
    """The load balancer speaks TLS to NGINX itself; Prometheus and the kubelet are outside the mesh.

    Through the sidecar, every connection would seem to come from the pod itself, and no hop could be told apart.
    """
    past = (INGRESS_PORT, READINESS_PORT, METRICS_PORT)
    return {"traffic.sidecar.istio.io/excludeInboundPorts": ",".join(str(port) for port in past)}


def _configuration(traffic: IngressTraffic) -> Mapping[str, str]:
    """Entries of the controller's ConfigMap.

    The load balancer leaves X-Forwarded-For as CloudFront wrote it, whose last address is the one that connected
    to CloudFront. So the header is believed from the load balancer's subnets alone, and its last address alone.
    """
    return {
        "set-real-ip-from": ",".join(traffic.trusted_hops),
        "real-ip-header": "X-Forwarded-For",
        "real-ip-recursive": "False",
        "server-tokens": "False",
        "ssl-protocols": "TLSv1.2 TLSv1.3",
        "keepalive-timeout": f"{INGRESS_KEEP_ALIVE_SECONDS}s",
        "keepalive-requests": str(REQUESTS_PER_CONNECTION),
        "proxy-connect-timeout": f"{CONNECT_SECONDS}s",
        "worker-shutdown-timeout": f"{traffic.request_seconds}s",
        "http-snippets": "\n".join(
            (
                f"client_header_timeout {CLIENT_SECONDS}s;",
                f"client_body_timeout {CLIENT_SECONDS}s;",
                "reset_timedout_connection on;",
            )
        ),
        "log-format-escaping": "json",
        "log-format": json.dumps(_LOG),
    }
