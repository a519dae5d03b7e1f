"""Makes, shows, changes and deletes resources in the cloud, as the rows say."""

from __future__ import annotations

import functools
import json
import re
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import boto3
import jmespath
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.response import StreamingBody

from infra.local.cloud import taggers
from infra.local.cloud.refusals import CloudRefusedError
from infra.local.cloud.requests import NOT_CARRIED, TAGS, fill, tag_argument, translate
from infra.local.cloud.rows import Call, Each, Needed, Path, Row

Json = Any
KEY_HEADER: Final = "X-Local-Key"
"""Carries the key of a creation: what was made under a key before is answered again, not made twice."""
_CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5, read_timeout=60, max_pool_connections=32,
    parameter_validation=True,
)  # fmt: skip
_GONE: Final = re.compile(
    r"NotFound|NoSuch|NotExist|DoesNotExist|Nonexist|ResourceNotFound|(^|\.)404$|Unknown\w*(Exception|Fault)$"
)
_ANY: Final = "\0"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A resource in one operation.

    Attributes:
        inputs: Its inputs, plain.
        outputs: Its outputs as far as they are known, plain.
        tags: Its tags with the provider's.
        region: Where it is.
        account: The account's number.
        id: Pulumi's id, once there is one.
        key: Unlike for each creation.
        before: Its outputs before a change, with what the change takes away.
    """

    inputs: Mapping[str, Json]
    outputs: Mapping[str, Json] = field(default_factory=dict[str, Json])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    region: str
    account: str
    id: str = ""
    key: str = ""
    before: Mapping[str, Json] = field(default_factory=dict[str, Json])

    def values(self) -> dict[str, Json]:
        """What placeholders stand for."""
        given = {name: value for name, value in self.inputs.items() if value is not None}
        known = {"account": self.account, "token": self.key, "old": self.before or self.outputs}
        found = {"region": self.region, **self.outputs, **given, **known}
        if self.tags:
            found["tagList"] = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        if self.key:
            found["digits"] = str(zlib.crc32(self.key.encode()))
        found["setSuffix"] = f"_{given['setIdentifier']}" if given.get("setIdentifier") else ""
        return {**found, "id": self.id} if self.id else found


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What the cloud shows of a resource.

    Attributes:
        outputs: Outputs that AWS makes up.
        seen: Properties as the cloud has them, in the cloud's own words: kept, to be compared later.
    """

    outputs: Mapping[str, Json]
    seen: Mapping[str, Json]


