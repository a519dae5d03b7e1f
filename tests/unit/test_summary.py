"""The end of a preview: what it says, and that only a preview says it."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_random
import pytest

from infra.local import environment
from infra.summary import summarise
from services import CATALOGUE
from stacks import summary
from tests.unit.recording import run_program
from tests.unit.stack_files import load

RESOURCES = {"aws": 400, "kubernetes": 170}


def said(stack: str) -> list[str]:
    return summarise(load(stack), stack=stack, catalogue=CATALOGUE, resources=RESOURCES).lines()


def test_it_says_resources_cost_head_room_and_objectives_in_five_lines() -> None:
    title, resources, cost, head_room, objectives = said("prod")

    assert title == "Summary of prod"
    assert "570 declared: 400 aws, 170 kubernetes" in resources
    assert "USD a month" in cost
    assert "of the budget of 17,100" in cost
    assert "tightest is PostgreSQL writer connections: 400 of 450" in head_room
    assert "database-failover may take 125 s, objective 60 s, accepted" in objectives
    assert "region-failover" not in objectives


def test_a_program_s_resources_are_counted_without_what_only_groups_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", messages.append)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)

    def program() -> None:
        declared = summary.Declared()
        group = pulumi.ComponentResource("parking:components:Group", "group")
        for name in ("a", "b"):
            pulumi_random.RandomString(name, length=8, opts=pulumi.ResourceOptions(parent=group))
        summary.tell(load("prod"), catalogue=CATALOGUE, declared=declared)

    run_program(program)

    (message,) = messages
    assert "2 declared: 2 random" in message


def test_a_file_that_the_environment_names_gets_it_instead_of_the_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    messages: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", messages.append)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    monkeypatch.setenv(summary.FILE_VARIABLE, str(tmp_path / "summary"))

    def program() -> None:
        summary.tell(load("prod"), catalogue=CATALOGUE, declared=summary.Declared())

    run_program(program)

    assert messages == []
    assert (tmp_path / "summary").read_text().startswith("Summary of ")
    assert summary.FILE_VARIABLE == environment.SUMMARY


def test_an_update_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", messages.append)

    def program() -> None:
        summary.tell(load("prod"), catalogue=CATALOGUE, declared=summary.Declared())

    run_program(program)

    assert messages == []
