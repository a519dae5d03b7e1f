"""Policy pack, guard, names and IAM documents, on the real engine and the real program."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from infra import guard
from infra.diagram import graph
from infra.docs import golden
from infra.local.cloud import running
from infra.policy import iam
from infra.policy.model import Subject
from tests.engine import iam_lint
from tests.engine.platform import REPOSITORY, Platform, Resource, run_pulumi
from tests.unit.stack_files import STACKS

SMALL = """
import pulumi_aws as aws

aws.ec2.SecurityGroup("door", ingress=[INGRESS], tags=TAGS)
aws.kms.Key("key", enable_key_rotation=True, tags=TAGS)
"""
TAGS = "dict.fromkeys(('environment', 'region-role', 'component', 'owner', 'cost-centre', 'managed-by'), 'x')"
OPEN = "{'protocol': 'tcp', 'from_port': 22, 'to_port': 22, 'cidr_blocks': ['0.0.0.0/0']}"


def small(root: Path, *, ingress: str, protection: str) -> Path:
    """A project of two resources with the policy pack of this repository."""
    shutil.copytree(REPOSITORY / "infra", root / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".venv").symlink_to(sys.prefix)
    (root / "__main__.py").write_text(SMALL.replace("INGRESS", ingress).replace("TAGS", TAGS))
    shutil.copy(REPOSITORY / "Pulumi.yaml", root)
    settings = f"config:\n  aws:region: eu-west-1\n  parking:deletionProtection: {protection}\n"
    (root / "Pulumi.dev.yaml").write_text(settings)
    return root


def run(root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return run_pulumi(root, *args, "--stack", "dev", more={}, timeout_seconds=300)


def test_a_program_that_breaks_a_policy_is_stopped_before_anything_is_made(tmp_path: Path) -> None:
    root = small(tmp_path / "small", ingress=OPEN, protection="true")

    done = run(root, "up", "--yes")

    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "no-open-ingress: takes traffic from 0.0.0.0/0" in said
    assert "stores-are-protected: the engine may delete it" in said
    assert "Traceback" not in said
    assert '"type": "aws:' not in run(root, "stack", "export").stdout


def test_the_pack_heeds_the_stack_s_own_protection_setting(tmp_path: Path) -> None:
    root = small(tmp_path / "small", ingress="", protection="false")

    done = run(root, "preview")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "parking-guardrails" in done.stdout


@pytest.fixture
def applied(platform: Platform, tmp_path: Path) -> Generator[Platform]:
    """A copy of the applied stacks that a test may change."""
    copy = Platform(root=platform.copied(tmp_path / "copy"), cloud=True)
    yield copy
    running.stop(copy.folder)


def test_a_change_that_replaces_stores_is_refused_with_its_cause_unless_meant(applied: Platform) -> None:
    before = {resource.id for resource in applied.resources("staging")}
    path = applied.root / "infra" / "naming.py"
    path.write_text(path.read_text().replace('PROJECT = "parking"', 'PROJECT = "parkings"'))

    done = applied.run("preview", "--json", "--stack", "staging")
    steps = list(guard.steps_of_preview(json.loads(done.stdout)))
    found = guard.losses(steps)

    assert done.returncode != 0
    assert {"streaming-cluster", "cluster-eksCluster"} <= {loss.name for loss in found}
    assert "streaming-cluster (aws:msk/cluster:Cluster) would be replaced, because of" in done.stderr
    assert "clusterName" in next(loss for loss in found if loss.name == "streaming-cluster").reasons
    said = applied.refused("up", "--yes", "--stack", "staging")
    assert f"{guard.ALLOWED}=" in said
    assert {resource.id for resource in applied.resources("staging")} == before
    names = ",".join(loss.name for loss in found)
    applied.ok("preview", "--stack", "staging", **{guard.ALLOWED: names})


@pytest.mark.parametrize("stack", STACKS)
def test_names_and_parents_are_the_recorded_ones(states: dict[str, list[Resource]], stack: str) -> None:
    resources = states[stack]
    found = golden.identities(
        graph.Graph(
            resources={
                r.urn: graph.Resource(urn=r.urn, type=r.type, name=r.name, parent=r.parent) for r in resources
            }
        )
    )
    recorded = golden.lines((REPOSITORY / golden.path(stack)).read_text(encoding="utf-8"))
    aliases = [alias for resource in resources for alias in resource.aliases]

    gone = golden.lost(recorded, current=found, aliases=aliases)
    new = sorted(set(found.values()) - recorded)
    if problem := golden.explanation(stack, gone=gone, new=new):
        pytest.fail(problem, pytrace=False)


@pytest.mark.parametrize("stack", STACKS)
def test_iam_documents_are_what_aws_knows(states: dict[str, list[Resource]], stack: str) -> None:
    documents = [
        (resource.name, document)
        for resource in states[stack]
        if resource.type in ("aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy")
        for document in iam.documents(Subject(type=resource.type, name=resource.name, props=resource.inputs))
    ]

    assert len(documents) > 10
    assert [(name, list(iam_lint.findings(document))) for name, document in documents] == [
        (name, []) for name, _ in documents
    ]


def test_the_linter_knows_a_misspelt_action_and_a_wrong_resource() -> None:
    def document(action: str, resource: str) -> dict[str, object]:
        statement = {"Effect": "Allow", "Action": [action], "Resource": [resource]}
        return {"Version": "2012-10-17", "Statement": [statement]}

    assert list(iam_lint.findings(document("s3:GetObject", "arn:aws:s3:::bucket/key"))) == []
    assert "UNKNOWN_ACTION" in next(iam_lint.findings(document("s3:GetObjct", "arn:aws:s3:::bucket/key")))
    assert "s3:GetObject needs" in next(iam_lint.findings(document("s3:GetObject", "arn:aws:sqs:::queue")))
