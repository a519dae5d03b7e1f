"""The mirror takes the engine's salt; the repository gets only what `config set` changed, with its layout kept."""

from pathlib import Path

import pytest
import yaml

from infra.local import project
from infra.local.errors import LocalError
from infra.local.home import Home

SETTINGS = """# Why this stack is here.
config:
  parking:region: us-east-1   # beside the value

  # Above the value.
  parking:zones:
    - us-east-1a

    - us-east-1b
"""
SALT = "encryptionsalt: v1:abc=:v1:def:ghi==\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    root = tmp_path / "repository"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: parking\nruntime: python\nmain: .  # here\n")
    (root / "Pulumi.dev.yaml").write_text(SETTINGS)
    home = Home(root=root / ".pulumi-local", project=root)
    home.create()
    return home


def test_the_mirrored_project_runs_the_real_program(home: Home) -> None:
    project.prepare(home)
    text = (home.mirror / "Pulumi.yaml").read_text()
    assert text == f'name: parking\nruntime: python\nmain: "{home.project}"\n'
    assert (home.mirror / ".venv").is_symlink()


def test_a_salt_survives_every_new_mirroring(home: Home) -> None:
    project.prepare(home)
    mirror = home.mirror / "Pulumi.dev.yaml"
    mirror.write_text(SETTINGS + SALT)
    (home.project / "Pulumi.dev.yaml").write_text("config: {}\n")
    project.prepare(home)
    assert mirror.read_text() == "config: {}\n" + SALT


def test_a_salt_of_the_repository_comes_first(home: Home) -> None:
    project.prepare(home)
    (home.mirror / "Pulumi.dev.yaml").write_text(SETTINGS + SALT)
    (home.project / "Pulumi.dev.yaml").write_text("encryptionsalt: v1:own\n")
    project.prepare(home)
    assert (home.mirror / "Pulumi.dev.yaml").read_text() == "encryptionsalt: v1:own\n"


def test_a_stack_whose_file_is_gone_keeps_its_salt_only(home: Home) -> None:
    project.prepare(home)
    (home.mirror / "Pulumi.dev.yaml").write_text(SETTINGS + SALT)
    (home.project / "Pulumi.dev.yaml").unlink()
    project.prepare(home)
    assert (home.mirror / "Pulumi.dev.yaml").read_text() == SALT


def test_cloud_keys_are_not_mirrored_and_come_back_untouched(home: Home) -> None:
    real = home.project / "Pulumi.dev.yaml"
    real.write_text("secretsprovider: awskms://alias/x\nencryptedkey: abc\n" + SETTINGS)
    project.prepare(home)
    file = project.stack_file(home=home, stack="dev")
    assert "awskms" not in file.mirror.read_text()
    before = file.mirror.read_text()
    file.mirror.write_text(before.replace("us-east-1 ", "us-west-2 ") + SALT)
    project.sync_back(file, before=before)
    assert "secretsprovider: awskms://alias/x" in real.read_text()
    assert "us-west-2" in real.read_text()
    assert "encryptionsalt" not in real.read_text()


def test_values_of_a_cloud_key_are_refused(home: Home) -> None:
    real = home.project / "Pulumi.dev.yaml"
    real.write_text("secretsprovider: awskms://x\nconfig:\n  parking:token:\n    secure: v1:abc\n")
    with pytest.raises(LocalError, match="cannot read"):
        project.refuse_cloud_secrets(project.stack_file(home=home, stack="dev"))


def test_the_line_of_a_cloud_key_keeps_its_place(home: Home) -> None:
    real = home.project / "Pulumi.dev.yaml"
    key = "secretsprovider: awskms://alias/x\n"
    real.write_text(SETTINGS.replace("config:\n", f"{key}config:\n"))
    project.prepare(home)
    file = project.stack_file(home=home, stack="dev")
    before = file.mirror.read_text()
    file.mirror.write_text(before.replace("us-east-1 ", "us-west-2 ") + SALT)
    project.sync_back(file, before=before)
    assert real.read_text() == SETTINGS.replace("config:\n", f"{key}config:\n").replace(
        "us-east-1 ", "us-west-2 "
    )


