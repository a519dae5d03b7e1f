"""What every check looks at, and the problems that several of them report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.cluster import capacity
from infra.model.service import Service
from infra.model.stack import ServiceSettings, StackSettings
from infra.problems import Problem


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a check looks at."""

    settings: StackSettings
    catalogue: tuple[Service, ...]
    other_ranges: Mapping[str, str]

    def service_settings(self, service: Service) -> ServiceSettings | None:
        """The stack's word on a service, if it has one."""
        return self.settings.services.get(service.name)

    def bounds(self, service: Service) -> tuple[int, int]:
        """Replica bounds after the stack's overrides."""
        own = self.service_settings(service)
        low = own.min_replicas if own and own.min_replicas else service.scaling.min_replicas
        high = own.max_replicas if own and own.max_replicas else service.scaling.max_replicas
        return low, high

    def canary_pods(self, service: Service) -> int:
        """Pods on trial beside the regular ones; none without an image to try."""
        own = self.service_settings(service)
        if own is None or own.canary_tag is None:
            return 0
        return capacity.canary_pods(max_replicas=self.bounds(service)[1], percent=own.canary_percent)

    def partitions(self, topic: str) -> int | None:
        """Partitions of a topic after the stack's overrides; None for a topic nobody declares."""
        if topic in self.settings.streaming.topics:
            return self.settings.streaming.topics[topic].partitions
        return next((t.partitions for s in self.catalogue for t in s.topics if t.name == topic), None)


def no_such_type(key: str, found: str, known: list[str], table: str) -> Problem:
    """The problem of an instance type that is not in the table named, with its likely neighbours."""
    family = found.rsplit(".", 1)[0]
    near = [name for name in known if name.startswith(f"{family}.")]
    allowed = near or sorted({name.rsplit(".", 1)[0] + ".*" for name in known})
    return Problem(
        key=key,
        found=found,
        allowed=", ".join(allowed),
        why="AWS offers no such instance type for this use, or it is not in this project's table",
        action=f"use one that is allowed; a newer type that AWS offers is added in {table}",
    )
