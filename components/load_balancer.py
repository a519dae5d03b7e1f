"""The load balancer of a region: TLS, one target group a service, only for our own edge and health checkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.base import Component
from components.log_bucket import CONNECTION_PREFIX, LOAD_BALANCER_PREFIX
from infra.model.service import Service, TargetGroupAlgorithm
from infra.naming import StackContext
from infra.traffic.failover import decides_failover
from infra.traffic.routing import (
    MAX_CONDITION_VALUES,
    MAX_ORIGIN_SECRETS,
    ORIGIN_VERIFY_HEADER,
    UNKNOWN_PATH_PRIORITY,
    RoutePlan,
    plan_routes,
)
from infra.traffic.timeouts import LOAD_BALANCER_IDLE_SECONDS

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
"""TLS 1.3 and 1.2, forward secrecy and authenticated encryption only."""
HTTP_PORT = 80
HTTPS_PORT = 443
CLOUDFRONT_PREFIX_LIST = "com.amazonaws.global.cloudfront.origin-facing"
HEALTHY_STATUS = "200"


@dataclass(frozen=True, kw_only=True)
class LoadBalancerNetwork:
    """Where a load balancer stands and what it reaches.

    Attributes:
        vpc_id: The VPC.
        vpc_cidr: Range of the VPC, where the ingress controller's pods have their addresses.
        public_subnet_ids: One public subnet a zone, at least two.
        target_security_group_id: Security group of the ingress controller's pods, i.e. of the nodes; it gets
            the one rule that admits the load balancer.
        target_port: Port of the ingress controller's pods, which speaks TLS.
    """

    vpc_id: pulumi.Input[str]
    vpc_cidr: pulumi.Input[str]
    public_subnet_ids: Sequence[pulumi.Input[str]]
    target_security_group_id: pulumi.Input[str]
    target_port: int = 443


class LoadBalancer(Component):
    """An Application Load Balancer with a target group and listener rules for each service.

    It admits CloudFront and Route 53's health checkers only, by AWS's prefix lists, each in a security group of
    its own: CloudFront's list counts as 55 of the 60 rules of a group. A request without one of the origin
    secrets gets 403, but for the services' health paths; one with it for a path of no service gets 404. Plain
    HTTP is redirected. Targets are registered by the cluster (TargetGroupBinding): addresses of pods of the
    ingress controller, spoken to over TLS.

    A target group without healthy targets takes the load balancer out of DNS only where its service decides
    about failover (`infra.traffic.failover.decides_failover`); else a report service could take its region down.

    Args:
        name: Logical name, e.g. `load-balancer`; children begin with it.
        context: Names, tags and protection of the stack; protects against deletion where the stack does.
        services: The catalogue: paths, priorities, balancing and health checks.
        network: VPC, public subnets and the ingress controller's port.
        certificate_arn: Issued certificate of the origin's name, in this region.
        origin_secrets: Accepted values of the secret header, 1 to 3: more than one while they rotate.
        log_bucket: Name of the bucket for access and connection logs, in this region, whose policy admits them.
        opts: Options of the component.

    Outputs:
        arn: The load balancer.
        arn_suffix: Its name in metrics (dimension `LoadBalancer`).
        dns_name: Its own name.
        zone_id: Zone of that name, for alias records.
        security_group_id: Group that traffic to the pods comes from.
        https_listener_arn: The HTTPS listener.
        target_group_arns: Target group by service name.
        target_group_arn_suffixes: Name of each target group in metrics, by service name.

    Raises:
        RouteError: When services' routes clash.
        ValueError: When there are no or too many secrets, or fewer than two subnets.

    Source of the numbers: `services/` for each service; AWS's quotas for rules and security groups.
    """

    arn: pulumi.Output[str]
    arn_suffix: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    https_listener_arn: pulumi.Output[str]
    target_group_arns: Mapping[str, pulumi.Output[str]]
    target_group_arn_suffixes: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        services: Sequence[Service],
        network: LoadBalancerNetwork,
        certificate_arn: pulumi.Input[str],
        origin_secrets: Sequence[pulumi.Input[str]],
        log_bucket: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        routes = plan_routes(services)
        _require_arguments(routes, network, origin_secrets)
        super().__init__("LoadBalancer", name, context=context, opts=opts)
        self._network = network
        # A secret must stay one even when the caller passes plain text.
        self._secrets = [pulumi.Output.secret(secret) for secret in origin_secrets]
        groups = self._create_security_groups()
        balancer = self._create_load_balancer(groups, log_bucket)
        self._create_redirect(balancer)
        listener = self._create_listener(balancer, certificate_arn)
        targets = {service.name: self._create_target_group(service) for service in services}
        for route in routes:
            self._create_rule(route, listener, targets[route.service])
        self._create_unknown_path_rule(listener)
        self._publish(balancer, listener, groups[0], targets)

    def _publish(
        self,
        balancer: aws.lb.LoadBalancer,
        listener: aws.lb.Listener,
        group: aws.ec2.SecurityGroup,
        targets: Mapping[str, aws.lb.TargetGroup],
    ) -> None:
        self.arn = balancer.arn
        self.arn_suffix = balancer.arn_suffix
        self.dns_name = balancer.dns_name
        self.zone_id = balancer.zone_id
        self.security_group_id = group.id
        self.https_listener_arn = listener.arn
        self.target_group_arns = {service: target.arn for service, target in targets.items()}
        self.target_group_arn_suffixes = {service: target.arn_suffix for service, target in targets.items()}
        self.register_outputs(
            {
                "arn": self.arn,
                "arnSuffix": self.arn_suffix,
                "dnsName": self.dns_name,
                "zoneId": self.zone_id,
                "securityGroupId": self.security_group_id,
                "httpsListenerArn": self.https_listener_arn,
                "targetGroupArns": self.target_group_arns,
                "targetGroupArnSuffixes": self.target_group_arn_suffixes,
            }
        )

    def _create_security_groups(self) -> list[aws.ec2.SecurityGroup]:
        """First the group for CloudFront over HTTPS, which also reaches the pods; then the others."""
        checkers = f"com.amazonaws.{self.context.region}.route53-healthchecks"
        secure = self._create_security_group(
            "https", "CloudFront over HTTPS", CLOUDFRONT_PREFIX_LIST, HTTPS_PORT
        )
        plain = self._create_security_group(
            "http", "CloudFront to the redirect", CLOUDFRONT_PREFIX_LIST, HTTP_PORT
        )
        health = self._create_security_group("health", "Route 53 health checkers", checkers, HTTPS_PORT)
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-to-pods",
            security_group_id=secure.id,
            description="To the ingress controller's pods",
            ip_protocol="tcp",
            from_port=self._network.target_port,
            to_port=self._network.target_port,
            cidr_ipv4=self._network.vpc_cidr,
            tags=self.tags(),
            opts=self.child(),
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-targets-from-balancer",
            security_group_id=self._network.target_security_group_id,
            description="From the load balancer to the ingress controller's pods",
            ip_protocol="tcp",
            from_port=self._network.target_port,
            to_port=self._network.target_port,
            referenced_security_group_id=secure.id,
            tags=self.tags(),
            opts=self.child(),
        )
        return [secure, plain, health]

    def _create_security_group(
        self, key: str, description: str, prefix_list: str, port: int
    ) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(
            f"{self._name}-{key}",
            name=self.context.name("load-balancer", key, limit=255),
            description=description,
            vpc_id=self._network.vpc_id,
            tags=self.tags(),
            opts=self.child(),
        )
        source = aws.ec2.get_managed_prefix_list_output(
            name=prefix_list, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-{key}-in",
            security_group_id=group.id,
            description=description,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            prefix_list_id=source.id,
            tags=self.tags(),
            opts=self.child(),
        )
        return group

    def _create_load_balancer(
        self, groups: Sequence[aws.ec2.SecurityGroup], log_bucket: pulumi.Input[str]
    ) -> aws.lb.LoadBalancer:
        return aws.lb.LoadBalancer(
            self._name,
            name=self.context.name("origin", limit=32),
            load_balancer_type="application",
            internal=False,
            ip_address_type="ipv4",
            security_groups=[group.id for group in groups],
            subnets=list(self._network.public_subnet_ids),
            drop_invalid_header_fields=True,
            desync_mitigation_mode="strictest",
            preserve_host_header=True,
            # Its last address stays the one that CloudFront saw, and not CloudFront's own.
            xff_header_processing_mode="preserve",
            enable_http2=True,
            enable_cross_zone_load_balancing=True,
            enable_zonal_shift=True,
            enable_waf_fail_open=False,
            enable_deletion_protection=self.context.protect,
            idle_timeout=LOAD_BALANCER_IDLE_SECONDS,
            access_logs=aws.lb.LoadBalancerAccessLogsArgs(
                bucket=log_bucket, prefix=LOAD_BALANCER_PREFIX, enabled=True
            ),
            connection_logs=aws.lb.LoadBalancerConnectionLogsArgs(
                bucket=log_bucket, prefix=CONNECTION_PREFIX, enabled=True
            ),
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_redirect(self, balancer: aws.lb.LoadBalancer) -> None:
        aws.lb.Listener(
            f"{self._name}-http",
            load_balancer_arn=balancer.arn,
            port=HTTP_PORT,
            protocol="HTTP",
            default_actions=[
                aws.lb.ListenerDefaultActionArgs(
                    type="redirect",
                    redirect=aws.lb.ListenerDefaultActionRedirectArgs(
                        protocol="HTTPS", port=str(HTTPS_PORT), status_code="HTTP_301"
                    ),
                )
            ],
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_listener(
        self, balancer: aws.lb.LoadBalancer, certificate_arn: pulumi.Input[str]
    ) -> aws.lb.Listener:
        return aws.lb.Listener(
            f"{self._name}-https",
            load_balancer_arn=balancer.arn,
            port=HTTPS_PORT,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=certificate_arn,
            routing_http_response_server_enabled=False,
            default_actions=[
                aws.lb.ListenerDefaultActionArgs(
                    type="fixed-response",
                    fixed_response=aws.lb.ListenerDefaultActionFixedResponseArgs(
                        content_type="application/json",
                        message_body='{"error":"forbidden"}',
                        status_code="403",
                    ),
                )
            ],
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_target_group(self, service: Service) -> aws.lb.TargetGroup:
        balancing, health = service.load_balancing, service.health
        weighted = balancing.target_group is TargetGroupAlgorithm.WEIGHTED_RANDOM
        return aws.lb.TargetGroup(
            f"{self._name}-{service.name}",
            name=self.context.name(service.name, limit=32),
            vpc_id=self._network.vpc_id,
            target_type="ip",
            port=self._network.target_port,
            protocol="HTTPS",
            protocol_version="HTTP1",
            load_balancing_algorithm_type=balancing.target_group.value,
            # AWS takes the attribute with weighted_random only.
            load_balancing_anomaly_mitigation=("on" if balancing.anomaly_mitigation else "off")
            if weighted
            else None,
            slow_start=balancing.slow_start_seconds,
            deregistration_delay=balancing.deregistration_delay_seconds,
            stickiness=aws.lb.TargetGroupStickinessArgs(
                type="lb_cookie",
                enabled=balancing.sticky_cookie_seconds is not None,
                cookie_duration=balancing.sticky_cookie_seconds,
            ),
            health_check=aws.lb.TargetGroupHealthCheckArgs(
                enabled=True,
                protocol="HTTPS",
                port="traffic-port",
                path=health.path,
                matcher=HEALTHY_STATUS,
                interval=health.interval_seconds,
                timeout=health.timeout_seconds,
                healthy_threshold=health.healthy_threshold,
                unhealthy_threshold=health.unhealthy_threshold,
            ),
            target_group_health=aws.lb.TargetGroupTargetGroupHealthArgs(
                dns_failover=aws.lb.TargetGroupTargetGroupHealthDnsFailoverArgs(
                    minimum_healthy_targets_count="1" if decides_failover(service) else "off"
                )
            ),
            tags=self.tags(service=service.name),
            opts=self.child(),
        )

    def _create_rule(self, route: RoutePlan, listener: aws.lb.Listener, target: aws.lb.TargetGroup) -> None:
        paths = aws.lb.ListenerRuleConditionArgs(
            path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(values=list(route.path_patterns))
        )
        aws.lb.ListenerRule(
            f"{self._name}-{route.name}",
            listener_arn=listener.arn,
            priority=route.priority,
            conditions=[paths, self._secret_condition()] if route.needs_secret else [paths],
            actions=[aws.lb.ListenerRuleActionArgs(type="forward", target_group_arn=target.arn)],
            tags=self.tags(service=route.service),
            opts=self.child(),
        )

    def _create_unknown_path_rule(self, listener: aws.lb.Listener) -> None:
        aws.lb.ListenerRule(
            f"{self._name}-unknown-path",
            listener_arn=listener.arn,
            priority=UNKNOWN_PATH_PRIORITY,
            conditions=[self._secret_condition()],
            actions=[
                aws.lb.ListenerRuleActionArgs(
                    type="fixed-response",
                    fixed_response=aws.lb.ListenerRuleActionFixedResponseArgs(
                        content_type="application/json",
                        message_body='{"error":"not found"}',
                        status_code="404",
                    ),
                )
            ],
            tags=self.tags(),
            opts=self.child(),
        )

    def _secret_condition(self) -> aws.lb.ListenerRuleConditionArgs:
        return aws.lb.ListenerRuleConditionArgs(
            http_header=aws.lb.ListenerRuleConditionHttpHeaderArgs(
                http_header_name=ORIGIN_VERIFY_HEADER, values=self._secrets
            )
        )


def _require_arguments(
    routes: Sequence[RoutePlan], network: LoadBalancerNetwork, secrets: Sequence[pulumi.Input[str]]
) -> None:
    if not 1 <= len(secrets) <= MAX_ORIGIN_SECRETS:
        raise ValueError(
            f"a load balancer accepts 1 to {MAX_ORIGIN_SECRETS} origin secrets; found {len(secrets)}"
        )
    if len(network.public_subnet_ids) < 2:
        raise ValueError("an Application Load Balancer needs subnets in at least two zones")
    for route in routes:
        values = len(route.path_patterns) + len(secrets)
        if route.needs_secret and values > MAX_CONDITION_VALUES:
            raise ValueError(
                f"rule {route.name} has {values} condition values; AWS allows {MAX_CONDITION_VALUES}"
            )
