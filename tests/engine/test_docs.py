"""Documentation that is made from the stacks' plans is up to date."""

from __future__ import annotations

from infra.docs import pages
from infra.docs.plans import plan_all


def test_picture_and_tables_are_what_the_stacks_plans_say() -> None:
    graphs = plan_all()

    assert pages.stale(pages.from_plans(graphs)) == [], "run `make docs`"
