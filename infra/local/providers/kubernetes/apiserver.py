"""Objects in a real API server, for stacks whose cluster runs on this machine; all else stays a record.

What the API server would refuse is refused: unknown fields, values that a schema or an admission rule forbids, missing
namespaces. Objects are applied as pulumi-kubernetes does it, by server-side apply with one field manager. Helm releases
stay records, because charts cannot be had everywhere, and so do patches of objects that only charts make.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from infra.local.cluster.client import ApiError, Client, Json
from infra.local.cluster.running import Place, find
from infra.local.providers.backend import RecordBackend, drifted
from infra.local.providers.check import parts
from infra.local.providers.plugin import Plugin, RefusedError, Resource
from infra.local.providers.store import Store
from infra.local.providers.values import DEFAULTS, Map, Value, fields, reveal, text

MANAGER: Final = "pulumi-kubernetes"
_RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_NOT_OBJECTS: Final = ("Patch", "List")
_DELETE_SECONDS: Final = 120.0
_PAUSE_SECONDS: Final = 0.1


class ApiServerBackend(RecordBackend):
    """Keeps a record of each object, and the object itself in the cluster of its stack where one runs.

    Args:
        plugin: The kubernetes plug-in.
        store: Its records.
        clusters: The folder of the clusters that run on this machine.
    """

    def __init__(self, plugin: Plugin, store: Store, *, clusters: Path) -> None:
        super().__init__(plugin, store)
        self._clusters = clusters
        self._clients: dict[str, Client | None] = {}
        self._lock = threading.Lock()

    def create(self, resource: Resource) -> tuple[str, Map]:
        """Apply a new object, or only make a record where no cluster runs."""
        client = self._client(resource.urn)
        identity, outputs = super().create(resource)
        if client is None:
            return identity, outputs
        try:
            live = self._applied(client, resource, outputs)
        except BaseException:
            self._store.remove(resource.urn, identity)
            raise
        return identity, self._keep(resource, identity, live)

    def update(self, resource: Resource, identity: str, ignore: Collection[str] = ()) -> Map:
        """Apply a changed object; fields that went from the program go from the object."""
        client = self._client(resource.urn)
        record = self._store.find(resource.urn, identity)
        if client is None or record is None:
            return super().update(resource, identity, ignore)
        live = self._applied(client, resource, record.outputs)
        super().update(resource, identity, ignore)
        return self._keep(resource, identity, live)

    def read(self, urn: str, identity: str) -> tuple[Map, Map] | None:
        """Read the object; what others changed of the program's fields shows in the inputs."""
        client = self._client(urn)
        record = self._store.find(urn, identity, anywhere=True)
        if client is None or record is None:
            return super().read(urn, identity)
        live, intended = _compared(client, _object(record.inputs, record.outputs))
        if live is None:
            return None
        outputs = self._outputs(urn, record.inputs, live)
        if _content(intended) == _content(live):
            return record.inputs, outputs
        return drifted(replace(record, outputs=outputs)), outputs

    def delete(self, urn: str, identity: str) -> None:
        """Delete the object and wait until it is gone."""
        client = self._client(urn)
        record = self._store.find(urn, identity)
        if client is not None and record is not None:
            _delete(client, _object(record.inputs, record.outputs))
        super().delete(urn, identity)

    def close(self) -> None:
        """Close the connections to the clusters."""
        with self._lock:
            for client in filter(None, self._clients.values()):
                client.close()

    def _client(self, urn: str) -> Client | None:
        """The API server for a resource, None where it is only a record."""
        stack, token, _ = parts(urn)
        if token == _RELEASE or token.endswith(_NOT_OBJECTS):
            return None
        with self._lock:
            if stack not in self._clients:
                running = find(Place(root=self._clusters, stack=stack))
                self._clients[stack] = Client(running.access) if running else None
            return self._clients[stack]

    @staticmethod
    def _applied(client: Client, resource: Resource, named: Map) -> Json:
        item = _object(resource.inputs, named)
        with _Refusals(item):
            return client.apply(item, manager=MANAGER, force=False)

    def _keep(self, resource: Resource, identity: str, live: Json) -> Map:
        """Put what the API server answered on record."""
        outputs = self._outputs(resource.urn, resource.inputs, live)
        record = self._store.find(resource.urn, identity)
        if record is not None:
            self._store.put(replace(record, outputs=outputs))
        return outputs

    def _outputs(self, urn: str, inputs: Map, live: Json) -> Map:
        metadata = {name: value for name, value in live["metadata"].items() if name != "managedFields"}
        answered = cast("Map", {**live, "metadata": metadata})
        # A Secret's stringData is an input that the server does not keep.
        unsaid = {name: value for name, value in inputs.items() if name != DEFAULTS and name not in answered}
        return self._plugin.conceal(parts(urn)[1], {**unsaid, **answered})


