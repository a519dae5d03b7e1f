"""What is billed by use: load balancing, edge, transfer, logs. Volumes follow from demand and the services' load."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.capacity.demand import Stage, traffic
from infra.cost import nodes
from infra.cost.lines import Group, Level, Line
from infra.cost.stores import VAULT
from infra.cost.subject import Priced
from infra.model.service import ErrorClass, Service
from infra.model.stack import Role, StackSettings
from infra.traffic.waf import global_rules, regional_rules

DAYS_A_MONTH = 365 / 12
_KIB_A_GB = 1024 / 1e9
_GIB_A_GB = 1.073741824
EGRESS_TIERS_GB = (10_000, 40_000, 100_000)
"""Sizes of the first price tiers of transfer to the internet, in GB a month (EC2 pricing); the fourth is open."""
CLOUDFRONT_FREE_GB, CLOUDFRONT_FIRST_GB = 1_000, 10_000
"""What CloudFront gives for nothing each month, and the size of its first price tier."""
LCU_GB_AN_HOUR, LCU_CONNECTIONS_A_SECOND, LCU_RULES_A_SECOND, FREE_RULES = 1.0, 25, 1000, 10
"""What one load balancer capacity unit holds, in each dimension (Elastic Load Balancing pricing)."""
REQUESTS_A_CONNECTION = 10
"""Requests that CloudFront sends over one connection to the load balancer; an assumption."""
HEALTH_CHECK_OPTIONS = 3
"""HTTPS, the fast interval and latency measurement are billed on each check."""


@dataclass(frozen=True, kw_only=True)
class Volume:
    """What moves in a month.

    Attributes:
        users: Users a month, as the specification counts them: concurrent ones.
        transactions: Parking operations.
        requests: Requests that reach the region's load balancer.
        edge_requests: Requests of viewers, those included that the edge answers.
        viewer_gb: GB from the edge (or the load balancer, without one) to viewers.
        origin_gb: GB through the load balancer, both ways.
        internal_gb: GB between pods, stores and brokers.
        nat_gb: GB through the NAT gateways.
        replicated_gb: GB to replicas in another region.
        log_gb: GB into CloudWatch Logs.
        pulled_gb: GB of images to nodes.
    """

    users: float
    transactions: float
    requests: float
    edge_requests: float
    viewer_gb: float
    origin_gb: float
    internal_gb: float
    nat_gb: float
    replicated_gb: float
    log_gb: float
    pulled_gb: float


def requests_per_month(settings: StackSettings, services: Sequence[Service], *, stage: Stage) -> float:
    """Requests that reach a region's services in a month of such days: the busiest hour's, over its share of a day."""
    peak = traffic(settings.demand, stage=stage)
    a_second = sum(
        peak.users * service.load.requests_per_user_minute / 60
        + peak.transactions_per_second * service.load.requests_per_transaction
        for service in services
    )
    return a_second * 3600 * 100 / settings.demand.busiest_hour_percent * DAYS_A_MONTH


def primary_with_others(settings: StackSettings) -> bool:
    """Whether the region has the writer, and other regions replicate from it."""
    return settings.role is Role.PRIMARY and settings.connection_pool.regions > 1


def volume(on: Priced) -> Volume:
    """What moves in a month at the level: a quiet month, today's traffic, the season after the planned growth."""
    usage, settings = on.settings.usage, on.settings
    stage = Stage.DESIGN if on.level is Level.MAXIMUM else Stage.TODAY
    factor = usage.quiet_percent / 100 if on.level is Level.MINIMUM else 1.0
    today = traffic(settings.demand, stage=stage)
    transactions = today.transactions_per_day * DAYS_A_MONTH * factor
    requests = requests_per_month(settings, on.services, stage=stage) * factor
    edge = requests / (1 - usage.edge_hit_percent / 100)
    users = today.users * factor
    # Each recovery replica of another region is fed from the writer's region.
    others = settings.connection_pool.regions - 1
    fed = others * settings.database.recovery_replicas if primary_with_others(settings) else 0
    return Volume(
        users=users,
        transactions=transactions,
        requests=requests,
        edge_requests=edge,
        viewer_gb=edge * usage.response_kib * _KIB_A_GB
        + users * usage.static_mib_per_user * 1024 * _KIB_A_GB,
        origin_gb=requests * (usage.request_kib + usage.response_kib) * _KIB_A_GB,
        internal_gb=requests * usage.internal_kib * _KIB_A_GB,
        nat_gb=transactions * usage.outgoing_kib_per_transaction * _KIB_A_GB,
        replicated_gb=transactions * usage.replicated_kib_per_transaction * fed * _KIB_A_GB,
        log_gb=requests * usage.log_bytes_per_request / 1e9,
        pulled_gb=nodes.shares(on).nodes * usage.node_pulls_gib * _GIB_A_GB,
    )


def capacity_units(on: Priced, moved: Volume) -> float:
    """Mean load balancer capacity units, by the dimension that needs most."""
    a_second = moved.requests / (on.hours * 3600)
    rules = len(on.services) * 2 + 1
    return max(
        moved.origin_gb / on.hours / LCU_GB_AN_HOUR,
        a_second / REQUESTS_A_CONNECTION / LCU_CONNECTIONS_A_SECOND,
        a_second * max(0, rules - FREE_RULES) / LCU_RULES_A_SECOND,
    )


