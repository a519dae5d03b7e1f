"""The global tier: a CloudFront distribution in front of every region, its names and its logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_aws import cloudfront

from components.base import Component
from components.edge_policies import EdgePolicies
from components.shield import Shield
from components.static_assets import StaticAssets
from infra.model.service import Service
from infra.model.stack import EdgeSettings
from infra.naming import StackContext
from infra.traffic.routing import ORIGIN_VERIFY_HEADER, api_domain
from infra.traffic.timeouts import CLOUDFRONT_KEEP_ALIVE_SECONDS, CLOUDFRONT_RESPONSE_SECONDS, CONNECT_SECONDS

API_ORIGIN = "api"
STATIC_ORIGIN = "static"
STATIC_PATHS = "/static/*"
ALL_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
CACHED_METHODS = ("GET", "HEAD")
VIEWER_TLS = "TLSv1.2_2021"
UNCACHED_ERRORS = (404, 500, 502, 503, 504)
"""Statuses that CloudFront would keep for 10 s: long enough to hide that a region is back."""
CONNECT_ATTEMPTS = 2
LOG_FIELDS = (
    "date",
    "time",
    "x-edge-location",
    "sc-bytes",
    "c-ip",
    "cs-method",
    "cs(Host)",
    "cs-uri-stem",
    "sc-status",
    "cs(User-Agent)",
    "x-edge-result-type",
    "x-edge-request-id",
    "x-host-header",
    "cs-protocol",
    "cs-bytes",
    "time-taken",
    "ssl-protocol",
    "ssl-cipher",
    "x-edge-response-result-type",
    "cs-protocol-version",
    "time-to-first-byte",
    "x-edge-detailed-result-type",
    "sc-content-type",
)
"""Fields of an access log line; cookies, query strings and referrers are left out, for they name people."""

Behavior = cloudfront.DistributionOrderedCacheBehaviorArgs


@dataclass(frozen=True, kw_only=True)
class EdgeOrigin:
    """Where the distribution gets API answers from.

    Attributes:
        domain_name: Name of the latency record over all regions.
        secret: Value of the header that the load balancers demand; secret.
    """

    domain_name: pulumi.Input[str]
    secret: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class EdgeAttachments:
    """What the distribution is tied to.

    Attributes:
        zone_id: The environment's public zone.
        certificate_arn: Issued certificate of `api.<domain>`, in us-east-1.
        web_acl_arn: Web ACL of scope CLOUDFRONT.
        log_bucket_arn: Bucket for access logs, whose policy admits CloudFront's log delivery.
    """

    zone_id: pulumi.Input[str]
    certificate_arn: pulumi.Input[str]
    web_acl_arn: pulumi.Input[str]
    log_bucket_arn: pulumi.Input[str]


class Edge(Component):
    """CloudFront for `api.<domain>`: HTTP/2 and 3, IPv6, TLS 1.2 and newer, web ACL, access logs.

    `/static/*` comes from a private bucket and is kept for a year; each service whose `edge_cache_seconds` is
    over 0 has its anonymous GET answers kept so long under its path prefixes, but for its health path;
    everything else passes uncached. Errors are never kept. The origin is one name over all regions, because
    CloudFront's own origin failover leaves out writes; Route 53 fails both over.

    Args:
        name: Logical name, e.g. `edge`; children begin with it.
        context: Names, tags and protection of the stack.
        settings: Domain, price class and Shield Advanced of the global tier.
        services: The catalogue: paths, and how long answers are kept.
        origin: Name and secret of the regions' origin.
        attachments: Zone, certificate, web ACL and log bucket.
        provider: AWS provider of us-east-1, where CloudFront is configured wherever the stack lives.
        opts: Options of the component.

    Outputs:
        distribution_id: The distribution, e.g. to invalidate paths.
        distribution_arn: The same as an ARN.
        domain_name: CloudFront's own name of it.
        url: Where clients find the API, `https://api.<domain>`.
        static_bucket_name: Bucket of static assets; upload below `static/`.

    Source of the numbers: the specification's caching level 2 (static 1 year, API 5 minutes, configuration
    1 hour), by way of `services/`; time-outs fit under the objectives and CloudFront's quotas.
    """

    distribution_id: pulumi.Output[str]
    distribution_arn: pulumi.Output[str]
    domain_name: pulumi.Output[str]
    url: str
    static_bucket_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: EdgeSettings,
        services: Sequence[Service],
        origin: EdgeOrigin,
        attachments: EdgeAttachments,
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Edge", name, context=context, opts=opts)
        self._aws_provider = provider
        self._settings = settings
        self._domain = api_domain(settings.domain)
        self._policies = self._create_policies(services)
        static = StaticAssets(f"{name}-static", context=context, opts=self.child())
        distribution = self._create_distribution(services, origin, attachments, static)
        static.admit(distribution.arn)
        self._create_records(distribution, attachments.zone_id)
        self._create_access_logs(distribution, attachments.log_bucket_arn)
        if settings.shield_advanced:
            self._create_shield(distribution, attachments.zone_id)
        self._publish(distribution, static)

    def _publish(self, distribution: cloudfront.Distribution, static: StaticAssets) -> None:
        self.distribution_id = distribution.id
        self.distribution_arn = distribution.arn
        self.domain_name = distribution.domain_name
        self.url = f"https://{self._domain}"
        self.static_bucket_name = static.bucket_name
        self.register_outputs(
            {
                "distributionId": self.distribution_id,
                "distributionArn": self.distribution_arn,
                "domainName": self.domain_name,
                "url": self.url,
                "staticBucketName": self.static_bucket_name,
            }
        )

    def _create_policies(self, services: Sequence[Service]) -> EdgePolicies:
        return EdgePolicies(
            f"{self._name}-policies",
            context=self.context,
            api_ttls=[service.edge_cache_seconds for service in services if service.edge_cache_seconds],
            provider=self._aws_provider,
            opts=self.child(),
        )

    def _create_distribution(
        self,
        services: Sequence[Service],
        origin: EdgeOrigin,
        attachments: EdgeAttachments,
        static: StaticAssets,
    ) -> cloudfront.Distribution:
        no_geography = cloudfront.DistributionRestrictionsGeoRestrictionArgs(restriction_type="none")
        return cloudfront.Distribution(
            self._name,
            enabled=True,
            comment=f"Global tier of {self.context.name()}",
            aliases=[self._domain],
            http_version="http2and3",
            is_ipv6_enabled=True,
            price_class=self._settings.price_class,
            web_acl_id=attachments.web_acl_arn,
            origins=[self._api_origin(origin), self._static_origin(static)],
            default_cache_behavior=self._default_behavior(),
            ordered_cache_behaviors=[
                self._static_behavior(),
                *(behavior for service in services for behavior in self._service_behaviors(service)),
            ],
            custom_error_responses=[
                cloudfront.DistributionCustomErrorResponseArgs(error_code=code, error_caching_min_ttl=0)
                for code in UNCACHED_ERRORS
            ],
            restrictions=cloudfront.DistributionRestrictionsArgs(geo_restriction=no_geography),
            viewer_certificate=cloudfront.DistributionViewerCertificateArgs(
                acm_certificate_arn=attachments.certificate_arn,
                minimum_protocol_version=VIEWER_TLS,
                ssl_support_method="sni-only",
            ),
            tags=self.tags(),
            opts=self.child(provider=self._aws_provider),
        )

    def _api_origin(self, origin: EdgeOrigin) -> cloudfront.DistributionOriginArgs:
        return cloudfront.DistributionOriginArgs(
            origin_id=API_ORIGIN,
            domain_name=origin.domain_name,
            connection_attempts=CONNECT_ATTEMPTS,
            connection_timeout=CONNECT_SECONDS,
            custom_headers=[
                cloudfront.DistributionOriginCustomHeaderArgs(
                    name=ORIGIN_VERIFY_HEADER, value=pulumi.Output.secret(origin.secret)
                )
            ],
            custom_origin_config=cloudfront.DistributionOriginCustomOriginConfigArgs(
                http_port=80,
                https_port=443,
                origin_protocol_policy="https-only",
                origin_ssl_protocols=["TLSv1.2"],
                origin_read_timeout=CLOUDFRONT_RESPONSE_SECONDS,
                origin_keepalive_timeout=CLOUDFRONT_KEEP_ALIVE_SECONDS,
            ),
        )

    def _static_origin(self, static: StaticAssets) -> cloudfront.DistributionOriginArgs:
        return cloudfront.DistributionOriginArgs(
            origin_id=STATIC_ORIGIN,
            domain_name=static.regional_domain_name,
            origin_access_control_id=static.access_control_id,
        )

    def _default_behavior(self) -> cloudfront.DistributionDefaultCacheBehaviorArgs:
        return cloudfront.DistributionDefaultCacheBehaviorArgs(
            target_origin_id=API_ORIGIN,
            # A redirect would come after credentials went over the wire in clear.
            viewer_protocol_policy="https-only",
            allowed_methods=list(ALL_METHODS),
            cached_methods=list(CACHED_METHODS),
            cache_policy_id=self._policies.uncached_id,
            origin_request_policy_id=self._policies.origin_request_id,
            response_headers_policy_id=self._policies.api_headers_id,
            function_associations=[
                cloudfront.DistributionDefaultCacheBehaviorFunctionAssociationArgs(
                    event_type="viewer-request", function_arn=self._policies.function_arn
                )
            ],
        )

    def _static_behavior(self) -> Behavior:
        return Behavior(
            path_pattern=STATIC_PATHS,
            target_origin_id=STATIC_ORIGIN,
            viewer_protocol_policy="redirect-to-https",
            allowed_methods=list(CACHED_METHODS),
            cached_methods=list(CACHED_METHODS),
            compress=True,
            cache_policy_id=self._policies.static_id,
            response_headers_policy_id=self._policies.static_headers_id,
        )

    def _service_behaviors(self, service: Service) -> list[Behavior]:
        """The health path uncached, then the service's prefixes cached; nothing for a service that never is."""
        if not service.edge_cache_seconds:
            return []
        cached = self._policies.api_ids[service.edge_cache_seconds]
        return [
            self._api_behavior(
                service.health.path, self._policies.uncached_id, self._policies.api_headers_id
            ),
            *(
                self._api_behavior(f"{prefix}*", cached, self._policies.cached_headers_id)
                for prefix in service.path_prefixes
            ),
        ]

    def _api_behavior(
        self, path_pattern: str, cache_policy_id: pulumi.Output[str], headers_policy_id: pulumi.Output[str]
    ) -> Behavior:
        return Behavior(
            path_pattern=path_pattern,
            target_origin_id=API_ORIGIN,
            viewer_protocol_policy="https-only",
            allowed_methods=list(ALL_METHODS),
            cached_methods=list(CACHED_METHODS),
            compress=True,
            cache_policy_id=cache_policy_id,
            origin_request_policy_id=self._policies.origin_request_id,
            response_headers_policy_id=headers_policy_id,
            function_associations=[
                cloudfront.DistributionOrderedCacheBehaviorFunctionAssociationArgs(
                    event_type="viewer-request", function_arn=self._policies.function_arn
                )
            ],
        )

    def _create_records(self, distribution: cloudfront.Distribution, zone_id: pulumi.Input[str]) -> None:
        for record_type in ("A", "AAAA"):
            aws.route53.Record(
                f"{self._name}-{record_type.lower()}",
                zone_id=zone_id,
                name=self._domain,
                type=record_type,
                aliases=[
                    aws.route53.RecordAliasArgs(
                        name=distribution.domain_name,
                        zone_id=distribution.hosted_zone_id,
                        # CloudFront's names have no health to evaluate.
                        evaluate_target_health=False,
                    )
                ],
                opts=self.child(),
            )

    def _create_access_logs(
        self, distribution: cloudfront.Distribution, log_bucket_arn: pulumi.Input[str]
    ) -> None:
        name = self.context.name("edge", limit=60)
        source = aws.cloudwatch.LogDeliverySource(
            f"{self._name}-log-source",
            name=name,
            log_type="ACCESS_LOGS",
            resource_arn=distribution.arn,
            tags=self.tags(),
            opts=self.child(provider=self._aws_provider),
        )
        destination = aws.cloudwatch.LogDeliveryDestination(
            f"{self._name}-log-destination",
            name=name,
            output_format="json",
            delivery_destination_configuration=(
                aws.cloudwatch.LogDeliveryDestinationDeliveryDestinationConfigurationArgs(
                    destination_resource_arn=log_bucket_arn
                )
            ),
            tags=self.tags(),
            opts=self.child(provider=self._aws_provider),
        )
        aws.cloudwatch.LogDelivery(
            f"{self._name}-log-delivery",
            delivery_source_name=source.name,
            delivery_destination_arn=destination.arn,
            record_fields=list(LOG_FIELDS),
            s3_delivery_configurations=[
                aws.cloudwatch.LogDeliveryS3DeliveryConfigurationArgs(
                    enable_hive_compatible_path=False, suffix_path="{DistributionId}/{yyyy}/{MM}/{dd}/{HH}"
                )
            ],
            tags=self.tags(),
            opts=self.child(provider=self._aws_provider),
        )

    def _create_shield(self, distribution: cloudfront.Distribution, zone_id: pulumi.Input[str]) -> None:
        zone_arn = pulumi.Output.from_input(zone_id).apply(
            lambda known: f"arn:aws:route53:::hostedzone/{known}"
        )
        Shield(
            f"{self._name}-shield",
            context=self.context,
            resource_arns={"distribution": distribution.arn, "zone": zone_arn},
            opts=self.child(),
        )
