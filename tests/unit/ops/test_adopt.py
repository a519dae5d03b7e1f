"""Adopt puts the ids of servers made anew into Pulumi's state, and nothing else; whatever is doubtful is left alone.

The engine's part is played by a program that keeps the states in files and ends with the engine's own words.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from infra.ops import __main__ as command
from infra.ops import operations
from infra.ops.cloud import Cloud
from infra.ops.errors import OpsError
from tests.unit.ops.estates import AWAY, HEAD, HOME, Bench, bench, client, report_lag
from tests.unit.ops.test_failover import Absent

STACK_OF = {HOME: "prod", AWAY: "prod-eu-west-1"}
READER = f"{HEAD}-reader-1"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x:y"}
ENGINE = """
import pathlib, sys
assert sys.argv[1] == "stack" and sys.argv[3:5] == ["--non-interactive", "--stack"] and len(sys.argv) == 6, sys.argv
command, stack = sys.argv[2], sys.argv[5]
folder = pathlib.Path(__file__).parent
if (folder / f"{stack}.{command}-fails").exists():
    sys.exit(f"error: no stack named '{stack}' found")
file = folder / f"{stack}.json"
if command == "export":
    sys.stdout.write(file.read_text())
    sys.stderr.write("warning: not of the state\\n")
else:
    assert command == "import", command
    file.write_text(sys.stdin.read())
    with (folder / "imports").open("a") as imports:
        imports.write(stack + "\\n")
