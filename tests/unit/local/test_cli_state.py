"""Locks and state that a killed run left are judged right: the dead are cleared, the living are left alone."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import locks, state
from infra.local.errors import LocalError
from infra.local.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(root=tmp_path / "state", project=tmp_path)
    home.create()
    return home


def checkpoint(home: Home) -> state.Checkpoint:
    found = state.Checkpoint(home=home, project="parking", stack="dev")
    found.path.parent.mkdir(parents=True, exist_ok=True)
    return found


def document(*, pending: list[str] | None = None) -> str:
    operations = [
        {"type": kind, "resource": {"urn": f"urn:pulumi:dev::parking::t::{kind}-it"}}
        for kind in pending or []
    ]
    latest: dict[str, object] = {
        "resources": [{"urn": "kept"}],
        "secrets_providers": {"state": {"salt": "v1:salt"}},
    }
    if pending is not None:
        latest["pending_operations"] = operations
    return json.dumps({"version": 3, "checkpoint": {"latest": latest}})


def write_lock(home: Home, **content: object) -> Path:
    folder = home.backend / ".pulumi" / "locks" / "organization" / "parking" / "dev"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "id.json"
    path.write_text(json.dumps({"hostname": socket.gethostname(), **content}))
    return path


def test_the_lock_of_a_dead_process_is_removed_with_a_line(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    path = write_lock(home, pid=gone.pid)
    locks.clear_stale(home=home, project="parking", stack="dev")
    assert not path.exists()
    assert str(gone.pid) in capsys.readouterr().err


def test_a_number_that_went_to_another_program_is_no_lock(home: Home) -> None:
    path = write_lock(home, pid=os.getpid())
    locks.clear_stale(home=home, project="parking", stack="dev")
    assert not path.exists()


def test_the_lock_of_a_living_engine_stays(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_PATIENCE", 0.05)
    engine = tmp_path / "pulumi"
    engine.write_bytes(Path("/bin/sleep").read_bytes())
    engine.chmod(0o755)
    with subprocess.Popen([str(engine), "100"]) as living:
        path = write_lock(home, pid=living.pid)
        try:
            with pytest.raises(LocalError, match=f"process {living.pid}"):
                locks.clear_stale(home=home, project="parking", stack="dev")
        finally:
            living.kill()
    assert path.exists()


def test_a_lock_of_another_machine_stays(home: Home) -> None:
    path = write_lock(home, pid=1, hostname="elsewhere")
    with pytest.raises(LocalError, match="elsewhere"):
        locks.clear_stale(home=home, project="parking", stack="dev")
    assert path.exists()


def test_a_damaged_lock_is_removed(home: Home) -> None:
    path = write_lock(home)
    path.write_text("{")
    locks.clear_stale(home=home, project="parking", stack="dev")
    assert not path.exists()


def test_two_runs_cannot_hold_one_stack(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_PATIENCE", 0.05)
    with locks.guard(home=home, stack="dev", command="up"):
        with (
            pytest.raises(LocalError, match=rf"process {os.getpid()} \(`up`"),
            locks.guard(home=home, stack="dev", command="destroy"),
        ):
            pytest.fail("held twice")
        with locks.guard_if_free(home=home, stack="dev") as free:
            assert not free
        with locks.guard(home=home, stack="prod", command="up"):
            pass
    with locks.guard_if_free(home=home, stack="dev") as free:
        assert free


def test_unfinished_operations_are_cleared_and_named(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    found = checkpoint(home)
    found.path.write_text(document(pending=["creating", "deleting"]))
    found.recover()
    latest = json.loads(found.path.read_text())["checkpoint"]["latest"]
    assert "pending_operations" not in latest
    assert latest["resources"] == [{"urn": "kept"}]
    said = capsys.readouterr().err
    assert "2 unfinished" in said
    assert "creating creating-it" in said


def test_a_state_with_nothing_unfinished_is_not_written(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    found = checkpoint(home)
    found.path.write_text(document(pending=[]))
    stamp = found.path.stat().st_mtime_ns
    found.recover()
    assert found.path.stat().st_mtime_ns == stamp
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("text", ["", "\0" * 10, "{", "[]", '"text"', '{"version": 3}', '{"checkpoint": []}'])
def test_a_damaged_state_is_refused_with_the_newest_whole_copy(home: Home, text: str) -> None:
    found = checkpoint(home)
    found.path.write_text(text)
    with pytest.raises(LocalError, match="start the stack anew"):
        found.check()
    old = home.backend / ".pulumi" / "backups" / "parking" / "dev" / "dev.1.json"
    old.parent.mkdir(parents=True)
    old.write_text(document())
    os.utime(old, (1, 1))
    newer = found.path.with_name("dev.json.bak")
    newer.write_text(document())
    with pytest.raises(LocalError, match=f"cp '{newer}' '{found.path}'"):
        found.check()
    newer.write_text("{")
    with pytest.raises(LocalError, match=f"cp '{old}'"):
        found.check()


def test_a_whole_state_passes_and_gives_its_salt(home: Home) -> None:
    found = checkpoint(home)
    found.path.write_text(document())
    found.check()
    assert found.salt() == "v1:salt"


def test_stacks_are_listed_by_their_state_not_their_copies(home: Home) -> None:
    folder = checkpoint(home).path.parent
    for name in ("dev.json", "dev.json.bak", "dev.json.attrs", "prod.json.gz"):
        (folder / name).write_text("{}")
    assert state.existing_stacks(home=home, project="parking") == ["dev", "prod"]


@pytest.mark.parametrize(
    ("settings", "stack"),
    [
        ({"stacks": {"file:///b": "organization/parking/dev"}}, "dev"),
        ({"stack": "prod"}, "prod"),
        ({}, None),
        ([], None),
    ],
)
def test_the_selected_stack_is_the_engines(home: Home, settings: object, stack: str | None) -> None:
    folder = home.pulumi_home / "workspaces"
    folder.mkdir()
    (folder / "parking-0-workspace.json").write_text(json.dumps(settings))
    assert state.selected_stack(home) == stack


def test_damaged_small_files_are_removed_and_whole_ones_stay(home: Home) -> None:
    credentials = home.pulumi_home / "credentials.json"
    credentials.write_text("{}")
    workspace = home.pulumi_home / "workspaces" / "parking-0-workspace.json"
    workspace.parent.mkdir()
    workspace.write_text("{")
    state.mend(home)
    assert credentials.exists()
    assert not workspace.exists()


def test_attributes_that_a_killed_run_left_half_written_are_removed_and_whole_ones_stay(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    store = home.backend / ".pulumi"
    stacks, locks = store / "stacks" / "parking", store / "locks" / "organization" / "parking" / "dev"
    stacks.mkdir(parents=True, exist_ok=True)
    locks.mkdir(parents=True)
    broken = [store / "meta.yaml.attrs", stacks / "dev.json.attrs", locks / "one.json.attrs"]
    for path, text in zip(broken, ("", "", '{"user.content_type":'), strict=True):
        path.write_text(text)
    whole = stacks / "prod.json.attrs"
    whole.write_text('{"user.content_type": "application/json"}')
    (stacks / "dev.json").write_text("{}")

    state.mend(home)

    assert not any(path.exists() for path in broken)
    assert whole.exists()
    assert (stacks / "dev.json").exists()
    assert capsys.readouterr().err.count("half written") == 3