def test_a_secret_of_this_machine_is_not_written_beside_a_cloud_key(home: Home) -> None:
    real = home.project / "Pulumi.dev.yaml"
    real.write_text("secretsprovider: awskms://alias/x\n" + SETTINGS)
    project.prepare(home)
    file = project.stack_file(home=home, stack="dev")
    before = file.mirror.read_text()
    file.mirror.write_text(before + "  parking:token:\n    secure: v1:abc\n" + SALT)
    with pytest.raises(LocalError, match="nothing was written"):
        project.sync_back(file, before=before)
    assert real.read_text() == "secretsprovider: awskms://alias/x\n" + SETTINGS


@pytest.mark.parametrize(
    "args",
    [
        ("stack", "init", "dev", "--secrets-provider=awskms://alias/x?region=eu-west-1"),
        ("stack", "init", "dev", "--secrets-provider", "gcpkms://x"),
        ("stack", "change-secrets-provider", "awskms://alias/x"),
    ],
)
def test_a_cloud_key_is_refused_for_a_stack_of_this_machine(args: tuple[str, ...]) -> None:
    with pytest.raises(LocalError, match="on AWS, run `pulumi` itself"):
        project.refuse_cloud_key(args)


def test_a_passphrase_is_a_key_of_this_machine() -> None:
    project.refuse_cloud_key(("stack", "change-secrets-provider", "passphrase"))


def test_nothing_comes_back_when_only_the_salt_is_new(home: Home) -> None:
    project.prepare(home)
    file = project.stack_file(home=home, stack="dev")
    before = file.mirror.read_text()
    file.mirror.write_text(before + SALT)
    stamp = file.real.stat().st_mtime_ns
    assert project.sync_back(file, before=before) is None
    assert file.real.stat().st_mtime_ns == stamp


def test_a_changed_value_comes_back_alone(home: Home) -> None:
    project.prepare(home)
    file = project.stack_file(home=home, stack="dev")
    before = file.mirror.read_text()
    # As the engine writes: without blank lines, and indented in its own way.
    engine = before.replace("\n\n", "\n").replace("us-east-1b", "us-east-1f") + SALT
    file.mirror.write_text(engine)
    project.sync_back(file, before=before)
    assert file.real.read_text() == SETTINGS.replace("us-east-1b", "us-east-1f")


def test_a_secret_comes_back_with_the_salt_and_a_note(home: Home) -> None:
    project.prepare(home)
    file = project.stack_file(home=home, stack="dev")
    before = file.mirror.read_text()
    file.mirror.write_text(before + "  parking:token:\n    secure: v1:abc\n" + SALT)
    note = project.sync_back(file, before=before)
    assert note is not None
    assert "salt" in note
    assert SALT in file.real.read_text()


def test_a_new_stack_gets_a_file(home: Home) -> None:
    file = project.stack_file(home=home, stack="new")
    file.mirror.write_text("config:\n  parking:region: us-west-2\n" + SALT)
    project.sync_back(file, before=SALT)
    assert file.real.read_text() == "config:\n  parking:region: us-west-2\n"
    assert file.real.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a:\n    b: 1\n    c: 2\n", "a:\n  b: 1\n  c: 3\n  d:\n    e: 4\n"),
        ("a: [1, 2]\n\nb: x\n", "a:\n  - 1\n  - 2\n  - 3\nb: x\n"),
        ("a: 1\n\n\nb: 2\n", "b: 2\n"),
    ],
)
def test_a_kept_layout_never_changes_the_meaning(before: str, after: str) -> None:

    assert yaml.safe_load(project.keep_layout(before=before, after=after)) == yaml.safe_load(after)


def test_a_missing_project_is_named(home: Home) -> None:
    (home.project / "Pulumi.yaml").unlink()
    with pytest.raises(LocalError, match="no project here"):
        project.prepare(home)


def test_a_settings_file_that_is_missing_is_named(home: Home) -> None:
    file = project.stack_file(home=home, stack="dev", config_file=home.project / "no.yaml")
    with pytest.raises(LocalError, match=r"no\.yaml: No such file"):
        project.mirror_stack(file, salt=None)
