"""What a region is watched with: who is told, rules, dashboards, alarms, and a check from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

from components.addon_ingress import INGRESS_NAMESPACE
from components.addon_metrics import MONITORING_NAMESPACE
from components.alarms import Alerting
from components.aws_alarms import CloudWatchDashboard, EdgeAlarms, RegionalAlarms, RegionalParts
from components.encryption import Keys, Purpose
from components.notifications import Notifications
from components.observability import Observability
from components.synthetic_check import SyntheticCheck
from infra.cost.estimate import estimate
from infra.model.service import Service
from infra.model.stack import ObservabilitySettings, StackSettings
from infra.naming import PROJECT, StackContext
from infra.slo.severity import Severity
from infra.slo.site import MetricsSite
from infra.traffic.routing import api_domain
from stacks.edge import GLOBAL_REGION, GlobalTier
from stacks.foundation import Foundation
from stacks.mesh import MESH_NAMESPACE, POOLER_NAMESPACE
from stacks.platform import Platform
from stacks.pooling import POOLERS
from stacks.traffic import WayIn

AUTOSCALER_NAMESPACE = "keda"


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The parts of a stack that are watched."""

    foundation: Foundation
    platform: Platform
    way_in: WayIn
    global_tier: GlobalTier | None
    """None in a stack without the edge."""


def create_alerting(*, context: StackContext, settings: StackSettings, foundation: Foundation) -> Alerting:
    """Create the topics that the region's alarms tell, before anything that has alarms."""
    notifications = Notifications(
        "notifications",
        context=context,
        key_arn=foundation.keys.arn(Purpose.NOTIFICATIONS),
        endpoints=listeners(settings.observability),
    )
    return Alerting(topics=notifications.topic_arns, runbooks=settings.observability.runbooks_url)


def listeners(settings: ObservabilitySettings) -> Mapping[Severity, Sequence[str]]:
    """Who hears which severity."""
    return {
        Severity.CRITICAL: settings.critical_endpoints,
        Severity.WARNING: settings.warning_endpoints,
    }


def metrics_site(settings: StackSettings, services: tuple[Service, ...]) -> MetricsSite:
    """Names of a region's cluster, as its rules and dashboards have them."""
    return MetricsSite(
        environment=settings.environment.value,
        region=settings.region,
        workload_namespace=PROJECT,
        pooler_namespace=POOLER_NAMESPACE,
        ingress_namespace=INGRESS_NAMESPACE,
        mesh_namespace=MESH_NAMESPACE,
        autoscaler_namespace=AUTOSCALER_NAMESPACE,
        monitoring_namespace=MONITORING_NAMESPACE,
        poolers=POOLERS,
        runbooks=settings.observability.runbooks_url,
        retention_days=settings.observability.metrics_retention_days,
        # To the dollar, so that a cent of an alarm does not change a rule.
        planned_monthly_usd=round(estimate(settings, catalogue=services).average.total),
    )


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    services: tuple[Service, ...],
    alerting: Alerting,
    watched: Watched,
) -> None:
    """Create rules, dashboards, alarms and the check from outside.

    Args:
        context: Names, tags and protection of the stack.
        settings: Settings of the stack.
        services: The services as this stack runs them.
        alerting: Whom alarms tell.
        watched: What they are about.
    """
    platform, way_in = watched.platform, watched.way_in
    Observability(
        "observability",
        context=context,
        provider=platform.cluster.provider,
        namespace=platform.add_ons.namespaces[MONITORING_NAMESPACE],
        services=services,
        site=metrics_site(settings, services),
        after=platform.add_ons.ready,
    )
    balancer = way_in.balancer
    RegionalAlarms(
        "regional-alarms",
        context=context,
        parts=RegionalParts(
            load_balancer=balancer.arn_suffix,
            target_groups=balancer.target_group_arn_suffixes,
            web_acl=way_in.web_acl.metric_name,
            nat_gateways=watched.foundation.network.nat_gateway_ids,
        ),
        alerting=alerting,
    )
    check = SyntheticCheck(
        "synthetic-check",
        context=context,
        base_url=f"https://{api_domain(settings.edge.domain)}",
        services=services,
        interval_minutes=settings.observability.synthetic_interval_minutes,
        alerting=alerting,
    )
    parts: dict[str, pulumi.Input[str]] = {
        "load_balancer": balancer.arn_suffix,
        "web_acl": way_in.web_acl.metric_name,
        "canary": check.canary_name,
    }
    tier = watched.global_tier
    if tier is not None:
        parts |= {"distribution": tier.edge.distribution_id, "global_web_acl": tier.web_acl.metric_name}
        _watch_edge(context=context, settings=settings, alerting=alerting, tier=tier)
    CloudWatchDashboard("aws-dashboard", context=context, parts=parts)


def _watch_edge(
    *, context: StackContext, settings: StackSettings, alerting: Alerting, tier: GlobalTier
) -> None:
    """Alarms of the global tier: in us-east-1, with topics and a key there where the stack lives elsewhere."""
    there = pulumi.ResourceOptions(providers=[tier.provider])
    if context.region != GLOBAL_REGION:
        abroad = replace(context, region=GLOBAL_REGION)
        keys = Keys("edge-keys", context=abroad, purposes=[Purpose.NOTIFICATIONS], opts=there)
        topics = Notifications(
            "edge-notifications",
            context=abroad,
            key_arn=keys.arn(Purpose.NOTIFICATIONS),
            endpoints=listeners(settings.observability),
            opts=there,
        )
        alerting = replace(alerting, topics=topics.topic_arns)
    EdgeAlarms(
        "edge-alarms",
        context=context,
        distribution_id=tier.edge.distribution_id,
        web_acl=tier.web_acl.metric_name,
        alerting=alerting,
        opts=there,
    )
