"""Another region of the same environment, as far as this one has to know it before it exists."""

from __future__ import annotations

from dataclasses import dataclass

from infra.addressing import Tier, plan


@dataclass(frozen=True, kw_only=True)
class Sibling:
    """One other region of the environment.

    Attributes:
        stack: Its stack.
        region: Its region.
        cidr: Its VPC range.
        zones: Its zones.
    """

    stack: str
    region: str
    cidr: str
    zones: tuple[str, ...]

    @property
    def database_cidrs(self) -> tuple[str, ...]:
        """Ranges of its database subnets, where the writer may come to be.

        Raises:
            AddressPlanError: When its file names a range or a zone that the address plan has no place for.
        """
        return tuple(
            subnet.cidr
            for subnet in plan(vpc_cidr=self.cidr, zones=self.zones)
            if subnet.tier is Tier.DATABASE
        )
