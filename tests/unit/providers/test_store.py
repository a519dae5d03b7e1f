from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.providers.store import FILE, Record, Store, StoreError
from infra.local.providers.values import Asset, Map, Secret
from infra.local.providers.vault import LockedError

from .conftest import PASSPHRASE, Client, Connect, urn

VPC = "aws:ec2/vpc:Vpc"
ROLE = "aws:iam/role:Role"
BLOCK: Map = {"cidrBlock": "10.0.0.0/16"}
REPOSITORY = Path(__file__).parents[3]


def record(name: str = "it", identity: str = "id-1", *, known: bool = True, **inputs: object) -> Record:
    given: Map = dict(inputs)  # pyright: ignore[reportAssignmentType]
    return Record(urn(VPC, name), identity, 1, known=known, inputs=given, outputs=given)


def test_records_outlive_the_process(tmp_path: Path) -> None:
    first = Store(tmp_path, passphrase=PASSPHRASE)
    first.put(record(cidrBlock="10.0.0.0/16", secret=Secret({"a": 1}), list=[1, "x", None]))
    first.close()
    second = Store(tmp_path, passphrase=PASSPHRASE)
    found = second.find(urn(VPC, "it"), "id-1")
    assert found is not None
    assert found.inputs == {"cidrBlock": "10.0.0.0/16", "secret": Secret({"a": 1}), "list": [1, "x", None]}
    second.close()


def test_assets_survive(store: Store) -> None:
    asset = Asset(
        {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "hash": "h", "path": "p"}
    )
    store.put(record(code=asset))
    found = store.find(urn(VPC, "it"), "id-1")
    assert found is not None
    assert found.inputs["code"] == asset


def test_an_archive_of_assets_survives(store: Store) -> None:
    asset = Asset({"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "a"})
    archive = Asset(
        {"4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7", "assets": {"a.py": asset}}
    )
    store.put(record(code=archive))
    found = store.find(urn(VPC, "it"), "id-1")
    assert found is not None
    assert found.inputs["code"] == archive


def test_no_secret_is_on_the_disk_in_clear(aws: Client, store: Store) -> None:
    aws.create(
        "aws:rds/instance:Instance",
        {
            "engine": "postgres",
            "instanceClass": "db.r6g.xlarge",
            "allocatedStorage": 20,
            "username": "app",
            "password": "not-marked-by-the-program",
            "skipFinalSnapshot": True,
            "tags": {"a": Secret("marked-by-the-program")},
        },
    )
    aws.create(
        "aws:secretsmanager/secretVersion:SecretVersion", {"secretId": "a", "secretString": "a-string"}
    )
    content = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    for clear in (b"not-marked-by-the-program", b"marked-by-the-program", b"a-string", PASSPHRASE.encode()):
        assert clear not in content
    assert b"db.r6g.xlarge" in content


def test_random_values_are_not_on_the_disk_in_clear(connect: Connect, store: Store) -> None:
    made = connect("random").create("random:index/randomPassword:RandomPassword", {"length": 24})
    result = made.outputs["result"]
    assert isinstance(result, Secret)
    assert str(result.value).encode() not in store.path.read_bytes()


def test_another_passphrase_cannot_read_a_secret_but_everything_else(tmp_path: Path) -> None:
    first = Store(tmp_path, passphrase=PASSPHRASE)
    first.put(record(secret=Secret("x")))
    first.put(record(name="open", a="b"))
    first.close()
    other = Store(tmp_path, passphrase="another")  # noqa: S106 - a test's passphrase
    assert other.find(urn(VPC, "open"), "id-1") is not None
    with pytest.raises(LockedError, match="PULUMI_CONFIG_PASSPHRASE"):
        other.find(urn(VPC, "it"), "id-1")
    other.close()


@pytest.mark.parametrize("content", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_store_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StoreError, match="move it away and run `refresh`") as raised:
        Store(tmp_path, passphrase=PASSPHRASE)
    assert str(tmp_path / FILE) in str(raised.value)


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path, passphrase=PASSPHRASE).close()
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("update meta set value = ? where key = 'version'", (b"99",))
    database.close()
    with pytest.raises(StoreError, match="another version"):
        Store(tmp_path, passphrase=PASSPHRASE)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "file" / "state", passphrase=PASSPHRASE)


def test_what_a_killed_run_left_is_taken_over(aws: Client, store: Store) -> None:
    lost = aws.create(VPC, BLOCK)
    again = aws.create(VPC, BLOCK)
    assert again.id == lost.id
    assert len(store.all()) == 1


