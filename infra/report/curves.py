"""How each service's replicas would follow a jump of demand and its end, by the HPA's own arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.cluster.replicas import Step, curve, limits_of
from infra.model.service import Service

LOOK_SECONDS = 15
"""How often EKS' standard control plane looks at an HPA's metrics."""
HORIZON_SECONDS = 4 * 3600


@dataclass(frozen=True, kw_only=True)
class Curves:
    """A service's replicas over time.

    Attributes:
        service: Its short name.
        min_replicas: Fewest.
        max_replicas: Most.
        up: From the fewest, when demand jumps beyond the most.
        down: From the most, when demand is gone.
    """

    service: str
    min_replicas: int
    max_replicas: int
    up: tuple[Step, ...]
    down: tuple[Step, ...]

    @property
    def seconds_up(self) -> float:
        """Seconds from the jump to the most replicas."""
        return self.up[-1].at

    @property
    def seconds_down(self) -> float:
        """Seconds from the end of demand to the fewest replicas."""
        return self.down[-1].at


def curves(services: Sequence[Service]) -> Iterator[Curves]:
    """The curves of every service.

    Args:
        services: The services as the stack runs them (`infra.catalogue.resolve`).
    """
    for service in services:
        limits = limits_of(service)
        least, most = limits.min_replicas, limits.max_replicas
        yield Curves(
            service=service.name,
            min_replicas=least,
            max_replicas=most,
            up=curve(
                limits, start=least, wanted=lambda _: 10**6, seconds=HORIZON_SECONDS, every=LOOK_SECONDS
            ),
            down=curve(limits, start=most, wanted=lambda _: 0, seconds=HORIZON_SECONDS, every=LOOK_SECONDS),
        )
