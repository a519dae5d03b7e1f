"""What the kubelets of fake nodes say: that bound pods run and are ready, that jobs end, that deleted pods are gone."""

from __future__ import annotations

import heapq
import http
import http.client
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from infra.local.cluster.client import ApiError, Client, Json, Watch

LOG = logging.getLogger(__name__)
_WATCH_SECONDS = 300
_RETRY_SECONDS = 0.2
_WORKERS = 4
_POD_NETWORK = "100.64"
_GONE = (http.HTTPStatus.NOT_FOUND, http.HTTPStatus.CONFLICT)


def _always(_pod: Json) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How pods behave.

    Attributes:
        ready_seconds: From being bound to being ready. Nought hides what a disruption budget protects.
        stop_seconds: From being told to end to being gone.
        is_ready: Whether a pod that runs is ready; a test may let some never be.
    """

    ready_seconds: float = 0.0
    stop_seconds: float = 0.0
    is_ready: Callable[[Json], bool] = _always


@dataclass(order=True)
class _Due:
    at: float
    order: int
    pod: Json = field(compare=False)


class FakeKubelet:
    """Follows all pods that are bound to a node and acts for the node's kubelet.

    It works on what it sees, whole lists included, so a lost connection or a missed event loses no pod.

    Args:
        client: The administrator's.
        behaviour: How pods behave; may be changed while it runs.
    """

    def __init__(self, client: Client, *, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self._client = client
        self._ended = threading.Event()
        self._queue: list[_Due] = []
        self._waiting: set[tuple[str, str]] = set()
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._numbers = itertools.count(1)
        self._addresses: dict[str, str] = {}
        self._watch: Watch | None = None
        self._threads = [threading.Thread(target=self._follow, name="kubelet-watch", daemon=True)]
        self._threads += [
            threading.Thread(target=self._work, name=f"kubelet-{number}", daemon=True)
            for number in range(_WORKERS)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop following."""
        self._ended.set()
        self.reconnect()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def reconnect(self) -> None:
        """Break the connection it follows pods by, as a server or a network does; it connects anew."""
        if self._watch is not None:
            self._watch.interrupt()

    # Following

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                self._follow_once()
            except (ApiError, OSError, http.client.HTTPException, ValueError) as error:
                if not self._ended.is_set():
                    LOG.debug("pods are listed anew: %s", error)
            self._ended.wait(_RETRY_SECONDS)

    def _follow_once(self) -> None:
        """List, then watch until the version is too old or the connection breaks; a list follows either."""
        bound = {"fieldSelector": "spec.nodeName!="}
        listed = self._client.request("GET", "/api/v1/pods", query=bound)
        for pod in listed["items"]:
            self._consider(pod)
        version = str(listed["metadata"]["resourceVersion"])
        while not self._ended.is_set():
            query = {**bound, "resourceVersion": version, "timeoutSeconds": str(_WATCH_SECONDS)}
            self._watch = self._client.watch("/api/v1/pods", query=query)
            try:
                for event in self._watch:
                    if event["type"] == "ERROR":
                        LOG.debug("the watch ended: %s", event["object"].get("message"))
                        return
                    version = str(event["object"]["metadata"]["resourceVersion"])
                    if event["type"] in {"ADDED", "MODIFIED"}:
                        self._consider(event["object"])
            finally:
                self._watch.close()

    def _consider(self, pod: Json) -> None:
        metadata, status = pod["metadata"], pod.get("status", {})
        if metadata.get("deletionTimestamp"):
            self._later(pod, todo="end", seconds=self.behaviour.stop_seconds)
        elif status.get("phase", "Pending") == "Pending":
            self._later(pod, todo="run", seconds=self.behaviour.ready_seconds)

    def _later(self, pod: Json, *, todo: str, seconds: float) -> None:
        key = (str(pod["metadata"]["uid"]), todo)
        with self._changed:
            if key in self._waiting:
                return
            self._waiting.add(key)
            heapq.heappush(self._queue, _Due(time.monotonic() + seconds, next(self._order), pod))
            self._changed.notify()

    # Acting

    def _work(self) -> None:
        while (due := self._next()) is not None:
            pod = due.pod
            todo = "end" if pod["metadata"].get("deletionTimestamp") else "run"
            again = False
            try:
                if todo == "end":
                    self._end(pod)
                else:
                    self._run(pod)
            except ApiError as error:
                again = error.code not in _GONE
            except (OSError, http.client.HTTPException):
                again = True
            with self._changed:
                self._waiting.discard((str(pod["metadata"]["uid"]), todo))
            if again and not self._ended.is_set():
                self._later(pod, todo=todo, seconds=_RETRY_SECONDS)

    def _next(self) -> _Due | None:
        with self._changed:
            while not self._ended.is_set():
                wait = self._queue[0].at - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._queue)
                self._changed.wait(wait)
        return None

    def _end(self, pod: Json) -> None:
        metadata = pod["metadata"]
        self._client.request(
            "DELETE",
            f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}",
            body={
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "gracePeriodSeconds": 0,
                "preconditions": {"uid": metadata["uid"]},
            },
        )

    def _run(self, pod: Json) -> None:
        address = self._address_of(str(pod["metadata"]["uid"]))
        ready = self.behaviour.is_ready(pod)
        status = finished_status(pod) if _is_job(pod) else running_status(pod, address=address, ready=ready)
        # The same uid: a patch of another pod by the same name is refused.
        change = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        self._client.patch(_identified(pod), change, subresource="status", strategic=True)

    def _address_of(self, uid: str) -> str:
        """An address of its own for every pod, and the same one however often it is looked at."""
        with self._changed:
            if uid not in self._addresses:
                number = next(self._numbers)
                self._addresses[uid] = f"{_POD_NETWORK}.{number // 250 % 250}.{number % 250 + 1}"
            return self._addresses[uid]


