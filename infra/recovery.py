"""How long recovery takes and what it may lose, added up from the settings and AWS's published figures.

Pure arithmetic: settings in, rows out. Each part says where its number is from: a setting of this program, a figure
that AWS publishes, a measurement of our drill, or an assumption where nobody publishes one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from infra.data.pgbouncer import DNS_TTL_SECONDS
from infra.model.stack import StackSettings
from infra.traffic.failover import (
    ALIAS_TTL_SECONDS,
    CHECK_INTERVAL_SECONDS,
    FAILURE_THRESHOLD,
    REGION_FAILOVER_OBJECTIVE_SECONDS,
    WRITER_TTL_SECONDS,
)

SPECIFICATION = "the architecture specification, recovery time objectives"
_RDS_GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide"
_SECONDS_PER_HOUR = 3600


class Origin(StrEnum):
    """Where a number is from."""

    SETTING = "setting"
    PUBLISHED = "published"
    MEASURED = "measured"
    ASSUMED = "assumed"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One step of a recovery, or one thing that ages data.

    Attributes:
        what: What it is.
        seconds: How long it takes, at its longest.
        origin: Where the number is from.
        source: The setting, page or measurement.
    """

    what: str
    seconds: float
    origin: Origin
    source: str


@dataclass(frozen=True, kw_only=True)
class Objective:
    """One recovery objective beside what it comes to.

    Attributes:
        name: Stable name, e.g. `region-failover`.
        kind: `RTO`, a time until service is back, or `RPO`, the newest data that may be lost.
        objective_seconds: What it may be.
        source: Who says so.
        parts: What it consists of, one after another.
    """

    name: str
    kind: Literal["RTO", "RPO"]
    objective_seconds: float
    source: str
    parts: tuple[Part, ...]

    @property
    def computed_seconds(self) -> float:
        """Sum of the parts."""
        return sum(part.seconds for part in self.parts)

    @property
    def met(self) -> bool:
        """Whether the sum keeps the objective."""
        return self.computed_seconds <= self.objective_seconds


def objectives(settings: StackSettings) -> tuple[Objective, ...]:
    """Every recovery objective of a stack, in the specification's order, losses last.

    Args:
        settings: The stack's settings.
    """
    return (
        _service_restart(),
        _region_failover(),
        _database_failover(settings),
        _full_recovery(settings),
        *_losses(settings),
    )


def over(rows: Iterable[Objective]) -> list[Objective]:
    """Those that miss their objective."""
    return [row for row in rows if not row.met]


def _service_restart() -> Objective:
    return Objective(
        name="service-restart",
        kind="RTO",
        objective_seconds=30,
        source=SPECIFICATION,
        parts=(
            Part(
                what="the kubelet notices an ended container and starts it again",
                seconds=2,
                origin=Origin.PUBLISHED,
                source="kubelet relists containers every second; the first restart has no back-off, "
                "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/",
            ),
            Part(
                what="the process listens",
                seconds=20,
                origin=Origin.ASSUMED,
                source="services have to; the startup probe gives up after STARTUP_SECONDS (30)",
            ),
            Part(
                what="the readiness probe passes",
                seconds=5,
                origin=Origin.SETTING,
                source="components/pod_template.py READINESS_PERIOD_SECONDS",
            ),
        ),
    )


def _region_failover() -> Objective:
    return Objective(
        name="region-failover",
        kind="RTO",
        objective_seconds=REGION_FAILOVER_OBJECTIVE_SECONDS,
        source=SPECIFICATION,
        parts=(
            Part(
                what="health checks agree that the region is out",
                seconds=CHECK_INTERVAL_SECONDS * FAILURE_THRESHOLD,
                origin=Origin.SETTING,
                source="infra/traffic/failover.py CHECK_INTERVAL_SECONDS x FAILURE_THRESHOLD",
            ),
            Part(
                what="resolvers forget the old answer",
                seconds=ALIAS_TTL_SECONDS,
                origin=Origin.PUBLISHED,
                source="Route 53 answers 60 s for an alias to a load balancer, "
                "https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html",
            ),
        ),
    )


def _writer_name_parts() -> tuple[Part, ...]:
    return (
        Part(
            what="the writer's name is forgotten by resolvers",
            seconds=WRITER_TTL_SECONDS,
            origin=Origin.SETTING,
            source="infra/traffic/failover.py WRITER_TTL_SECONDS",
        ),
        Part(
            what="poolers ask again",
            seconds=DNS_TTL_SECONDS,
            origin=Origin.SETTING,
            source="infra/data/pgbouncer.py DNS_TTL_SECONDS",
        ),
    )


