"""Recovery times and losses: computed from the settings, each number with its source, over is an error."""

from __future__ import annotations

from typing import Any

import pytest

from infra import recovery
from infra.recovery import Objective, Origin
from tests.unit.stack_files import load, problems


def row(name: str, stack: str = "prod") -> Objective:
    return next(one for one in recovery.objectives(load(stack)) if one.name == name)


def test_the_specifications_four_objectives_and_three_losses_are_computed() -> None:
    found = {(one.kind, one.name): one.objective_seconds for one in recovery.objectives(load("prod"))}

    assert found == {
        ("RTO", "service-restart"): 30,
        ("RTO", "region-failover"): 120,
        ("RTO", "database-failover"): 60,
        ("RTO", "full-recovery"): 900,
        ("RPO", "database-region-loss"): 300,
        ("RPO", "database-to-a-moment"): 600,
        ("RPO", "backup-in-another-region"): 12 * 3600,
    }


def test_every_part_says_where_its_number_is_from() -> None:
    for objective in recovery.objectives(load("prod")):
        assert objective.parts
        for part in objective.parts:
            assert part.source
            assert part.seconds > 0 or part.origin is Origin.SETTING
            if part.origin is Origin.SETTING:
                assert part.source.startswith(("parking:", "infra/", "components/")), part


def test_a_region_failover_takes_ninety_seconds() -> None:
    assert row("region-failover").computed_seconds == 90


def test_only_the_database_failover_is_over_and_it_is_accepted_by_name() -> None:
    assert [one.name for one in recovery.over(recovery.objectives(load("prod")))] == ["database-failover"]
    assert load("prod").recovery.accepted_over == ("database-failover",)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"recovery": {}}, "database-failover"),
        ({"recovery__decisionSeconds": 300}, "full-recovery"),
        ({"recovery__backupIntervalHours": 12}, "backup-in-another-region"),
        ({"recovery__maxLagSeconds": 301}, "database-region-loss"),
    ],
)
def test_an_objective_that_is_missed_and_not_accepted_is_an_error(change: dict[str, Any], name: str) -> None:
    found = [problem for problem in problems("prod", **change) if problem.key == "parking:recovery"]

    assert len(found) == 1
    assert name in found[0].found


def test_a_lock_longer_than_the_retention_is_refused() -> None:
    found = problems("prod", recovery__vaultLockDays=60)

    assert [problem.key for problem in found] == ["parking:recovery.vaultLockDays"]


def test_staging_has_no_standby_and_production_objectives_do_not_bind_it() -> None:
    assert not row("database-failover", "staging").met
    assert problems("staging") == ()


def test_the_table_says_what_is_over() -> None:
    said = recovery.table(load("prod"))

    assert "RTO database-failover: 125 s of 60 s, OVER, accepted" in said
    assert "RTO region-failover: 90 s of 120 s, met" in said
    assert "[published: Route 53 answers 60 s" in said
