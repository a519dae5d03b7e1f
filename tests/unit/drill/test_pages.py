"""The picture and the tables of a drill."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from infra.diagram import recovery_chart
from infra.docs import drill_page, pages
from infra.drill.measured import DrillError, read
from infra.drill.timeline import Bar, Mark, Track
from tests.unit.drill.measurements import content
from tests.unit.stack_files import ROOT

TEXT = json.dumps(content())
SVG = "{http://www.w3.org/2000/svg}"


def rects(document: str, style: str) -> list[ET.Element]:
    root = ET.fromstring(document)  # noqa: S314 - this project wrote it
    return [found for found in root.iter(f"{SVG}rect") if found.get("class") == style]


def chart(*seconds: float, objective: float = 100) -> str:
    bars = tuple(
        Bar(what=f"step {number}", seconds=each, mark=Mark.TOOL, source="it")
        for number, each in enumerate(seconds)
    )
    track = Track(name="it", objective_seconds=objective, bars=bars, accepted=False)
    return recovery_chart.render([track], titles={"it": "It & more"})


def test_steps_follow_one_another_on_the_scale() -> None:
    # The first is the legend's.
    _, first, second = rects(chart(20, 60), "tool")
    left, width = float(first.get("x", 0)), float(first.get("width", 0))

    assert float(second.get("x", 0)) == pytest.approx(left + width, abs=0.2)
    assert float(second.get("width", 0)) == pytest.approx(3 * width, abs=0.5)


def test_a_step_too_short_to_see_is_seen() -> None:
    _, found = rects(chart(0.001), "tool")

    assert float(found.get("width", 0)) == 2


def test_an_objective_that_is_missed_is_said_and_stays_in_the_picture() -> None:
    document = chart(150)
    root = ET.fromstring(document)  # noqa: S314 - this project wrote it
    (said,) = [found for found in root.iter(f"{SVG}text") if "over" in (found.get("class") or "")]
    limit = [found for found in root.iter(f"{SVG}line") if found.get("class") == "limit"][-1]

    assert said.text == "150 s of 100 s: over"
    assert float(limit.get("x1", 0)) < recovery_chart.WIDTH


def test_every_mark_has_a_colour_and_a_place_in_the_legend() -> None:
    document = drill_page.picture(TEXT)

    for mark in Mark:
        assert rects(document, recovery_chart.CLASSES[mark]), mark
        assert f".{recovery_chart.CLASSES[mark]} {{" in document


def test_it_says_in_words_what_it_shows() -> None:
    assert "users leave a lost region: 90.7 s of 120 s, met" in drill_page.picture(TEXT)


def test_tables_have_sums_steps_sources_and_losses() -> None:
    blocks = drill_page.blocks(TEXT)

    assert "| region-failover | 120 s | 90.7 s | met |" in blocks["sums"]
    assert "### Region failover: users leave a lost region" in blocks["steps"]
    assert "| 0.3 s | measured | PostgreSQL 17.1 (tests/dataplane/test_failover.py) |" in blocks["steps"]
    assert "100 acknowledged, 0 of them lost" in blocks["losses"]
    assert "| failover, old region unplugged | look 2.00," in blocks["tool"]
    assert "2 cores, 8 GiB" in blocks["run"]


def test_the_page_is_of_the_measurements_that_are_kept() -> None:
    kept = (ROOT / pages.DRILL).read_text(encoding="utf-8")
    page = (ROOT / "docs" / "drill.md").read_text(encoding="utf-8")

    assert all(block in page for block in drill_page.blocks(kept).values())
    assert (ROOT / "docs" / "drill.svg").read_text(encoding="utf-8") == drill_page.picture(kept)


def test_the_kept_drill_lost_no_acknowledged_write() -> None:
    assert read((ROOT / pages.DRILL).read_text(encoding="utf-8")).postgresql.lost == 0


def test_a_page_without_measurements_is_refused_with_what_to_do() -> None:
    with pytest.raises(DrillError, match="to do: make drill"):
        drill_page.blocks("")
