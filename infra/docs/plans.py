"""Plans every stack with the real engine, in a state folder that is thrown away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from infra.diagram.graph import Graph, read
from infra.naming import PROJECT
from infra.routing import MAX_ORIGIN_SECRETS
from stacks.contract import ORIGIN_OUTPUT, OUTPUT, VERSION, PrimaryContract

REPOSITORY = Path(__file__).resolve().parents[2]


class PlanError(Exception):
    """A stack could not be planned."""


def plan_all() -> dict[str, Graph]:
    """The plan of every stack that has a file, by name.

    Raises:
        PlanError: When the engine refuses one.
    """
    stacks = {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml"): _primary(path)
        for path in sorted(REPOSITORY.glob("Pulumi.*.yaml"))
    }
    with tempfile.TemporaryDirectory(prefix="parking-docs-") as folder:
        home = Path(folder)
        graphs: dict[str, Graph] = {}
        for stack in sorted(stacks, key=lambda stack: (stacks[stack] is not None, stack)):
            primary = stacks[stack]
            if primary is not None:
                _promise(primary, home=home)
            graphs[stack] = read(json.loads(_pulumi("preview", "--json", "--stack", stack, home=home)))
    return {stack: graphs[stack] for stack in sorted(stacks)}


def _primary(path: Path) -> str | None:
    config = cast("dict[str, Any]", yaml.safe_load(path.read_text(encoding="utf-8")))["config"]
    return config.get("parking:primaryStack")


def _promise(stack: str, *, home: Path) -> None:
    """Give a stack the outputs that its secondaries read, as if it had been applied: plans need no more of it."""
    account = "us-east-1:123456789012"
    contract = PrimaryContract.model_validate(
        {
            "version": VERSION,
            "region": "us-east-1",
            "vpc_id": "vpc-0123456789abcdef0",
            "vpc_cidr": "10.0.0.0/16",
            "zone_id": "Z0123456789ABCDEFGHIJ",
            "origin_domain": "origin.example.com",
            "database_arn": f"arn:aws:rds:{account}:db:parking-prod-database-head",
            "database_writer_endpoint": "database.example.com",
            "database_secret_arn": f"arn:aws:secretsmanager:{account}:secret:database-AbCdEf",
        }
    )
    outputs: Mapping[str, object] = {
        OUTPUT: contract.model_dump(by_alias=True),
        ORIGIN_OUTPUT: ["placeholder"] * MAX_ORIGIN_SECRETS,
    }
    kind = "pulumi:pulumi:Stack"
    root = {
        "urn": f"urn:pulumi:{stack}::{PROJECT}::{kind}::{PROJECT}-{stack}",
        "custom": False,
        "type": kind,
        "outputs": outputs,
    }
    file = home / "promised.json"
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": [root]}}), encoding="utf-8")
    _pulumi("stack", "import", "--stack", stack, "--file", str(file), home=home)


def _pulumi(*args: str, home: Path) -> str:
    env = os.environ | {"PULUMI_LOCAL_HOME": str(home / "state"), "PULUMI_LOCAL_PYTHON": sys.executable}
    done = subprocess.run(  # noqa: S603 - our own command
        [str(REPOSITORY / "bin" / "pulumi-local"), *args],
        cwd=REPOSITORY,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PlanError(
            f"`bin/pulumi-local {' '.join(args)}` failed:\n{done.stderr[-2000:]}{done.stdout[-2000:]}"
        )
    return done.stdout
