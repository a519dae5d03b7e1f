"""The picture of the replica curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from infra.diagram import curves
from services import CATALOGUE

WAYS = {"up": [[0, 2], [60, 4]], "down": [[0, 4], [300, 2]]}
DATA: dict[str, Any] = {"divided": {service.name: WAYS for service in CATALOGUE}}


def elements(document: str, name: str, style: str) -> list[ET.Element]:
    root = ET.fromstring(document)  # noqa: S314 - this project wrote it
    found = root.iter(f"{{http://www.w3.org/2000/svg}}{name}")
    return [element for element in found if element.get("class") == style]


def test_each_service_has_its_way_up_and_down_over_what_is_allowed() -> None:
    drawn = curves.render(DATA)

    assert len(elements(drawn, "polygon", "allowed")) == 2 * len(CATALOGUE)
    # One more is the legend's.
    assert len(elements(drawn, "polyline", "seen")) == 2 * len(CATALOGUE) + 1


def test_real_times_are_drawn_where_they_start_alike() -> None:
    """A way down that starts below the maximum would be another curve than the one beneath it."""
    drawn = curves.render({**DATA, "real": {service.name: WAYS for service in CATALOGUE}})
    from_the_top = [service for service in CATALOGUE if service.scaling.max_replicas == 4]

    assert len(elements(drawn, "polyline", "real")) == len(CATALOGUE) + len(from_the_top) + 1


def test_it_says_in_words_what_it_shows() -> None:
    assert "parking from 2 to 4 pods in 1 steps, and back to 2 in 1" in curves.render(DATA)


def test_the_command_draws_a_file(tmp_path: Path) -> None:
    data, picture = tmp_path / "data.json", tmp_path / "picture.svg"
    data.write_text(json.dumps(DATA), encoding="utf-8")

    assert curves.main([str(data), str(picture)]) == 0
    assert picture.read_text(encoding="utf-8") == curves.render(DATA)


def test_data_without_a_service_is_refused() -> None:
    with pytest.raises(KeyError, match="auth"):
        curves.render({"divided": {}})