class Driver:
    """Talks to the cloud; safe for threads."""

    def __init__(self, endpoint: str, key: str) -> None:
        self._endpoint = endpoint
        self._access = key
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._local = threading.local()

    def client(self, service: str, region: str) -> Any:
        """A client of a service in a region."""
        with self._lock:
            found = self._clients.get((service, region))
            if found is None:
                found = self._session().client(
                    service, region_name=region, endpoint_url=self._endpoint, config=_CONFIG
                )
                found.meta.events.register("before-sign", self._sign)
                self._clients[service, region] = found
            return found

    @functools.cached_property
    def _made(self) -> Any:
        # boto3 ships without complete types.
        make: Callable[..., Any] = vars(boto3)["Session"]
        return make(aws_access_key_id=self._access, aws_secret_access_key=self._access)

    def _session(self) -> Any:
        return self._made

    def _sign(self, request: Any, **_: object) -> None:
        if key := getattr(self._local, "key", ""):
            request.headers[KEY_HEADER] = key

    # Operations

    def create(self, row: Row, subject: Subject) -> tuple[str, Sight]:
        """Make a resource; give its id and what the cloud shows of it.

        What was made of it is deleted again when a later call of the row is refused.

        Raises:
            CloudRefusedError: when a call is refused.
        """
        calls = [call for call in row.create if _applies(call, _known(subject), dict(subject.inputs))]
        if not calls:
            raise CloudRefusedError(
                "nothing to ask the cloud for: none of the properties it is made by is given"
            )
        answer = self._call(row, calls[0], subject, key=subject.key)
        identity = _identity(row, answer, subject)
        made = _with(subject, identity, _picked(row.outputs, answer))
        try:
            for number, call in enumerate(calls[1:], 1):
                self._call(row, call, made, key=f"{subject.key}/{number}")
            sight = self.look(row, made, answer)
            also = {
                name: jmespath.search(path, self._call(row, call, made))
                for name, (call, path) in row.also.items()
            }
        except CloudRefusedError:
            self.delete(row, made)
            raise
        if sight is None:
            raise CloudRefusedError("the cloud made it and does not show it")
        return identity, replace(sight, outputs={**sight.outputs, **also})

    def require(self, needed: Iterable[Needed], subject: Subject) -> None:
        """See that what a resource refers to is there.

        Raises:
            CloudRefusedError: when something is not.
        """
        for one in needed:
            row = Row(service=one.call.service, create=(), id="")
            items: list[Json] = subject.inputs.get(one.each) or [] if one.each else [""]
            for item in items:
                asked = replace(subject, outputs={**subject.outputs, "item": item})
                if not _applies(one.call, _known(asked), {}):
                    continue
                try:
                    self._call(row, one.call, asked)
                except CloudRefusedError as refused:
                    if refused.gone and one.says:
                        raise CloudRefusedError(one.says, gone=True) from refused
                    raise

    def look(self, row: Row, subject: Subject, answer: Json = None) -> Sight | None:
        """See what the cloud has; None where it is gone.

        Args:
            row: The type's.
            subject: The resource.
            answer: What creation answered, for types that cannot be read.
        """
        if row.read is None:
            return Sight(outputs=_picked(row.outputs, answer), seen={})
        try:
            said = self._call(row, row.read, subject)
        except CloudRefusedError as refused:
            if refused.gone:
                return None
            raise
        found = jmespath.search(_filled(row.found, subject), said)
        if not found:
            return None
        outputs, seen = _picked(row.outputs, found), self._seen(row, subject, found)
        known = replace(subject, outputs={**subject.outputs, **outputs})
        seen |= self._shown(row, known)
        if row.tags:
            tags = taggers.tags_of(found)
            if (shown := self._tags(row, known) if tags is None else tags) is not None:
                seen["tagsAll"] = shown
        return Sight(outputs=outputs, seen=seen)

    def _shown(self, row: Row, subject: Subject) -> dict[str, Json]:
        """What calls of their own show of the properties that the program gave; each call is made once."""
        said: dict[int, Json] = {}
        seen: dict[str, Json] = {}
        for name, (call, path) in row.shows.items():
            if subject.inputs.get(name) is None:
                continue
            if id(call) not in said:
                said[id(call)] = self._call(row, call, subject)
            seen[name] = _plain(jmespath.search(path, said[id(call)]))
        return seen

    def _tags(self, row: Row, subject: Subject) -> dict[str, str] | None:
        """The tags of what is described without them."""
        tagger, named = _tagging(row, subject)
        if tagger is None or not tagger.shows or not named:
            return None
        client = self.client(row.service, row.region or subject.region)
        said = self._ask(client, tagger.shows, tagger.named(named))
        return taggers.tags_of({"Tags": jmespath.search(tagger.found, said) or {}})

    @staticmethod
    def _seen(row: Row, subject: Subject, found: Json) -> dict[str, Json]:
        seen: dict[str, Json] = {}
        blind = row.blind.split()
        if isinstance(found, dict):
            members = {name.lower(): value for name, value in cast("dict[str, Json]", found).items()}
            for name in subject.inputs:
                if name in NOT_CARRIED or name in blind:
                    continue
                called = (row.names.get(name) or name).lower()
                if called in members and not isinstance(members[called], bytes):
                    seen[name] = _plain(members[called])
        for name, path in row.sees.items():
            seen[name] = _plain(jmespath.search(path, found))
        return seen

    def update(
        self, row: Row, subject: Subject, changed: set[str], old_tags: Mapping[str, str]
    ) -> Sight | None:
        """Change a resource; give what the cloud shows of it then, None where it is gone.

        Args:
            row: The type's.
            subject: The resource with its new inputs.
            changed: Properties that differ.
            old_tags: The tags it had.

        Raises:
            CloudRefusedError: when a call is refused.
        """
        for call in row.update:
            if _applies(call, _known(subject), dict.fromkeys(changed, _ANY)):
                self._call(row, call, subject)
        self._retag(row, subject, old_tags)
        return self.look(row, subject)

    def _retag(self, row: Row, subject: Subject, old: Mapping[str, str]) -> None:
        tagger, named = _tagging(row, subject)
        if tagger is None or not named or dict(subject.tags) == dict(old):
            return
        gone = [key for key in old if key not in subject.tags]
        client = self.client(row.service, row.region or subject.region)
        if subject.tags:
            self._ask(client, tagger.put, tagger.put_arguments(named, subject.tags))
        if gone:
            self._ask(client, tagger.remove, tagger.remove_arguments(named, gone))

    def delete(self, row: Row, subject: Subject) -> None:
        """Delete a resource; one that is gone is no error.

        Raises:
            CloudRefusedError: when the cloud refuses.
        """
        for call in row.delete:
            if not _applies(call, _known(subject), dict(subject.inputs)):
                continue
            try:
                self._call(row, call, subject)
            except CloudRefusedError as refused:
                if not refused.gone:
                    raise

    # Calls

    def _call(self, row: Row, call: Call, subject: Subject, *, key: str = "") -> Json:
        client = self.client(call.service or row.service, row.region or subject.region)
        if call.each is not None:
            return self._call_each(row, call, call.each, subject, client)
        arguments = self._arguments(row, call, subject, client)
        self._local.key = key
        try:
            return self._ask(client, call.operation, arguments, tolerated=call.tolerates)
        finally:
            self._local.key = ""

    def _call_each(self, row: Row, call: Call, each: Each, subject: Subject, client: Any) -> Json:
        """Lists come in pages: the call is made until nothing is left, or until it changes nothing any more."""
        said: Json = {}
        items: Json = None
        while (left := self._listed(each, subject, client)) and left != items:
            items = left
            made = replace(subject, outputs={**subject.outputs, "items": items})
            said = self._call(row, replace(call, each=None), made)
        return said

    def _listed(self, each: Each, subject: Subject, client: Any) -> Json:
        said = self._ask(client, each.operation, fill(dict(each.given), subject.values()))
        return _plain(jmespath.search(_filled(each.path, subject), said))

    def _arguments(self, row: Row, call: Call, subject: Subject, client: Any) -> dict[str, Json]:
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[call.operation])
        arguments: dict[str, Json] = {}
        if call.carries:
            only = call.carries.split() if isinstance(call.carries, str) else None
            inputs = {name: value for name, value in subject.inputs.items() if only is None or name in only}
            shape = model.input_shape.members[call.inside] if call.inside else model.input_shape
            written = translate(shape, inputs, row.names)
            arguments = {call.inside: written} if call.inside else written
        if call.carries is True and call in row.create:
            arguments |= tag_argument(model.input_shape, subject.tags, row.tag_type)
        given = {name: fill(value, subject.values()) for name, value in call.given.items()}
        for name, value in given.items():
            if value is None:
                continue
            held = arguments.get(name)
            # What is given lies over what was translated, also inside.
            arguments[name] = (
                {**held, **value} if isinstance(held, dict) and isinstance(value, dict) else value
            )
        if not subject.tags:
            # A specification of no tags is refused.
            arguments.pop("TagSpecifications", None)
        if call.finish is not None:
            call.finish(arguments, subject.values())
        return arguments

    @staticmethod
    def _ask(client: Any, operation: str, arguments: Mapping[str, Json], *, tolerated: str = "") -> Json:
        try:
            return getattr(client, operation)(**arguments)
        except ClientError as error:
            details = cast("Mapping[str, Any]", vars(error)["response"]["Error"])
            code = str(details.get("Code", "error"))
            if code in tolerated.split():
                return {}
            said = str(details.get("Message") or "no reason given")
            if code in {"500", "InternalFailure"} or "Traceback" in said:
                said = f"the local cloud failed at {operation}: {said.strip().splitlines()[-1]}"
            raise CloudRefusedError(f"{code}: {said}", gone=bool(_GONE.search(code))) from error
        except (NoConnectionError, HTTPClientError) as error:
            raise CloudRefusedError(
                f"the local cloud gave no answer to {operation} ({type(error).__name__}): run the command again; it "
                "starts the cloud, takes away what is half made and goes on",
                lost=True,
            ) from error
        except BotoCoreError as error:
            raise CloudRefusedError(f"{type(error).__name__}: {error}") from error


