"""A recovery's steps: nothing of the objectives' arithmetic is left out, and each step says where its time is from."""

from __future__ import annotations

from infra import recovery
from infra.docs.pages import DRILL
from infra.drill.measured import read
from infra.drill.timeline import MEASURED, ROWS, Mark, Track, tracks
from tests.unit.drill.measurements import measured
from tests.unit.stack_files import ROOT, load

LIMIT = "the tool checks and fences"
"""The part that a measurement stands for as a whole; the others keep their own figure beside it."""


def track(name: str, stack: str = "prod") -> Track:
    return next(one for one in tracks(load(stack), measured()) if one.name == name)


def test_every_recovery_time_has_a_timeline() -> None:
    times = {row.name for row in recovery.objectives(load("prod")) if row.kind == "RTO"}

    assert set(ROWS) == times


def test_every_measurement_stands_for_a_part_that_there_is() -> None:
    parts = {part.what for row in recovery.objectives(load("prod")) for part in row.parts}

    assert set(MEASURED) <= parts


def test_no_part_of_an_objective_is_left_out_or_shortened() -> None:
    rows = {row.name: row for row in recovery.objectives(load("prod"))}
    for one in tracks(load("prod"), measured()):
        bars = {bar.what: bar.seconds for bar in one.bars}
        for part in rows[one.name].parts:
            if part.what != LIMIT:
                assert bars[part.what] == part.seconds, part


def test_what_the_tool_needs_stays_within_what_the_arithmetic_assumes() -> None:
    part = next(part for row in recovery.objectives(load("prod")) for part in row.parts if part.what == LIMIT)
    kept = read((ROOT / DRILL).read_text(encoding="utf-8"))

    assert kept.unplugged.seconds("look", "fence", "drain") <= part.seconds


def test_sums_are_of_all_steps_and_stand_against_the_objective() -> None:
    region = track("region-failover")

    assert region.seconds == 30 + 60 + 0.7
    assert region.of(Mark.SERVER) == 0.7
    assert region.verdict == "met"
    assert track("database-failover").verdict == "over, accepted"
    assert track("database-failover", "staging").verdict == "over"
    assert sum(track("full-recovery").of(mark) for mark in Mark) == track("full-recovery").seconds


def test_the_tool_s_steps_are_those_of_a_failover_from_a_lost_region() -> None:
    tool = [bar for bar in track("full-recovery").bars if bar.mark is Mark.TOOL]

    # Two seconds a step: look, fence and drain, promote, move-name, scale-up, verify.
    assert [bar.seconds for bar in tool] == [2, 4, 2, 2, 2, 2]
    assert all(bar.source for bar in track("full-recovery").bars)
