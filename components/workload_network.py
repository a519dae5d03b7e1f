"""Who may talk to a service's pods and whom they may talk to, as a NetworkPolicy."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes import meta, networking

from components.cluster_site import ClusterSite
from infra import ports
from infra.cluster.labels import selector_labels
from infra.model.service import Service

Ingress = networking.v1.NetworkPolicyIngressRuleArgs
Egress = networking.v1.NetworkPolicyEgressRuleArgs
Peer = networking.v1.NetworkPolicyPeerArgs
Port = networking.v1.NetworkPolicyPortArgs


def policy_spec(
    *, service: Service, site: ClusterSite, calls: Sequence[Service]
) -> networking.v1.NetworkPolicySpecArgs:
    """Rules of a service's pods; what is not listed is refused in both directions.

    Args:
        service: Who may call it (`called_by`) and which stores it uses.
        site: Neighbours in the cluster and ranges of the stores.
        calls: Services that it calls.
    """
    return networking.v1.NetworkPolicySpecArgs(
        pod_selector=meta.v1.LabelSelectorArgs(match_labels=selector_labels(service.workload_name)),
        policy_types=["Ingress", "Egress"],
        ingress=_ingress(service, site),
        egress=[*_platform_egress(site), *_store_egress(service, site), *_call_egress(service, calls)],
    )


def _tcp(*numbers: int) -> list[Port]:
    return [Port(protocol="TCP", port=number) for number in numbers]


def _namespace(name: str, **labels: str) -> Peer:
    selector = meta.v1.LabelSelectorArgs(match_labels=labels) if labels else None
    return Peer(
        namespace_selector=meta.v1.LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": name}),
        pod_selector=selector,
    )


def _pods(service_name: str) -> Peer:
    return Peer(pod_selector=meta.v1.LabelSelectorArgs(match_labels=selector_labels(service_name)))


def _range(cidr: pulumi.Input[str]) -> Peer:
    return Peer(ip_block=networking.v1.IPBlockArgs(cidr=cidr))


def _ingress(service: Service, site: ClusterSite) -> list[Ingress]:
    callers = [_pods(f"{caller}-service") for caller in sorted(service.called_by)]
    return [
        Ingress(from_=[_namespace(site.ingress_namespace), *callers], ports=_tcp(service.port)),
        Ingress(
            from_=[_namespace(site.monitoring_namespace)],
            ports=_tcp(service.metrics_port, *ports.SIDECAR_METRICS),
        ),
    ]


def _platform_egress(site: ClusterSite) -> list[Egress]:
    dns = _namespace("kube-system", **{"k8s-app": "kube-dns"})
    return [
        Egress(to=[dns], ports=[Port(protocol="UDP", port=ports.DNS), Port(protocol="TCP", port=ports.DNS)]),
        Egress(to=[_namespace(site.mesh_namespace, app="istiod")], ports=_tcp(ports.ISTIOD)),
        Egress(to=[_range(ports.POD_IDENTITY_ADDRESS)], ports=_tcp(ports.POD_IDENTITY_PORT)),
        # Interface endpoints of AWS services, e.g. Secrets Manager.
        Egress(to=[_range(site.vpc_cidr)], ports=_tcp(ports.HTTPS)),
    ]


def _store_egress(service: Service, site: ClusterSite) -> list[Egress]:
    direct: list[int] = []
    rules: list[Egress] = []
    if service.uses_database and site.pooler_namespace:
        rules.append(Egress(to=[_namespace(site.pooler_namespace)], ports=_tcp(ports.POOLER)))
    elif service.uses_database:
        direct.append(ports.POSTGRES)
    if service.caches:
        direct.append(ports.REDIS)
    if service.produces or service.consumption:
        direct.append(ports.KAFKA_IAM)
    if direct:
        rules.append(Egress(to=[_range(cidr) for cidr in site.data_cidrs], ports=_tcp(*direct)))
    return rules


def _call_egress(service: Service, calls: Sequence[Service]) -> list[Egress]:
    rules = [
        Egress(to=[_pods(called.workload_name)], ports=_tcp(called.port))
        for called in sorted(calls, key=lambda called: called.name)
    ]
    if service.calls_internet:
        everywhere = networking.v1.IPBlockArgs(cidr="0.0.0.0/0", except_=list(ports.PRIVATE_RANGES))
        rules.append(Egress(to=[Peer(ip_block=everywhere)], ports=_tcp(ports.HTTPS)))
    return rules