def _tagging(row: Row, subject: Subject) -> tuple[taggers.Tagger | None, str]:
    """Who tags resources of a row's service, and what this one is called there; empty: it has no tags."""
    return taggers.TAGGERS.get(row.service), str(fill(row.tags, subject.values()) or "")


def _filled(path: str, subject: Subject) -> str:
    """A path with its placeholders filled in; the braces of JMESPath's own hold more than a name."""
    return re.sub(r"\{(\w[\w.]*)\}", lambda match: str(fill(match[0], subject.values()) or ""), path)


def _applies(call: Call, inputs: Mapping[str, Json], among: Mapping[str, Json]) -> bool:
    if any(inputs.get(name) is not None for name in call.unless.split()):
        return False
    if not all(_holds(condition, inputs) for condition in call.needs.split()):
        return False
    names = call.when.split()
    return not names or any(among.get(name) is not None for name in names)


def _known(subject: Subject) -> dict[str, Json]:
    """What a call's conditions look at: what the program gave, and the tags with the provider's."""
    return {**subject.inputs, "tagList": list(subject.tags) or None}


def _holds(condition: str, inputs: Mapping[str, Json]) -> bool:
    name, separator, wanted = condition.partition("=")
    value = inputs.get(name)
    return json.dumps(value) == wanted if separator else value not in (None, "", [])


