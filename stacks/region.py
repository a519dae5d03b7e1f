"""What one region deploys, from the ground up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.alarms import Alerting
from components.cluster import Cluster
from components.database import OWNER_NAME
from components.load_balancer import LoadBalancer
from components.writer_name import WriterName
from infra.catalogue import resolve
from infra.model.service import Service
from infra.model.sibling import Sibling
from infra.model.stack import StackSettings
from infra.naming import StackContext
from infra.traffic.failover import writer_name
from infra.traffic.routing import api_domain, origin_domain
from stacks import (
    backups,
    contract,
    cost,
    data,
    edge,
    foundation,
    links,
    mesh,
    observability,
    outputs,
    platform,
    rotation,
    traffic,
    workloads,
)
from stacks.contract import Peer
from stacks.data import Data
from stacks.edge import GlobalNames
from stacks.foundation import Foundation
from stacks.observability import Watched
from stacks.pooling import Writer


def deploy(
    settings: StackSettings, *, catalogue: tuple[Service, ...], siblings: Sequence[Sibling] = ()
) -> None:
    """Build a stack: one region of an environment.

    Args:
        settings: Checked settings of the stack.
        catalogue: The services to run.
        siblings: The environment's other regions.
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
    peers = _peers(settings)
    primary = peers[settings.primary_stack] if settings.primary_stack else None
    owner = peers[settings.global_stack] if settings.global_stack else None

    ground = foundation.build(context=context, settings=settings, services=services, siblings=siblings)
    alerting = observability.create_alerting(context=context, settings=settings, foundation=ground)
    cost.build(context=context, settings=settings, alerting=alerting)
    cluster = platform.create_cluster(context=context, settings=settings, foundation=ground)
    stores = data.build(
        context=context,
        settings=settings,
        services=services,
        foundation=ground,
        cluster=cluster,
        alerting=alerting,
        primary=primary,
        owner=owner,
    )
    backups.build(
        context=context,
        settings=settings,
        foundation=ground,
        data=stores,
        siblings=siblings,
        writer_here=primary is None,
    )
    links.build(context=context, settings=settings, foundation=ground, data=stores, peers=peers)
    names = (
        edge.create_names(context=context, settings=settings, network=ground.network)
        if settings.edge.enabled
        else None
    )
    shared = _shared(names, owner)
    writer = _writer(names, stores=stores, primary=primary, context=context)
    way_in = traffic.build(
        context=context,
        settings=settings,
        services=services,
        foundation=ground,
        cluster=cluster,
        zone_id=shared.zone_id,
        origin_secrets=shared.origin_secrets,
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
    place = Writer(host=writer, here=primary is None, siblings=siblings)
    pools = workloads.build(
        context=context,
        settings=settings,
        services=services,
        foundation=ground,
        data=stores,
        platform=site,
        balancer=way_in.balancer,
        writer=place,
    )
    if owner is None:
        rotation.build(
            context=context,
            settings=settings,
            foundation=ground,
            data=stores,
            writer=place,
            alerting=alerting,
            after=pools.migrated,
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
            shared=shared,
            writer=writer,
            alerting=alerting,
        ),
    )


def _peers(settings: StackSettings) -> Mapping[str, Peer]:
    """The other stacks that this one reads, each once."""
    named = {settings.primary_stack, settings.global_stack, *settings.connected_stacks} - {None}
    return {stack: Peer(stack=stack) for stack in sorted(filter(None, named))}


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the environment has once, of this stack's making or another's."""

    zone_id: pulumi.Output[str]
    private_zone_id: pulumi.Output[str]
    origin_secrets: Sequence[pulumi.Output[str]]
    """Header values that prove a request came through CloudFront."""


def _shared(names: GlobalNames | None, owner: Peer | None) -> Shared:
    if names is not None:
        return Shared(
            zone_id=names.zone_id,
            private_zone_id=names.private_zone_id,
            origin_secrets=names.origin_secret.accepted,
        )
    # The checks of the settings have seen to it that a stack without the edge names the one that has it.
    assert owner is not None  # noqa: S101 - narrows the type; see above
    return Shared(
        zone_id=pulumi.Output.from_input(owner.contract.zone_id),
        private_zone_id=pulumi.Output.from_input(owner.contract.private_zone_id),
        origin_secrets=owner.origin_secrets,
    )


def _writer(
    names: GlobalNames | None, *, stores: Data, primary: Peer | None, context: StackContext
) -> pulumi.Output[str]:
    """Name of the environment's writer; where the zone is this stack's, its record, too."""
    fqdn = writer_name(context.environment.value)
    if names is None:
        return pulumi.Output.from_input(fqdn)
    host = stores.database.address
    if primary is not None:
        host = pulumi.Output.from_input(primary.contract.database_endpoint)
    return WriterName(
        "writer-name", context=context, zone_id=names.private_zone_id, fqdn=fqdn, host=host
    ).fqdn


@dataclass(frozen=True, kw_only=True)
class Built:
    """What a stack's outputs are taken from."""

    foundation: Foundation
    cluster: Cluster
    data: Data
    balancer: LoadBalancer
    names: GlobalNames | None
    shared: Shared
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
        "databaseEndpoint": database.address,
        "databaseReaderEndpoints": database.reader_addresses,
        "databaseSecretArn": database.secret_arn,
        "databasePasswords": {**built.data.users.passwords, OWNER_NAME: database.owner_password},
        "cacheEndpoints": {name: cache.endpoint for name, cache in built.data.caches.items()},
        "kafkaBootstrapBrokers": built.data.streaming.bootstrap_brokers,
        "alertTopicArns": {severity.value: arn for severity, arn in built.alerting.topics.items()},
        "contract": contract.offer(
            region=settings.region,
            vpc_id=network.vpc_id,
            vpc_cidr=network.vpc_cidr,
            private_cidrs=links.private_cidrs(settings),
            route_table_ids=dict(network.linked_route_tables),
            database_security_group_id=database.security_group_id,
            zone_id=built.shared.zone_id,
            private_zone_id=built.shared.private_zone_id,
            origin_domain=origin_domain(settings.edge.domain),
            writer_name=writer_name(settings.environment.value),
            database_arn=database.arn,
            database_endpoint=database.address,
        ),
    }
    if built.names is not None:
        values["originSecrets"] = list(built.names.origin_secret.accepted)
        values["apiUrl"] = f"https://{api_domain(settings.edge.domain)}"
        values["nameServers"] = built.names.name_servers
    outputs.export(values, edge=built.names is not None)
