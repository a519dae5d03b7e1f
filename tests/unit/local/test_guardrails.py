"""`preview` and `up` get the policy pack and the guard; nothing else does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.local import guardrails
from infra.local.arguments import Invocation, parse
from infra.local.errors import LocalError
from infra.local.home import Home

URN = "urn:pulumi:prod::parking::aws:kms/key:Key::keys-storage"
_STEP = {"op": "replace", "urn": URN, "type": "aws:kms/key:Key", "keys": ["policy"]}
LOSS = json.dumps({"resourcePreEvent": {"metadata": _STEP}})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    pack = tmp_path / "infra" / "policy"
    pack.mkdir(parents=True)
    (pack / "PulumiPolicy.yaml").touch()
    return Home(root=tmp_path / "state", project=tmp_path)


def invocation(line: str) -> Invocation:
    return parse(args=line.split(), cwd=Path("/"))


class Engine:
    """Remembers what it was asked to run; its event log tells of a loss when it is told to."""

    def __init__(self, *, loses: bool) -> None:
        self.loses = loses
        self.shown: list[Sequence[str]] = []
        self.unseen: list[Sequence[str]] = []

    def show(self, args: Sequence[str]) -> int:
        self.shown.append(args)
        return self._run(args)

    def quiet(self, args: Sequence[str]) -> int:
        self.unseen.append(args)
        return self._run(args)

    def _run(self, args: Sequence[str]) -> int:
        for arg in args:
            if arg.startswith("--event-log="):
                Path(arg.partition("=")[2]).write_text(LOSS if self.loses else "")
        return 0

    def guarded(self, line: str, home: Home, *, has_state: bool = True) -> int:
        shown = (line.split(), self.show)
        return guardrails.run(
            invocation=invocation(line), home=home, shown=shown, quiet=self.quiet, has_state=has_state
        )


@pytest.mark.parametrize(
    ("line", "number"), [("preview", 1), ("up --yes", 1), ("destroy", 0), ("stack ls", 0)]
)
def test_the_policy_pack_runs_where_something_is_planned(home: Home, line: str, number: int) -> None:
    found = guardrails.policy_arguments(invocation=invocation(line), home=home, environ={})

    assert len(found) == number
    assert (
        guardrails.policy_arguments(
            invocation=invocation(line), home=home, environ={guardrails.SWITCH: "off"}
        )
        == []
    )


def test_a_project_without_a_pack_runs_without_one(tmp_path: Path) -> None:
    home = Home(root=tmp_path, project=tmp_path)

    assert guardrails.policy_arguments(invocation=invocation("up"), home=home, environ={}) == []


def test_an_update_that_would_lose_a_store_does_not_start(home: Home) -> None:
    engine = Engine(loses=True)

    with pytest.raises(LocalError, match=r"keys-storage .* would be replaced, because of a change of policy"):
        engine.guarded("up --yes --stack prod", home)

    assert engine.shown == []
    assert engine.unseen[0][:3] == ["preview", "--stack", "prod"]
    assert list(home.root.iterdir()) == [], "the event log may hold values and is not kept"


def test_a_preview_is_shown_and_then_refused(home: Home) -> None:
    engine = Engine(loses=True)

    with pytest.raises(LocalError, match="PARKING_ALLOW_REPLACEMENT=keys-storage"):
        engine.guarded("preview --stack prod", home)

    assert len(engine.shown) == 1


def test_what_is_meant_goes_through(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKING_ALLOW_REPLACEMENT", "keys-storage")
    engine = Engine(loses=True)

    assert engine.guarded("up --yes", home) == 0
    assert engine.shown == [["up", "--yes"]]


@pytest.mark.parametrize("line", ["destroy --yes", "refresh", "preview --event-log=/mine"])
def test_other_commands_are_left_alone(home: Home, line: str) -> None:
    engine = Engine(loses=True)

    assert engine.guarded(line, home) == 0
    assert engine.shown == [line.split()]
    assert engine.unseen == []


def test_an_empty_stack_has_nothing_to_lose(home: Home) -> None:
    engine = Engine(loses=True)

    assert engine.guarded("up", home, has_state=False) == 0
    assert engine.unseen == []


def test_the_unseen_preview_keeps_what_changes_the_plan() -> None:
    words = ["up", "-y", "--skip-preview", "--config", "a=b", "--target=x", "--plan=p", "--json", "--", "z"]

    assert guardrails.before_up(words) == ["preview", "--config", "a=b", "--target=x", "--", "z"]