def _identity(row: Row, answer: Json, subject: Subject) -> str:
    if callable(row.id):
        return row.id(answer)
    if "{" in row.id:
        values = {**_picked(row.outputs, answer), **subject.values()}
        return str(fill(row.id, values) or "")
    return str(jmespath.search(row.id, answer) or "")


def _with(subject: Subject, identity: str, outputs: Mapping[str, Json]) -> Subject:
    return Subject(
        inputs=subject.inputs,
        outputs={**subject.outputs, **outputs},
        tags=subject.tags,
        region=subject.region,
        account=subject.account,
        id=identity,
        key=subject.key,
    )


def _picked(paths: Mapping[str, Path], found: Json) -> dict[str, Json]:
    values = {
        name: _plain(path(found) if callable(path) else jmespath.search(path, found))
        for name, path in paths.items()
        if found is not None
    }
    return {name: value for name, value in values.items() if value is not None}


def _plain(value: Json) -> Json:
    """JSON of an answer; moments and bytes as text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in cast("dict[str, Json]", value).items()}
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Json]", value)]
    if isinstance(value, bytes | StreamingBody):
        content = value if isinstance(value, bytes) else cast("bytes", cast("Any", value).read())
        return content.decode(errors="replace")
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def properties(row: Row) -> Iterator[str]:
    """Properties whose changes a row's updates carry."""
    for call in row.update:
        yield from call.when.split()
    yield from TAGS
