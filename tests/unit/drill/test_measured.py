"""Measurements of a drill are whole, or refused with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.drill import __main__ as command
from infra.drill.measured import PARTS, DrillError, gather, read, runs, written
from tests.records import RECORDED, record
from tests.unit.drill.measurements import STEPS, content, measured


def parts(folder: Path, **changes: Any) -> Path:
    for name in PARTS:
        (folder / f"{name}.json").write_text(json.dumps(changes.get(name, content()[name])))
    return folder


def test_what_is_written_is_read_again() -> None:
    assert read(written(measured())) == measured()


def test_the_parts_of_a_folder_become_one_file_with_the_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "drill.json"

    assert command.main([str(parts(tmp_path)), "--to", str(file)]) == 0

    found = read(file.read_text())
    assert found.postgresql == measured().postgresql
    assert found.machine.cores > 0
    assert "full-recovery: " in capsys.readouterr().out


def test_a_recovery_that_is_over_and_not_accepted_fails_the_command(tmp_path: Path) -> None:
    slow = {**content()["kubernetes"], "doubled_seconds": 60.0}

    assert command.main([str(parts(tmp_path, kubernetes=slow)), "--to", str(tmp_path / "it.json")]) == 1


def test_a_missing_part_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (parts(tmp_path) / "unplugged.json").unlink()

    assert command.main([str(tmp_path), "--to", str(tmp_path / "it.json")]) == 2
    said = capsys.readouterr().err
    assert "has no unplugged.json" in said
    assert "to do: make drill" in said
    assert not (tmp_path / "it.json").exists()


def test_a_part_that_is_no_json_is_named(tmp_path: Path) -> None:
    (parts(tmp_path) / "tool.json").write_text("{")

    with pytest.raises(DrillError, match=r"tool\.json is no JSON"):
        gather(tmp_path)


@pytest.mark.parametrize(
    ("part", "change", "says"),
    [
        ("postgresql", {"lost": -1}, "postgresql.lost"),
        ("postgresql", {"write_gap_seconds": 0}, "postgresql.write_gap_seconds"),
        ("kubernetes", {"surprise": 1}, "kubernetes.surprise"),
        ("tool", {"steps": []}, "tool.steps"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(part: str, change: dict[str, Any], says: str) -> None:
    wrong = {**content(), part: {**content()[part], **change}}

    with pytest.raises(DrillError, match=says):
        read(json.dumps(wrong))


def test_a_step_that_was_not_taken_is_named() -> None:
    with pytest.raises(DrillError, match="no step fly"):
        measured().unplugged.seconds("look", "fly")


def test_runs_are_in_their_order_with_all_their_steps() -> None:
    found = runs(measured())

    assert [name for name, _ in found] == ["failover-away", "failover-home"]
    assert [step.step for step in found[0][1]] == list(STEPS)


def test_tests_record_where_the_environment_says_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(RECORDED, raising=False)
    record("it", {"a": 1})
    monkeypatch.setenv(RECORDED, str(tmp_path / "there"))
    record("it", {"a": 2})

    assert json.loads((tmp_path / "there" / "it.json").read_text()) == {"a": 2}
