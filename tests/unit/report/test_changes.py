"""The difference of two plans names resources and properties, and no value."""

from __future__ import annotations

from typing import Any

from infra.report import changes

SIGNATURE = "4dabf18193072939515e22adb298388d"


def preview(**inputs: Any) -> dict[str, Any]:
    urn = "urn:pulumi:s::p::aws:kms/key:Key::"
    states = [
        {"urn": urn + name, "type": "aws:kms/key:Key", "inputs": given} for name, given in inputs.items()
    ]
    return {"steps": [{"op": "create", "newState": state} for state in states]}


def test_added_removed_and_changed_resources_are_named_without_values() -> None:
    before = changes.properties(preview(gone={}, kept={"a": 1}, changed={"a": "hidden", "b": 1}))
    after = changes.properties(preview(new={}, kept={"a": 1}, changed={"a": "unseen", "b": 1}))

    said = changes.named(before, after)

    assert "| `aws:kms/key:Key changed` | `a` |" in said
    assert "| `aws:kms/key:Key gone` | **removed** |" in said
    assert "hidden" not in said
    assert "unseen" not in said


def test_secrets_differ_at_every_run_and_are_no_change() -> None:
    def secret(ciphertext: str) -> dict[str, Any]:
        return preview(a={"value": [{SIGNATURE: "1b", "ciphertext": ciphertext}]})

    assert list(changes.differences(changes.properties(secret("x")), changes.properties(secret("y")))) == []


def test_an_export_is_read_like_a_plan() -> None:
    state = preview(a={"x": 1})["steps"][0]["newState"]

    assert changes.properties({"deployment": {"resources": [state]}}) == changes.properties(
        preview(a={"x": 1})
    )


def test_a_long_list_is_cut_and_counted() -> None:
    many = changes.properties(preview(**{f"n{i}": {} for i in range(changes.LONGEST + 5)}))

    said = changes.named({}, many)

    assert said.endswith("\n\nand 5 more")
    assert said.count("added") == changes.LONGEST


def test_the_same_plan_has_nothing_to_name() -> None:
    same = changes.properties(preview(a={"x": 1}))

    assert changes.named(same, same) == ""


def test_digits_that_are_drawn_for_a_name_are_no_change_and_all_others_are() -> None:
    def plan(drawn: str, tag: str) -> changes.Properties:
        return changes.properties(preview(key={"name": f"key-{drawn}", "image": f"auth-{tag}"}, other={}))

    before = plan("1a2b3c4", "1a2b3c4")

    assert changes.named(before, plan("5d6e7f8", "1a2b3c4")) == ""
    assert "`image`" in changes.named(before, plan("5d6e7f8", "5d6e7f8"))
