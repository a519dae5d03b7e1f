"""The command line with the real engine, on a project without clouds: what users of `pulumi` rely on."""

import json
from pathlib import Path

import pytest

from tests.engine.mini import SETTINGS, Mini


@pytest.fixture
def mini(tmp_path: Path) -> Mini:
    return Mini.create(tmp_path / "a project")


def test_a_stack_goes_from_nothing_to_unchanged_to_gone(mini: Mini) -> None:
    mini.configure(slow="2", seconds="0.01")
    assert "+ 6 to create" in mini.ok("preview", "--stack", "dev")
    mini.ok("up", "--yes", "--stack", "dev")
    assert "6 unchanged" in mini.ok("preview", "--stack", "dev", "--expect-no-changes")
    assert "6 unchanged" in mini.ok("refresh", "--yes", "--stack", "dev", "--expect-no-changes")
    mini.ok("destroy", "--yes", "--stack", "dev")
    assert mini.resources() == []
    assert not list(mini.records.glob("slow-*.json"))


def test_no_command_but_config_set_changes_a_tracked_file(mini: Mini) -> None:
    for command in (
        ("preview", "--stack", "dev"),
        ("up", "--yes", "--stack", "dev"),
        ("preview", "--stack", "dev", "--config", "mini:greeting=hi"),
        ("stack", "select", "prod"),
        ("config",),
        ("refresh", "--yes", "--stack", "dev"),
        ("destroy", "--yes", "--stack", "dev"),
        ("stack", "rm", "--yes", "dev"),
    ):
        mini.ok(*command)
        assert mini.git("status", "--short") == "", command


def test_a_stack_is_made_once_on_first_use(mini: Mini) -> None:
    first = mini.run("preview", "--stack", "dev")
    second = mini.run("preview", "--stack", "dev")
    assert "made stack 'dev'" in first.stderr
    assert "made stack" not in second.stderr
    assert "prod" not in mini.ok("stack", "ls")


def test_stand_ins_are_announced_once_and_only_on_standard_error(mini: Mini) -> None:
    done = mini.run("preview", "--stack", "dev", "--json")
    assert done.stderr.count("nothing reaches AWS") == 1
    assert json.loads(done.stdout)["changeSummary"] == {"create": 4}


def test_outputs_and_exports_are_pure_json(mini: Mini) -> None:
    mini.ok("up", "--yes", "--stack", "dev")
    outputs = json.loads(mini.ok("stack", "output", "--json", "--stack", "dev"))
    assert outputs["greeting"] == "hello"
    assert json.loads(mini.ok("stack", "export", "--stack", "dev"))["version"] == 3


def test_the_program_runs_in_the_repository_and_sees_no_account(mini: Mini) -> None:
    mini.ok("up", "--yes", "--stack", "dev", env={"AWS_PROFILE": "production", "AWS_ACCESS_KEY_ID": "AKIA"})
    outputs = json.loads(mini.ok("stack", "output", "--json", "--stack", "dev"))
    assert outputs["where"] == str(mini.root)
    assert outputs["accounts"] == [
        "AWS_CONFIG_FILE",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_SHARED_CREDENTIALS_FILE",
    ]


def test_expected_no_changes_fails_where_there_are_some(mini: Mini) -> None:
    assert mini.run("preview", "--stack", "dev", "--expect-no-changes").returncode != 0


def test_a_selected_stack_is_used_and_the_environment_overrides_it(mini: Mini) -> None:
    mini.ok("stack", "select", "prod")
    assert "mini-prod" in mini.ok("preview")
    assert "mini-dev" in mini.ok("preview", env={"PULUMI_STACK": "dev"})


def test_an_unknown_stack_is_refused_with_a_list(mini: Mini) -> None:
    done = mini.run("preview", "--stack", "prd")
    assert done.returncode == 6
    assert "no stack named 'prd'" in done.stderr
    assert "dev, prod" in done.stderr
    assert "Pulumi.NAME.yaml" in done.stderr


def test_no_stack_is_refused_with_a_list(mini: Mini) -> None:
    stderr = mini.refused("up", "--yes")
    assert "none is selected" in stderr
    assert "dev, prod" in stderr


def test_an_unknown_command_is_the_engines_to_refuse(mini: Mini) -> None:
    assert "unknown command" in mini.refused("prevew")


def test_help_is_the_engines_and_says_what_is_local(mini: Mini) -> None:
    shown = mini.ok("--help")
    assert "Usage:" in shown
    assert "stand-ins" in shown
    assert mini.ok("version").startswith("v3.")


