"""An audit that could not look is not a clean one."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from infra.supply import audit

CLEAN: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
SKIPPED: dict[str, Any] = {"name": "b", "skip_reason": "Dependency not found on PyPI"}
FAULTY: dict[str, Any] = {"name": "c", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
HOPELESS: dict[str, Any] = {"name": "d", "version": "2", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]}


@pytest.mark.parametrize(
    ("dependencies", "code", "said"),
    [
        ([CLEAN], 0, "1 packages audited, no known vulnerability"),
        ([SKIPPED], audit.NOT_AUDITED, "nothing was audited"),
        ([CLEAN, SKIPPED], audit.NOT_AUDITED, "1 of 2 packages could not be audited"),
        ([], audit.NOT_AUDITED, "nothing was audited"),
        ([CLEAN, FAULTY], audit.VULNERABLE, "c 2: PYSEC-1; mended in 3"),
        ([SKIPPED, HOPELESS], audit.VULNERABLE, "d 2: PYSEC-2; mended in no version yet"),
    ],
)
def test_the_exit_code_says_whether_all_was_looked_at(
    dependencies: list[dict[str, Any]], code: int, said: str
) -> None:
    report = audit.read({"dependencies": dependencies})

    assert report.exit_code == code
    assert said in str(report)


def test_without_a_network_it_says_that_nothing_was_audited(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    assert audit.main() == audit.NOT_AUDITED
    said = capsys.readouterr().err
    assert "nothing was audited" in said
    assert "Traceback" not in said


def test_a_fault_ends_the_command_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_args: object, **_options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess((), 1, json.dumps({"dependencies": [FAULTY]}), "")

    monkeypatch.setattr(subprocess, "run", run)

    assert audit.main() == audit.VULNERABLE
    assert "PYSEC-1" in capsys.readouterr().out
