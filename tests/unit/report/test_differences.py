"""What a pull request shows: only what differs, for every stack, also where a side cannot be reckoned."""

from __future__ import annotations

import copy
import subprocess
from pathlib import Path

import pytest

from infra.docs.plans import PlanError
from infra.report import __main__ as command
from infra.report.differences import BaseError, Side, compare, facts_at, tree_at
from infra.report.facts import Facts, facts
from services import CATALOGUE
from tests.unit.report.graphs import graph, resource
from tests.unit.stack_files import ROOT


@pytest.fixture(scope="module")
def now() -> Facts:
    return facts("prod", catalogue=CATALOGUE, root=ROOT)


def test_nothing_that_differs_is_said_in_one_sentence(now: Facts) -> None:
    side = Side(graph=graph(), properties={}, facts=now)

    said = compare({"prod": side}, {"prod": side}, base="main")

    assert said.startswith("## What changes from `main`\n\n### `prod`")
    assert "As many resources of each type." in said
    assert "| resources | 4 | 4 | 0 |" in said
    assert "Limits:" not in said
    assert "Cost, USD of an average month:" not in said


def test_a_resource_more_a_dearer_group_and_a_tighter_limit_are_rows(now: Facts) -> None:
    before = copy.deepcopy(now)
    before["cost"]["groups"]["Kafka"]["average"] -= 400
    before["cost"]["levels"]["average"] -= 400
    before["headRooms"][0]["needed"] = 300
    more = graph(resource("aws:kms/key:Key", "second", parent="keys"))

    said = compare(
        {"prod": Side(graph=graph(), properties={}, facts=before)},
        {"prod": Side(graph=more, properties={}, facts=now)},
        base="main",
    )

    assert "| resources | 4 | 5 | +1 |" in said
    assert "| `aws:kms/key:Key` | 1 | 2 | +1 |" in said
    assert "| Kafka | 1,747 | 2,147 | +400 |" in said
    assert "| +400 |" in next(line for line in said.splitlines() if "month, average" in line)
    assert "300 of 450 server connections | 400 of 450 server connections | 1.12 |" in said


def test_a_resource_that_only_changes_is_named_with_its_properties(now: Facts) -> None:
    old, new = ({"aws:kms/key:Key key": {"rotationPeriodInDays": days}} for days in (90, 365))

    said = compare(
        {"prod": Side(graph=graph(), properties=old, facts=now)},
        {"prod": Side(graph=graph(), properties=new, facts=now)},
        base="main",
    )

    assert "As many resources of each type." in said
    assert "| `aws:kms/key:Key key` | `rotationPeriodInDays` |" in said
    assert "365" not in said


def test_stacks_that_come_and_go_are_named(now: Facts) -> None:
    side = Side(graph=graph(), properties={}, facts=now)

    said = compare({"old": side}, {"new": side}, base="main")

    assert "### `new`\n\nA new stack." in said
    assert "### `old`\n\nThe stack is gone." in said


def test_a_base_that_cannot_be_reckoned_still_shows_its_resources(now: Facts) -> None:
    said = compare(
        {"prod": Side(graph=graph(), properties={}, facts=None)},
        {"prod": Side(graph=graph(), properties={}, facts=now)},
        base="v1",
    )

    assert "| resources | 4 | 4 | 0 |" in said
    assert "Cost and limits before cannot be reckoned" in said


def test_an_unknown_reference_is_an_error_that_says_what_to_do() -> None:
    with (
        pytest.raises(BaseError, match="there is no commit 'no-such-branch'"),
        tree_at("no-such-branch", root=ROOT),
    ):
        raise AssertionError("there is no such commit")


def test_a_base_without_the_report_s_code_is_reckoned_with_this_one(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("docs/deviations.md", "Pulumi.prod.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())

    found = facts_at("prod", tree=tmp_path, catalogue=CATALOGUE)

    assert found is not None
    assert found["cost"]["budget"] == 17_100


def test_a_base_with_settings_of_another_time_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {'parking:forgotten': 1}\n")

    assert facts_at("prod", tree=tmp_path, catalogue=CATALOGUE) is None


def repository(root: Path, *names: str) -> Path:
    """A repository with one commit that holds the named files, each changed since."""

    def git(*words: str) -> None:
        command = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.com", *words]
        subprocess.run(command, check=True, capture_output=True)

    git("init", "--quiet")
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("one")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    for name in names:
        (root / name).write_text("two")
    return root


PROGRAM = ("__main__.py", "Pulumi.yaml")


def test_the_files_of_a_base_are_as_committed_and_gone_afterwards(tmp_path: Path) -> None:
    root = repository(tmp_path, *PROGRAM)

    with tree_at("HEAD", root=root) as tree:
        assert (tree / "__main__.py").read_text() == "one"
    assert not tree.exists()
    assert not (root / ".git" / "worktrees").exists()


def test_a_commit_before_the_program_says_what_it_lacks(tmp_path: Path) -> None:
    root = repository(tmp_path, "__main__.py")

    with (
        pytest.raises(BaseError, match=r"a commit without Pulumi.yaml\n.*\n.*BASE=main"),
        tree_at("HEAD", root=root),
    ):
        raise AssertionError("it cannot be planned")


@pytest.mark.parametrize("reference", ["--help", "HEAD:__main__.py", ""])
def test_what_is_no_commit_is_never_taken_for_an_option(tmp_path: Path, reference: str) -> None:
    root = repository(tmp_path, *PROGRAM)

    with pytest.raises(BaseError, match="there is no commit"), tree_at(reference, root=root):
        raise AssertionError("it is no commit")


def test_outside_a_clone_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(BaseError, match="there is no git repository"), tree_at("HEAD", root=tmp_path):
        raise AssertionError("there is no repository")


def test_a_base_that_no_longer_runs_says_so_with_the_engine_s_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = repository(tmp_path, *PROGRAM, "Pulumi.prod.yaml")

    def refuse(*_: object, **__: object) -> None:
        raise PlanError("`bin/pulumi-local preview` failed: no module named before")

    monkeypatch.setattr(command, "REPOSITORY", root)
    monkeypatch.setattr(command, "documents", refuse)

    assert command.main(["--base", "HEAD"]) == 1
    said = capsys.readouterr().err
    assert "'HEAD' cannot be planned with the packages of this working copy" in said
    assert "no module named before" in said
