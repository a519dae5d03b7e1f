"""A stand-in served on a real gRPC connection, as the engine uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from infra.local.providers import faults, wire
from infra.local.providers.aws.plugin import AwsPlugin
from infra.local.providers.kubernetes.plugin import KubernetesPlugin
from infra.local.providers.plugin import Plugin
from infra.local.providers.randomness import RandomPlugin
from infra.local.providers.server import serve
from infra.local.providers.store import Store
from infra.local.providers.values import Map
from infra.redaction import Known

PASSPHRASE = "correct horse"  # noqa: S105 - a test's
PLUGINS: dict[str, Callable[[], Plugin]] = {
    "aws": AwsPlugin,
    "kubernetes": KubernetesPlugin,
    "random": RandomPlugin,
}


def urn(token: str, name: str, stack: str = "dev") -> str:
    return f"urn:pulumi:{stack}::project::{token}::{name}"


@dataclass
class Answer:
    """What a resource operation gave back."""

    id: str
    outputs: Map
    inputs: Map = field(default_factory=dict[str, Any])


class Client:
    """Speaks to a stand-in over one connection, as one provider instance of the engine does."""

    def __init__(self, port: int, config: Map | None, stack: str) -> None:
        self._channel = grpc.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
        )
        self.stub: Any = wire.provider_pb2_grpc.ResourceProviderStub(self._channel)
        self.stack = stack
        if config is not None:
            self.stub.Configure(wire.provider_pb2.ConfigureRequest(args=wire.encode(config)))

    def close(self) -> None:
        self._channel.close()

    def _named(self, token: str, name: str) -> dict[str, Any]:
        return {"urn": urn(token, name, self.stack), "name": name, "type": token}

    def check(
        self, token: str, inputs: Map, *, name: str = "it", olds: Map | None = None, seed: bytes = b"seed"
    ) -> tuple[Map, dict[str, str]]:
        request = wire.provider_pb2.CheckRequest(
            **self._named(token, name),
            olds=wire.encode(olds or {}),
            news=wire.encode(inputs),
            randomSeed=seed,
        )
        answer = self.stub.Check(request)
        return wire.decode(answer.inputs), {found.property: found.reason for found in answer.failures}

    def refusals(self, token: str, inputs: Map, name: str = "it") -> dict[str, str]:
        return self.check(token, inputs, name=name)[1]

    def diff(
        self,
        token: str,
        olds: Map,
        news: Map,
        *,
        state: Map | None = None,
        ignore: tuple[str, ...] = (),
        identity: str = "id",
    ) -> Any:
        return self.stub.Diff(
            wire.provider_pb2.DiffRequest(
                **self._named(token, "it"),
                id=identity,
                olds=wire.encode(state or {}),
                old_inputs=wire.encode(olds),
                news=wire.encode(news),
                ignoreChanges=list(ignore),
            )
        )

    def create(self, token: str, inputs: Map, *, name: str = "it", preview: bool = False) -> Answer:
        checked, failures = self.check(token, inputs, name=name)
        assert not failures
        request = wire.provider_pb2.CreateRequest(
            **self._named(token, name), properties=wire.encode(checked), preview=preview
        )
        answer = self.stub.Create(request)
        return Answer(answer.id, wire.decode(answer.properties), checked)

    def update(
        self, token: str, answer: Answer, inputs: Map, *, name: str = "it", preview: bool = False
    ) -> Answer:
        checked, failures = self.check(token, inputs, name=name, olds=answer.inputs)
        assert not failures
        request = wire.provider_pb2.UpdateRequest(
            **self._named(token, name),
            id=answer.id,
            olds=wire.encode(answer.outputs),
            old_inputs=wire.encode(answer.inputs),
            news=wire.encode(checked),
            preview=preview,
        )
        return Answer(answer.id, wire.decode(self.stub.Update(request).properties), checked)

    def read(self, token: str, answer: Answer, *, name: str = "it", blank: bool = False) -> Answer:
        request = wire.provider_pb2.ReadRequest(
            **self._named(token, name),
            id=answer.id,
            properties=wire.encode({} if blank else answer.outputs),
            inputs=wire.encode({} if blank else answer.inputs),
        )
        found = self.stub.Read(request)
        return Answer(found.id, wire.decode(found.properties), wire.decode(found.inputs))

    def delete(self, token: str, answer: Answer, *, name: str = "it") -> None:
        request = wire.provider_pb2.DeleteRequest(
            **self._named(token, name), id=answer.id, properties=wire.encode(answer.outputs)
        )
        self.stub.Delete(request)

    def invoke(self, token: str, arguments: Map) -> Map:
        answer = self.stub.Invoke(wire.provider_pb2.InvokeRequest(tok=token, args=wire.encode(arguments)))
        assert not answer.failures, [found.reason for found in answer.failures]
        return wire.decode(getattr(answer, "return"))


Connect = Callable[..., Client]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "state", passphrase=PASSPHRASE)
    yield opened
    opened.close()


@pytest.fixture
def connect(store: Store) -> Iterator[Connect]:
    """Connect to a stand-in; servers are shared by the connections of a test, as in a run of the engine."""
    ports: dict[str, int] = {}
    servers: list[grpc.Server] = []
    clients: list[Client] = []

    def make(
        package: str = "aws",
        config: Map | None = None,
        *,
        stack: str = "dev",
        rules: list[faults.Fault] | None = None,
        configure: bool = True,
    ) -> Client:
        if package not in ports or rules:
            server, ports[package] = serve(PLUGINS[package](), store, rules or [], Known())
            servers.append(server)
        default: Map = {"region": "us-west-2"} if package == "aws" else {}
        chosen = default if config is None else config
        clients.append(Client(ports[package], chosen if configure else None, stack))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
    for server in servers:
        server.stop(grace=None).wait()


@pytest.fixture
def aws(connect: Connect) -> Client:
    return connect("aws")
