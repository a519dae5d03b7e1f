"""The tables and the picture of docs/drill.md, from what a drill measured."""

from __future__ import annotations

from infra import settings
from infra.diagram import recovery_chart
from infra.diagram.recovery_chart import said
from infra.docs.markdown import table
from infra.drill.measured import Measured, read, runs
from infra.drill.timeline import Bar, Mark, Track, tracks
from services import CATALOGUE

STACK = "prod"
TITLES = {
    "region-failover": "Region failover: users leave a lost region",
    "full-recovery": "Full recovery: the database's writer moves to another region",
    "database-failover": "Database failover: the writer moves to another zone",
    "service-restart": "Service restart: one pod",
}


def picture(measured: str) -> str:
    """The timelines as SVG.

    Args:
        measured: A drill, as JSON.
    """
    return recovery_chart.render(_tracks(read(measured)), titles=TITLES)


def blocks(measured: str) -> dict[str, str]:
    """The generated parts of the page, by the name of their mark.

    Args:
        measured: A drill, as JSON.
    """
    found = read(measured)
    each = _tracks(found)
    return {
        "run": _run(found),
        "sums": _sums(each),
        "steps": "\n\n".join(_steps(track) for track in each),
        "losses": _losses(found),
        "tool": _tool(found),
    }


def _tracks(measured: Measured) -> tuple[Track, ...]:
    return tracks(settings.from_file(STACK, catalogue=CATALOGUE), measured)


def _run(found: Measured) -> str:
    machine, postgresql = found.machine, found.postgresql
    return (
        f"Measured on {found.at:%Y-%m-%d} on {machine.system}, {machine.cores} cores, {machine.memory_gib} GiB, with "
        f"{machine.load:g} processes wanting a core; PostgreSQL {postgresql.version}, PgBouncer "
        f"{postgresql.pgbouncer}, Kubernetes {found.kubernetes.version.removeprefix('v')}, moto {found.tool.moto}."
    )


def _sums(each: tuple[Track, ...]) -> str:
    marks = list(Mark)
    return table(
        ["recovery", "objective", "sum", "verdict", *(f"of it {mark}" for mark in marks)],
        [
            [
                track.name,
                said(track.objective_seconds),
                said(track.seconds),
                track.verdict,
                *(said(track.of(mark)) for mark in marks),
            ]
            for track in each
        ],
    )


def _steps(track: Track) -> str:
    rows = [_row(bar) for bar in track.bars]
    total = [
        "**sum**",
        f"**{said(track.seconds)}**",
        "",
        f"objective {said(track.objective_seconds)}: {track.verdict}",
    ]
    return f"### {TITLES[track.name]}\n\n" + table(["step", "time", "from", "source"], [*rows, total])


def _row(bar: Bar) -> list[str]:
    return [bar.what, said(bar.seconds), bar.mark.value, bar.source]


def _losses(found: Measured) -> str:
    kubernetes, postgresql = found.kubernetes, found.postgresql
    return table(
        ["loss", "what was seen", "time"],
        [
            [
                "the primary database is killed",
                "replica promoted, name moved",
                said(postgresql.promotion_seconds),
            ],
            [
                "the same",
                f"longest time without a write; {postgresql.acknowledged} acknowledged, {postgresql.lost} of them lost",
                said(postgresql.write_gap_seconds),
            ],
            ["a pod is deleted", "another is ready", said(kubernetes.pod_seconds)],
            [
                f"a node is removed ({kubernetes.node_gone_pods} pods)",
                "others are ready in their place",
                said(kubernetes.node_gone_seconds),
            ],
            [
                f"a node falls silent ({kubernetes.node_silent_pods} pods)",
                "others are ready in their place",
                said(kubernetes.node_silent_seconds),
            ],
        ],
    )


def _tool(found: Measured) -> str:
    every = (*runs(found), ("failover, old region unplugged", found.unplugged.steps))
    return table(
        ["run", "steps, in seconds", "sum"],
        [
            [
                run,
                ", ".join(f"{step.step} {step.seconds:.2f}" for step in steps),
                f"{sum(step.seconds for step in steps):.1f} s",
            ]
            for run, steps in every
        ],
    )