@pytest.mark.parametrize(
    ("how", "shown", "hidden"),
    [
        ("run", "mini:fail is 'run': unset it", "Traceback"),
        ("raise", "ValueError: boom", "language_program.py"),
        ("exit", "non-zero exit code: 7", "Traceback"),
    ],
)
def test_a_failing_program_is_shown_as_its_author_needs_it(
    mini: Mini, how: str, shown: str, hidden: str
) -> None:
    mini.configure(fail=how)
    done = mini.run("preview", "--stack", "dev")
    assert done.returncode != 0
    assert shown in done.stdout
    assert hidden not in done.stdout
    assert "printed by the program" in done.stdout


def test_a_syntax_error_is_shown_with_its_line(mini: Mini) -> None:
    with (mini.root / "__main__.py").open("a") as program:
        program.write("def broken(:\n")
    done = mini.run("preview", "--stack", "dev")
    assert done.returncode != 0
    assert "SyntaxError" in done.stdout
    assert "def broken(:" in done.stdout


def test_config_set_changes_one_line_of_the_stack_file(mini: Mini) -> None:
    mini.ok("config", "set", "mini:greeting", "good day", "--stack", "dev")
    assert (mini.root / "Pulumi.dev.yaml").read_text() == SETTINGS.replace("hello", "good day")
    assert "good day" in mini.ok("preview", "--stack", "dev")
    mini.ok("config", "set", "mini:greeting", "hello", "--stack", "dev")
    assert mini.git("status", "--short") == ""


def test_reading_configuration_changes_nothing(mini: Mini) -> None:
    assert mini.ok("config", "get", "mini:greeting", "--stack", "dev").strip() == "hello"
    assert mini.git("status", "--short") == ""


def test_a_secret_is_kept_encrypted_with_what_it_needs(mini: Mini) -> None:
    done = mini.run("config", "set", "--secret", "mini:password", "hunter2", "--stack", "dev")
    text = (mini.root / "Pulumi.dev.yaml").read_text()
    assert "the salt it needs" in done.stderr
    assert "hunter2" not in text
    assert "encryptionsalt: v1:" in text
    mini.ok("up", "--yes", "--stack", "dev")
    assert "hunter2" not in mini.checkpoint().read_text()
    shown = mini.ok("stack", "output", "--json", "--show-secrets", "--stack", "dev")
    assert json.loads(shown) | {"password": "hunter2"} == json.loads(shown)
    assert mini.git("status", "--short") == " M Pulumi.dev.yaml\n"


def test_a_new_stack_gets_its_file_with_its_first_setting(mini: Mini) -> None:
    mini.ok("stack", "init", "extra")
    assert mini.git("status", "--short") == ""
    mini.ok("config", "set", "mini:things", "1", "--stack", "extra")
    assert (mini.root / "Pulumi.extra.yaml").read_text() == 'config:\n  mini:things: "1"\n'


def test_paths_are_those_of_the_caller(mini: Mini, tmp_path: Path) -> None:
    caller = tmp_path / "elsewhere"
    caller.mkdir()
    mini.ok("up", "--yes", "--stack", "dev", cwd=caller)
    mini.ok("stack", "export", "--file", "state.json", "--stack", "dev", cwd=caller)
    mini.ok("preview", "--save-plan", "plan.json", "--stack", "dev", cwd=caller)
    mini.ok("stack", "graph", "graph.dot", "--stack", "dev", cwd=caller)
    assert sorted(path.name for path in caller.iterdir()) == ["graph.dot", "plan.json", "state.json"]
    mini.ok("stack", "import", "--file", "state.json", "--stack", "dev", cwd=caller)


def test_another_settings_file_is_read_and_left_as_it_is(mini: Mini, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SETTINGS.replace('"3"', '"1"'))
    before = other.read_text()
    shown = mini.ok("preview", "--stack", "dev", "--config-file", "../other.yaml")
    assert "+ 2 to create" in shown
    assert other.read_text() == before


def test_a_policy_pack_can_stop_a_preview(mini: Mini) -> None:
    pack = mini.root / "policies"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text(
        "from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy\n"
        "def check(args, report):\n"
        "    if args.name == 'thing-1':\n"
        "        report('thing-1 is not allowed')\n"
        "PolicyPack('mini', enforcement_level=EnforcementLevel.MANDATORY, policies=[\n"
        "    ResourceValidationPolicy(name='no-thing-1', description='no thing-1', validate=check)])\n"
    )
    done = mini.run("preview", "--stack", "dev", "--policy-pack", "policies")
    assert done.returncode != 0
    assert "thing-1 is not allowed" in done.stdout
    mini.wait_until_gone()


