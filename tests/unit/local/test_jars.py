"""Kafka's jars: brought by Maven once per user, checked against the committed sums, whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.errors import LocalError
from infra.local.tools import jars
from infra.local.tools.catalogue import FOLDER

NAMES = ("kafka-clients-1.2.3.jar", "kafka_2.13-1.2.3.jar")
REAL = FOLDER / jars.KAFKA


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pulumi-local"


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that pins two small jars."""
    folder = tmp_path / "tools" / jars.KAFKA
    folder.mkdir(parents=True)
    (folder / "pom.xml").write_text("<kafka.version>1.2.3</kafka.version>")
    sums = [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in NAMES]
    (folder / "jars.sha256").write_text("".join(sums))
    monkeypatch.setattr(jars, "FOLDER", tmp_path / "tools")
    return folder


class Maven:
    """A Maven that writes what it is told to, and remembers how it was called."""

    def __init__(self, files: dict[str, bytes], *, code: int = 0, said: str = "") -> None:
        self.files, self.code, self.said = files, code, said
        self.calls: list[list[str]] = []

    def run(self, command: list[str], **_: Any) -> SimpleNamespace:
        self.calls.append(command)
        given = dict(word.removeprefix("-D").split("=", 1) for word in command if word.startswith("-D"))
        Path(given["maven.repo.local"]).mkdir()
        for name, content in self.files.items():
            (Path(given["outputDirectory"]) / name).write_bytes(content)
        return SimpleNamespace(returncode=self.code, stdout=self.said, stderr="")


def installed(name: str) -> str:
    """Where a program is, on a machine that has all."""
    return f"/usr/bin/{name}"


def absent(_: str) -> None:
    """Where it is on one that has none."""


def maven(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Maven:
    given: dict[str, Any] = {"files": {name: name.encode() for name in NAMES}, **changes}
    made = Maven(**given)
    monkeypatch.setattr(shutil, "which", installed)
    monkeypatch.setattr(subprocess, "run", made.run)
    return made


def kept(cache: Path) -> list[str]:
    return [path.name for path in cache.iterdir() if path.is_dir()] if cache.exists() else []


def test_every_pinned_jar_has_its_sum_and_kafka_s_own_is_of_the_pinned_version() -> None:
    lines = [line.split() for line in (REAL / "jars.sha256").read_text().splitlines()]

    assert all(len(digest) == 64 and name.endswith(".jar") for digest, name in lines)
    assert len({name for _, name in lines}) == len(lines)
    assert f"kafka-clients-{jars.version()}.jar" in {name for _, name in lines}


@pytest.mark.usefixtures("pinned")
def test_they_are_brought_once_and_maven_s_own_store_is_left_nowhere(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    asked = maven(monkeypatch)
    assert jars.find() is None

    first = jars.obtain()

    assert jars.obtain() == first == jars.find()
    assert len(asked.calls) == 1
    assert "--strict-checksums" in asked.calls[0]
    assert sorted(path.name for path in first.iterdir()) == sorted(NAMES)
    assert first.stat().st_mode & 0o777 == 0o755, "a server that runs as another user reads them"
    assert kept(cache) == [first.name]


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({NAMES[0]: b"another", NAMES[1]: NAMES[1].encode()}, NAMES[0]),
        ({NAMES[0]: NAMES[0].encode()}, NAMES[1]),
        ({**{name: name.encode() for name in NAMES}, "extra.jar": b"x"}, "extra.jar"),
    ],
    ids=["changed", "missing", "more"],
)
@pytest.mark.usefixtures("pinned")
def test_other_jars_than_those_whose_sums_are_committed_are_refused_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, cache: Path, files: dict[str, bytes], named: str
) -> None:
    maven(monkeypatch, files=files)

    with pytest.raises(LocalError, match=r"not those of jars\.sha256") as raised:
        jars.obtain()
    assert named in str(raised.value)
    assert not any(name in str(raised.value) for name in {*NAMES, "extra.jar"} - {named})
    assert jars.find() is None
    assert kept(cache) == []


@pytest.mark.usefixtures("pinned")
def test_a_failed_maven_says_why_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    maven(monkeypatch, files={}, code=1, said="[INFO] x\n[ERROR] Could not transfer artifact\n[ERROR] more\n")

    with pytest.raises(LocalError, match=r"Maven said: \[ERROR\] Could not transfer artifact\n"):
        jars.obtain()
    assert kept(cache) == []


@pytest.mark.usefixtures("pinned")
def test_without_maven_or_java_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", absent)

    with pytest.raises(LocalError, match="apt-get install -y maven"):
        jars.obtain()
    with pytest.raises(LocalError, match="apt-get install -y openjdk"):
        jars.java()


def test_java_is_where_the_path_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", installed)

    assert jars.java() == "/usr/bin/java"


def test_other_sums_make_another_folder(pinned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven(monkeypatch)
    first = jars.obtain()
    sums = pinned / "jars.sha256"
    sums.write_text("\n".join(reversed(sums.read_text().splitlines())) + "\n")

    assert jars.find() is None
    assert jars.obtain() != first


def test_a_pom_without_the_version_is_told(pinned: Path) -> None:
    (pinned / "pom.xml").write_text("<project/>")

    with pytest.raises(LocalError, match=r"pom\.xml pins no kafka\.version"):
        jars.version()
