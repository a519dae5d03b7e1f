"""Every package is pinned with hashes, and nothing is installed that is not."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.supply import lock
from tests.unit.stack_files import ROOT

DIRECT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def test_every_pin_has_hashes() -> None:
    pins = lock.pins()

    assert len(pins) > 100
    assert [pin.name for pin in pins if not pin.hashes] == []
    assert len({(pin.name, pin.marker) for pin in pins}) == len(pins)


def test_what_is_asked_for_is_locked_at_that_version() -> None:
    locked = {pin.name: pin.version for pin in lock.pins()}
    asked = DIRECT.findall(
        (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-dev.txt").read_text()
    )

    assert len(asked) > 20
    assert [name for name, version in asked if locked.get(lock.normalised(name)) != version] == []


def test_what_is_asked_for_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            assert not line or line.startswith(("#", "-r ")) or DIRECT.match(line), line


@pytest.mark.parametrize(
    "line", ["requests>=2", "requests", "git+https://example.com/x", "-e .", "--extra-index-url https://x"]
)
def test_a_line_that_pins_nothing_is_found(line: str) -> None:
    with pytest.raises(lock.LockError, match="no pinned package"):
        list(lock.read(f"a==1 \\\n    --hash=sha256:{'0' * 64}\n{line}\n"))


def wheel(folder: Path) -> Path:
    """The smallest package that pip installs."""
    path = folder / "tiny_package-1.0-py3-none-any.whl"
    info = "tiny_package-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_package.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-package\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def install_as_set_up_does(folder: Path, requirement: str) -> subprocess.CompletedProcess[str]:
    """pip with the flags that stand in `bin/setup`, on a lock of one line and a folder instead of an index."""
    text = (ROOT / "bin" / "setup").read_text()
    flags = re.findall(r"--[a-z-]+", text[text.index("pip install") : text.index('-r "$3"')])
    assert {"--require-hashes", "--no-deps"} <= set(flags)
    path = folder / "lock"
    path.write_text(requirement)
    kept = [flag for flag in flags if flag != "--progress-bar"]
    command = [sys.executable, "-m", "pip", "install", *kept, "--dry-run", "--no-index"]
    return subprocess.run(
        [*command, "--find-links", str(folder), "-r", str(path)], capture_output=True, text=True, check=False
    )


def test_set_up_takes_a_file_with_the_hash_of_the_lock_and_no_other(tmp_path: Path) -> None:
    digest = hashlib.sha256(wheel(tmp_path).read_bytes()).hexdigest()
    right = install_as_set_up_does(tmp_path, f"tiny-package==1.0 --hash=sha256:{digest}\n")
    wrong = install_as_set_up_does(tmp_path, f"tiny-package==1.0 --hash=sha256:{'0' * 64}\n")
    without = install_as_set_up_does(tmp_path, "tiny-package==1.0\n")

    assert right.returncode == 0, right.stderr
    assert wrong.returncode != 0
    assert "DO NOT MATCH THE HASHES" in wrong.stderr
    assert without.returncode != 0
    assert "Hashes are required" in without.stderr
