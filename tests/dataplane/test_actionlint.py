"""The workflows are what GitHub Actions takes: checked by actionlint, which is built from Go at its first use."""

from __future__ import annotations

import subprocess
from pathlib import Path

from infra.local.tools.building import obtain
from tests.unit.stack_files import ROOT


def actionlint(*paths: Path) -> subprocess.CompletedProcess[str]:
    program = obtain("actionlint")["actionlint"]
    command = [str(program), "-no-color", "-shellcheck=", "-pyflakes=", *map(str, paths)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_actionlint_finds_nothing() -> None:
    done = actionlint(*sorted((ROOT / ".github" / "workflows").glob("*.yml")))

    assert done.returncode == 0, done.stdout


def test_actionlint_would_find_something(tmp_path: Path) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: ${{ inputs.none }}\n"
    )

    done = actionlint(path)

    assert done.returncode != 0
    assert "none" in done.stdout