class _Refusals:
    """Says in the provider's words what the API server refused, and which object it was."""

    def __init__(self, item: Json) -> None:
        metadata = item["metadata"]
        where = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
        self._subject = f"{item['kind']} {where}{metadata['name']}"

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ApiError):
            raise RefusedError(f"the API server refused {self._subject}: {error}") from error
        if isinstance(error, OSError):
            raise RefusedError(
                f"the API server did not answer for {self._subject} ({error}); if the cluster is meant to run, "
                "restart it (make cluster-up), else stop it (make cluster-down)"
            ) from error


def _object(inputs: Map, named: Map) -> Json:
    """An object as it is applied: what the program says, under the name and in the namespace it was given."""
    item = cast("Json", {name: reveal(value) for name, value in inputs.items() if name != DEFAULTS})
    metadata = fields(named.get("metadata"))
    item["metadata"] = {
        **fields(cast("Value", item.get("metadata"))),
        "name": text(metadata.get("name")),
    }
    if metadata.get("namespace") is not None:
        item["metadata"]["namespace"] = text(metadata.get("namespace"))
    item["metadata"].pop("generateName", None)
    return item


def _compared(client: Client, item: Json) -> tuple[Json | None, Json]:
    """An object as it is, and as it would be after applying it again: both of one moment.

    The server writes quantities and defaults its own way; what it would not change has not changed. Controllers write
    to the object meanwhile, so a difference counts only where nobody wrote between the two.
    """
    namespace = str(item["metadata"].get("namespace") or "")

    def look() -> Json | None:
        return client.get(item["apiVersion"], item["kind"], item["metadata"]["name"], namespace=namespace)

    with _Refusals(item):
        live = look()
        while live is not None:
            intended = client.apply(item, manager=MANAGER, dry_run=True)
            if _content(intended) == _content(live):
                return live, intended
            before, live = live, look()
            if (
                live is not None
                and live["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
            ):
                return live, intended
    return None, {}


def _content(item: Mapping[str, Any]) -> str:
    """What an object says, without who said it when."""
    noise = ("managedFields", "resourceVersion", "generation")
    metadata = {name: value for name, value in item["metadata"].items() if name not in noise}
    return json.dumps({**item, "metadata": metadata}, sort_keys=True)


def _delete(client: Client, item: Json) -> None:
    api_version, kind, name = str(item["apiVersion"]), str(item["kind"]), str(item["metadata"]["name"])
    namespace = str(item["metadata"].get("namespace") or "")
    deadline = time.monotonic() + _DELETE_SECONDS
    with _Refusals(item):
        client.delete(api_version, kind, name, namespace=namespace)
        while (left := client.get(api_version, kind, name, namespace=namespace)) is not None:
            if time.monotonic() > deadline:
                holders = left["metadata"].get("finalizers") or left.get("spec", {}).get("finalizers")
                raise RefusedError(
                    f"{kind} {name} is still there {_DELETE_SECONDS:.0f} s after its deletion; finalizers: {holders}"
                )
            time.sleep(_PAUSE_SECONDS)
