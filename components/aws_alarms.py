"""Alarms and a dashboard of what AWS runs in front of the cluster: load balancer, web ACL, NAT, CloudFront.

Stores bring their own alarms (`components.database_alarms`, `components.cache`, `components.streaming`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.alarms import AlarmRule, AlarmTarget, Alerting, create_alarm
from components.base import Component
from infra.model.triggers import GENERAL_TRIGGERS
from infra.naming import StackContext
from infra.slo.cloudwatch import DashboardParts, dashboard_body
from infra.slo.severity import Severity

EMERGENCY_PERCENT = GENERAL_TRIGGERS.emergency.error_percent
BLOCKED_IN_5_MINUTES = 10_000
"""Three times the requests that a million a day make in five minutes."""
DROPPED_PERCENT = 0.01
"""Packets that a NAT gateway may lose before AWS calls it a fault."""

BALANCER_RULES = (
    AlarmRule(
        key="own-errors",
        metric="HTTPCode_ELB_5XX_Count",
        of="RequestCount",
        statistic="Sum",
        comparison="GreaterThanThreshold",
        threshold=EMERGENCY_PERCENT,
        periods=3,
        breaching_periods=3,
        missing="notBreaching",
        severity=Severity.CRITICAL,
        why="over 5% of requests fail at the load balancer: it reaches no target, or targets break connections",
    ),
    AlarmRule(
        key="target-errors",
        metric="HTTPCode_Target_5XX_Count",
        of="RequestCount",
        statistic="Sum",
        comparison="GreaterThanThreshold",
        threshold=EMERGENCY_PERCENT,
        periods=3,
        breaching_periods=3,
        missing="notBreaching",
        severity=Severity.CRITICAL,
        why="over 5% of requests fail behind the load balancer: in the ingress, the mesh or a service",
    ),
)
TARGET_RULES = (
    AlarmRule(
        key="no-targets",
        metric="HealthyHostCount",
        statistic="Maximum",
        comparison="LessThanThreshold",
        threshold=1,
        periods=3,
        breaching_periods=3,
        missing="breaching",
        severity=Severity.CRITICAL,
        why="the health check of this service succeeds on no target",
    ),
)
WEB_ACL_RULES = (
    AlarmRule(
        key="blocked",
        metric="BlockedRequests",
        statistic="Sum",
        comparison="GreaterThanThreshold",
        threshold=BLOCKED_IN_5_MINUTES,
        period_seconds=300,
        periods=2,
        breaching_periods=2,
        missing="notBreaching",
        why="the web ACL refuses thousands of requests: an attack, or a rule that hits clients of ours",
    ),
)
NAT_RULES = (
    AlarmRule(
        key="ports",
        metric="ErrorPortAllocation",
        statistic="Sum",
        comparison="GreaterThanThreshold",
        threshold=0,
        periods=5,
        breaching_periods=3,
        missing="notBreaching",
        severity=Severity.CRITICAL,
        why="the NAT gateway has no port left for a destination: outgoing connections fail",
    ),
    AlarmRule(
        key="dropped",
        metric="PacketsDropCount",
        of="PacketsOutToDestination",
        statistic="Sum",
        comparison="GreaterThanThreshold",
        threshold=DROPPED_PERCENT,
        missing="notBreaching",
        why="the NAT gateway loses packets",
    ),
)
DISTRIBUTION_RULES = (
    AlarmRule(
        key="errors",
        metric="5xxErrorRate",
        statistic="Average",
        comparison="GreaterThanThreshold",
        threshold=EMERGENCY_PERCENT,
        periods=5,
        breaching_periods=3,
        missing="notBreaching",
        severity=Severity.CRITICAL,
        why="over 5% of what viewers ask fails, over all regions",
    ),
)
BALANCER_PAGE, NETWORK_PAGE, EDGE_PAGE = "aws-load-balancer", "aws-network", "aws-edge"


@dataclass(frozen=True, kw_only=True)
class RegionalParts:
    """What stands in front of a cluster, by the names that metrics have.

    Attributes:
        load_balancer: Dimension `LoadBalancer`.
        target_groups: Dimension `TargetGroup` of each service.
        web_acl: Dimension `WebACL`.
        nat_gateways: Id of each NAT gateway by its zone's letter.
    """

    load_balancer: pulumi.Input[str]
    target_groups: Mapping[str, pulumi.Input[str]]
    web_acl: str
    nat_gateways: Mapping[str, pulumi.Input[str]]


class RegionalAlarms(Component):
    """Alarms of the region's way in and way out.

    Args:
        name: Logical name, e.g. `regional-alarms`; children begin with it.
        context: Names, tags and protection of the stack.
        parts: What is watched.
        alerting: Whom they tell.
        opts: Options of the component.
    """

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        parts: RegionalParts,
        alerting: Alerting,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("RegionalAlarms", name, context=context, opts=opts)
        balancer = {"LoadBalancer": parts.load_balancer}

        def watch(
            key: str, namespace: str, dimensions: Mapping[str, pulumi.Input[str]], runbook: str
        ) -> None:
            target = AlarmTarget(
                namespace=namespace, dimensions=[dimensions], alerting=alerting, runbook=runbook
            )
            for rule in _RULES[key.partition("/")[0]]:
                create_alarm(self, f"{name}-{key.replace('/', '-')}", rule=rule, target=target)

        watch("balancer", "AWS/ApplicationELB", balancer, BALANCER_PAGE)
        for service, group in sorted(parts.target_groups.items()):
            watch(
                f"targets/{service}",
                "AWS/ApplicationELB",
                {**balancer, "TargetGroup": group},
                BALANCER_PAGE,
            )
        watch(
            "web-acl",
            "AWS/WAFV2",
            {"WebACL": parts.web_acl, "Region": context.region, "Rule": "ALL"},
            BALANCER_PAGE,
        )
        for letter, gateway in sorted(parts.nat_gateways.items()):
            watch(f"nat/{letter}", "AWS/NATGateway", {"NatGatewayId": gateway}, NETWORK_PAGE)
        self.register_outputs({})


_RULES: Mapping[str, tuple[AlarmRule, ...]] = {
    "balancer": BALANCER_RULES,
    "targets": TARGET_RULES,
    "web-acl": WEB_ACL_RULES,
    "nat": NAT_RULES,
}


class EdgeAlarms(Component):
    """Alarms of the global tier; they live in us-east-1, where its metrics are.

    Args:
        name: Logical name, e.g. `edge-alarms`; children begin with it.
        context: Names, tags and protection of the stack.
        distribution_id: The CloudFront distribution.
        web_acl: Dimension `WebACL` of its web ACL.
        alerting: Topics of us-east-1.
        opts: Options of the component; its provider of us-east-1 goes to the children.
    """

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        distribution_id: pulumi.Input[str],
        web_acl: str,
        alerting: Alerting,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("EdgeAlarms", name, context=context, opts=opts)
        for key, namespace, dimensions, rules in (
            (
                "distribution",
                "AWS/CloudFront",
                {"DistributionId": distribution_id, "Region": "Global"},
                DISTRIBUTION_RULES,
            ),
            ("web-acl", "AWS/WAFV2", {"WebACL": web_acl, "Rule": "ALL"}, WEB_ACL_RULES),
        ):
            target = AlarmTarget(
                namespace=namespace, dimensions=[dimensions], alerting=alerting, runbook=EDGE_PAGE
            )
            for rule in rules:
                create_alarm(self, f"{name}-{key}", rule=rule, target=target)
        self.register_outputs({})


class CloudWatchDashboard(Component):
    """One page in CloudWatch with the AWS parts of a region, for when the cluster's own Grafana is down.

    Args:
        name: Logical name, e.g. `aws-dashboard`.
        context: Names, tags and protection of the stack.
        parts: What is shown; ids that AWS gives may be outputs.
        opts: Options of the component.
    """

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        parts: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("CloudWatchDashboard", name, context=context, opts=opts)
        prefix, region = context.name(), context.region

        def body(known: Mapping[str, str]) -> str:
            return dashboard_body(DashboardParts(prefix=prefix, region=region, **known))

        aws.cloudwatch.Dashboard(
            name,
            dashboard_name=context.global_name(limit=255),
            dashboard_body=pulumi.Output.all(**parts).apply(body),
            opts=self.child(),
        )
        self.register_outputs({})
