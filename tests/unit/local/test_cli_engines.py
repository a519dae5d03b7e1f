"""An engine is looked for in a fixed order, and none is a clear answer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import engine_install, engines, go_builds
from infra.local.errors import LocalError
from infra.local.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(root=tmp_path / "state", project=tmp_path)
    home.create()
    return home


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A PATH with nothing but a shell, and no way to make an engine."""
    (tmp_path / "bin").mkdir()

    def not_here(_cache: Path) -> tuple[Path, Path]:
        raise go_builds.NotPossibleError("not here")

    monkeypatch.setattr(engine_install, "from_installer", not_here)
    monkeypatch.setattr(engine_install, "from_source", not_here)
    return {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def pretend(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    return path


def pretend_made(tmp_path: Path, *, way: str, version: str) -> Path:
    folder = tmp_path / "cache" / "pulumi-local" / f"engine-{way}-{version}"
    path = pretend(folder / "pulumi", version)
    (folder / "engine.json").write_text(json.dumps({"program": "pulumi", "version": version}))
    return path


def test_an_engine_on_path_comes_first(home: Home, environ: dict[str, str], tmp_path: Path) -> None:
    path = pretend(tmp_path / "bin" / "pulumi", "v3.300.1")
    pretend_made(tmp_path, way="go", version="v3.259.0")
    found = engines.find(home=home, environ=environ)
    assert (found.path, found.version, found.source) == (path, "v3.300.1", "path")


def test_an_engine_on_path_that_is_too_old_is_passed_over(
    home: Home, environ: dict[str, str], tmp_path: Path
) -> None:
    pretend(tmp_path / "bin" / "pulumi", "v3.258.9")
    made = pretend_made(tmp_path, way="go", version="v3.259.0")
    assert engines.find(home=home, environ=environ).path == made


def test_one_that_was_made_before_is_used_without_making_another(
    home: Home, environ: dict[str, str], tmp_path: Path
) -> None:
    built = pretend_made(tmp_path, way="go", version="v3.259.0")
    assert engines.find(home=home, environ=environ).path == built
    downloaded = pretend_made(tmp_path, way="installer", version="v3.272.0")
    assert engines.find(home=home, environ=environ).path == downloaded


def test_half_of_an_engine_is_not_taken_for_one(home: Home, environ: dict[str, str], tmp_path: Path) -> None:
    pretend_made(tmp_path, way="go", version="v3.259.0").with_name("engine.json").unlink()
    with pytest.raises(LocalError):
        engines.find(home=home, environ=environ)


def test_no_engine_names_the_three_ways_and_what_was_found(
    home: Home, environ: dict[str, str], tmp_path: Path
) -> None:
    pretend(tmp_path / "bin" / "pulumi", "v3.1.0")
    with pytest.raises(LocalError) as caught:
        engines.find(home=home, environ=environ)
    text = str(caught.value)
    for part in ("v3.1.0", "official installer: not here", "with Go: not here", "on PATH", "3. install Go"):
        assert part in text


@pytest.mark.parametrize("choice", ["installer", "go"])
def test_a_chosen_way_is_the_only_one(
    home: Home, environ: dict[str, str], tmp_path: Path, choice: str
) -> None:
    pretend(tmp_path / "bin" / "pulumi", "v3.300.0")
    with pytest.raises(LocalError, match="not here") as caught:
        engines.find(home=home, environ=environ | {"PULUMI_LOCAL_ENGINE": choice})
    assert str(caught.value).count("not here") == 1


def test_an_engine_can_be_named(home: Home, environ: dict[str, str], tmp_path: Path) -> None:
    path = pretend(tmp_path / "mine", "3.260.0-alpha.1")
    assert engines.find(home=home, environ=environ | {"PULUMI_LOCAL_ENGINE": str(path)}).path == path
    with pytest.raises(LocalError, match="names no engine"):
        engines.find(home=home, environ=environ | {"PULUMI_LOCAL_ENGINE": str(tmp_path / "no")})


def test_what_was_made_is_checked_moved_in_whole_and_recorded(
    home: Home, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(cache: Path) -> tuple[Path, Path]:
        pretend(cache / "new" / "bin" / "pulumi", "v3.272.0")
        return cache / "new", Path("bin/pulumi")

    monkeypatch.setattr(engine_install, "from_installer", make)
    found = engines.find(home=home, environ=environ)
    cache = tmp_path / "cache" / "pulumi-local"
    assert found.path == cache / "engine-installer-v3.272.0" / "bin" / "pulumi"
    assert not (cache / "new").exists()
    monkeypatch.undo()
    assert engines.find(home=home, environ=environ).path == found.path


def test_the_version_on_path_is_asked_once(home: Home, environ: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "bin" / "pulumi"
    path.write_text(f"#!/bin/sh\necho x >> {tmp_path}/asked\necho v3.300.0\n")
    path.chmod(0o755)
    for _ in range(3):
        engines.find(home=home, environ=environ)
    assert (tmp_path / "asked").read_text() == "x\n"


def test_a_cache_that_cannot_be_written_gives_way_to_the_state_folder(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environ = {"XDG_CACHE_HOME": str(tmp_path / "file")}
    assert engines.cache_folder(environ=environ, home=home) == home.root


def test_a_language_host_is_given_only_to_an_engine_without_one(home: Home, tmp_path: Path) -> None:
    bare = engines.Engine(
        path=pretend(tmp_path / "a" / "pulumi", "v3.259.0"), version="v3.259.0", source="path"
    )
    folder = engines.language_host_folder(engine=bare, home=home)
    assert os.access(folder / "pulumi-language-python", os.X_OK)
    assert folder.is_relative_to(home.root)
    pretend(tmp_path / "a" / "pulumi-language-python", "official")
    assert engines.language_host_folder(engine=bare, home=home) == tmp_path / "a"


def test_the_build_pins_its_version_and_sums() -> None:
    module = Path(engine_install.__file__).with_name("engine")
    version = engine_install.source_version()
    assert f"github.com/pulumi/pulumi/pkg/v3 {version} h1:" in (module / "go.sum").read_text()
    assert tuple(int(part) for part in version.removeprefix("v").split(".")) >= engines.MINIMUM


def test_without_go_the_build_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(go_builds.NotPossibleError, match="Go is not installed"):
        engine_install.from_source(tmp_path)


def test_a_failed_build_tells_its_reason_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text("#!/bin/sh\n[ $1 = env ] && exit 0\necho 'module lookup disabled' >&2\nexit 1\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    with pytest.raises(go_builds.NotPossibleError, match="module lookup disabled"):
        engine_install.from_source(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "engine-build.log"]


def test_one_process_makes_and_the_other_waits(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from infra.local import go_builds\n"
        "with go_builds.only_one(Path(sys.argv[1]), name='go', subject='the engine'): print('held')\n"
    )
    with go_builds.only_one(tmp_path, name="go", subject="the engine"):
        waiting = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert waiting.stderr is not None
        assert "waiting" in waiting.stderr.readline()
        assert waiting.poll() is None
    stdout, _ = waiting.communicate(timeout=60)
    assert stdout == "held\n"
