"""A small client of the Kubernetes API over plain HTTP: what tests and stand-ins need, and quick to import."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

Json = dict[str, Any]
"""An object as the API has it."""

MANAGER = "pulumi-local"
"""Field manager of what is applied, unless a caller has its own."""

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
_SECONDS = 60.0
_FIRST_ERROR = 400


class ApiError(Exception):
    """The API server refused a request.

    Attributes:
        code: HTTP status.
        reason: The API's word for it, e.g. `NotFound`.
        message: What it says.
    """

    def __init__(self, *, code: int, reason: str, message: str) -> None:
        super().__init__(f"{message} ({code} {reason})")
        self.code = code
        self.reason = reason
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Where the objects of a kind are.

    Attributes:
        api_version: Group and version, e.g. `apps/v1`.
        plural: Name in paths.
        namespaced: Whether its objects are in namespaces.
    """

    api_version: str
    plural: str
    namespaced: bool

    def path(self, *, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Path of an object, or of all objects of a namespace or the cluster."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        middle = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        parts = [root + middle, self.plural, name, subresource]
        return "/".join(part for part in parts if part)


@dataclass(frozen=True, kw_only=True)
class Access:
    """How to reach an API server.

    Attributes:
        host: Its address.
        port: Its port.
        ca: File of the authority that signed its certificate.
        token: Bearer token of a user.
    """

    host: str
    port: int
    ca: Path
    token: str = field(repr=False)


class Client:
    """Requests as one user; safe to share between threads. Connections are kept for the next request.

    Args:
        access: The server and the user.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self._tls = ssl.create_default_context(cafile=str(access.ca))
        self._idle: list[http.client.HTTPSConnection] = []
        self._lock = threading.Lock()
        self._closed = False
        self._kinds: dict[tuple[str, str], Kind] = {}

    # Objects

    def apply(
        self, item: Mapping[str, Any], *, manager: str = MANAGER, force: bool = True, dry_run: bool = False
    ) -> Json:
        """Create or change an object by server-side apply; an unknown or repeated field is refused.

        Args:
            item: The object, with `apiVersion`, `kind` and `metadata.name`.
            manager: Who owns the fields.
            force: Take over fields that others own.
            dry_run: Check only.

        Raises:
            ApiError: The server refuses it.
        """
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": str(force).lower()}
        if dry_run:
            query["dryRun"] = "All"
        return self.request("PATCH", self.path_of(item), query=query, body=item, content_type=_APPLY)

    def create(self, item: Mapping[str, Any]) -> Json:
        """Create an object; a name that is taken or an unknown field is refused."""
        path = self.path_of(item).removesuffix(f"/{name_of(item)}")
        return self.request("POST", path, query={"fieldValidation": "Strict"}, body=item)

    def get(self, api_version: str, kind: str, name: str, *, namespace: str = "") -> Json | None:
        """An object, or None where there is none."""
        try:
            return self.request("GET", self.kind(api_version, kind).path(namespace=namespace, name=name))
        except ApiError as error:
            if error.code == http.HTTPStatus.NOT_FOUND:
                return None
            raise

    def list(
        self, api_version: str, kind: str, *, namespace: str = "", labels: str = "", fields: str = ""
    ) -> list[Json]:
        """Objects of a namespace, or of all.

        Args:
            api_version: Group and version.
            kind: The kind.
            namespace: Only there.
            labels: Label selector.
            fields: Field selector.
        """
        query = {
            name: value for name, value in (("labelSelector", labels), ("fieldSelector", fields)) if value
        }
        listed = self.request("GET", self.kind(api_version, kind).path(namespace=namespace), query=query)
        # The items of a list leave out what the list says.
        said = {"apiVersion": api_version, "kind": kind}
        return [{**said, **item} for item in cast("list[Json]", listed.get("items") or [])]

    def delete(
        self, api_version: str, kind: str, name: str, *, namespace: str = "", grace_seconds: int | None = None
    ) -> None:
        """Delete an object; one that is gone is no error."""
        body: Json = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        try:
            path = self.kind(api_version, kind).path(namespace=namespace, name=name)
            self.request("DELETE", path, body=body)
        except ApiError as error:
            if error.code != http.HTTPStatus.NOT_FOUND:
                raise

    def patch(
        self,
        item: Mapping[str, Any],
        change: Mapping[str, Any],
        *,
        subresource: str = "",
        strategic: bool = False,
    ) -> Json:
        """Merge a change into an object, or into one of its subresources such as `status` or `scale`."""
        path = "/".join(part for part in (self.path_of(item), subresource) if part)
        return self.request("PATCH", path, body=change, content_type=_STRATEGIC if strategic else _MERGE)

    def evict(self, pod: Mapping[str, Any]) -> None:
        """Evict a pod as a drain does.

        Raises:
            ApiError: With code 429 where a disruption budget forbids it.
        """
        metadata = pod["metadata"]
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        }
        self.request("POST", f"{self.path_of(pod)}/eviction", body=eviction)

    # Kinds

    def kind(self, api_version: str, kind: str) -> Kind:
        """Where a kind's objects are.

        Raises:
            ApiError: The server has no such kind.
        """
        key = (api_version, kind)
        if key not in self._kinds:
            self._discover(api_version)
        if key not in self._kinds:
            message = f'no matches for kind "{kind}" in version "{api_version}"'
            raise ApiError(code=http.HTTPStatus.NOT_FOUND, reason="NoKindMatch", message=message)
        return self._kinds[key]

    def _discover(self, api_version: str) -> None:
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            found = self.request("GET", path)
        except ApiError as error:
            if error.code == http.HTTPStatus.NOT_FOUND:
                return
            raise
        for resource in found["resources"]:
            if "/" not in resource["name"]:
                self._kinds[api_version, resource["kind"]] = Kind(
                    api_version=api_version, plural=resource["name"], namespaced=resource["namespaced"]
                )

    def path_of(self, item: Mapping[str, Any]) -> str:
        """Path of an object."""
        kind = self.kind(item["apiVersion"], item["kind"])
        namespace = str(item["metadata"].get("namespace") or "default")
        return kind.path(namespace=namespace, name=name_of(item))

    # Requests

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """Make a request and return its answer.

        Raises:
            ApiError: The server refuses it.
            OSError: The server does not answer.
        """
        target = f"{path}?{urlencode(query)}" if query else path
        content = None if body is None else json.dumps(body).encode()
        status, answer = self._exchange(method, target, content, content_type)
        return _check(status, answer)

    def _exchange(self, method: str, target: str, content: bytes | None, kind: str) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.access.token}", "Content-Type": kind}
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        connection = kept or self._connect(seconds=_SECONDS)
        try:
            connection.request(method, target, body=content, headers=headers)
            response = connection.getresponse()
            answer = response.read()
        except (ConnectionError, ssl.SSLEOFError):
            connection.close()
            if kept is None:
                raise
            # The server closes connections that were idle for long; this request never reached it.
            return self._exchange(method, target, content, kind)
        except BaseException:
            connection.close()
            raise
        with self._lock:
            keep = not (response.will_close or self._closed)
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()
        return response.status, answer

    def close(self) -> None:
        """Close the kept connections; requests that are under way or come later keep none."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    def _connect(self, *, seconds: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            self.access.host, self.access.port, timeout=seconds, context=self._tls
        )

    def watch(self, path: str, *, query: Mapping[str, str]) -> Watch:
        """Watch from a resource version until the server ends it, in a connection of its own.

        Args:
            path: Path of a list.
            query: `resourceVersion`, selectors, `timeoutSeconds`.

        Raises:
            ApiError: The server refuses the watch.
            OSError: The server does not answer.
        """
        connection = self._connect(seconds=float(query.get("timeoutSeconds", _SECONDS)) + _SECONDS)
        target = f"{path}?{urlencode({**query, 'watch': 'true', 'allowWatchBookmarks': 'true'})}"
        try:
            connection.request("GET", target, headers={"Authorization": f"Bearer {self.access.token}"})
            response = connection.getresponse()
            _check(response.status, b"" if response.status < _FIRST_ERROR else response.read())
        except BaseException:
            connection.close()
            raise
        return Watch(connection, response)