def balancing_lines(on: Priced, moved: Volume) -> Iterator[Line]:
    """Load balancer, CloudFront, web ACLs, DNS and its health checks."""
    group, edge, settings = Group.BALANCING, on.settings.edge.enabled, on.settings
    yield on.running(group, "Load balancer", 1, "alb.hour", unit="ALB")
    yield on.running(group, "Load balancer capacity", capacity_units(on, moved), "alb.lcu", unit="LCU")
    acls = [regional_rules(settings.edge, on.services)]
    screened = moved.requests
    if edge:
        acls.append(global_rules(settings.edge, on.services))
        screened += moved.edge_requests
        paid = max(0.0, moved.viewer_gb - CLOUDFRONT_FREE_GB)
        first = min(paid, CLOUDFRONT_FIRST_GB)
        yield on.line(group, "CloudFront transfer", first, "cloudfront.gb_1")
        if paid > first:
            yield on.line(group, "CloudFront transfer over 10 TB", paid - first, "cloudfront.gb_2")
        yield on.line(group, "CloudFront requests", moved.edge_requests / 1e4, "cloudfront.https_10k")
        yield on.line(group, "CloudFront function", moved.edge_requests / 1e6, "cloudfront.function_million")
    yield on.line(group, "Web ACLs", len(acls), "waf.acl")
    yield on.line(group, "Web ACL rules", sum(len(acl.rates) + len(acl.managed) for acl in acls), "waf.rule")
    yield on.line(group, "Web ACL requests", screened / 1e6, "waf.million")
    if edge and settings.edge.shield_advanced:
        yield on.line(group, "Shield Advanced", 1, "shield.advanced")
    deciding = sum(service.error_class is ErrorClass.CRITICAL for service in on.services)
    yield on.line(group, "DNS health checks", deciding + 1, "route53.check")
    yield on.line(
        group, "options of DNS health checks", deciding * HEALTH_CHECK_OPTIONS, "route53.check_option"
    )
    # A private one in each region; the public and the environment's private one are those of the edge's owner.
    yield on.line(group, "DNS zones", 1 + 2 * edge, "route53.zone")
    # An alias answers for nothing; what is left are a connection's first look-ups.
    yield on.line(group, "DNS queries", moved.edge_requests / REQUESTS_A_CONNECTION / 1e6, "route53.million")


def transfer_lines(on: Priced, moved: Volume) -> Iterator[Line]:
    """Every GB that crosses a line: zone, region, NAT, internet."""
    group, settings = Group.TRANSFER, on.settings
    zones = len(settings.network.zones)
    # With pods spread evenly, a partner is in another zone so often; both ends are billed.
    crossing = (zones - 1) / zones
    yield on.line(
        group, "between zones", moved.internal_gb * crossing * 2, "transfer.cross_zone_gb", unit="GB one way"
    )
    if moved.replicated_gb:
        yield on.line(group, "to another region", moved.replicated_gb, "transfer.inter_region_gb")
    if primary_with_others(settings) and on.counts.get(VAULT):
        changed = settings.database.storage_gib * settings.usage.written_percent_a_day / 100 * DAYS_A_MONTH
        yield on.line(group, "copies of backups", changed * _GIB_A_GB, "transfer.inter_region_gb")
    yield on.line(group, "through NAT gateways", moved.nat_gb, "nat.gb")
    yield on.line(group, "through private endpoints", moved.pulled_gb + moved.log_gb, "endpoint.gb")
    # What CloudFront fetches from a region is free; what NAT gateways send out is not.
    yield from _egress(on, moved.nat_gb)


def _egress(on: Priced, gb: float) -> Iterator[Line]:
    left = gb
    for tier, size in enumerate((*EGRESS_TIERS_GB, math.inf), 1):
        taken = min(left, size)
        if taken > 0:
            name = "to the internet" if tier == 1 else f"to the internet, price tier {tier}"
            yield on.line(Group.TRANSFER, name, taken, f"transfer.egress_gb_{tier}")
        left -= taken


def network_lines(on: Priced) -> Iterator[Line]:
    """What the network costs however little moves: NAT gateways, private endpoints, public addresses."""
    network = on.settings.network
    zones = len(network.zones)
    gateways = zones if network.nat_per_zone else 1
    yield on.running(Group.NETWORK, "NAT gateways", gateways, "nat.hour", unit="gateway")
    interfaces = len(network.interface_endpoints) * zones
    yield on.running(
        Group.NETWORK, "private endpoints", interfaces, "endpoint.hour", unit="endpoint and zone"
    )
    yield on.running(Group.NETWORK, "public addresses", gateways + zones, "ipv4.hour", unit="address")


def log_lines(on: Priced, moved: Volume) -> Iterator[Line]:
    """Logs taken in, and those kept: as many days as the settings say, compressed to a fifth."""
    yield on.line(Group.OBSERVABILITY, "logs taken in", moved.log_gb, "logs.gb")
    months = on.settings.database.log_retention_days / DAYS_A_MONTH
    yield on.line(Group.OBSERVABILITY, "logs kept", moved.log_gb * months / 5, "logs.stored_gb")
