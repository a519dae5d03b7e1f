"""Where resources live: the interface behind a stand-in, and the record store as its first implementation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

from infra.local.providers.check import parts
from infra.local.providers.plugin import Plugin, RefusedError, Resource
from infra.local.providers.store import Record, Store
from infra.local.providers.values import DEFAULTS, Map, Secret, Value, has_secret, plain


class Backend(Protocol):
    """Creates, reads, changes and deletes resources."""

    def create(self, resource: Resource) -> tuple[str, Map]:
        """Make a resource; return its id and outputs."""
        ...

    def read(self, urn: str, identity: str) -> tuple[Map, Map] | None:
        """Return the inputs and outputs of a resource, None where it no longer exists."""
        ...

    def update(self, resource: Resource, identity: str, ignore: Collection[str] = ()) -> Map:
        """Change a resource, but for properties that the program does not want changed; return its outputs."""
        ...

    def delete(self, urn: str, identity: str) -> None:
        """Delete a resource; one that is gone already is no error."""
        ...

    def note_known(self, urn: str, identity: str | None = None) -> None:
        """Note that the engine has this resource in its state."""
        ...


class RecordBackend:
    """Keeps a record of each resource; the plug-in makes up ids and outputs."""

    def __init__(self, plugin: Plugin, store: Store) -> None:
        self._plugin = plugin
        self._store = store
        plugin.outputs_of = store.outputs_of

    def create(self, resource: Resource) -> tuple[str, Map]:
        """Make a record, or take over the one a killed run left under the same URN."""
        generation, left = self._store.begin(resource.urn)
        identity, outputs = self._plugin.create(resource, generation)
        outputs = self._plugin.conceal(resource.token, outputs)
        inputs = self._plugin.conceal(resource.token, resource.inputs)
        self._store.put(
            Record(resource.urn, identity, generation, known=False, inputs=inputs, outputs=outputs),
            instead_of=(left.urn, left.id) if left else None,
        )
        return identity, outputs

    def read(self, urn: str, identity: str) -> tuple[Map, Map] | None:
        """Look a record up; what was edited in its outputs shows in its inputs too, as a provider's read would."""
        record = self._store.find(urn, identity, anywhere=True)
        if record is None:
            return None
        return drifted(record), record.outputs

    def update(self, resource: Resource, identity: str, ignore: Collection[str] = ()) -> Map:
        """Change a record; the engine has put old inputs in place of what is to be ignored."""
        del ignore
        record = self._store.find(resource.urn, identity)
        if record is None:
            raise RefusedError(
                f"{identity} does not exist (any more); run `refresh` so that the state says so too"
            )
        outputs = self._plugin.update(resource, identity, record.generation, record.outputs)
        outputs = self._plugin.conceal(resource.token, outputs)
        inputs = self._plugin.conceal(resource.token, resource.inputs)
        changed = replace(record, urn=resource.urn, known=True, inputs=inputs, outputs=outputs)
        self._store.put(changed, instead_of=(record.urn, record.id))
        return outputs

    def delete(self, urn: str, identity: str) -> None:
        """Delete a record unless the resource protects itself."""
        record = self._store.find(urn, identity)
        if record is None:
            return
        reason = self._plugin.refuse_delete(parts(record.urn)[1], record.outputs)
        if reason:
            raise RefusedError(reason)
        self._store.remove(record.urn, record.id)

    def note_known(self, urn: str, identity: str | None = None) -> None:
        """Note that the engine has this resource in its state."""
        self._store.note_known(urn, identity)


def drifted(record: Record) -> Map:
    """The inputs of a record with what was changed of them since, as its outputs have it."""
    return {
        name: _project(value, record.outputs[name]) if name != DEFAULTS and name in record.outputs else value
        for name, value in record.inputs.items()
    }


def _project(given: Value, live: Value) -> Value:
    """Read an input back from the live value: the live one, without what the cloud added to objects."""
    if isinstance(given, Secret) or isinstance(live, Secret):
        inner = _project(plain(given), plain(live))
        return Secret(inner) if has_secret(given) else inner
    if isinstance(given, dict) and isinstance(live, dict):
        return {key: _project(item, live[key]) for key, item in given.items() if key in live}
    if isinstance(given, list) and isinstance(live, list) and len(given) == len(live):
        return [_project(*pair) for pair in zip(given, live, strict=True)]
    return live
