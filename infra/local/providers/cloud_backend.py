"""Where aws resources live when there is a cloud on this machine: in moto where a row says how, else in the record.

The record is kept of both: it holds what AWS would not say, and what the cloud showed last, so that what changed since
behind Pulumi's back can be told from what AWS merely words otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from infra.local.cloud.driver import Driver, Sight, Subject
from infra.local.cloud.live import as_given
from infra.local.cloud.refusals import CloudRefusedError
from infra.local.cloud.rows import Row
from infra.local.cloud.tables import NEEDED, ROWS
from infra.local.providers.aws import regions
from infra.local.providers.aws.kinds import short
from infra.local.providers.aws.plugin import AwsPlugin, default_tags, region_of
from infra.local.providers.backend import RecordBackend, drifted
from infra.local.providers.check import parts
from infra.local.providers.plugin import Instance, RefusedError, Resource
from infra.local.providers.store import Begun, Record, Store
from infra.local.providers.values import (
    Asset,
    Map,
    Value,
    as_secret,
    fields,
    generalise,
    has_secret,
    plain,
    reveal,
    text,
)

LOG = logging.getLogger("providers")
_GONE = "does not exist (any more); run `refresh` so that the state says so too"


class CloudBackend(RecordBackend):
    """Keeps resources in the local cloud, and a record of each."""

    def __init__(self, plugin: AwsPlugin, store: Store, driver: Driver) -> None:
        super().__init__(plugin, store)
        self._aws = plugin
        self._driver = driver

    def create(self, resource: Resource) -> tuple[str, Map]:
        """Make a resource in the cloud, or take over what a killed run left under the same URN."""
        row = ROWS.get(short(resource.token))
        if row is None:
            self._require(resource)
            return super().create(resource)
        generation, left = self._store.begin(resource.urn)
        if left is not None:
            if left.live is None:
                return super().create(resource)
            if reveal(dict(left.inputs)) == reveal(dict(self._aws.conceal(resource.token, resource.inputs))):
                return left.id, left.outputs
            self._remove(left)
            generation, _ = self._store.begin(resource.urn)
        region = region_of(resource.instance, resource.inputs)
        inputs = self._aws.conceal(resource.token, resource.inputs)
        # What was asked for before and never answered, and not swept since.
        for begun in self._store.begun(parts(resource.urn)[0], resource.urn):
            self._take_away(begun)
        self._store.note_begun(
            resource.urn, generation, {"inputs": inputs, "config": resource.instance.config}
        )
        subject = self._subject(resource, region, key=_key(resource.urn, generation))
        try:
            identity, sight = self._driver.create(row, subject)
        except CloudRefusedError as refused:
            if not refused.lost:
                self._store.drop_begun(resource.urn)
            raise RefusedError(str(refused)) from refused
        outputs = self._aws.adopt(resource, generation, identity, dict(sight.outputs))
        outputs = self._aws.conceal(resource.token, outputs)
        live = self._live(resource, region, sight)
        self._store.put(Record(resource.urn, identity, generation, False, inputs, outputs, live))  # noqa: FBT003
        return identity, outputs

    def read(self, urn: str, identity: str) -> tuple[Map, Map] | None:
        """Look a resource up; what was changed in the cloud shows in its inputs and outputs."""
        record = self._store.find(urn, identity, anywhere=True) or self._made_anew(urn, identity)
        row = _row(record)
        if record is None or row is None:
            return super().read(urn, identity)
        sight = self._look(row, record)
        if sight is None:
            return None
        changed = _changed(record, sight)
        seen = replace(record, outputs=_seen_outputs(record, sight, changed))
        inputs = drifted(seen)
        if "tagsAll" in changed:
            inputs["tags"] = seen.outputs.get("tags")
        return inputs, seen.outputs

    def _made_anew(self, urn: str, identity: str) -> Record | None:
        """The record under an id that the state was told, if the cloud has it: made anew behind Pulumi's back."""
        record = self._store.last(urn)
        row = _row(record)
        if record is None or row is None:
            return None
        moved = replace(record, id=identity)
        sight = self._look(row, moved)
        if sight is None:
            return None
        outputs = {**record.outputs, **cast("Map", dict(sight.outputs))}
        if "id" in outputs:
            outputs["id"] = identity
        moved = replace(moved, outputs=outputs)
        self._store.put(moved, instead_of=(record.urn, record.id))
        return moved

    def update(self, resource: Resource, identity: str, ignore: Collection[str] = ()) -> Map:
        """Change a resource in the cloud: what the program changed, and what others had changed of it."""
        record = self._store.find(resource.urn, identity)
        row = _row(record)
        if record is None or row is None:
            return super().update(resource, identity, ignore)
        before = self._look(row, record)
        if before is None:
            raise RefusedError(f"{identity} {_GONE}")
        given, had = _json_map(resource.inputs), _json_map(record.inputs)
        changed = {name for name in {*given, *had} if given.get(name) != had.get(name)}
        # What others changed of a property that the program leaves alone stays as they left it.
        changed |= _changed(record, before) - {generalise(path).partition(".")[0] for path in ignore}
        # What the record refuses is refused before the cloud is asked.
        self._aws.update(resource, identity, record.generation, record.outputs)
        region = _region(record)
        subject = replace(
            self._subject(resource, region),
            id=identity,
            # What others changed has a token of its own by now, which the change must name.
            outputs={**_json_map(record.outputs), **before.outputs, **_blank(had, given)},
            before=_json_map(record.outputs),
        )
        shown_tags = before.seen.get("tagsAll", fields(_json(record.outputs.get("tagsAll"))))
        try:
            sight = self._driver.update(row, subject, changed, cast("Mapping[str, str]", shown_tags))
        except CloudRefusedError as refused:
            raise RefusedError(f"{identity} {_GONE}" if refused.gone else str(refused)) from refused
        if sight is None:
            raise RefusedError(f"{identity} {_GONE}")
        shown = dict(sight.outputs)
        outputs = self._aws.readopt(resource, identity, record.generation, record.outputs, shown)
        outputs = self._aws.conceal(resource.token, outputs)
        inputs = self._aws.conceal(resource.token, resource.inputs)
        live = self._live(resource, region, sight)
        changed_record = replace(
            record, urn=resource.urn, known=True, inputs=inputs, outputs=outputs, live=live
        )
        self._store.put(changed_record, instead_of=(record.urn, record.id))
        return outputs

    def delete(self, urn: str, identity: str) -> None:
        """Delete a resource unless it protects itself or the cloud refuses."""
        record = self._store.find(urn, identity)
        if record is None or record.live is None:
            super().delete(urn, identity)
            return
        reason = self._aws.refuse_delete(parts(record.urn)[1], record.outputs)
        if reason:
            raise RefusedError(reason)
        self._remove(record)

    def sweep(self, stack: str) -> int:
        """Take away what a killed run had made in the cloud and not recorded; give how much it was.

        Raises:
            RefusedError: when the cloud gives no answer; what is left is taken away by the next run.
        """
        left = self._store.begun(stack)
        for begun in left:
            self._take_away(begun)
        return len(left)

    def _take_away(self, begun: Begun) -> None:
        instance = Instance(fields(begun.content.get("config")), "")
        resource = Resource(begun.urn, fields(begun.content.get("inputs")), instance)
        row = ROWS.get(short(resource.token))
        region = region_of(instance, resource.inputs)
        subject = self._subject(resource, region, key=_key(begun.urn, begun.generation))
        try:
            if row is not None:
                # Asked with the same key: what was made is answered, and only what was not is made, for a moment.
                identity, sight = self._driver.create(row, subject)
                self._driver.delete(row, replace(subject, id=identity, outputs=dict(sight.outputs)))
        except CloudRefusedError as refused:
            if refused.lost:
                raise RefusedError(str(refused)) from refused
            LOG.info("nothing left of %s: %s", begun.urn, refused)
        self._store.drop_begun(begun.urn)

    # Parts

    def _require(self, resource: Resource) -> None:
        """See that what a record refers to is in the cloud, as far as its type says what that is."""
        if needed := NEEDED.get(short(resource.token)):
            subject = self._subject(resource, region_of(resource.instance, resource.inputs))
            with _refused_alike():
                self._driver.require(needed, subject)

    def _remove(self, record: Record) -> None:
        row = _row(record)
        if row is not None:
            with _refused_alike():
                self._driver.delete(row, self._recorded(record))
        self._store.remove(record.urn, record.id)

    def _look(self, row: Row, record: Record) -> Sight | None:
        with _refused_alike():
            return self._driver.look(row, self._recorded(record))

    def _subject(self, resource: Resource, region: str, *, key: str = "") -> Subject:
        tags = {**default_tags(resource.instance), **fields(resource.inputs.get("tags"))}
        return Subject(
            inputs=_json_map(resource.inputs),
            tags={name: text(value) for name, value in tags.items()},
            region=region,
            account=regions.ACCOUNT,
            key=key,
        )

    @staticmethod
    def _recorded(record: Record) -> Subject:
        return Subject(
            inputs=_json_map(record.inputs),
            outputs=_json_map(record.outputs),
            region=_region(record),
            account=regions.ACCOUNT,
            id=record.id,
        )

    def _live(self, resource: Resource, region: str, sight: Sight) -> Map:
        seen = self._aws.conceal(resource.token, dict(sight.seen))
        # What was given as a secret is one in the cloud's words, too.
        hidden = {
            name: as_secret(value) for name, value in seen.items() if has_secret(resource.inputs.get(name))
        }
        return {"region": region, "seen": {**seen, **hidden}}