def running_status(pod: Json, *, address: str, ready: bool) -> Json:
    """The status of a pod whose containers run; its readiness gates are met with its readiness."""
    now = _now()
    gates = [str(gate["conditionType"]) for gate in _entries(pod, "readinessGates")]
    word = "True" if ready else "False"
    conditions = [("PodReadyToStartContainers", "True"), ("Initialized", "True")]
    conditions += [(kind, word) for kind in ("ContainersReady", "Ready", *gates)]
    return {
        "phase": "Running",
        "startTime": now,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [_condition(kind, status, now) for kind, status in conditions],
        "containerStatuses": [
            _container(item, ready=ready, state={"running": {"startedAt": now}})
            for item in pod["spec"]["containers"]
        ],
        "initContainerStatuses": [_initial(item, now) for item in _entries(pod, "initContainers")],
    }


def finished_status(pod: Json) -> Json:
    """The status of a pod that did its work and ended well."""
    now = _now()
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
    return {
        "phase": "Succeeded",
        "startTime": now,
        "conditions": [
            _condition(kind, status, now)
            for kind, status in (("Initialized", "True"), ("ContainersReady", "False"), ("Ready", "False"))
        ],
        "containerStatuses": [
            _container(item, ready=False, state=ended) for item in pod["spec"]["containers"]
        ],
    }


def _entries(pod: Json, name: str) -> list[Json]:
    return cast("list[Json]", pod["spec"].get(name) or [])


def _identified(pod: Json) -> Json:
    """A pod of a list, whose items do not say their kind."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": pod["metadata"]}


def _is_job(pod: Json) -> bool:
    return pod["spec"].get("restartPolicy", "Always") != "Always"


def _condition(kind: str, status: str, now: str) -> Json:
    return {"type": kind, "status": status, "lastTransitionTime": now}


def _initial(container: Json, now: str) -> Json:
    """An init container: done, or running beside the others when it restarts always (a sidecar)."""
    if container.get("restartPolicy") == "Always":
        return _container(container, ready=True, state={"running": {"startedAt": now}})
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}
    return _container(container, ready=True, state={"terminated": ended})


def _container(container: Json, *, ready: bool, state: Json) -> Json:
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": ready,
        "started": "running" in state,
        "restartCount": 0,
        "state": state,
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
