"""The measurements: production against a bare program, every stack, growth, and the two reporting targets."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from benchmarks import projects
from benchmarks.processes import REPOSITORY, CommandFailedError, Measurement, environment, measure

STACKS = ("prod", "prod-eu-west-1", "staging")
"""Primaries before their secondaries."""
COPIES = (1, 2, 4)
_PULUMI = "bin/pulumi-local"
Say = Callable[[str], None]


@dataclass(kw_only=True)
class Bench:
    """Where measurements keep their files, how often they repeat, and how they report.

    Attributes:
        folder: A temporary folder; every measured run has a state folder below it.
        rounds: How often compared runs alternate.
        say: Takes a line on how far it is.
    """

    folder: Path
    rounds: int
    say: Say
    _runs: int = field(default=0, init=False)

    def pulumi(self, *args: str, home: str, project: Path | None = None, **more: str) -> Measurement:
        """Measure one command of the local platform in a state folder by name."""
        env = environment(home=self.folder / home, project=project, **more)
        return self.run([_PULUMI, *args], env=env)

    def run(self, command: Sequence[str], *, env: Mapping[str, str]) -> Measurement:
        """Measure one command."""
        self._runs += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        measured = measure(command, env=env, log=self.folder / f"run-{self._runs}.log")
        self.say(f"{measured.seconds:6.1f} s  {measured.cpu_seconds:6.1f} s of cpu  {' '.join(command)}")
        return measured

    def export(self, stack: str, *, home: str) -> dict[str, Any]:
        """The state of an applied stack, secrets shown."""
        command = [_PULUMI, "stack", "export", "--stack", stack, "--show-secrets"]
        log = self.folder / "export.json"
        env = environment(home=self.folder / home)
        measure([*command, "--file", str(log)], env=env, log=self.folder / "export.log")
        return cast("dict[str, Any]", json.loads(log.read_text(encoding="utf-8")))


def median(runs: Sequence[Measurement]) -> Measurement:
    """Medians of times, maxima of memory."""
    kinds = {kind for run in runs for kind in run.peak_mib}
    return Measurement(
        seconds=statistics.median(run.seconds for run in runs),
        cpu_seconds=statistics.median(run.cpu_seconds for run in runs),
        peak_mib={kind: max(run.peak_mib.get(kind, 0.0) for run in runs) for kind in sorted(kinds)},
    )


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Production's preview against the bare program's."""

    program: Measurement
    bare: Measurement
    program_resources: int
    bare_resources: int
    rounds: int

    @property
    def wall(self) -> float:
        """Ratio of wall times."""
        return self.program.seconds / self.bare.seconds

    @property
    def cpu(self) -> float:
        """Ratio of processor times, which other work on the machine hardly changes."""
        return self.program.cpu_seconds / self.bare.cpu_seconds


def ratio(bench: Bench, *, export: Mapping[str, Any]) -> Ratio:
    """Preview production and the bare program in turns, each from nothing.

    Args:
        bench: Files, repetitions, reporting.
        export: The applied production stack, secrets shown.
    """
    project, file, count = projects.bare(bench.folder / "bare", export=export)
    runs: dict[str, list[Measurement]] = {"program": [], "bare": []}
    # The first round makes the stacks and warms the caches.
    for number in range(bench.rounds + 1):
        program = bench.pulumi("preview", "--stack", projects.STACK, home="home-program")
        bare = bench.pulumi(
            "preview",
            "--stack",
            projects.STACK,
            home="home-bare",
            project=project,
            BENCHMARK_RESOURCES=str(file),
        )
        if number:
            runs["program"].append(program)
            runs["bare"].append(bare)
    return Ratio(
        program=median(runs["program"]),
        bare=median(runs["bare"]),
        program_resources=len(projects.flat_resources(export)),
        bare_resources=count,
        rounds=bench.rounds,
    )


@dataclass(frozen=True, kw_only=True)
class StackCost:
    """What one stack costs to preview and apply from nothing."""

    stack: str
    resources: int
    preview: Measurement
    up: Measurement


def stacks(bench: Bench) -> list[StackCost]:
    """Preview and apply every stack from nothing, primaries first."""
    costs: list[StackCost] = []
    for stack in STACKS:
        preview = bench.pulumi("preview", "--stack", stack, home="home-applied")
        up = bench.pulumi("up", "--yes", "--stack", stack, home="home-applied")
        held = bench.export(stack, home="home-applied")["deployment"]["resources"]
        costs.append(StackCost(stack=stack, resources=len(held), preview=preview, up=up))
    return costs


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Preview of production once, twice and four times over in one program."""

    runs: Mapping[int, Measurement]
    rounds: int

    def per_resource(self, copies: int) -> float:
        """Time per resource against that of one copy: 1 is linear, under 1 spreads a fixed cost."""
        return self.runs[copies].seconds / copies / self.runs[1].seconds

    def per_resource_cpu(self, copies: int) -> float:
        """The same of processor time."""
        return self.runs[copies].cpu_seconds / copies / self.runs[1].cpu_seconds

    @property
    def marginal_cpu(self) -> float:
        """Processor time of a copy from two to four, against that from one to two: 1 is linear, without fixed costs."""
        first = self.runs[2].cpu_seconds - self.runs[1].cpu_seconds
        later = (self.runs[4].cpu_seconds - self.runs[2].cpu_seconds) / 2
        return later / first


def growth(bench: Bench) -> Growth:
    """Preview one, two and four copies of production in turns."""
    project = projects.copies(bench.folder / "copies")
    runs: dict[int, list[Measurement]] = {copies: [] for copies in COPIES}
    for _ in range(bench.rounds):
        for copies in COPIES:
            runs[copies].append(
                bench.pulumi(
                    "preview",
                    "--stack",
                    projects.STACK,
                    home="home-copies",
                    project=project,
                    BENCHMARK_COPIES=str(copies),
                    BENCHMARK_REPOSITORY=str(REPOSITORY),
                )
            )
    return Growth(runs={copies: median(measured) for copies, measured in runs.items()}, rounds=bench.rounds)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A time that is reported beside its target, not enforced."""

    command: str
    target_seconds: float
    measured: Measurement | None
    """None when the command failed."""


def targets(bench: Bench) -> list[Target]:
    """Time a warm preview of staging and the unit tests."""
    preview = bench.pulumi
    preview("preview", "--stack", "staging", home="home-warm")
    warm = [preview("preview", "--stack", "staging", home="home-warm") for _ in range(bench.rounds)]
    tests: Measurement | None
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit"]
        tests = bench.run(command, env=environment(home=bench.folder / "home-tests"))
    except CommandFailedError as error:
        bench.say(str(error))
        tests = None
    return [
        Target(command="make preview STACK=staging", target_seconds=30, measured=median(warm)),
        Target(command="make test", target_seconds=60, measured=tests),
    ]