@contextmanager
def _refused_alike() -> Generator[None]:
    """What the cloud refuses, the provider refuses with the same words."""
    try:
        yield
    except CloudRefusedError as refused:
        raise RefusedError(str(refused)) from refused


def _key(urn: str, generation: int) -> str:
    return f"{urn}#{generation}"


def _row(record: Record | None) -> Row | None:
    """How a record's resource is kept in the cloud; none where it is in none."""
    if record is None or record.live is None:
        return None
    return ROWS.get(short(parts(record.urn)[1]))


def _region(record: Record) -> str:
    return text(fields(record.live).get("region"))


def _changed(record: Record, sight: Sight) -> set[str]:
    """Properties that the cloud shows otherwise than the last time."""
    before = fields(_json(fields(record.live).get("seen")))
    given = _json_map(record.inputs)
    return {
        name
        for name, value in before.items()
        # What is not shown any more is not there any more, if it is a property of the program's.
        if sight.seen.get(name) != value and (name in sight.seen or given.get(name) is not None)
    }


def _seen_outputs(record: Record, sight: Sight, changed: set[str]) -> Map:
    outputs: Map = dict(record.outputs)
    for name in changed - {"tagsAll"}:
        old = outputs.get(name)
        value = cast("Value", as_given(_json(old), sight.seen.get(name)))
        outputs[name] = _hidden(old, value)
    if "tagsAll" in changed:
        ours = fields(record.inputs.get("tags"))
        # What the provider adds to everything is no tag of this resource's own.
        added = {key: value for key, value in fields(outputs.get("tagsAll")).items() if key not in ours}
        live = cast("Map", sight.seen["tagsAll"])
        outputs["tagsAll"] = dict(live)
        outputs["tags"] = {key: value for key, value in live.items() if added.get(key) != value}
    return outputs


def _hidden(old: Value, value: Value) -> Value:
    """Hide in a value what was a secret before; all of it where it is not built as before."""
    if isinstance(old, dict) and isinstance(value, dict) and set(value) <= set(old):
        return {key: _hidden(old[key], item) for key, item in value.items()}
    if isinstance(old, list) and isinstance(value, list) and len(old) == len(value):
        return [_hidden(*pair) for pair in zip(old, value, strict=True)]
    return as_secret(value) if has_secret(old) else value


def _blank(had: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs that were taken away must not be found among the old outputs."""
    return dict.fromkeys(name for name in had if given.get(name) is None)


def _json_map(properties: Map) -> dict[str, Any]:
    return cast("dict[str, Any]", _json(dict(properties)))


def _json(value: Value) -> Any:
    """A value as plain JSON; assets as the engine writes them."""
    value = plain(value)
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items() if key != "__defaults"}
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, Asset):
        return {str(key): _json(cast("Value", item)) for key, item in value.fields.items()}
    return value