"""


@dataclass(frozen=True, kw_only=True)
class States:
    """The states of the stacks, and the program that keeps them."""

    folder: Path

    @property
    def pulumi(self) -> list[str]:
        return [sys.executable, str(self.folder / "pulumi.py")]

    @property
    def imports(self) -> list[str]:
        """Stacks whose state was imported, in order."""
        file = self.folder / "imports"
        return file.read_text().split() if file.exists() else []

    def of(self, region: str) -> dict[str, Any]:
        return json.loads(self._file(region).read_text())

    def change(self, region: str, **deployment: Any) -> None:
        state = self.of(region)
        state["deployment"].update(deployment)
        self._file(region).write_text(json.dumps(state))

    def servers(self, region: str) -> dict[str, dict[str, Any]]:
        """The servers of a state, by identifier."""
        return {one["inputs"]["identifier"]: one for one in self.of(region)["deployment"]["resources"][1:]}

    def fail(self, region: str, command: str) -> None:
        (self.folder / f"{STACK_OF[region]}.{command}-fails").touch()

    def record(self, region: str) -> None:
        """Write a state as an `up` leaves it that just made the servers."""
        stack = STACK_OF[region]
        root = {
            "urn": f"urn:pulumi:{stack}::parking::pulumi:pulumi:Stack::parking-{stack}",
            "type": "pulumi:pulumi:Stack",
        }
        servers = [_resource(stack, one.raw) for one in Cloud().servers(region, HEAD)]
        state = {
            "version": 3,
            "deployment": {"metadata": {"kept": 1.5}, "resources": [root, *servers]},
        }
        self._file(region).write_text(json.dumps(state))

    def _file(self, region: str) -> Path:
        return self.folder / f"{STACK_OF[region]}.json"


def _resource(stack: str, raw: Any) -> dict[str, Any]:
    address = raw["Endpoint"]["Address"]
    return {
        "urn": f"urn:pulumi:{stack}::parking::aws:rds/instance:Instance::{raw['DBInstanceIdentifier']}",
        "type": "aws:rds/instance:Instance",
        "id": raw["DbiResourceId"],
        "inputs": {"identifier": raw["DBInstanceIdentifier"], "password": SECRET},
        "outputs": {
            "id": raw["DbiResourceId"],
            "resourceId": raw["DbiResourceId"],
            "identifier": raw["DBInstanceIdentifier"],
            "arn": raw["DBInstanceArn"],
            "address": address,
            "endpoint": f"{address}:5432",
            "instanceClass": "as it was",
            "password": SECRET,
        },
    }


@contextmanager
def stacks(tmp_path: Path, **options: Any) -> Generator[tuple[Bench, States]]:
    """Both regions, and the states that know their servers."""
    states = States(folder=tmp_path / "states")
    states.folder.mkdir()
    (states.folder / "pulumi.py").write_text(ENGINE)
    with bench(tmp_path, **options) as one:
        for region in STACK_OF:
            states.record(region)
        yield one, states


def make_anew(region: str, identifier: str) -> str:
    """Delete a server and make it anew under its identifier, as a rejoin does; gives its new id."""
    rds = client("rds", region)
    old = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    rds.modify_db_instance(DBInstanceIdentifier=identifier, DeletionProtection=False)
    rds.delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)
    made = rds.create_db_instance_read_replica(
        DBInstanceIdentifier=identifier,
        SourceDBInstanceIdentifier=old["ReadReplicaSourceDBInstanceIdentifier"],
    )["DBInstance"]
    assert made["DbiResourceId"] != old["DbiResourceId"]
    return made["DbiResourceId"]


def test_a_server_made_anew_is_known_by_its_new_id_and_all_else_stays(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        before = {region: states.of(region) for region in STACK_OF}
        new = make_anew(AWAY, READER)
        operations.adopt(one.desk, pulumi=states.pulumi)

        assert states.imports == ["prod-eu-west-1"]
        assert states.of(HOME) == before[HOME]
        wanted = before[AWAY]
        [reader] = [each for each in wanted["deployment"]["resources"] if each["urn"].endswith(READER)]
        old = reader["id"]
        reader["id"] = reader["outputs"]["id"] = reader["outputs"]["resourceId"] = new
        assert states.of(AWAY) == wanted
        assert f"prod-eu-west-1: {READER} was made anew: {old} -> {new}" in one.said
        assert "prod: nothing to adopt" in one.said
        assert one.questions == ["change these ids in Pulumi's state? type 'yes': "]
        assert one.said[-1] == (
            "Then:\n  pulumi refresh --stack prod-eu-west-1\n  pulumi up --stack prod-eu-west-1"
        )


def test_a_new_address_is_taken_too_but_never_in_place_of_a_secret(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        make_anew(AWAY, READER)
        resources = states.of(AWAY)["deployment"]["resources"]
        [reader] = [each for each in resources if each["urn"].endswith(READER)]
        address = reader["outputs"]["address"]
        reader["outputs"] |= {"address": "old", "endpoint": SECRET}
        states.change(AWAY, resources=resources)
        operations.adopt(one.desk, pulumi=states.pulumi)

        outputs = states.servers(AWAY)[READER]["outputs"]
        assert outputs["address"] == address
        assert outputs["endpoint"] == SECRET


def test_after_a_failback_every_server_is_adopted_and_a_second_run_finds_nothing(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        operations.failover(one.desk, to=AWAY)
        report_lag(HOME, 0)
        operations.failback(one.desk, to=HOME)
        operations.adopt(one.desk, pulumi=states.pulumi)

        for region in STACK_OF:
            known = {identifier: each["id"] for identifier, each in states.servers(region).items()}
            there = {each.identifier: each.raw["DbiResourceId"] for each in Cloud().servers(region, HEAD)}
            assert known == there
        assert states.imports == ["prod", "prod-eu-west-1"]
        questions = len(one.questions)
        operations.adopt(one.desk, pulumi=states.pulumi)
        assert one.said[-2:] == ["prod: nothing to adopt", "prod-eu-west-1: nothing to adopt"]
        assert len(one.questions) == questions
        assert states.imports == ["prod", "prod-eu-west-1"]


def test_a_dry_run_and_no_yes_change_nothing(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        new = make_anew(AWAY, READER)
        operations.adopt(replace(one.desk, dry_run=True), pulumi=states.pulumi)
        assert new in one.text
        assert one.said[-1] == "dry run: nothing was done"

        one.answer = "y"
        with pytest.raises(OpsError, match="not confirmed"):
            operations.adopt(one.desk, pulumi=states.pulumi)

        assert states.imports == []
        assert list((tmp_path / "journals").glob("*.jsonl")) == []


def test_the_journal_says_who_changed_which_ids_and_no_more_of_the_state(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        old = states.servers(AWAY)[READER]["id"]
        new = make_anew(AWAY, READER)
        operations.adopt(one.desk, pulumi=states.pulumi)

        [journal] = (tmp_path / "journals").glob("adopt-prod-eu-west-1-*.jsonl")
        entries = [json.loads(line) for line in journal.read_text().splitlines()]
        assert [entry["event"] for entry in entries] == ["began", "started", "done", "ended"]
        assert entries[0]["caller"]
        assert entries[0]["ids"] == {READER: f"{old} -> {new}"}
        assert "ciphertext" not in journal.read_text()


def test_a_run_that_was_cut_short_hides_nothing_from_the_next(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        make_anew(AWAY, READER)
        operations.adopt(one.desk, pulumi=states.pulumi)
        [journal] = (tmp_path / "journals").glob("*.jsonl")
        journal.write_text(
            "".join(journal.read_text().splitlines(keepends=True)[:-1])
        )  # killed before its end
        new = make_anew(AWAY, READER)
        operations.adopt(one.desk, pulumi=states.pulumi)

        assert states.servers(AWAY)[READER]["id"] == new


def test_a_server_that_is_not_there_is_told_and_left_alone(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        client("rds", AWAY).delete_db_instance(DBInstanceIdentifier=READER, SkipFinalSnapshot=True)
        operations.adopt(one.desk, pulumi=states.pulumi)

        assert f"prod-eu-west-1: {READER} is not there in {AWAY}: left alone" in one.said
        assert states.imports == []


@pytest.mark.parametrize("mark", ["delete", "external", "pendingReplacement"])
def test_what_an_update_is_to_delete_never_gets_the_id_of_a_living_server(tmp_path: Path, mark: str) -> None:
    with stacks(tmp_path) as (one, states):
        make_anew(AWAY, READER)
        marked = [each | {mark: True} for each in states.of(AWAY)["deployment"]["resources"]]
        states.change(AWAY, resources=marked)
        operations.adopt(one.desk, pulumi=states.pulumi)

        assert f"prod-eu-west-1: {READER} is marked `{mark}` in the state: left alone" in one.said
        assert states.imports == []


def test_a_server_of_another_account_is_refused(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        make_anew(AWAY, READER)
        text = json.dumps(states.of(AWAY)["deployment"]["resources"]).replace(":123456789012:", ":2:")
        states.change(AWAY, resources=json.loads(text))

        with pytest.raises(OpsError, match="not adopted: prod-eu-west-1\n"):
            operations.adopt(one.desk, pulumi=states.pulumi)
        assert "use credentials of the account" in one.text
        assert states.imports == []


def test_an_update_that_did_not_end_is_refused_with_what_clears_it(tmp_path: Path) -> None:
    """An import drops pending operations, and with them what nobody else remembers."""
    with stacks(tmp_path) as (one, states):
        make_anew(AWAY, READER)
        pending = [{"type": "creating", "resource": {"urn": "urn:pulumi:prod::parking::aws:s3::half-made"}}]
        states.change(AWAY, pending_operations=pending)
        states.change(HOME, pending_operations=pending)  # where nothing differs this is nobody's concern

        with pytest.raises(OpsError, match="not adopted: prod-eu-west-1\n"):
            operations.adopt(one.desk, pulumi=states.pulumi)
        assert "an update of it did not end: creating half-made" in one.text
        root = "urn:pulumi:prod-eu-west-1::parking::pulumi:pulumi:Stack::parking-prod-eu-west-1"
        assert f"pulumi refresh --stack prod-eu-west-1 --clear-pending-creates --target '{root}'" in one.text
        assert states.imports == []


@pytest.mark.parametrize("command", ["export", "import"])
def test_a_stack_whose_state_is_not_to_be_had_is_named_and_the_others_are_done(
    tmp_path: Path, command: str
) -> None:
    with stacks(tmp_path) as (one, states):
        make_anew(AWAY, READER)
        resources = [each | {"id": "db-OLD"} for each in states.of(HOME)["deployment"]["resources"]]
        states.change(HOME, resources=resources)
        states.fail(HOME, command)

        with pytest.raises(OpsError, match="not adopted: prod\n"):
            operations.adopt(one.desk, pulumi=states.pulumi)
        assert f"prod: NOT ADOPTED: pulumi stack {command} failed" in one.text
        assert "error: no stack named 'prod' found" in one.text
        assert states.imports == ["prod-eu-west-1"]


def test_what_is_no_state_is_not_taken_for_one(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        (states.folder / "prod.json").write_text('{"version": 3}')
        (states.folder / "prod-eu-west-1.json").write_text("Enter your passphrase:")

        with pytest.raises(OpsError, match="not adopted: prod, prod-eu-west-1\n"):
            operations.adopt(one.desk, pulumi=states.pulumi)


def test_a_region_that_does_not_answer_keeps_no_other_from_being_done(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        make_anew(AWAY, READER)

        with pytest.raises(OpsError, match="not adopted: prod\n"):
            operations.adopt(replace(one.desk, cloud=Absent(HOME)), pulumi=states.pulumi)
        assert states.imports == ["prod-eu-west-1"]


def test_a_state_that_changed_after_it_was_shown_is_not_overwritten(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        make_anew(AWAY, READER)

        def meanwhile(_: str) -> str:
            make_anew(AWAY, READER)
            return "yes"

        with pytest.raises(OpsError, match="not adopted: prod-eu-west-1\n"):
            operations.adopt(replace(one.desk, ask=meanwhile), pulumi=states.pulumi)
        assert "its state is not what was shown any more" in one.text
        assert states.imports == []


def test_what_others_changed_in_the_state_meanwhile_is_kept(tmp_path: Path) -> None:
    with stacks(tmp_path) as (one, states):
        make_anew(AWAY, READER)

        def meanwhile(_: str) -> str:
            states.change(AWAY, metadata={"by": "another"})
            return "yes"

        operations.adopt(replace(one.desk, ask=meanwhile), pulumi=states.pulumi)
        assert states.imports == ["prod-eu-west-1"]
        assert states.of(AWAY)["deployment"]["metadata"] == {"by": "another"}


def test_a_rejoin_and_a_failback_end_with_adopt_before_any_refresh(tmp_path: Path) -> None:
    with bench(tmp_path) as one:
        operations.failover(one.desk, to=AWAY)
        report_lag(HOME, 0)
        operations.rejoin(one.desk, region=HOME)
        assert one.said[-1].splitlines()[1:] == [
            "  python -m infra.ops adopt --environment prod",
            "  pulumi refresh --stack prod",
            "  pulumi up --stack prod",
        ]

        operations.failback(one.desk, to=HOME)
        last = one.said[-1]
        assert "pulumi config set parking:role primary --stack prod\n" in last
        assert 0 < last.index("infra.ops adopt") < last.index("pulumi refresh --stack prod\n")


def test_the_command_asks_the_program_that_it_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with stacks(tmp_path) as (_, states):
        program = states.folder / "pulumi"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{states.folder / "pulumi.py"}" "$@"\n')
        program.chmod(0o755)
        make_anew(AWAY, READER)
        given = ["adopt", "--yes", "--pulumi", str(program), "--journals", str(tmp_path / "journals")]
        assert command.main(given) == 0
        assert states.imports == ["prod-eu-west-1"]
        assert command.main(["adopt", "--pulumi", "no-such-pulumi", "--journals", str(tmp_path)]) == 2
    assert "no-such-pulumi cannot be started" in capsys.readouterr().err
