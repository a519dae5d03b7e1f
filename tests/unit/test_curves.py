"""The picture of the replica curves."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from infra.cluster.replicas import curve, limits_of
from infra.diagram import curves
from infra.docs import curves_page
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


def test_the_table_says_how_much_longer_than_permitted_it_took() -> None:
    way = {"up": [[0.0, 3], [60.0, 6], [126.0, 12]]}
    data = {name: {"auth": way, **_reachable()} for name in ("real", "divided")}
    (row,) = [line for line in curves_page.block(json.dumps(data)).splitlines() if line.startswith("| auth ")]

    assert row == "| auth | 3 to 12 | 120 s | 126 s | 1.050 | 3 to 12 | 120 s | 126 s | 1.050 |"


def _reachable() -> dict[str, Any]:
    """The other services at their own second step."""
    found: dict[str, Any] = {}
    for service in CATALOGUE:
        limits = limits_of(service)
        steps = curve(limits, start=limits.min_replicas, wanted=lambda _: 1000, seconds=600)
        if service.name != "auth":
            found[service.name] = {"up": [[step.at, step.replicas] for step in steps]}
    return found


def test_data_without_a_service_is_refused() -> None:
    with pytest.raises(KeyError, match="auth"):
        curves.render({"divided": {}})
