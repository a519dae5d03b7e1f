"""The Kubernetes platform of a region: control plane, node pools, add-ons."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import pulumi

from components.addon_contract import AddOnSizes, AddOnTarget, AlertTopics, IngressTraffic, KafkaAccess
from components.addons import AddOns, NodeAddOns
from components.alarms import Alerting
from components.cluster import Cluster
from components.encryption import Purpose
from components.node_pool import NodeEnvironment, NodePool, NodeRole
from components.streaming import Streaming
from infra.cluster.pools import SHAPES, PoolName
from infra.cluster.upgrade import support_warning
from infra.model.stack import Environment, PoolSettings, StackSettings
from infra.naming import StackContext
from stacks.foundation import Foundation


def create_cluster(*, context: StackContext, settings: StackSettings, foundation: Foundation) -> Cluster:
    """The control plane; warns where its version is soon out of support."""
    today = dt.datetime.now(dt.UTC).date()
    if warning := support_warning(settings.cluster.version, today=today):
        pulumi.log.warn(warning)
    return Cluster(
        "cluster",
        context=context,
        settings=settings.cluster,
        vpc_id=foundation.network.vpc_id,
        private_subnet_ids=foundation.network.private_subnet_ids,
        secrets_key_arn=foundation.keys.arn(Purpose.CLUSTER),
        log_key_arn=foundation.keys.arn(Purpose.LOGS),
    )


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A cluster that can run workloads."""

    cluster: Cluster
    add_ons: AddOns


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    foundation: Foundation,
    cluster: Cluster,
    streaming: Streaming,
    ingress: IngressTraffic,
    alerting: Alerting,
) -> Platform:
    """Create node pools and add-ons on a control plane."""
    version = settings.cluster.version
    node_add_ons = NodeAddOns(
        "node-addons",
        context=context,
        cluster_name=cluster.name,
        kubernetes_version=version,
        vpc_id=foundation.network.vpc_id,
    )
    environment = NodeEnvironment(
        cluster_name=cluster.name,
        kubernetes_version=version,
        subnet_ids=foundation.network.private_subnet_ids,
        security_group_ids=[cluster.cluster_security_group_id],
        role_arn=NodeRole("node-role", context=context).arn,
        disk_key_arn=foundation.keys.arn(Purpose.STORAGE),
        after=node_add_ons.ready,
    )
    nodes = _create_pools(context=context, settings=settings, environment=environment)
    add_ons = AddOns(
        "addons",
        context=context,
        target=AddOnTarget(
            cluster_name=cluster.name,
            kubernetes_version=version,
            provider=cluster.provider,
            vpc_id=foundation.network.vpc_id,
            ingress=ingress,
            nodes=nodes,
            disk_key_arn=foundation.keys.arn(Purpose.STORAGE),
            secrets_key_arn=foundation.keys.arn(Purpose.SECRETS),
            alerts=AlertTopics(arns=alerting.topics, key_arn=foundation.keys.arn(Purpose.NOTIFICATIONS)),
            kafka=KafkaAccess(cluster_arn=streaming.arn, bootstrap_servers=streaming.bootstrap_brokers),
        ),
        sizes=_sizes(settings),
    )
    return Platform(cluster=cluster, add_ons=add_ons)


def _create_pools(
    *, context: StackContext, settings: StackSettings, environment: NodeEnvironment
) -> list[pulumi.Resource]:
    pools: dict[PoolName, PoolSettings] = {
        PoolName.APPLICATION: settings.node_pools.application,
        PoolName.DATABASE: settings.node_pools.database,
        PoolName.ANALYTICS: settings.node_pools.analytics,
        PoolName.ANALYTICS_GPU: settings.node_pools.analytics_gpu,
    }
    created = [
        NodePool(name.value, context=context, shape=SHAPES[name], settings=pool, nodes=environment)
        for name, pool in pools.items()
    ]
    return [group for pool in created for group in pool.node_groups]


def _sizes(settings: StackSettings) -> AddOnSizes:
    kept = settings.observability
    sizes = AddOnSizes(
        prometheus_retention_days=kept.metrics_retention_days,
        prometheus_storage_gib=kept.metrics_storage_gib,
        node_scaling=settings.node_scaling,
    )
    if settings.environment is Environment.PROD:
        return sizes
    return replace(sizes, replicas=1, ingress_replicas=2)
