"""Address plan of a VPC: which subnet range each zone and tier gets.

A zone's block follows from its letter and a tier's place in the block is fixed, so that adding a zone or a
tier never moves an existing subnet. Of a /16: zones a to d get a /18 each; in it the first /19 is for nodes and
pods, then a /22 each for public, database and two spare tiers, the rest stays free.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network

AWS_RESERVED_ADDRESSES = 5
"""Addresses of every subnet that AWS keeps (VPC user guide, subnet sizing)."""
ZONE_LETTERS = "abcd"


class Tier(StrEnum):
    """Subnet tiers of a zone."""

    PRIVATE = "private"
    PUBLIC = "public"
    DATABASE = "database"


_TIER_PLACE = {Tier.PRIVATE: (1, 0), Tier.PUBLIC: (4, 8), Tier.DATABASE: (4, 9)}
"""Bits added to the zone's block, and the index among blocks of that size."""


class AddressPlanError(ValueError):
    """A VPC range or zone that the plan has no place for."""


@dataclass(frozen=True, kw_only=True)
class SubnetPlan:
    """One planned subnet: its zone, its tier and its range in CIDR notation."""

    zone: str
    tier: Tier
    cidr: str

    @property
    def letter(self) -> str:
        """Last letter of the zone, which distinguishes it within a VPC."""
        return self.zone[-1]


def subnet_cidr(*, vpc_cidr: str, zone: str, tier: Tier) -> str:
    """Range of one tier in one zone.

    Args:
        vpc_cidr: The VPC's range; a /16.
        zone: Availability zone, e.g. `us-east-1a`.
        tier: Which tier.

    Raises:
        AddressPlanError: When the range is no /16 network or the zone's letter is not a to d.
    """
    try:
        network = IPv4Network(vpc_cidr)
    except ValueError as error:
        raise AddressPlanError(f"{vpc_cidr!r} is not an IPv4 network: {error}") from error
    if network.prefixlen != 16:
        raise AddressPlanError(f"{vpc_cidr} is a /{network.prefixlen}; the plan divides a /16")
    if not zone or zone[-1] not in ZONE_LETTERS:
        raise AddressPlanError(f"zone {zone!r} does not end in a to d, the four that the plan has blocks for")
    block = list(network.subnets(prefixlen_diff=2))[ZONE_LETTERS.index(zone[-1])]
    bits, index = _TIER_PLACE[tier]
    return str(list(block.subnets(prefixlen_diff=bits))[index])


def plan(*, vpc_cidr: str, zones: tuple[str, ...]) -> tuple[SubnetPlan, ...]:
    """All subnets of a VPC, by tier and zone.

    Args:
        vpc_cidr: The VPC's range; a /16.
        zones: Availability zones, in any order; each ends in another letter.

    Raises:
        AddressPlanError: When the range is no /16, a zone has no block, or two zones share one.
    """
    letters = [zone[-1:] for zone in zones]
    for zone, letter in zip(zones, letters, strict=True):
        if letters.count(letter) > 1:
            raise AddressPlanError(
                f"zone {zone!r} shares its letter with another, and so its addresses: {zones}"
            )
    return tuple(
        SubnetPlan(zone=zone, tier=tier, cidr=subnet_cidr(vpc_cidr=vpc_cidr, zone=zone, tier=tier))
        for tier in Tier
        for zone in sorted(zones)
    )


def pod_addresses(*, vpc_cidr: str, zones: tuple[str, ...]) -> int:
    """Addresses that nodes and pods can take over all zones."""
    return sum(
        IPv4Network(subnet.cidr).num_addresses - AWS_RESERVED_ADDRESSES
        for subnet in plan(vpc_cidr=vpc_cidr, zones=zones)
        if subnet.tier is Tier.PRIVATE
    )
