"""A production stack that calls nobody is refused; others may be silent."""

from __future__ import annotations

import pytest

from tests.unit.stack_files import problems


@pytest.mark.parametrize("stack", ["prod", "prod-eu-west-1"])
def test_production_without_anybody_to_call_is_refused(stack: str) -> None:
    (problem,) = problems(stack, observability__criticalEndpoints=[])

    assert problem.key == "parking:observability.criticalEndpoints"
    assert problem.found == "none, in production"


def test_one_address_is_enough() -> None:
    assert problems("prod", observability__criticalEndpoints=["https://pager.example.com/hook"]) == ()


def test_staging_may_call_nobody() -> None:
    assert problems("staging", observability__warningEndpoints=[]) == ()
