"""The command line of the operations: what runbooks say is understood, mistakes are told in words."""

from __future__ import annotations

import io
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.ops import __main__ as command
from infra.ops import operations
from infra.ops.cloud import Cloud
from infra.ops.drill import StagedCloud, drill, timed
from infra.ops.errors import OpsError
from infra.ops.journal import Journal
from infra.ops.steps import wait_for
from tests.unit.ops.estates import AWAY, HOME, bench, holds
from tests.unit.stack_files import ROOT

RUNBOOK = ROOT / "docs" / "runbooks" / "region-failover.md"
PREFIX = "python -m infra.ops "


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", RUNBOOK.read_text(), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = command.main(list(arguments))
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out + captured.err


def test_the_runbook_uses_every_command_of_the_tool() -> None:
    used = {shlex.split(line.removeprefix(PREFIX))[0] for line in commands()}

    assert all(line.startswith(PREFIX) for line in commands())
    assert used == {"status", "failover", "failback", "rejoin", "adopt", "drift", "drill"}


def test_a_drill_on_another_cloud_is_refused_before_it_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://elsewhere.example")
    monkeypatch.setattr("infra.ops.operations.observe", _never)
    code, said = told(capsys, "drill", "--to", AWAY, "--yes", "--journals", str(tmp_path))

    assert code == 2
    assert "it runs on a local cloud only" in said


def _never(*_: Any) -> None:
    raise AssertionError("a drill on another cloud must not even look")


@pytest.mark.parametrize("line", [line for line in commands() if "--dry-run" in line and "failover" in line])
def test_a_dry_run_of_the_runbook_shows_its_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    with bench(tmp_path):
        code, said = told(capsys, *shlex.split(line.removeprefix(PREFIX)), "--journals", str(tmp_path))

    assert code == 0
    assert "dry run: nothing was done" in said


def test_status_ends_with_1_when_something_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with bench(tmp_path, build=False):
        code, said = told(capsys, "status", "--journals", str(tmp_path))

    assert code == 1
    assert "there is no head parking-prod-database" in said


def test_without_a_terminal_a_change_needs_a_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with bench(tmp_path) as one:
        code, said = told(capsys, "failover", "--to", AWAY, "--journals", str(tmp_path))
        assert holds(one)[HOME].value == "writer"

    assert code == 2
    assert "give --yes" in said


def test_an_unknown_environment_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = told(capsys, "status", "--environment", "dev")

    assert code == 2
    assert "there are: prod, staging" in said


def test_a_drill_goes_there_and_back_and_times_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench(tmp_path) as one:
        monkeypatch.setattr("infra.ops.drill.require_local", lambda: None)
        timings = drill(one.desk, to=AWAY, timeline=tmp_path / "timeline.json")

        assert holds(one)[HOME].value == "writer"
        assert operations.status(one.desk)
    assert [timing.run for timing in timings if timing.step == "look"] == [
        "failover-prod-eu-west-1",
        "rejoin-prod-us-east-1",
        "failover-prod-us-east-1",
        "rejoin-prod-eu-west-1",
    ]
    assert '"step": "promote"' in (tmp_path / "timeline.json").read_text()


def test_a_drill_measures_a_lag_at_every_question(tmp_path: Path) -> None:
    """A failover that runs over the end of a minute takes none that was measured before it."""
    with bench(tmp_path, build=False):
        assert Cloud().lag(AWAY, "replica") is None
        assert StagedCloud().lag(AWAY, "replica", since=datetime.now(UTC)) == 0


def test_a_journals_half_written_line_is_done_again(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, operation="failover", subject="prod-x")
    journal.write("done", step="fence", seconds=1.0, result="fenced")
    with journal.path.open("a") as file:
        file.write('{"event": "done", "step": "dra')

    again = Journal.open(tmp_path, operation="failover", subject="prod-x")

    assert again.resumed
    assert set(again.done) == {"fence"}
    assert again.run == journal.run


def test_timings_are_of_finished_steps_only(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, operation="failover", subject="prod-x")
    journal.write("started", step="fence", says="x")
    journal.write("done", step="fence", seconds=1.5, result="fenced")
    journal.write("failed", step="drain", error="x")

    assert [(one.step, one.seconds) for one in timed(journal.path)] == [("fence", 1.5)]


def test_a_step_that_waits_too_long_says_that_the_run_can_be_taken_up() -> None:
    with pytest.raises(OpsError, match="it goes on from here"):
        wait_for(lambda: False, what="nothing", seconds=0, pause=0)