class Watch:
    """Events of a list, as they come."""

    def __init__(self, connection: http.client.HTTPSConnection, response: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._response = response
        self._socket = cast("socket.socket", connection.sock)

    def __iter__(self) -> Iterator[Json]:
        """The events, those of type ERROR too, until the server ends the watch.

        Raises:
            OSError: The connection broke.
            http.client.HTTPException: The connection broke in the middle of an event.
        """
        for line in self._response:
            if line.strip():
                yield json.loads(line)

    def interrupt(self) -> None:
        """Let its reader, in whatever thread, come to the end."""
        with suppress(OSError):
            # Below TLS, whose state belongs to the reader.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; for the reader itself."""
        self._response.close()
        self._connection.close()


def name_of(item: Mapping[str, Any]) -> str:
    """An object's name."""
    return str(item["metadata"]["name"])


def _check(status: int, answer: bytes) -> Json:
    """The content of an answer; a refusal is raised."""
    parsed = _parsed(answer)
    if status >= _FIRST_ERROR:
        raise ApiError(
            code=status,
            reason=str(parsed.get("reason") or http.HTTPStatus(status).phrase),
            message=str(parsed.get("message") or answer.decode(errors="replace").strip()),
        )
    return parsed


def _parsed(answer: bytes) -> Json:
    with suppress(ValueError):
        parsed = json.loads(answer)
        if isinstance(parsed, dict):
            return cast("Json", parsed)
    return {}
