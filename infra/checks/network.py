"""Zones, address ranges and addresses."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from infra import addressing
from infra.addressing import ZONE_LETTERS
from infra.checks.subject import Subject
from infra.cluster import capacity
from infra.instances import NODE_TYPES
from infra.problems import Problem


def check_zones(subject: Subject) -> Iterator[Problem]:
    """Zones are the region's, each once."""
    network, region = subject.settings.network, subject.settings.region
    for place, zone in enumerate(network.zones):
        if zone[:-1] != region or zone[-1] not in ZONE_LETTERS:
            yield Problem(
                key=f"parking:network.zones[{place}]",
                found=zone,
                allowed=", ".join(f"{region}{letter}" for letter in ZONE_LETTERS),
                why=f"the stack is in aws:region {region}, and the address plan has blocks for zones a to d",
                action="name zones of the stack's region, or change aws:region",
            )
    if len(set(network.zones)) != len(network.zones):
        yield Problem(
            key="parking:network.zones",
            found=", ".join(network.zones),
            allowed="each zone once",
            why="two subnets of a tier in one zone would overlap",
            action="remove the repeated zone",
        )


def _network(cidr: str) -> IPv4Network | None:
    try:
        return IPv4Network(cidr)
    except ValueError:
        return None


def check_ranges(subject: Subject) -> Iterator[Problem]:
    """Address ranges are plannable and disjoint."""
    cidr, service_cidr = subject.settings.network.cidr, subject.settings.cluster.service_cidr
    own = _network(cidr)
    if own is None or own.prefixlen != 16 or not own.is_private:
        yield Problem(
            key="parking:network.cidr",
            found=cidr,
            allowed="a private /16 network address, e.g. 10.3.0.0/16",
            why="the address plan divides a /16 by zone and tier",
            action="choose a /16 that no other stack uses",
        )
        return
    for stack, other_cidr in subject.other_ranges.items():
        other = _network(other_cidr)
        if other is not None and own.overlaps(other):
            yield Problem(
                key="parking:network.cidr",
                found=f"{cidr}, overlapping {other_cidr} of stack {stack}",
                allowed="a range disjoint from every other stack's",
                why="overlapping VPCs can never be peered, and a range cannot be changed without replacing the VPC",
                action="choose a /16 that no Pulumi.<stack>.yaml uses",
            )
    services = _network(service_cidr)
    if services is None or services.overlaps(own):
        yield Problem(
            key="parking:cluster.serviceCidr",
            found=service_cidr,
            allowed=f"a network address outside {cidr}",
            why="Kubernetes service addresses must not shadow addresses of the VPC",
            action="choose another range, e.g. 172.20.0.0/16",
        )
    for place, public in enumerate(subject.settings.cluster.public_access_cidrs):
        if public == "0.0.0.0/0" or _network(public) is None:
            yield Problem(
                key=f"parking:cluster.publicAccessCidrs[{place}]",
                found=public,
                allowed="valid ranges of your offices or VPN, never 0.0.0.0/0",
                why="the API endpoint must not be open to the internet",
                action="name the ranges, or leave the list empty for a private endpoint",
            )


def check_addresses(subject: Subject) -> Iterator[Problem]:
    """Every pod that the pools can hold finds an address."""
    settings = subject.settings
    network = settings.network
    pools = settings.node_pools
    try:
        offered = addressing.pod_addresses(vpc_cidr=network.cidr, zones=network.zones)
    except addressing.AddressPlanError:
        return  # zones and ranges have said it
    wanted = 0
    for pool in (pools.application, pools.database, pools.analytics, pools.analytics_gpu):
        size = NODE_TYPES.get(pool.instance_types[0])
        if size:
            wanted += capacity.addresses_of_nodes(nodes=pool.max_size, pods_per_node=size.max_pods)
    if wanted > offered:
        yield Problem(
            key="parking:network.zones",
            found=f"{offered} addresses for nodes and pods in {len(network.zones)} zones",
            allowed=f"at least {wanted}, what the node pools take at their maximum",
            why="a pod without an address stays pending",
            action="add a zone, or lower maxSize of the node pools",
        )
