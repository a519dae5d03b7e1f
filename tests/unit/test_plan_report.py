"""A report names what a change does to each stack, and no value."""

from __future__ import annotations

from typing import Any

from infra import plan_report

SIGNATURE = "4dabf18193072939515e22adb298388d"


def preview(**inputs: Any) -> dict[str, Any]:
    urn = "urn:pulumi:s::p::aws:kms/key:Key::"
    states = [
        {"urn": urn + name, "type": "aws:kms/key:Key", "inputs": given} for name, given in inputs.items()
    ]
    return {"steps": [{"op": "create", "newState": state} for state in states]}


def test_added_removed_and_changed_resources_are_named_without_values() -> None:
    before = plan_report.properties(preview(gone={}, kept={"a": 1}, changed={"a": "hidden", "b": 1}))
    after = plan_report.properties(preview(new={}, kept={"a": 1}, changed={"a": "unseen", "b": 1}))

    said = plan_report.report({"s": before}, {"s": after})

    assert "3 resources before, 3 after, 3 differ" in said
    assert "| `aws:kms/key:Key changed` | `a` |" in said
    assert "| `aws:kms/key:Key gone` | **removed** |" in said
    assert "hidden" not in said
    assert "unseen" not in said


def test_secrets_differ_at_every_run_and_are_no_change() -> None:
    def secret(ciphertext: str) -> dict[str, Any]:
        return preview(a={"value": [{SIGNATURE: "1b", "ciphertext": ciphertext}]})

    assert (
        list(
            plan_report.differences(plan_report.properties(secret("x")), plan_report.properties(secret("y")))
        )
        == []
    )


def test_an_export_is_read_like_a_plan() -> None:
    state = preview(a={"x": 1})["steps"][0]["newState"]

    assert plan_report.properties({"deployment": {"resources": [state]}}) == plan_report.properties(
        preview(a={"x": 1})
    )


def test_a_long_list_is_cut_and_counted() -> None:
    many = plan_report.properties(preview(**{f"n{i}": {} for i in range(plan_report.LONGEST + 5)}))

    assert "and 5 more" in plan_report.report({"s": {}}, {"s": many})
