"""Command lines are understood as the engine understands them, and their paths are the caller's."""

from pathlib import Path

import pytest

from infra.local.arguments import Invocation, parse

HERE = Path("/caller/here")


def parsed(line: str) -> Invocation:
    return parse(args=line.split(), cwd=HERE)


@pytest.mark.parametrize(
    ("line", "stack"),
    [
        ("up --stack prod", "prod"),
        ("up --stack=prod --yes", "prod"),
        ("up -s prod", "prod"),
        ("up -sprod", "prod"),
        ("up -ys prod", "prod"),
        ("--color never up -s prod", "prod"),
        ("-C /other up -s organization/parking/prod", "prod"),
        ("up --message --stack", None),
        ("config set key -- --stack", None),
        ("up", None),
    ],
)
def test_the_stack_is_found_however_it_is_written(line: str, stack: str | None) -> None:
    assert parsed(line).stack == stack


@pytest.mark.parametrize(
    ("line", "command", "subcommand"),
    [
        ("update", "up", ""),
        ("pre", "preview", ""),
        ("down --yes", "destroy", ""),
        ("stack new dev", "stack", "init"),
        ("--verbose 3 stack -s dev list", "stack", "ls"),
        ("config remove key", "config", "rm"),
        ("", "", ""),
    ],
)
def test_commands_go_by_their_usual_names(line: str, command: str, subcommand: str) -> None:
    assert (parsed(line).command, parsed(line).subcommand) == (command, subcommand)


@pytest.mark.parametrize(
    ("line", "args"),
    [
        ("preview --save-plan plan.json", ("preview", "--save-plan=/caller/here/plan.json")),
        ("up --plan=../plan.json", ("up", "--plan=/caller/here/../plan.json")),
        ("up --policy-pack a,/b --yes", ("up", "--policy-pack=/caller/here/a,/b", "--yes")),
        (
            "import -f ids.json -o code.py",
            ("import", "--file=/caller/here/ids.json", "--out=/caller/here/code.py"),
        ),
        ("up -f", ("up", "-f")),
        ("stack graph out.dot -s dev", ("stack", "graph", "/caller/here/out.dot", "-s", "dev")),
        ("-C sub preview --save-plan plan", ("preview", "--save-plan=/caller/here/sub/plan")),
        ("preview -C/sub --save-plan plan", ("preview", "--save-plan=/sub/plan")),
        ("config set --path a.b --file", ("config", "set", "--path", "a.b", "--file")),
        ("up --tracing file:./trace", ("up", "--tracing=file:/caller/here/trace")),
        ("up --tracing http://localhost:9411", ("up", "--tracing", "http://localhost:9411")),
        ("config set key -- --file x", ("config", "set", "key", "--", "--file", "x")),
        ("config set key -5", ("config", "set", "key", "-5")),
        ("up -p 4 -t urn -m text", ("up", "-p", "4", "-t", "urn", "-m", "text")),
    ],
)
def test_paths_are_taken_from_where_the_caller_is(line: str, args: tuple[str, ...]) -> None:
    assert parsed(line).args == args


def test_a_settings_file_is_taken_out_to_be_mirrored() -> None:
    invocation = parsed("preview --config-file ../x.yaml -s dev")
    assert invocation.config_file == HERE / "../x.yaml"
    assert invocation.args == ("preview", "-s", "dev")


@pytest.mark.parametrize(
    "line", ["new python", "plugin ls", "version", "policy new pack", "help up", "up --help", ""]
)
def test_commands_of_no_project_are_passed_on_as_they_are(line: str) -> None:
    invocation = parsed(line)
    assert invocation.args == tuple(line.split())
    assert not invocation.in_project
    assert not invocation.uses_providers


@pytest.mark.parametrize("line", ["preview", "up", "refresh", "destroy", "import a b c", "watch"])
def test_only_these_start_the_stand_ins(line: str) -> None:
    assert parsed(line).uses_providers
    assert not parsed("stack export").uses_providers


def test_commands_that_write_state_hold_the_stack() -> None:
    for line in ("up", "destroy", "refresh", "stack import", "stack rm", "state unprotect urn"):
        assert parsed(line).holds_stack, line
    for line in (
        "preview",
        "stack export",
        "stack output",
        "state get urn",
        "config set a b",
        "cancel",
        "up --help",
    ):
        assert not parsed(line).holds_stack, line


@pytest.mark.parametrize(
    ("line", "is_json"),
    [
        ("preview --json", True),
        ("preview -j --stack prod", True),
        ("preview -dj", True),
        ("preview -js prod", True),
        ("preview --json=false", False),
        ("preview -m j --stack j", False),
        ("preview --diff", False),
        ("preview -- --json", False),
    ],
)
def test_a_command_that_prints_json_is_known(line: str, *, is_json: bool) -> None:
    assert parsed(line).prints_json is is_json
