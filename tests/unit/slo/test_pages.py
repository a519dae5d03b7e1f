"""docs/observability.md says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.slo.burn_rates import BURN_RATES
from services import CATALOGUE
from tests.unit.slo.pages import slo_lines

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "observability.md").read_text()


@pytest.mark.parametrize("line", slo_lines(CATALOGUE))
def test_the_page_has_every_line_of_the_table(line: str) -> None:
    assert line in PAGE.splitlines()


def test_the_page_has_no_objective_that_is_gone() -> None:
    services = tuple(f"| {service.name} |" for service in CATALOGUE)
    table = [line for line in PAGE.splitlines() if line.startswith(services)]

    assert table == slo_lines(CATALOGUE)[2:]


def test_the_page_has_every_burn_rate() -> None:
    def spaced(window: str) -> str:
        return f"{window[:-1]} {window[-1]}"

    for rate in BURN_RATES:
        assert f"| {rate.factor:g} | {spaced(rate.long)} | {spaced(rate.short)} |" in PAGE
