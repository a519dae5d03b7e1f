"""A local run sees nothing of the caller's accounts, and leaves the rest of the environment alone."""

from pathlib import Path

import pytest

from infra.local import environment, passphrases
from infra.local.errors import LocalError
from infra.local.home import Home

ACCOUNTS = {
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_PROFILE": "production",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
    "KUBECONFIG": "/production",
    "PULUMI_ACCESS_TOKEN": "pul-1",
    "PULUMI_BACKEND_URL": "s3://state",
    "PULUMI_DEBUG_PROVIDERS": "aws:1",
    "GOOGLE_APPLICATION_CREDENTIALS": "/key",
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(root=tmp_path / "state folder", project=tmp_path)
    home.create()
    return home


def engine_environment(home: Home, environ: dict[str, str]) -> dict[str, str]:
    return environment.for_engine(
        environ=environ,
        home=home,
        language_host=Path("/host"),
        engine_version="v3.259.0",
        ports={"b": 2, "a": 1},
    )


def test_accounts_clusters_and_other_backends_are_removed(home: Home) -> None:
    env = engine_environment(home, ACCOUNTS | {"EDITOR": "vi", "PULUMI_STACK": "dev"})
    assert not set(ACCOUNTS.values()) & set(env.values())
    assert env["EDITOR"] == "vi"
    assert env["PULUMI_STACK"] == "dev"


def test_files_of_accounts_are_out_of_sight(home: Home) -> None:
    env = engine_environment(home, {})
    assert env["AWS_CONFIG_FILE"] == env["AWS_SHARED_CREDENTIALS_FILE"] == env["KUBECONFIG"] == "/dev/null"
    assert env["AWS_EC2_METADATA_DISABLED"] == "true"


def test_the_engine_is_kept_to_the_state_folder(home: Home) -> None:
    env = engine_environment(home, {"HOME": "/root"})
    assert env["PULUMI_HOME"] == str(home.pulumi_home)
    assert env["PULUMI_BACKEND_URL"].endswith("/state%20folder/backend")
    assert env["PULUMI_DEBUG_PROVIDERS"] == "a:1,b:2"


def test_the_built_in_passphrase_gives_way_to_one_that_is_set(home: Home) -> None:
    assert engine_environment(home, {})["PULUMI_CONFIG_PASSPHRASE"] == environment.BUILT_IN
    assert engine_environment(home, {"PULUMI_CONFIG_PASSPHRASE": ""})["PULUMI_CONFIG_PASSPHRASE"] == ""
    env = engine_environment(home, {"PULUMI_CONFIG_PASSPHRASE_FILE": "mine"})
    assert "PULUMI_CONFIG_PASSPHRASE" not in env
    assert env["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(Path.cwd() / "mine")


def test_another_passphrase_than_the_stacks_is_refused_by_kind(home: Home) -> None:
    passphrases.remember(home=home, stack="dev", environ={"PULUMI_CONFIG_PASSPHRASE": "mine"})
    passphrases.check(home=home, stack="dev", environ={"PULUMI_CONFIG_PASSPHRASE": "mine"})
    with pytest.raises(LocalError, match="found: the built-in one"):
        passphrases.check(home=home, stack="dev", environ={})
    passphrases.forget(home=home, stack="dev")
    passphrases.check(home=home, stack="dev", environ={})


def test_the_record_of_a_passphrase_does_not_hold_it(home: Home) -> None:
    passphrases.remember(home=home, stack="dev", environ={"PULUMI_CONFIG_PASSPHRASE": "hunter2"})
    assert "hunter2" not in (home.passphrases / "dev.json").read_text()


def test_a_damaged_record_of_a_passphrase_is_no_obstacle(home: Home) -> None:
    (home.passphrases / "dev.json").write_text('{"salt": ')
    passphrases.check(home=home, stack="dev", environ={})


def test_a_passphrase_file_that_cannot_be_read_is_named(home: Home, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="No such file"):
        passphrases.check(
            home=home, stack="dev", environ={"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "no")}
        )
