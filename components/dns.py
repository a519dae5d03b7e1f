"""DNS of an environment: the public zone, certificates, and one latency record for each region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.naming import StackContext
from infra.traffic.failover import CHECK_INTERVAL_SECONDS, FAILURE_THRESHOLD

CERTIFICATE_AUTHORITIES = ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com")
"""The names by which AWS Certificate Manager recognises itself in a CAA record."""
RECORD_TTL_SECONDS = 300
CHECKER_REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
"""Three regions of health checkers, the fewest that Route 53 takes: each multiplies the requests."""
HTTPS_PORT = 443


class PublicZone(Component):
    """The public hosted zone of an environment; only AWS may issue certificates for it.

    Delegate the domain to `name_servers` once, at the registrar or in the parent zone. DNSSEC is left off: its
    signing key needs a chain of trust in the parent zone, which this program does not own.

    Args:
        name: Logical name, e.g. `zone`; children are `<name>` and `<name>-caa`.
        context: Names, tags and protection of the stack; the zone is protected where the stack protects.
        domain: The zone's domain, e.g. `parking.example.com`.
        opts: Options of the component.

    Outputs:
        zone_id: The hosted zone.
        name_servers: The four servers to delegate to.
    """

    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        domain: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("PublicZone", name, context=context, opts=opts)
        zone = self._create_zone(domain)
        self._create_authority_record(zone, domain)
        self.zone_id = zone.zone_id
        self.name_servers = zone.name_servers
        self.register_outputs({"zoneId": self.zone_id, "nameServers": self.name_servers})

    def _create_zone(self, domain: str) -> aws.route53.Zone:
        return aws.route53.Zone(
            self._name,
            name=domain,
            comment=f"Public zone of {self.context.name()}",
            tags=self.tags(),
            opts=self.child(stateful=True),
        )

    def _create_authority_record(self, zone: aws.route53.Zone, domain: str) -> None:
        aws.route53.Record(
            f"{self._name}-caa",
            zone_id=zone.zone_id,
            name=domain,
            type="CAA",
            ttl=RECORD_TTL_SECONDS,
            records=[*(f'0 issue "{authority}"' for authority in CERTIFICATE_AUTHORITIES), '0 issuewild ";"'],
            opts=self.child(),
        )


class Certificate(Component):
    """A public certificate that AWS validates by DNS and renews by itself.

    The validation record of a name is the same for every certificate of an account. So of two stacks that
    certify one name, only the zone's owner writes the record, and the other passes no `zone_id`.

    Args:
        name: Logical name, e.g. `origin-certificate`; children begin with it.
        context: Names, tags and protection of the stack.
        domain: First name of the certificate, without wildcard.
        alternative_names: Further names, without wildcard.
        zone_id: Zone to write the validation records in; none: another stack of the environment wrote them.
        provider: Explicit AWS provider; of us-east-1 for a certificate of CloudFront.
        opts: Options of the component.

    Outputs:
        arn: The certificate, known once it is issued.

    Raises:
        ValueError: When a name is given twice or is a wildcard, which the zone's CAA record refuses.
    """

    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        domain: str,
        alternative_names: Sequence[str] = (),
        zone_id: pulumi.Input[str] | None = None,
        provider: pulumi.ProviderResource | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        domains = (domain, *alternative_names)
        if len(set(domains)) != len(domains) or any("*" in each for each in domains):
            raise ValueError(f"names of a certificate must differ and be no wildcards; found {list(domains)}")
        super().__init__("Certificate", name, context=context, opts=opts)
        self._aws_provider = provider
        certificate = self._create_certificate(domains)
        records = [] if zone_id is None else self._create_records(certificate, domains, zone_id)
        self.arn = self._create_validation(certificate, records).certificate_arn
        self.register_outputs({"arn": self.arn})

    def _create_certificate(self, domains: Sequence[str]) -> aws.acm.Certificate:
        return aws.acm.Certificate(
            self._name,
            domain_name=domains[0],
            subject_alternative_names=list(domains[1:]) or None,
            validation_method="DNS",
            tags=self.tags(),
            opts=self.child(provider=self._aws_provider),
        )

    def _create_records(
        self, certificate: aws.acm.Certificate, domains: Sequence[str], zone_id: pulumi.Input[str]
    ) -> list[aws.route53.Record]:
        # One for each name, so that the list's length is known before AWS answers.
        return [self._create_record(certificate, domain, zone_id) for domain in domains]

    def _create_record(
        self, certificate: aws.acm.Certificate, domain: str, zone_id: pulumi.Input[str]
    ) -> aws.route53.Record:
        option = certificate.domain_validation_options.apply(
            lambda options: next(option for option in options if option.domain_name == domain)
        )
        return aws.route53.Record(
            f"{self._name}-{domain.split('.', maxsplit=1)[0]}",
            zone_id=zone_id,
            name=option.apply(lambda known: str(known.resource_record_name)),
            type=option.apply(lambda known: str(known.resource_record_type)),
            records=[option.apply(lambda known: str(known.resource_record_value))],
            ttl=RECORD_TTL_SECONDS,
            opts=self.child(),
        )

    def _create_validation(
        self, certificate: aws.acm.Certificate, records: Sequence[aws.route53.Record]
    ) -> aws.acm.CertificateValidation:
        return aws.acm.CertificateValidation(
            f"{self._name}-issued",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn for record in records] or None,
            opts=self.child(provider=self._aws_provider),
        )


@dataclass(frozen=True, kw_only=True)
class AliasTarget:
    """What an alias record points to.

    Attributes:
        dns_name: The name.
        zone_id: The hosted zone that AWS keeps it in.
    """

    dns_name: pulumi.Input[str]
    zone_id: pulumi.Input[str]


class RegionalRecord(Component):
    """One region's answer for the origin: nearest by latency, and only while its services are healthy.

    Each path of `health_paths` gets a fast HTTPS check against the region's load balancer; a calculated check
    over them is healthy while all are, and the latency record answers only then. With an interval of 10 s,
    3 failures and the alias TTL of 60 s, clients are off a failed region after 90 s, reads and writes alike.
    When no region is healthy, Route 53 answers with all of them.

    The price is 3.50 USD a month a path (an AWS endpoint, with the HTTPS, fast interval and latency options)
    and 0.50 USD for the calculated check; hence a check for each service that decides, not for all.

    Args:
        name: Logical name, e.g. `origin-record`; children are `<name>`, `<name>-health`, `<name>-<path's key>`.
        context: Names, tags and protection of the stack; its region is the record's set identifier.
        zone_id: The public zone.
        domain: Name of the record, the same in every region, e.g. `origin.parking.example.com`.
        target: The region's load balancer.
        health_paths: Path of a health check by a short key; all must answer 2xx or 3xx within 4 s.
        checker_regions: Regions that check, at least three; default eu-west-1, us-east-1, us-west-2.
        opts: Options of the component.

    Outputs:
        health_check_id: The calculated health check of the region.
        child_health_check_ids: The checks below it, by the keys of `health_paths`.
        fqdn: Name that the record answers for.

    Raises:
        ValueError: When there is no health path, or fewer than three checker regions.

    Source of the numbers: the design's 10 s and 3 failures; see `infra.traffic.failover` for the arithmetic.
    """

    health_check_id: pulumi.Output[str]
    child_health_check_ids: Mapping[str, pulumi.Output[str]]
    fqdn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        zone_id: pulumi.Input[str],
        domain: str,
        target: AliasTarget,
        health_paths: Mapping[str, str],
        checker_regions: Sequence[str] = CHECKER_REGIONS,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not health_paths:
            raise ValueError("a region without health paths would never fail over; name at least one")
        if len(set(checker_regions)) < len(CHECKER_REGIONS):
            raise ValueError(
                f"Route 53 checks from at least three regions; found {sorted(set(checker_regions))}"
            )
        super().__init__("RegionalRecord", name, context=context, opts=opts)
        self.child_health_check_ids = {
            key: self._create_check(key, path, target, checker_regions).id
            for key, path in sorted(health_paths.items())
        }
        region_check = self._create_region_check()
        record = self._create_record(zone_id, domain, target, region_check)
        self.health_check_id = region_check.id
        self.fqdn = record.fqdn
        self.register_outputs(
            {
                "healthCheckId": self.health_check_id,
                "childHealthCheckIds": self.child_health_check_ids,
                "fqdn": self.fqdn,
            }
        )

    def _create_check(
        self, key: str, path: str, target: AliasTarget, checker_regions: Sequence[str]
    ) -> aws.route53.HealthCheck:
        return aws.route53.HealthCheck(
            f"{self._name}-{key}",
            type="HTTPS",
            fqdn=target.dns_name,
            port=HTTPS_PORT,
            resource_path=path,
            enable_sni=True,
            request_interval=CHECK_INTERVAL_SECONDS,
            failure_threshold=FAILURE_THRESHOLD,
            measure_latency=True,
            regions=sorted(set(checker_regions)),
            tags=self.tags(Name=self.context.global_name(key, limit=256)),
            opts=self.child(),
        )

    def _create_region_check(self) -> aws.route53.HealthCheck:
        children = list(self.child_health_check_ids.values())
        return aws.route53.HealthCheck(
            f"{self._name}-health",
            type="CALCULATED",
            child_healthchecks=children,
            child_health_threshold=len(children),
            tags=self.tags(Name=self.context.global_name("region", limit=256)),
            opts=self.child(),
        )

    def _create_record(
        self, zone_id: pulumi.Input[str], domain: str, target: AliasTarget, check: aws.route53.HealthCheck
    ) -> aws.route53.Record:
        return aws.route53.Record(
            self._name,
            zone_id=zone_id,
            name=domain,
            type="A",
            set_identifier=self.context.region,
            latency_routing_policies=[aws.route53.RecordLatencyRoutingPolicyArgs(region=self.context.region)],
            health_check_id=check.id,
            aliases=[
                aws.route53.RecordAliasArgs(
                    name=target.dns_name, zone_id=target.zone_id, evaluate_target_health=True
                )
            ],
            opts=self.child(),
        )
