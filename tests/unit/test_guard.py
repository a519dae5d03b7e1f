"""Plans that lose a store are told from those that do not, whatever form they come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra import guard
from infra.docs import golden

DATABASE = "aws:rds/instance:Instance"
URN = f"urn:pulumi:prod::parking::{DATABASE}::database-head"


def preview(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"steps": [{"urn": URN, "oldState": {"type": DATABASE}, **step} for step in steps]}


def events(*steps: dict[str, Any]) -> list[str]:
    whole = [{"resourcePreEvent": {"metadata": {"urn": URN, "type": DATABASE, **step}}} for step in steps]
    return ['{"preludeEvent":{}}', *(json.dumps(event, separators=(",", ":")) for event in whole)]


@pytest.mark.parametrize("operation", ["same", "update", "create", "refresh", "read"])
def test_what_keeps_a_store_is_no_loss(operation: str) -> None:
    assert guard.losses(guard.steps_of_preview(preview({"op": operation}))) == []
    assert guard.losses(guard.steps_of_events(events({"op": operation}))) == []


def test_a_replacement_is_one_loss_with_the_properties_that_cause_it() -> None:
    detail = {"dbName": {"kind": "update-replace"}, "tags.x": {"kind": "update"}}
    steps = [
        {"op": "create-replacement", "replaceReasons": ["dbName"], "detailedDiff": detail},
        {"op": "replace", "replaceReasons": ["dbName"], "detailedDiff": detail},
        {"op": "delete-replaced"},
    ]

    (loss,) = guard.losses(guard.steps_of_preview(preview(*steps)))

    assert str(loss) == (
        f"database-head ({DATABASE}) would be replaced, because of a change of dbName; it is a database and its data"
    )


def test_events_say_the_same() -> None:
    detail = {"identifier": {"diffKind": "add-replace"}}
    (loss,) = guard.losses(
        guard.steps_of_events(events({"op": "replace", "keys": ["x"], "detailedDiff": detail}))
    )

    assert (loss.is_replaced, loss.reasons) == (True, ("identifier",))


def test_a_deletion_says_that_the_program_no_longer_has_it() -> None:
    (loss,) = guard.losses(guard.steps_of_preview(preview({"op": "delete"})))

    assert "would be deleted, because the program no longer has it" in str(loss)


def test_other_types_may_go_and_named_stores_too() -> None:
    alarm = preview({"op": "delete", "oldState": {"type": "aws:cloudwatch/metricAlarm:MetricAlarm"}})

    assert guard.losses(guard.steps_of_preview(alarm)) == []
    steps = list(guard.steps_of_preview(preview({"op": "delete"})))
    assert guard.losses(steps, allowed=["database-head"]) == []
    assert guard.allowed_names({guard.ALLOWED: " a, b ,"}) == ["a", "b"]


def test_the_command_judges_a_file_and_says_how_to_mean_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(guard.ALLOWED, raising=False)
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(preview({"op": "delete"})))

    assert guard.main([str(plan)]) == 1
    assert f"{guard.ALLOWED}=database-head" in capsys.readouterr().err
    assert guard.main([str(plan), "--allow", "database-head"]) == 0
    monkeypatch.setenv(guard.ALLOWED, "database-head")
    assert guard.main([str(plan)]) == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", "Previewing update (prod)"])
def test_a_file_that_is_no_plan_is_refused_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(text)

    assert guard.main([str(plan)]) == 2
    assert str(plan) in capsys.readouterr().err
    assert guard.main([str(tmp_path / "none.json")]) == 2


def test_a_rename_is_lost_and_one_with_an_alias_is_not() -> None:
    recorded = ["aws:kms/key:Key old < the stack", "aws:kms/key:Key kept < the stack"]
    current = {"u": "aws:kms/key:Key new < the stack", "v": "aws:kms/key:Key kept < the stack"}
    alias = "urn:pulumi:prod::parking::parking:components:Keys$aws:kms/key:Key::old"

    assert golden.lost(recorded, current=current, aliases=[]) == [recorded[0]]
    assert golden.lost(recorded, current=current, aliases=[alias]) == []


def test_another_parent_is_another_identity() -> None:
    recorded = ["aws:kms/key:Key a < parking:components:Keys keys"]

    assert golden.lost(recorded, current={"u": "aws:kms/key:Key a < the stack"}, aliases=[]) == recorded


def test_a_rename_is_explained_with_what_it_needs() -> None:
    said = golden.explanation(
        "prod", gone=["aws:kms/key:Key a < the stack"], new=["aws:kms/key:Key b < the stack"]
    )

    assert "tests/golden/prod.txt" in said
    assert "gone: aws:kms/key:Key a" in said
    assert "new:  aws:kms/key:Key b" in said
    assert "alias" in said
    assert "make golden" in said
    assert golden.explanation("prod", gone=[], new=[]) == ""


def upgrade_of(old: str, new: str) -> dict[str, Any]:
    return {
        "op": "update",
        "urn": f"urn:pulumi:prod::parking::{guard.CLUSTER}::cluster",
        "oldState": {"type": guard.CLUSTER, "inputs": {"version": old}},
        "newState": {"type": guard.CLUSTER, "inputs": {"version": new}},
    }


def test_a_cluster_goes_one_minor_at_a_time_whatever_form_the_plan_comes_in() -> None:
    step = upgrade_of("1.34", "1.36")
    event = {**step, "type": guard.CLUSTER, "old": step["oldState"], "new": step["newState"]}

    for steps in (guard.steps_of_preview(preview(step)), guard.steps_of_events(events(event))):
        (refusal,) = guard.problems(list(steps), allowed=[])
        assert "cluster runs Kubernetes 1.34, the plan wants 1.36" in refusal
        assert "set and apply each in turn: 1.35, 1.36" in refusal


def test_the_next_minor_and_no_change_are_no_problem() -> None:
    for new in ("1.34", "1.35"):
        assert (
            guard.problems(list(guard.steps_of_preview(preview(upgrade_of("1.34", new)))), allowed=[]) == []
        )


def test_a_plan_that_jumps_a_version_is_an_error_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(preview(upgrade_of("1.36", "1.35"))), encoding="utf-8")

    assert guard.main([str(plan)]) == 1
    assert "EKS never goes back" in capsys.readouterr().err
