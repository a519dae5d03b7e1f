"""The regional tier: load balancer, web ACL, certificate and the region's record under the origin's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.cluster import Cluster
from components.dns import AliasTarget, Certificate, RegionalRecord
from components.encryption import Purpose
from components.load_balancer import LoadBalancer, LoadBalancerNetwork
from components.shield import Shield
from components.web_acl import WebAcl, WebAclLog
from infra.model.service import Service
from infra.model.stack import StackSettings
from infra.naming import StackContext
from infra.traffic.failover import failover_paths
from infra.traffic.routing import origin_domain
from infra.traffic.waf import regional_rules
from stacks.foundation import Foundation


@dataclass(frozen=True, kw_only=True)
class WayIn:
    """What requests of a region come through."""

    balancer: LoadBalancer
    web_acl: WebAcl


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    services: tuple[Service, ...],
    foundation: Foundation,
    cluster: Cluster,
    zone_id: pulumi.Input[str],
    origin_secrets: Sequence[pulumi.Input[str]],
) -> WayIn:
    """Create the way into a region.

    Args:
        context: Names, tags and protection of the stack.
        settings: Settings of the stack.
        services: The services as this stack runs them.
        foundation: Network, keys and log bucket.
        cluster: Whose nodes carry the ingress controller.
        zone_id: Public zone of the environment, this stack's or the primary's.
        origin_secrets: Accepted values of the header that CloudFront sends.
    """
    domain = origin_domain(settings.edge.domain)
    network = foundation.network
    certificate = Certificate(
        "origin-certificate",
        context=context,
        domain=domain,
        # ACM asks for one record a name and account: the zone's owner writes it, other regions wait for it.
        zone_id=zone_id if settings.edge.enabled else None,
    )
    balancer = LoadBalancer(
        "load-balancer",
        context=context,
        services=services,
        network=LoadBalancerNetwork(
            vpc_id=network.vpc_id,
            vpc_cidr=network.vpc_cidr,
            public_subnet_ids=network.public_subnet_ids,
            target_security_group_id=cluster.cluster_security_group_id,
        ),
        certificate_arn=certificate.arn,
        origin_secrets=origin_secrets,
        log_bucket=foundation.access_logs.name,
    )
    web_acl = WebAcl(
        "regional-acl",
        context=context,
        scope="REGIONAL",
        rules=regional_rules(settings.edge, services),
        log=WebAclLog(key_arn=foundation.keys.arn(Purpose.LOGS)),
        resource_arn=balancer.arn,
    )
    if settings.edge.shield_advanced:
        Shield("shield", context=context, resource_arns={"load-balancer": balancer.arn})
    RegionalRecord(
        "origin-record",
        context=context,
        zone_id=zone_id,
        domain=domain,
        target=AliasTarget(dns_name=balancer.dns_name, zone_id=balancer.zone_id),
        health_paths=failover_paths(services),
    )
    return WayIn(balancer=balancer, web_acl=web_acl)