def _database_failover(settings: StackSettings) -> Objective:
    if settings.database.multi_az:
        failover = Part(
            what="RDS fails over to the standby of another zone",
            seconds=120,
            origin=Origin.PUBLISHED,
            source=f"typically 60 to 120 s, {_RDS_GUIDE}/Concepts.MultiAZSingleStandby.html",
        )
    else:
        failover = Part(
            what="the newest backup is restored: there is no standby",
            seconds=2 * _SECONDS_PER_HOUR,
            origin=Origin.ASSUMED,
            source="AWS publishes no figure; parking:database.multiAz is false",
        )
    name = Part(
        what="poolers ask again for the endpoint",
        seconds=DNS_TTL_SECONDS,
        origin=Origin.SETTING,
        source="infra/data/pgbouncer.py DNS_TTL_SECONDS",
    )
    return Objective(
        name="database-failover",
        kind="RTO",
        objective_seconds=60,
        source=SPECIFICATION,
        parts=(failover, name),
    )


def _full_recovery(settings: StackSettings) -> Objective:
    return Objective(
        name="full-recovery",
        kind="RTO",
        objective_seconds=15 * 60,
        source=SPECIFICATION,
        parts=(
            Part(
                what="people decide",
                seconds=settings.recovery.decision_seconds,
                origin=Origin.SETTING,
                source="parking:recovery.decisionSeconds",
            ),
            Part(
                what="the tool checks and fences",
                seconds=60,
                origin=Origin.ASSUMED,
                source="limit of infra/ops for a region that does not answer",
            ),
            Part(
                what="RDS promotes the recovery replica, with its reboot",
                seconds=420,
                origin=Origin.ASSUMED,
                source=f"'several minutes or longer', no figure, {_RDS_GUIDE}/USER_ReadRepl.Promote.html",
            ),
            Part(
                what="Route 53 spreads the moved name",
                seconds=60,
                origin=Origin.PUBLISHED,
                source="designed to take at most 60 s under normal conditions, https://aws.amazon.com/route53/faqs/",
            ),
            *_writer_name_parts(),
            Part(
                what="nodes for the other region's load join",
                seconds=180,
                origin=Origin.ASSUMED,
                source="EC2 start, node bootstrap and image pulls; AWS publishes no figure",
            ),
        ),
    )


def _losses(settings: StackSettings) -> tuple[Objective, ...]:
    recovery = settings.recovery
    project = "this project: the specification names no loss"
    lag = Part(
        what="replication lag that a failover accepts",
        seconds=recovery.max_lag_seconds,
        origin=Origin.SETTING,
        source="parking:recovery.maxLagSeconds",
    )
    upload = Part(
        what="transaction logs reach S3",
        seconds=300,
        origin=Origin.PUBLISHED,
        source=f"every 5 minutes, {_RDS_GUIDE}/USER_PIT.html",
    )
    interval = Part(
        what="age of the newest backup before the next begins",
        seconds=recovery.backup_interval_hours * _SECONDS_PER_HOUR,
        origin=Origin.SETTING,
        source="parking:recovery.backupIntervalHours",
    )
    copy = Part(
        what="the backup starts, ends and is copied to the other region",
        seconds=3 * _SECONDS_PER_HOUR,
        origin=Origin.ASSUMED,
        source="start window of 1 h in components/backup.py and 2 h for the copy; AWS publishes no figure",
    )
    return (
        Objective(
            name="database-region-loss",
            kind="RPO",
            objective_seconds=300,
            source=project,
            parts=(lag,),
        ),
        Objective(
            name="database-to-a-moment",
            kind="RPO",
            objective_seconds=600,
            source=project,
            parts=(upload,),
        ),
        Objective(
            name="backup-in-another-region",
            kind="RPO",
            objective_seconds=recovery.max_backup_loss_hours * _SECONDS_PER_HOUR,
            source="parking:recovery.maxBackupLossHours",
            parts=(interval, copy),
        ),
    )


def table(settings: StackSettings) -> str:
    """The objectives as lines of text, each with its parts.

    Args:
        settings: The stack's settings.
    """
    lines: list[str] = []
    for row in objectives(settings):
        accepted = row.name in settings.recovery.accepted_over
        verdict = "met" if row.met else "OVER, accepted" if accepted else "OVER"
        lines.append(
            f"{row.kind} {row.name}: {row.computed_seconds:g} s of {row.objective_seconds:g} s, {verdict} "
            f"({row.source})"
        )
        lines += [
            f"    {part.seconds:>7g} s  {part.what} [{part.origin}: {part.source}]" for part in row.parts
        ]
    return "\n".join(lines)
