"""Kafka as jars: what a pom.xml pins, brought by Maven once per user, checked against committed sums, then kept."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from infra.local import go_builds
from infra.local.errors import LocalError, say
from infra.local.tools.building import cache_folder
from infra.local.tools.catalogue import FOLDER

KAFKA = "kafka"
"""Name of the tool and of its folder."""
_SUMS = "jars.sha256"
_PATIENCE_SECONDS = 600


def version() -> str:
    """The version of Kafka that the pom pins."""
    text = (_folder() / "pom.xml").read_text(encoding="utf-8")
    found = re.search(r"<kafka\.version>([\d.]+)</kafka\.version>", text)
    if found is None:
        raise LocalError(f"{_folder() / 'pom.xml'} pins no kafka.version.\n  to do: restore the file")
    return found[1]


def find() -> Path | None:
    """The folder with the jars, None where they were not brought yet."""
    folder = _target()
    # It was moved there whole.
    return folder if folder.exists() else None


def obtain() -> Path:
    """The folder with the jars, brought first where they are missing.

    Raises:
        LocalError: Maven is missing or failed, or a jar is not the one whose sum is committed.
    """
    return find() or _bring()


def java() -> str:
    """Where Java is.

    Raises:
        LocalError: It is not installed.
    """
    found = shutil.which("java")
    if found is None:
        raise LocalError(
            "Java is not installed.\n  needed: Java 17 or newer, which Kafka runs on\n"
            "  to do: install it (Debian: apt-get install -y openjdk-17-jre-headless)"
        )
    return found


def _folder() -> Path:
    return FOLDER / KAFKA


def _sums() -> Mapping[str, str]:
    lines = (_folder() / _SUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def _target() -> Path:
    """The folder of exactly these jars: another version of the project has its own."""
    digest = hashlib.sha256((_folder() / _SUMS).read_bytes()).hexdigest()[:8]
    return cache_folder() / f"tool-{KAFKA}-{version()}-{digest}"


def _bring() -> Path:
    cache, maven = cache_folder(), shutil.which("mvn")
    if maven is None:
        raise LocalError(
            "Kafka's jars cannot be had: Maven is not installed.\n"
            "  needed: Maven, and Maven Central or a mirror of it in Maven's settings\n"
            "  to do: install it (Debian: apt-get install -y maven) and run: python -m infra.local.tools kafka"
        )
    with go_builds.only_one(cache, name=f"tool-{KAFKA}", subject=KAFKA):
        if (found := find()) is not None:
            return found
        say(f"bringing Kafka {version()} with Maven: once per user, under a minute")
        folder = go_builds.temporary(cache, name=f"tool-{KAFKA}")
        try:
            _copy(maven, folder)
            _check(folder)
            folder.chmod(0o755)
            folder.rename(_target())
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return _target()


def _copy(maven: str, folder: Path) -> None:
    # A repository of its own inside the folder, so that nothing is left in the user's.
    repository = folder / "repository"
    command = [maven, "--batch-mode", "--quiet", "--strict-checksums", "--file", str(_folder() / "pom.xml")]
    command += [f"-Dmaven.repo.local={repository}", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    done = subprocess.run(
        [*command, "dependency:copy-dependencies"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line] or ["nothing"]
        raise LocalError(
            f"Kafka's jars cannot be had.\n  Maven said: {said[0]}\n"
            "  to do: see whether Maven Central can be reached (or a mirror in Maven's settings), and try again"
        )
    shutil.rmtree(repository)


def _check(folder: Path) -> None:
    """Refuse jars that are not exactly those whose sums are committed."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}
    wrong = sorted(name for name, _ in found.items() ^ _sums().items())
    if wrong:
        raise LocalError(
            f"Kafka's jars are not those of {_SUMS}: {', '.join(dict.fromkeys(wrong))}.\n"
            "  to do: if pom.xml was changed on purpose, write the sums anew (sha256sum *.jar); else trust none of them"
        )