def test_a_left_over_whose_id_is_its_name_gives_way_to_the_new_one(aws: Client, store: Store) -> None:
    aws.create(ROLE, {"name": "first", "assumeRolePolicy": "{}"})
    aws.create(ROLE, {"name": "second", "assumeRolePolicy": "{}"})
    assert [found.id for found in store.all()] == ["second"]


def test_a_replacement_lives_beside_what_it_replaces_until_that_is_deleted(aws: Client, store: Store) -> None:
    old = aws.create(VPC, BLOCK)
    aws.diff(VPC, old.inputs, {"cidrBlock": "10.1.0.0/16"}, identity=old.id)
    new = aws.create(VPC, {"cidrBlock": "10.1.0.0/16"})
    assert {found.id for found in store.all()} == {old.id, new.id}
    assert old.id != new.id
    aws.delete(VPC, old)
    assert [found.id for found in store.all()] == [new.id]


def test_a_replacement_lost_in_a_killed_run_is_not_made_twice(aws: Client, store: Store) -> None:
    old = aws.create(VPC, BLOCK)
    changed: Map = {"cidrBlock": "10.1.0.0/16"}
    aws.diff(VPC, old.inputs, changed, identity=old.id)
    lost = aws.create(VPC, changed)
    aws.diff(VPC, old.inputs, changed, identity=old.id)
    again = aws.create(VPC, changed)
    assert again.id == lost.id
    assert {found.id for found in store.all()} == {old.id, again.id}


def test_a_replacement_asked_for_without_a_diff_keeps_the_old_one(aws: Client, store: Store) -> None:
    old = aws.create(VPC, BLOCK)
    aws.check(VPC, BLOCK, olds=old.inputs)
    new = aws.create(VPC, BLOCK)
    assert {found.id for found in store.all()} == {old.id, new.id}


def test_two_stacks_with_the_same_names_do_not_meet(connect: Connect, store: Store) -> None:
    dev, prod = connect("aws", stack="dev"), connect("aws", stack="prod")
    role: Map = {"name": "app", "assumeRolePolicy": "{}"}
    ours, theirs = dev.create(ROLE, role), prod.create(ROLE, {**role, "description": "prod"})
    assert ours.id == theirs.id == "app"
    dev.delete(ROLE, ours)
    assert [found.urn for found in store.all()] == [urn(ROLE, "it", "prod")]
    assert prod.read(ROLE, theirs).outputs["description"] == "prod"


WRITER = """
import sys
from pathlib import Path
from infra.local.providers.store import Record, Store
from infra.local.providers.values import Secret
store = Store(Path(sys.argv[1]), passphrase="correct horse")
print("ready", flush=True)
for number in range(int(sys.argv[3])):
    urn = f"urn:pulumi:dev::p::aws:ec2/vpc:Vpc::{sys.argv[2]}-{number}"
    generation, _ = store.begin(urn)
    store.put(Record(urn, f"id-{number}", generation, known=False, inputs={"a": Secret(number)}, outputs={}))
    print(number, flush=True)
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(count)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_process_killed_while_it_writes_leaves_whole_records(tmp_path: Path) -> None:
    process = writer(tmp_path, "killed", 100_000)
    assert process.stdout is not None
    acknowledged = -1
    for line in process.stdout:
        if line.strip().isdigit():
            acknowledged = int(line)
        if acknowledged == 50:
            process.send_signal(signal.SIGKILL)
            break
    acknowledged = max([acknowledged, *(int(line) for line in process.stdout if line.strip().isdigit())])
    process.wait()
    process.stdout.close()
    store = Store(tmp_path, passphrase=PASSPHRASE)
    found = store.all()
    assert len(found) in {acknowledged + 1, acknowledged + 2}
    assert all(isinstance(one.inputs["a"], Secret) for one in found)
    store.close()


def test_two_processes_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    processes = [writer(tmp_path, name, 60) for name in ("one", "two")]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    store = Store(tmp_path, passphrase=PASSPHRASE)
    assert len(store.all()) == 120
    store.close()


def test_records_are_readable_json_for_people(store: Store) -> None:
    store.put(record(cidrBlock="10.0.0.0/16"))
    with sqlite3.connect(store.path) as database:
        (outputs,) = database.execute("select outputs from records").fetchone()
    database.close()
    assert json.loads(outputs) == {"cidrBlock": "10.0.0.0/16"}
