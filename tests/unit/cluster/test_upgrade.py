"""Steps between Kubernetes versions, and the warning before one is due."""

from __future__ import annotations

import datetime as dt

import pytest

from infra.cluster import versions
from infra.cluster.upgrade import WARNING_DAYS, refusal, support_warning
from tests.unit.stack_files import problems

END = dt.date.fromisoformat(versions.STANDARD_SUPPORT["1.34"])


@pytest.mark.parametrize(("running", "wanted"), [("1.34", "1.34"), ("1.34", "1.35"), ("1.9", "1.10")])
def test_no_step_and_one_step_are_taken(running: str, wanted: str) -> None:
    assert refusal(running=running, wanted=wanted) is None


@pytest.mark.parametrize(
    ("running", "wanted", "says"),
    [
        ("1.34", "1.36", "each in turn: 1.35, 1.36"),
        ("1.35", "1.34", "never goes back"),
        ("1.36", "2.0", "it goes to 1.37"),
    ],
)
def test_any_other_step_is_refused_with_the_way(running: str, wanted: str, says: str) -> None:
    assert says in str(refusal(running=running, wanted=wanted))


@pytest.mark.parametrize(
    ("days_before", "says"),
    [
        (WARNING_DAYS + 1, None),
        (WARNING_DAYS, f"ends on {END} ({WARNING_DAYS} days)"),
        (0, "(0 days)"),
        (-1, f"ended on {END}"),
    ],
)
def test_the_end_of_support_is_told_in_time(days_before: int, says: str | None) -> None:
    found = support_warning("1.34", today=END - dt.timedelta(days=days_before))

    if says is None:
        assert found is None
    else:
        assert says in str(found)
        assert "upgrade to 1.35" in str(found)


def test_the_newest_version_asks_for_a_newer_pin() -> None:
    newest = max(versions.STANDARD_SUPPORT, key=versions.minor)
    end = dt.date.fromisoformat(versions.STANDARD_SUPPORT[newest])

    assert "pin a newer version" in str(support_warning(newest, today=end))


def test_a_version_that_a_chart_is_not_used_with_is_a_problem_of_the_stack_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = versions.Chart(chart="held-back", repository="https://charts", version="1.0.0", newest="1.35")
    monkeypatch.setattr(versions, "CHARTS", (*versions.CHARTS, held))

    (problem,) = [found for found in problems("staging") if found.key == "parking:cluster.version"]

    assert "held-back" in problem.why
