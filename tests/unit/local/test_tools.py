"""Tools that are built from pinned modules: once per user, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.local import go_builds
from infra.local.errors import LocalError
from infra.local.tools import TOOLS, building, find, obtain
from infra.model.stack import ClusterSettings


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "pulumi-local"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was built, by a Go that makes empty programs."""
    subjects: list[str] = []

    def build(*, packages: list[str], output: Path, subject: str, **_more: Any) -> None:
        subjects.append(subject)
        for package in packages:
            name = package.removesuffix("/v3").rpartition("/")[2]
            (output / name).touch()

    monkeypatch.setattr(go_builds, "build", build)
    monkeypatch.setattr(go_builds, "find_go", lambda: "go")
    return subjects


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_pins_its_modules_and_their_sums(name: str) -> None:
    tool = TOOLS[name]

    assert tool.version.startswith("v")
    assert f"{tool.module} {tool.version} h1:" in (tool.folder / "go.sum").read_text()
    assert f"module parking.platform/tools/{name}\n" in (tool.folder / "go.mod").read_text()


@pytest.mark.parametrize("name", TOOLS)
def test_the_programs_are_the_tools_that_go_mod_names(name: str) -> None:
    tool = TOOLS[name]
    text = (tool.folder / "go.mod").read_text()

    for package in tool.packages.values():
        assert f"\t{package}\n" in text or f"tool {package}\n" in text


def test_the_control_plane_is_of_the_version_that_clusters_have() -> None:
    assert TOOLS["kubernetes"].version.startswith(f"v{ClusterSettings().version}.")


def test_all_of_kubernetes_is_of_one_version() -> None:
    text = (TOOLS["kubernetes"].folder / "go.mod").read_text()
    staged = [line.split("=>")[1].split()[1] for line in text.splitlines() if "=>" in line]

    assert len(staged) > 20
    assert set(staged) == {TOOLS["kubernetes"].version.replace("v1.", "v0.")}


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_is_built_once(built: list[str], name: str) -> None:
    assert find(TOOLS[name]) is None

    first = obtain(name)
    second = obtain(next(iter(TOOLS[name].programs)))

    assert built == [name]
    assert first == second == find(TOOLS[name])
    assert all(path.exists() for path in first.values())
    assert set(first) == set(TOOLS[name].programs)


def test_a_failed_build_says_why_and_leaves_nothing(
    built: list[str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_given: Any) -> None:
        raise go_builds.NotPossibleError("`go build` failed: no space left")

    monkeypatch.setattr(go_builds, "build", fail)

    with pytest.raises(LocalError, match="no space left"):
        obtain("etcd")
    assert not built
    assert [path for path in cache.glob("*etcd*") if path.is_dir()] == []


def test_without_go_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise go_builds.NotPossibleError("Go is not installed")

    monkeypatch.setattr(go_builds, "find_go", missing)

    with pytest.raises(LocalError, match=r"Go is not installed[\s\S]*python -m infra.local.tools keda"):
        obtain("keda-operator")


def test_a_tool_that_there_is_not_is_told_with_those_there_are() -> None:
    with pytest.raises(LocalError, match=r"no tool named 'kubectl'[\s\S]*kube-apiserver"):
        obtain("kubectl")


def test_changed_modules_make_another_folder(
    built: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = obtain("etcd")["etcd"]
    copied = tmp_path / "etcd"
    copied.mkdir()
    for name in ("go.mod", "go.sum"):
        (copied / name).write_text((TOOLS["etcd"].folder / name).read_text() + "\n")
    monkeypatch.setattr("infra.local.tools.catalogue.FOLDER", tmp_path)

    assert obtain("etcd")["etcd"] != first
    assert built == ["etcd", "etcd"]


def test_how_long_a_build_took_is_remembered(built: list[str]) -> None:
    assert building.seconds_taken(TOOLS["helm"]) is None

    obtain("helm")

    assert building.seconds_taken(TOOLS["helm"]) == 0
    assert built
