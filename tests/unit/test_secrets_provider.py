"""A stack of AWS is encrypted by KMS: its file, its state and the caller's environment say so, or nothing runs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from infra import secrets_provider, stack_files
from infra.settings import load
from services import CATALOGUE
from tests.unit.stack_files import STACKS, raw

URL = "awskms://alias/parking-pulumi?region=eu-west-1"
GOOD = f"secretsprovider: {URL}\nencryptedkey: AQ==\nconfig:\n  aws:region: eu-west-1\n"


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    return stack_files.path_of("dev", tmp_path)


def keys(path: Path, text: str, **environ: str) -> list[str]:
    path.write_text(text)
    return [problem.key for problem in secrets_provider.of_deployment(path, environ)]


def test_a_stack_with_a_key_of_kms_is_right(stack_file: Path) -> None:
    assert keys(stack_file, GOOD) == []


@pytest.mark.parametrize(
    "line",
    [
        "",
        "secretsprovider: passphrase\n",
        "secretsprovider: default\n",
        "secretsprovider: hashivault://key\n",
        "secretsprovider: awskms://?region=eu-west-1\n",
        "secretsprovider: awskms://alias/parking-pulumi\n",
    ],
)
def test_anything_else_is_refused_with_what_to_write(stack_file: Path, line: str) -> None:
    assert keys(stack_file, GOOD.replace(f"secretsprovider: {URL}\n", line)) == ["secretsprovider"]
    (problem,) = secrets_provider.of_stack_file(stack_file)
    assert URL in problem.action


def test_the_salt_of_a_passphrase_is_refused_beside_a_key(stack_file: Path) -> None:
    assert keys(stack_file, GOOD + "encryptionsalt: v1:x\n") == ["encryptionsalt"]


def test_a_data_key_is_needed_on_aws_alone(stack_file: Path) -> None:
    text = GOOD.replace("encryptedkey: AQ==\n", "")

    assert keys(stack_file, text) == ["encryptedkey"]
    assert secrets_provider.of_stack_file(stack_file) == []


@pytest.mark.parametrize(
    "name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_CLOUD_SECRET_OVERRIDE"]
)
def test_a_variable_that_names_another_key_is_refused_without_its_value(stack_file: Path, name: str) -> None:
    stack_file.write_text(GOOD)
    (problem,) = secrets_provider.of_deployment(stack_file, {name: "hunter2"})

    assert problem.key == name
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    ("deployment", "is_right"),
    [
        (
            f'{{"secrets_providers": {{"type": "cloud", "state": {{"url": "{URL}"}}}}, "resources": [{{}}]}}',
            True,
        ),
        ('{"secrets_providers": {"type": "passphrase", "state": {"salt": "v1"}}, "resources": [{}]}', False),
        ('{"secrets_providers": {"type": "cloud", "state": {"url": "gcpkms://x"}}}', False),
        ('{"resources": [{}]}', False),
        ("{}", True),
    ],
)
def test_a_state_is_judged_by_the_key_that_encrypted_it(*, deployment: str, is_right: bool) -> None:
    assert (secrets_provider.of_state({"deployment": json.loads(deployment)}) == []) is is_right


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_file_names_a_key_in_its_own_region(stack: str) -> None:
    path = stack_files.path_of(stack)

    assert secrets_provider.of_stack_file(path) == []
    assert (
        f"\nsecretsprovider: awskms://alias/parking-pulumi?region={raw(stack)['aws:region']}\n"
        in path.read_text()
    )


def test_the_command_reads_the_state_and_says_what_is_wrong(
    stack_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def path_of(_stack: str) -> Path:
        return stack_file

    monkeypatch.setattr(stack_files, "path_of", path_of)
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_CLOUD_SECRET_OVERRIDE"):
        monkeypatch.delenv(name, raising=False)
    stack_file.write_text(GOOD)
    state = '{"deployment": {"secrets_providers": {"type": "passphrase"}, "resources": [{}]}}'

    assert secrets_provider.main(["dev"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(state))
    assert secrets_provider.main(["dev", "--state", "-"]) == 1
    assert "secrets_providers" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("no json"))
    assert secrets_provider.main(["dev", "--state", "-"]) == 1


def test_the_program_refuses_a_stack_with_a_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stack in STACKS:
        text = stack_files.path_of(stack).read_text()
        stack_files.path_of(stack, tmp_path).write_text(text)
    salted = stack_files.path_of("prod", tmp_path)
    salted.write_text(salted.read_text() + "encryptionsalt: v1:x\n")
    monkeypatch.setattr("pulumi.get_stack", lambda: "prod")
    config = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in raw("prod").items()
    }
    monkeypatch.setattr("pulumi.runtime.config.get_config_env", lambda: config)

    with pytest.raises(Exception, match="encryptionsalt"):
        load(catalogue=CATALOGUE, root=tmp_path)
