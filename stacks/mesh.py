"""The mesh of a region and the way into it: Istio's objects, the ingress, and what the ingress controller needs."""

from __future__ import annotations

import pulumi

from components.addon_contract import IngressTraffic
from components.addon_ingress import INGRESS_ACCOUNT, INGRESS_LABELS, INGRESS_NAMESPACE, INGRESS_PORT
from components.custom_objects import MeshTarget
from components.ingress import Ingress
from components.mesh import Mesh
from infra.addressing import Tier, plan
from infra.model.service import Service
from infra.model.stack import StackSettings
from infra.naming import StackContext
from infra.traffic.drain import pre_stop_seconds
from infra.traffic.mesh import MeshSite
from infra.traffic.routing import origin_domain
from infra.traffic.timeouts import ingress_seconds
from stacks.platform import Platform

MESH_NAMESPACE = "istio-system"
POOLER_NAMESPACE = "pooling"


def traffic(*, settings: StackSettings, services: tuple[Service, ...]) -> IngressTraffic:
    """What the ingress controller must know before the services are there."""
    subnets = plan(vpc_cidr=settings.network.cidr, zones=settings.network.zones)
    return IngressTraffic(
        trusted_hops=[subnet.cidr for subnet in subnets if subnet.tier is Tier.PUBLIC],
        drain_seconds=max(map(pre_stop_seconds, services)),
        request_seconds=max(map(ingress_seconds, services)),
    )


def site(settings: StackSettings) -> MeshSite:
    """Namespaces and identities of a region's mesh."""
    return MeshSite(
        region=settings.region,
        root_namespace=MESH_NAMESPACE,
        ingress_namespace=INGRESS_NAMESPACE,
        ingress_account=INGRESS_ACCOUNT,
        ingress_labels=INGRESS_LABELS,
        ingress_port=INGRESS_PORT,
        pooler_namespace=POOLER_NAMESPACE,
    )


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    services: tuple[Service, ...],
    platform: Platform,
    namespace: pulumi.Input[str],
) -> None:
    """Create the objects of the mesh and the ingress.

    Args:
        context: Names, tags and protection of the stack.
        settings: Settings of the stack.
        services: The services as this stack runs them.
        platform: Cluster and add-ons.
        namespace: Name of the created namespace of the services.
    """
    target = MeshTarget(
        provider=platform.cluster.provider,
        site=site(settings),
        namespace=namespace,
        after=platform.add_ons.ready,
    )
    Mesh("mesh", context=context, target=target, services=services)
    Ingress(
        "ingress",
        context=context,
        target=target,
        services=services,
        host=origin_domain(settings.edge.domain),
    )
