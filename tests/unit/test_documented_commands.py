"""Each command of each page is run by a test, held against AWS's models, or has a reason in one list."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from typing import Any, Final

import pytest
import yaml

from components import addon_charts
from components.addon_contract import SYSTEM_NAMESPACE
from infra.naming import PROJECT
from stacks import mesh
from tests.documented import aws_models
from tests.documented.commands import ROOT, Command, everywhere, in_text

LIST: Final[list[dict[str, Any]]] = yaml.safe_load(
    (ROOT / "tests" / "documented" / "commands.yaml").read_text(encoding="utf-8")
)
COMMANDS: Final = everywhere()
NAMESPACES: Final = frozenset(
    {
        PROJECT,
        SYSTEM_NAMESPACE,
        mesh.MESH_NAMESPACE,
        mesh.POOLER_NAMESPACE,
        *(plan.name for plan in addon_charts.NAMESPACES),
    }
)
BUILT_IN: Final = frozenset(
    {"configmap", "deploy", "deployment", "events", "hpa", "nodes", "pod", "pods", "svc"}
)
"""Kinds of Kubernetes itself, in the words of the pages."""


def entry_of(command: Command) -> dict[str, Any] | None:
    return next((entry for entry in LIST if re.fullmatch(entry["command"], command.text)), None)


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_is_run_checked_or_has_a_reason(command: Command) -> None:
    entry = entry_of(command)

    assert entry is not None, "add it to tests/documented/commands.yaml: run, aws or reason"
    assert len({"run", "aws", "reason"} & set(entry)) == 1
    if "aws" in entry:
        assert aws_models.problems(command.text) == []


def test_no_entry_is_for_a_command_that_no_page_has() -> None:
    used = [id(entry_of(command)) for command in COMMANDS]

    assert [entry["command"] for entry in LIST if id(entry) not in used] == []


@pytest.mark.parametrize(
    "entry", [entry for entry in LIST if "run" in entry], ids=lambda entry: entry["command"]
)
def test_a_test_that_is_named_exists_and_shows_the_command_s_words(entry: dict[str, Any]) -> None:
    file, _, name = entry["run"].partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    found = [node for node in ast.parse(text).body if getattr(node, "name", None) == name]

    assert found, f"{file} has no {name}"
    node: Any = found[0]
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    source = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    assert [word for word in entry["shows"] if word not in source] == []


@pytest.mark.parametrize(("report", "shows"), [("recovery", "objective"), ("capacity", "auth")])
def test_reports_of_a_stack_are_printed(report: str, shows: str) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", report, "STACK=prod"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert shows in done.stdout


KUBECTL: Final = [command for command in COMMANDS if command.text.startswith(("kubectl ", "helm "))]


def kinds(words: list[str]) -> set[str]:
    """What a kubectl command asks for."""
    verbs = {"get", "describe", "patch", "history", "restart", "port-forward", "logs"}
    place = next((place for place, word in enumerate(words) if word in verbs), None)
    rest = [word for word in words[place + 1 :] if not word.startswith("-")] if place is not None else []
    if not rest or (words[place or 0] == "logs" and "/" not in rest[0]):
        return set()
    return set(rest[0].partition("/")[0].split(","))


@pytest.mark.parametrize("command", KUBECTL, ids=str)
def test_kubectl_commands_name_namespaces_and_kinds_that_there_are(command: Command) -> None:
    words = shlex.split(command.text.replace("<", "").replace(">", ""))
    golden = (ROOT / "tests" / "golden" / "prod.txt").read_text(encoding="utf-8")
    custom = {kind.lower() for kind in re.findall(r"^kubernetes:[\w./-]+:(\w+) ", golden, re.MULTILINE)}

    if "-n" in words:
        assert words[words.index("-n") + 1] in NAMESPACES
    if words[0] == "helm":
        assert "istiod" in words
    else:
        assert kinds(words) <= BUILT_IN | custom


def test_what_a_kubectl_command_asks_for_is_read_out_of_it() -> None:
    assert kinds(shlex.split("kubectl -n parking get podz,svc -o yaml")) == {"podz", "svc"}
    assert kinds(shlex.split("kubectl -n parking rollout restart deployment/it")) == {"deployment"}
    assert kinds(shlex.split("kubectl drain NODE")) == set()


def test_commands_are_found_in_fences_and_in_sentences() -> None:
    text = """Run `make docs`, see `pulumi`, `aws/rules.py` and:

```sh
aws rds wait db-instance-available \\
  --db-instance-identifier it  # minutes
```

```yaml
make: nothing
```
"""

    assert [command.text for command in in_text(text, page="it.md")] == [
        "aws rds wait db-instance-available --db-instance-identifier it",
        "make docs",
    ]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("aws rdz describe-db-instances", "no service rdz"),
        ("aws rds describe-databases", "no operation describe-databases"),
        ("aws rds describe-db-instances --identifier it", "takes no --identifier"),
        ("aws rds delete-db-instance --skip-final-snapshot", "needs --db-instance-identifier"),
        ("aws rds delete-db-instance --db-instance-identifier it --skip-final-snapshot yes", "takes no value"),
        ("aws rds wait db-instance-ready", "no waiter db-instance-ready"),
        (
            "aws autoscaling terminate-instance-in-auto-scaling-group --instance-id i --should-decrement-capacity",
            "takes no --should-decrement-capacity",
        ),
        (
            "aws rds restore-db-instance-to-point-in-time --target-db-instance-identifier it --restore-time 10:00",
            "expected a time such as",
        ),
    ],
)  # fmt: skip
def test_a_wrong_aws_command_is_found_out(command: str, says: str) -> None:
    assert any(says in problem for problem in aws_models.problems(command))
