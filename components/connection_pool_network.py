"""Who may talk to a pooler's pods and whom they may talk to, as a NetworkPolicy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes import meta, networking

from components.connection_pool_pod import EXPORTER_PORT
from infra import ports

_Ingress = networking.v1.NetworkPolicyIngressRuleArgs
_Egress = networking.v1.NetworkPolicyEgressRuleArgs
_Peer = networking.v1.NetworkPolicyPeerArgs
_Port = networking.v1.NetworkPolicyPortArgs


def network_policy_spec(
    *,
    pods: Mapping[str, str],
    clients: str,
    mesh: str,
    monitoring: str,
    data_cidrs: Sequence[pulumi.Input[str]],
) -> networking.v1.NetworkPolicySpecArgs:
    """Rules of a pooler's pods; what is not listed is refused in both directions.

    Args:
        pods: Labels of the pods.
        clients: Namespace that may connect.
        mesh: Namespace of istiod.
        monitoring: Namespace of Prometheus.
        data_cidrs: Ranges of the subnets with the servers.
    """
    return networking.v1.NetworkPolicySpecArgs(
        pod_selector=meta.v1.LabelSelectorArgs(match_labels=pods),
        policy_types=["Ingress", "Egress"],
        ingress=[
            _Ingress(from_=[_namespace(clients)], ports=_tcp(ports.POOLER)),
            _Ingress(from_=[_namespace(monitoring)], ports=_tcp(EXPORTER_PORT, *ports.SIDECAR_METRICS)),
        ],
        egress=[
            _Egress(
                to=[_namespace("kube-system", **{"k8s-app": "kube-dns"})],
                ports=[_Port(protocol="UDP", port=ports.DNS), *_tcp(ports.DNS)],
            ),
            _Egress(to=[_namespace(mesh, app="istiod")], ports=_tcp(ports.ISTIOD)),
            _Egress(
                to=[_Peer(ip_block=networking.v1.IPBlockArgs(cidr=cidr)) for cidr in data_cidrs],
                ports=_tcp(ports.POSTGRES),
            ),
        ],
    )


def _tcp(*numbers: int) -> list[_Port]:
    return [_Port(protocol="TCP", port=number) for number in numbers]


def _namespace(name: str, **labels: str) -> _Peer:
    return _Peer(
        namespace_selector=meta.v1.LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": name}),
        pod_selector=meta.v1.LabelSelectorArgs(match_labels=labels) if labels else None,
    )
