"""What the stand-ins log and answer when they fail holds no secret that they have seen."""

from __future__ import annotations

import logging
from pathlib import Path

import grpc
import pytest

from infra import redaction
from infra.local.providers import __main__ as process
from infra.local.providers import server
from infra.local.providers.aws.plugin import AwsPlugin
from infra.local.providers.plugin import Resource
from infra.local.providers.server import serve
from infra.local.providers.store import Store
from infra.local.providers.values import Map, Secret
from infra.redaction import MASK, Known

from .conftest import Client

HIDDEN = "tr0ub4dor-and-3"
DATABASE = "aws:rds/instance:Instance"
INPUTS: Map = {
    "engine": "postgres",
    "instanceClass": "db.r6g.xlarge",
    "allocatedStorage": 100,
    "username": "app",
    "password": Secret(HIDDEN),
    "skipFinalSnapshot": True,
}


class Broken(AwsPlugin):
    """Fails with all that it was given in its error."""

    def create(self, resource: Resource, generation: int) -> tuple[str, Map]:
        raise ValueError(f"generation {generation}: {HIDDEN} of {resource.urn}")


def test_a_fault_of_a_stand_in_is_told_and_logged_without_secrets(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    known = Known()
    running, port = serve(Broken(), store, [], known)
    client = Client(port, {"region": "us-west-2"}, "dev")
    with pytest.raises(grpc.RpcError) as raised:
        client.create(DATABASE, INPUTS)
    client.close()
    running.stop(grace=None).wait()

    said = str(raised.value)
    assert HIDDEN not in said
    assert f"generation 1: {MASK} of" in said
    assert HIDDEN in caplog.text, "the comparison must be able to fail"
    formatter = redaction.Formatter(known, "%(message)s")
    logged = "\n".join(map(formatter.format, caplog.records))
    assert "Traceback" in logged
    assert HIDDEN not in logged


def test_a_refused_value_is_not_repeated_where_it_is_secret(store: Store) -> None:
    running, port = serve(AwsPlugin(), store, [], Known())
    client = Client(port, {"region": "us-west-2"}, "dev")
    plain = client.refusals("aws:iam/policy:Policy", {"policy": "no JSON at all"})
    refused = client.refusals("aws:iam/policy:Policy", {"policy": Secret(HIDDEN)})
    client.close()
    running.stop(grace=None).wait()

    assert "no JSON at all" in plain["policy"]
    assert "expected JSON" in refused["policy"]
    assert HIDDEN not in refused["policy"]


def test_the_process_s_own_log_is_redacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_state: Path, _parent: int | None, known: Known) -> int:
        known.learn_all([HIDDEN])
        logging.getLogger("providers").warning("it was %s", HIDDEN)
        return 0

    monkeypatch.setattr(server, "run", run)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])

    assert process.main(["--state-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().err == f"providers: it was {MASK}\n"
