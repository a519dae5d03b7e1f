"""The workflows are safe to run: checked by zizmor, and by what must hold here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.stack_files import ROOT, STACKS, raw

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: (\S+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$")


def zizmor(*paths: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("zizmor")
    command = [str(program), "--offline", "--no-progress", "--color=never", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def workflow(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())


def test_zizmor_finds_nothing() -> None:
    done = zizmor(ROOT / ".github")

    assert done.returncode == 0, done.stdout


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    path = tmp_path / ".github" / "workflows" / "bad.yml"
    path.parent.mkdir(parents=True)
    steps = "      - run: echo ${{ github.event.pull_request.title }}\n      - uses: actions/checkout@v5\n"
    path.write_text(f"on: pull_request_target\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}")

    done = zizmor(path)

    assert done.returncode != 0
    assert "template-injection" in done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_digest_and_say_their_version(path: Path) -> None:
    for line in path.read_text().splitlines():
        if "uses:" in line and "uses: ./" not in line:
            assert PINNED.search(line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_job_has_more_rights_than_it_lists(path: Path) -> None:
    document = yaml.safe_load(path.read_text())

    assert document["permissions"] == {}
    for name, job in document["jobs"].items():
        assert "permissions" in job, name
        assert "timeout-minutes" in job or "uses" in job, name


def test_a_pull_request_has_no_secret_and_no_cloud() -> None:
    text = (ROOT / ".github" / "workflows" / "pull-request.yml").read_text()

    assert "secrets." not in text
    assert "id-token" not in text
    assert "pull_request_target" not in text
    assert {str(job["permissions"]) for job in workflow("pull-request")["jobs"].values()} == {
        "{'contents': 'read'}"
    }


def test_regions_are_applied_in_order_the_primary_first() -> None:
    jobs = workflow("deploy")["jobs"]
    regions = {job["with"]["stack"]: job for job in jobs.values() if "uses" in job}

    assert set(regions) == set(STACKS)
    for stack, job in regions.items():
        assert job["with"]["region"] == raw(stack)["aws:region"]
        primary = raw(stack).get("parking:primaryStack")
        if primary is not None:
            assert jobs[job["needs"]]["with"]["stack"] == primary
    assert "checks" in jobs


def test_an_approval_stands_between_plan_and_apply_and_the_guard_before_both() -> None:
    jobs = workflow("region")["jobs"]

    assert jobs["apply"]["needs"] == "plan"
    assert jobs["apply"]["environment"] == "${{ inputs.stack }}"
    assert "environment" not in jobs["plan"]
    for job in jobs.values():
        script = job["steps"][-1]["run"]
        assert "--policy-pack infra/policy" in script
        assert "infra.guard plan.json" in script
    assert "pulumi up" not in jobs["plan"]["steps"][-1]["run"]


@pytest.mark.parametrize("name", ["region", "drift"])
def test_the_key_is_looked_at_before_a_stack_is_touched(name: str) -> None:
    for job in workflow(name)["jobs"].values():
        scripts = [step.get("run", "") for step in job["steps"]]
        checked = next(n for n, script in enumerate(scripts) if "-m infra.secrets_provider" in script)
        touched = [
            n for n, script in enumerate(scripts) if "pulumi preview" in script or "pulumi up" in script
        ]
        assert '"$STACK" --state' in scripts[checked]
        assert touched
        assert checked < min(touched)


def test_no_workflow_has_a_passphrase_or_another_key() -> None:
    for path in WORKFLOWS:
        text = path.read_text()
        assert "PASSPHRASE" not in text
        assert "SECRET_OVERRIDE" not in text
        assert "--secrets-provider" not in text


def test_drift_is_looked_for_in_every_stack() -> None:
    matrix = workflow("drift")["jobs"]["drift"]["strategy"]["matrix"]["include"]

    assert {each["stack"]: each["region"] for each in matrix} == {
        stack: raw(stack)["aws:region"] for stack in STACKS
    }


def test_every_kind_of_dependency_is_kept_up_to_date() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]

    assert {each["package-ecosystem"] for each in updates} == {"pip", "github-actions", "gomod"}
