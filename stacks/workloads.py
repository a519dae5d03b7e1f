"""The services of a region on its cluster: workloads, mesh, autoscalers, identities, target bindings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pulumi

from components.addon_ingress import INGRESS_NAMESPACE, INGRESS_PORT
from components.addon_metrics import MONITORING_NAMESPACE, PROMETHEUS_ADDRESS
from components.autoscaling import Autoscaler, MetricSources
from components.cluster_site import ClusterSite
from components.encryption import Purpose
from components.head_room import HeadRoom
from components.load_balancer import LoadBalancer
from components.namespaces import PriorityClasses, WorkloadNamespace
from components.service_identity import Access, PodSite, ServiceIdentity
from components.target_binding import BoundService, TargetBinding
from components.workload import Images, Workload
from infra.addressing import Tier, plan
from infra.catalogue import callees, image_suffix, repository
from infra.data.pgbouncer import read_only_pool, role
from infra.model.service import Service
from infra.model.stack import StackSettings
from infra.naming import PROJECT, StackContext
from stacks import mesh, pooling
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.platform import Platform
from stacks.pooling import Pools, Writer

INGRESS = BoundService(namespace=INGRESS_NAMESPACE, name="nginx-ingress-controller", port=INGRESS_PORT)
"""The ingress controller's service, as its chart names it."""


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    services: tuple[Service, ...],
    foundation: Foundation,
    data: Data,
    platform: Platform,
    balancer: LoadBalancer,
    writer: Writer,
) -> Pools:
    """Create every service of the catalogue with its mesh, and bind the ingress controller to its target groups.

    Returns:
        The poolers, and what brought the schema up to date.
    """
    provider = platform.cluster.provider
    add_ons = platform.add_ons.ready
    namespace = WorkloadNamespace(
        "workloads", context=context, namespace=PROJECT, provider=provider, after=add_ons
    )
    mesh.build(
        context=context,
        settings=settings,
        services=services,
        platform=platform,
        namespace=namespace.namespace,
    )
    priorities = PriorityClasses("priorities", context=context, provider=provider)
    if settings.node_pools.head_room.pods:
        room = settings.node_pools.head_room
        HeadRoom("head-room", context=context, provider=provider, settings=room, after=add_ons)
    site = ClusterSite(
        provider=provider,
        namespace=namespace.namespace,
        vpc_cidr=settings.network.cidr,
        data_cidrs=[
            subnet.cidr
            for subnet in plan(vpc_cidr=settings.network.cidr, zones=settings.network.zones)
            if subnet.tier is Tier.DATABASE
        ],
        ingress_namespace=INGRESS_NAMESPACE,
        mesh_namespace=mesh.MESH_NAMESPACE,
        monitoring_namespace=MONITORING_NAMESPACE,
        after=(*add_ons, *priorities.ready),
        await_rollouts=False,
    )
    pools = pooling.build(
        context=context,
        settings=settings,
        services=services,
        foundation=foundation,
        data=data,
        site=site,
        writer=writer,
    )
    site = replace(site.waiting_for(*pools.migrated), pooler_namespace=mesh.POOLER_NAMESPACE)
    sources = MetricSources(
        prometheus_address=PROMETHEUS_ADDRESS, kafka_bootstrap_servers=data.streaming.bootstrap_brokers
    )
    for service in services:
        identity = _create_identity(
            service, context=context, site=site, foundation=foundation, data=data, platform=platform
        )
        workload = Workload(
            service.name,
            context=context,
            site=site.waiting_for(identity.association),
            service=service,
            images=_images(service, settings=settings, foundation=foundation),
            calls=callees(service, services),
            environment=_environment(service, data=data, pools=pools),
        )
        Autoscaler(
            f"{service.name}-autoscaler",
            context=context,
            site=site,
            service=service,
            deployment_name=workload.deployment_name,
            sources=sources,
        )
        TargetBinding(
            f"{service.name}-targets",
            context=context,
            provider=provider,
            service=INGRESS,
            target_group_arn=balancer.target_group_arns[service.name],
            after=platform.add_ons.ready,
        )
    return pools


def _images(service: Service, *, settings: StackSettings, foundation: Foundation) -> Images:
    own = settings.services[service.name]
    path = repository(service, own)
    place = f"{settings.registry}/{path}"
    if foundation.registries is not None:
        place = foundation.registries.repository_urls[path]
    return Images(
        stable=pulumi.Output.concat(place, image_suffix(own)),
        canary=pulumi.Output.concat(place, ":", own.canary_tag) if own.canary_tag else None,
    )


def _create_identity(
    service: Service,
    *,
    context: StackContext,
    site: ClusterSite,
    foundation: Foundation,
    data: Data,
    platform: Platform,
) -> ServiceIdentity:
    return ServiceIdentity(
        f"{service.name}-identity",
        context=context,
        service=service,
        pods=PodSite(cluster_name=platform.cluster.name, namespace=site.namespace),
        access=Access(
            kafka_cluster_arn=data.streaming.arn,
            secret_arns=_secrets(service, data=data),
            secrets_key_arn=foundation.keys.arn(Purpose.SECRETS),
        ),
    )


def _secrets(service: Service, *, data: Data) -> Mapping[str, pulumi.Input[str]]:
    """The secrets that are a service's own."""
    secrets: dict[str, pulumi.Input[str]] = {
        name: data.caches[name].secret_arns[service.name] for name in service.caches
    }
    if service.uses_database:
        secrets["database"] = data.users.secret_arns[role(service)]
    return secrets


def _environment(service: Service, *, data: Data, pools: Pools) -> Mapping[str, pulumi.Input[str]]:
    """Where a service finds its stores; never a secret's value, only where it is kept."""
    values: dict[str, pulumi.Input[str]] = {}
    if service.uses_database:
        values["DATABASE_PORT"] = pools.readers.port.apply(str)
        values["DATABASE_READER_HOST"] = pools.readers.host
        values["DATABASE_READER_NAME"] = read_only_pool(service)
        values["DATABASE_SECRET_ARN"] = data.users.secret_arns[role(service)]
    if service.writes_database:
        values["DATABASE_HOST"] = pools.writer.host
        values["DATABASE_NAME"] = role(service)
    for name in service.caches:
        prefix = name.upper().replace("-", "_")
        values[f"{prefix}_HOST"] = data.caches[name].endpoint
        values[f"{prefix}_PORT"] = str(data.caches[name].port)
        values[f"{prefix}_SECRET_ARN"] = data.caches[name].secret_arns[service.name]
    if service.produces or service.consumption:
        values["KAFKA_BOOTSTRAP_SERVERS"] = data.streaming.bootstrap_brokers
    return values
