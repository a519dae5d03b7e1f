"""The global tier, in the stack that owns it: zone, origin secret, CloudFront with its web ACL."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.dns import Certificate, PublicZone
from components.edge import Edge, EdgeAttachments, EdgeOrigin
from components.log_bucket import LogBucket
from components.network import Network
from components.origin_secret import OriginSecret
from components.private_zone import PrivateZone
from components.web_acl import WebAcl
from infra.model.service import Service
from infra.model.stack import StackSettings
from infra.naming import StackContext
from infra.traffic.failover import private_domain
from infra.traffic.routing import api_domain, origin_domain
from infra.traffic.waf import global_rules

GLOBAL_REGION = "us-east-1"
"""Where CloudFront looks for certificates and web ACLs, whatever the stack's region."""


@dataclass(frozen=True, kw_only=True)
class GlobalNames:
    """What regions need of the global tier before CloudFront stands in front of them."""

    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[list[str]]
    origin_secret: OriginSecret
    private_zone_id: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class GlobalTier:
    """What stands in front of all regions."""

    edge: Edge
    web_acl: WebAcl
    provider: aws.Provider
    """Of us-east-1, where its metrics are, too."""


def create_names(*, context: StackContext, settings: StackSettings, network: Network) -> GlobalNames:
    """Create the public zone, the private one, and the secret by which load balancers know CloudFront."""
    private_zone = PrivateZone(
        "names",
        context=context,
        domain=private_domain(context.environment.value),
        vpc_id=network.vpc_id,
        shared=True,
    )
    zone = PublicZone("zone", context=context, domain=settings.edge.domain)
    return GlobalNames(
        zone_id=zone.zone_id,
        name_servers=zone.name_servers.apply(list),
        origin_secret=OriginSecret(
            "origin-secret", context=context, generation=settings.edge.origin_secret_generation
        ),
        private_zone_id=private_zone.zone_id,
    )


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    services: tuple[Service, ...],
    names: GlobalNames,
    access_logs: LogBucket,
) -> GlobalTier:
    """Create CloudFront, its certificate and the global web ACL."""
    provider = aws.Provider("global", region=GLOBAL_REGION)
    certificate = Certificate(
        "edge-certificate",
        context=context,
        domain=api_domain(settings.edge.domain),
        zone_id=names.zone_id,
        provider=provider,
    )
    web_acl = WebAcl(
        "edge-acl",
        context=context,
        scope="CLOUDFRONT",
        rules=global_rules(settings.edge, services),
        provider=provider,
    )
    distribution = Edge(
        "edge",
        context=context,
        settings=settings.edge,
        services=services,
        origin=EdgeOrigin(
            domain_name=origin_domain(settings.edge.domain), secret=names.origin_secret.current
        ),
        attachments=EdgeAttachments(
            zone_id=names.zone_id,
            certificate_arn=certificate.arn,
            web_acl_arn=web_acl.arn,
            log_bucket_arn=access_logs.arn,
        ),
        provider=provider,
    )
    return GlobalTier(edge=distribution, web_acl=web_acl, provider=provider)
