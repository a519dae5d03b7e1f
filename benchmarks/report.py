"""The results as Markdown, ratios first."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measures import COPIES, Growth, Ratio, StackCost, Target
from benchmarks.pooling import SECONDS, Comparison

RATIO_LIMIT = 1.3
GROWTH_LIMIT = 1.2


@dataclass(frozen=True, kw_only=True)
class Results:
    """What was measured; None or empty where a part was not asked for."""

    ratio: Ratio | None = None
    growth: Growth | None = None
    stacks: Sequence[StackCost] = ()
    targets: Sequence[Target] = ()
    pooling: Sequence[Comparison] = ()


def render(results: Results) -> str:
    """The whole page."""
    parts = ["# Benchmarks", _machine()]
    if results.ratio:
        parts.append(_ratio(results.ratio))
    if results.growth:
        parts.append(_growth(results.growth))
    if results.stacks:
        parts.append(_stacks(results.stacks))
    if results.targets:
        parts.append(_targets(results.targets))
    if results.pooling:
        parts.append(_pooling(results.pooling))
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine() -> str:
    memory = "unknown memory"
    try:
        first = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()[0]
        memory = f"{round(int(first.split()[1]) / 1024**2)} GiB of memory"
    except (OSError, ValueError, IndexError):
        pass
    today = dt.datetime.now(tz=dt.UTC).date()
    load = os.getloadavg()[2]
    return (
        f"Written by `python -m benchmarks --write` on {today}, on {os.cpu_count()} cores with {memory}, "
        f"Python {platform.python_version()}; the mean load of the last 15 minutes was {load:.1f}. "
        "Each run has a state folder of its own. Times are medians of runs that take turns, so ratios hold where "
        "seconds do not: processor time counts all processes of a run, and other work on the machine hardly changes it."
    )


def _verdict(value: float, limit: float) -> str:
    return f"{value:.2f} (target at most {limit}, {'met' if value <= limit else 'missed'})"


def _ratio(ratio: Ratio) -> str:
    rows = [
        ["wall time", _verdict(ratio.wall, RATIO_LIMIT), _s(ratio.program.seconds), _s(ratio.bare.seconds)],
        [
            "processor time",
            _verdict(ratio.cpu, RATIO_LIMIT),
            _s(ratio.program.cpu_seconds),
            _s(ratio.bare.cpu_seconds),
        ],
    ]
    return (
        "## Preview of production over a bare program\n\n"
        f"The bare program registers as many resources of the same kinds ({ratio.bare_resources}), flat and without "
        "typed classes, through the same engine and stand-ins, from the inputs of the applied stack. "
        f"{ratio.rounds} rounds.\n\n" + table(["", "ratio", "this program", "bare program"], rows)
    )


def _growth(growth: Growth) -> str:
    rows = [
        [
            f"{copies}x",
            f"{growth.per_resource(copies):.2f}",
            f"{growth.per_resource_cpu(copies):.2f}",
            _s(growth.runs[copies].seconds),
            _s(growth.runs[copies].cpu_seconds),
            f"{growth.runs[copies].peak_mib.get('program', 0):.0f} MiB",
        ]
        for copies in COPIES
    ]
    head = [
        "resources",
        "time a resource",
        "processor time a resource",
        "time",
        "processor time",
        "program's memory",
    ]
    return (
        "## Growth\n\n"
        "Production several times over in one program. Time a resource is against one copy: 1 is linear, less means "
        f"that fixed costs are spread. {growth.rounds} rounds.\n\n{table(head, rows)}\n\n"
        f"- time a resource at 4x: {_verdict(growth.per_resource(4), GROWTH_LIMIT)}\n"
        "- processor time that the third and fourth copy add, over what the second adds: "
        f"{_verdict(growth.marginal_cpu, GROWTH_LIMIT)}"
    )


def _stacks(stacks: Sequence[StackCost]) -> str:
    kinds = sorted({kind for cost in stacks for kind in (*cost.preview.peak_mib, *cost.up.peak_mib)})
    times = [
        [cost.stack, str(cost.resources), _s(cost.preview.seconds), _s(cost.up.seconds)] for cost in stacks
    ]
    peaks = [
        [
            cost.stack,
            *(f"{max(cost.preview.peak_mib.get(k, 0), cost.up.peak_mib.get(k, 0)):.0f}" for k in kinds),
        ]
        for cost in stacks
    ]
    return (
        "## Stacks, each from nothing, measured once\n\n"
        + table(["stack", "resources", "preview", "up"], times)
        + "\n\nPeak resident memory of each process, over preview and up, in MiB:\n\n"
        + table(["stack", *kinds], peaks)
    )


def _targets(targets: Sequence[Target]) -> str:
    rows = [
        [
            f"`{target.command}`",
            f"{target.target_seconds:.0f} s",
            _s(target.measured.seconds) if target.measured else "failed",
            _s(target.measured.cpu_seconds) if target.measured else "",
        ]
        for target in targets
    ]
    return "## Warm times, reported beside their targets\n\n" + table(
        ["command", "target", "time", "processor time"], rows
    )


def _pooling(comparisons: Sequence[Comparison]) -> str:
    first = comparisons[0]
    rows = [
        [
            one.kind,
            f"{one.throughput:.2f}",
            f"{one.p95:.2f}",
            f"{one.pooled.per_second:.0f}",
            f"{one.direct.per_second:.0f}",
            f"{one.pooled.p95_ms:.1f} ms",
            f"{one.direct.p95_ms:.1f} ms",
        ]
        for one in comparisons
    ]
    head = [
        "clients",
        "transactions a second, pooled over direct",
        "p95, pooled over direct",
        "a second, pooled",
        "a second, direct",
        "p95, pooled",
        "p95, direct",
    ]
    return (
        "## The pooler against direct connections\n\n"
        f"{first.clients} clients of pgbench (simple-update) on a real PostgreSQL, through a real PgBouncer with the "
        f"rendered configuration onto {first.server_connections} server connections, and directly onto "
        f"{first.clients}; {first.rounds} rounds of {SECONDS} s in turns. Client, pooler and server share this "
        "machine's cores, and there is neither TLS nor a network: the ratios say what multiplexing does, not what a "
        "db.r6g.2xlarge does.\n\n" + table(head, rows)
    )


def _s(seconds: float) -> str:
    return f"{seconds:.1f} s"