def test_a_wrong_passphrase_is_named_before_anything_runs(mini: Mini) -> None:
    mini.ok("up", "--yes", "--stack", "dev")
    stderr = mini.refused("preview", "--stack", "dev", env={"PULUMI_CONFIG_PASSPHRASE": "another"})
    assert "found: the one in PULUMI_CONFIG_PASSPHRASE" in stderr
    assert "needed: the built-in one" in stderr


def test_a_passphrase_of_ones_own_is_needed_again(mini: Mini, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("mine\n")
    mini.ok("up", "--yes", "--stack", "dev", env={"PULUMI_CONFIG_PASSPHRASE_FILE": "../passphrase"})
    mini.ok("preview", "--stack", "dev", env={"PULUMI_CONFIG_PASSPHRASE": "mine"})
    stderr = mini.refused("preview", "--stack", "dev")
    assert "found: the built-in one" in stderr
    stderr = mini.refused("preview", "--stack", "dev", env={"PULUMI_CONFIG_PASSPHRASE_FILE": "missing"})
    assert "missing" in stderr
    assert "No such file" in stderr


def test_a_state_folder_that_cannot_be_is_named(mini: Mini) -> None:
    (mini.root / ".pulumi-local").write_text("in the way")
    stderr = mini.refused("preview", "--stack", "dev")
    assert str(mini.home) in stderr
    assert "PULUMI_LOCAL_HOME" in stderr


def test_stand_ins_that_do_not_start_are_reported_with_what_they_said(mini: Mini, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('cannot bind 127.0.0.1')")
    stderr = mini.refused("preview", "--stack", "dev", env={"PULUMI_LOCAL_PROVIDERS": str(broken)})
    assert "cannot bind 127.0.0.1" in stderr
    mini.wait_until_gone()


def test_a_program_that_leaves_a_process_behind_leaves_none(mini: Mini) -> None:
    with (mini.root / "__main__.py").open("a") as program:
        program.write(
            "import subprocess\nnull = subprocess.DEVNULL\n"
            "subprocess.Popen(['sleep', '1000'], stdout=null, stderr=null, start_new_session=True)\n"
        )
    mini.ok("preview", "--stack", "dev")
    mini.wait_until_gone()


def test_two_first_uses_at_once_make_a_stack_once(mini: Mini) -> None:
    with mini.start("preview", "--stack", "dev") as first, mini.start("preview", "--stack", "dev") as second:
        said = [process.communicate(timeout=300)[1] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    assert sum("made stack 'dev'" in stderr for stderr in said) == 1


def test_settings_copied_to_another_stack_arrive_in_its_file(mini: Mini) -> None:
    mini.ok("config", "set", "mini:greeting", "good day", "--stack", "dev")
    mini.ok("preview", "--stack", "prod")
    mini.ok("config", "cp", "mini:greeting", "--stack", "dev", "--dest", "prod")
    assert (mini.root / "Pulumi.prod.yaml").read_text() == (mini.root / "Pulumi.dev.yaml").read_text()


def test_a_renamed_stack_leaves_its_file_to_be_renamed(mini: Mini) -> None:
    mini.ok("up", "--yes", "--stack", "dev")
    done = mini.run("stack", "rename", "--stack", "dev", "later")
    assert done.returncode == 0
    assert "Pulumi.dev.yaml keeps its name" in done.stderr
    mini.git("mv", "Pulumi.dev.yaml", "Pulumi.later.yaml")
    mini.ok("up", "--yes", "--stack", "later")
    assert "mini-later" in mini.resources("later")


def test_a_stack_file_that_is_no_yaml_is_named_with_its_line(mini: Mini) -> None:
    path = mini.root / "Pulumi.dev.yaml"
    whole = path.read_text()
    path.write_text(whole.replace("hello", "hello: ["))
    named = f"{path} is not valid YAML at line 6"
    assert named in mini.refused("preview", "--stack", "dev")
    path.write_text(whole)
    mini.ok("preview", "--stack", "dev")
    path.write_text(whole.replace("hello", "hello: ["))
    assert named in mini.refused("preview", "--stack", "dev")


def test_watching_is_refused(mini: Mini) -> None:
    assert "`watch` is not here" in mini.refused("watch", "--stack", "dev")
