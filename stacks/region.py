"""What one region deploys, from the ground up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.alarms import Alerting
from components.cluster import Cluster
from components.load_balancer import LoadBalancer
from infra.catalogue import resolve
from infra.model.service import Service
from infra.model.stack import Role, StackSettings
from infra.naming import StackContext
from infra.traffic.routing import api_domain, origin_domain
from stacks import (
    contract,
    data,
    edge,
    foundation,
    mesh,
    observability,
    outputs,
    platform,
    traffic,
    workloads,
)
from stacks.contract import Primary
from stacks.data import Data
from stacks.edge import GlobalNames
from stacks.foundation import Foundation
from stacks.observability import Watched
from stacks.pooling import Writer


class MissingZoneError(pulumi.RunError):
    """A region with neither an edge of its own nor a primary to take the zone from."""


def deploy(settings: StackSettings, *, catalogue: tuple[Service, ...]) -> None:
    """Build a stack: one region of an environment.

    Args:
        settings: Checked settings of the stack.
        catalogue: The services to run.
    """
    context = StackContext(
        environment=settings.environment,
        region=settings.region,
        role=settings.role,
        owner=settings.owner,
        cost_centre=settings.cost_centre,
        protect=settings.deletion_protection,
    )
    services = tuple(resolve(service, settings.services[service.name]) for service in catalogue)
    primary = Primary(stack=settings.primary_stack) if settings.primary_stack else None

    ground = foundation.build(context=context, settings=settings, services=services)
    alerting = observability.create_alerting(context=context, settings=settings, foundation=ground)
    cluster = platform.create_cluster(context=context, settings=settings, foundation=ground)
    stores = data.build(
        context=context,
        settings=settings,
        services=services,
        foundation=ground,
        cluster=cluster,
        alerting=alerting,
        primary=primary if settings.role is Role.SECONDARY else None,
    )
    names = edge.create_names(context=context, settings=settings) if settings.edge.enabled else None
    zone_id, secrets = _way_in(names, primary)
    way_in = traffic.build(
        context=context,
        settings=settings,
        services=services,
        foundation=ground,
        cluster=cluster,
        zone_id=zone_id,
        origin_secrets=secrets,
    )
    site = platform.build(
        context=context,
        settings=settings,
        foundation=ground,
        cluster=cluster,
        streaming=stores.streaming,
        ingress=mesh.traffic(settings=settings, services=services),
        alerting=alerting,
    )
    writer = _writer(stores, primary=primary, settings=settings)
    workloads.build(
        context=context,
        settings=settings,
        services=services,
        foundation=ground,
        data=stores,
        platform=site,
        balancer=way_in.balancer,
        writer=Writer(host=writer, primary=primary.contract if primary else None),
    )
    global_tier = None
    if names is not None:
        global_tier = edge.build(
            context=context,
            settings=settings,
            services=services,
            names=names,
            access_logs=ground.access_logs,
        )
    observability.build(
        context=context,
        settings=settings,
        services=services,
        alerting=alerting,
        watched=Watched(foundation=ground, platform=site, way_in=way_in, global_tier=global_tier),
    )
    _export(
        settings,
        built=Built(
            foundation=ground,
            cluster=cluster,
            data=stores,
            balancer=way_in.balancer,
            names=names,
            zone_id=zone_id,
            writer=writer,
            alerting=alerting,
        ),
    )


def _way_in(
    names: GlobalNames | None, primary: Primary | None
) -> tuple[pulumi.Output[str], Sequence[pulumi.Output[str]]]:
    """The zone, and the header values that prove a request came through CloudFront."""
    if names is not None:
        return names.zone_id, names.origin_secret.accepted
    if primary is not None:
        return pulumi.Output.from_input(primary.contract.zone_id), primary.origin_secrets
    raise MissingZoneError(
        "this stack has neither the edge (parking:edge.enabled) nor a primary (parking:primaryStack): "
        "no zone would hold its records; enable the edge or name the primary's stack"
    )


def _writer(stores: Data, *, primary: Primary | None, settings: StackSettings) -> pulumi.Output[str]:
    """Host of the environment's writer: this region's in a primary, the primary's else."""
    if primary is not None and settings.role is Role.SECONDARY:
        return pulumi.Output.from_input(primary.contract.database_writer_endpoint)
    return stores.database.address


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a stack's outputs are taken from."""

    foundation: Foundation
    cluster: Cluster
    data: Data
    balancer: LoadBalancer
    names: GlobalNames | None
    zone_id: pulumi.Output[str]
    writer: pulumi.Output[str]
    alerting: Alerting


def _export(settings: StackSettings, *, built: Built) -> None:
    network, database = built.foundation.network, built.data.database
    registries = built.foundation.registries
    values: dict[str, object] = {
        "region": settings.region,
        "role": settings.role.value,
        "vpcId": network.vpc_id,
        "vpcCidr": network.vpc_cidr,
        "natPublicIps": list(network.nat_public_ips),
        "clusterName": built.cluster.name,
        "clusterEndpoint": built.cluster.endpoint,
        "kubeconfig": built.cluster.kubeconfig,
        "registryHost": registries.host if registries else settings.registry,
        "repositoryUrls": dict(registries.repository_urls) if registries else {},
        "loadBalancerDnsName": built.balancer.dns_name,
        "targetGroupArns": dict(built.balancer.target_group_arns),
        "databaseWriterEndpoint": built.writer,
        "databaseReaderEndpoints": database.reader_addresses,
        "databaseSecretArn": database.secret_arn,
        "databasePasswords": dict(built.data.users.passwords),
        "cacheEndpoints": {name: cache.endpoint for name, cache in built.data.caches.items()},
        "kafkaBootstrapBrokers": built.data.streaming.bootstrap_brokers,
        "alertTopicArns": {severity.value: arn for severity, arn in built.alerting.topics.items()},
        "contract": contract.offer(
            region=settings.region,
            vpc_id=network.vpc_id,
            vpc_cidr=network.vpc_cidr,
            zone_id=built.zone_id,
            origin_domain=origin_domain(settings.edge.domain),
            database_arn=database.arn,
            database_writer_endpoint=built.writer,
            database_secret_arn=database.secret_arn,
        ),
    }
    if built.names is not None:
        values["originSecrets"] = list(built.names.origin_secret.accepted)
        values["apiUrl"] = f"https://{api_domain(settings.edge.domain)}"
        values["nameServers"] = built.names.name_servers
    outputs.export(values, edge=built.names is not None)
