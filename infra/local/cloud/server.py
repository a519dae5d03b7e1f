"""The local cloud: moto behind one port of the loopback interface, in a process that outlives the runs that use it.

It serves until it is stopped or its folder is gone. The folder gets the journal, and `cloud.json`, which says where.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import logging
import os
import random
import re
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qs

from werkzeug.serving import make_server

from infra.local.cloud.driver import KEY_HEADER
from infra.local.cloud.journal import Answer, Journal, JournalError, Request

LOG = logging.getLogger("cloud")
WHERE: Final = "cloud.json"
PORT: Final = "port"
HEALTH: Final = "/local/health"
SETTINGS: Final = {
    # Policies that AWS manages exist on AWS.
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "IAM_LOAD_MANAGED_POLICIES": "true",
    # No image is asked for, and making up 2,600 takes half a second a region.
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}
_HEADER = "HTTP_" + KEY_HEADER.upper().replace("-", "_")
_READS: Final = re.compile(
    r"(Describe|List|Get|Head|Search|Lookup|BatchGet|Query|Scan|Filter|Test|Simulate|Select)"
)
_POLL_SECONDS: Final = 2.0
Start = Callable[..., Any]
Environ = dict[str, Any]


class Cloud:
    """A WSGI application: moto with a memory. One request at a time, since moto is not made for more."""

    def __init__(self, moto: Any, journal: Journal) -> None:
        self._moto = moto
        self._journal = journal
        self._lock = threading.RLock()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer a request; write down what changed something."""
        length = environ.get("CONTENT_LENGTH") or "0"
        body = environ["wsgi.input"].read(int(length)) if length.isdigit() else b""
        environ["wsgi.input"] = io.BytesIO(body)
        key = str(environ.pop(_HEADER, ""))
        try:
            answer = self._answer(environ, body, key)
        except JournalError as problem:
            LOG.exception("the journal cannot be used")
            answer = Answer(status="500 Internal Server Error", headers=[], body=str(problem).encode())
        start(answer.status, answer.headers)
        return [answer.body]

    def _answer(self, environ: Environ, body: bytes, key: str) -> Answer:
        if environ.get("PATH_INFO") == HEALTH:
            headers = [("Content-Type", "text/plain")]
            return Answer(status="200 OK", headers=headers, body=str(self._journal.path.parent).encode())
        with self._lock:
            if environ.get("PATH_INFO") == "/moto-api/reset":
                self._journal.forget()
            if reads(environ, body):
                return self._ask(environ)
            if key and (kept := self._journal.answer(key)) is not None:
                return kept
            number = self._journal.next_number()
            seed(number)
            # Taken before: moto changes what it is given.
            texts = {name: value for name, value in environ.items() if isinstance(value, str)}
            answer = self._ask(environ)
            if int(answer.status[:3]) < 400 and not str(texts.get("PATH_INFO")).startswith("/moto-api"):
                self._journal.add(Request(environ=texts, body=body), number=number, key=key, answer=answer)
            return answer

    def _ask(self, environ: Environ) -> Answer:
        said: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            said[:] = [status, headers]

        body = b"".join(self._moto(environ, start))
        return Answer(status=said[0], headers=said[1], body=body)

    def replay(self) -> int:
        """Ask everything again that was written down; give how much it was."""
        count = 0
        with self._lock:
            for number, request in self._journal.requests():
                seed(number)
                environ: Environ = {
                    **request.environ,
                    "wsgi.input": io.BytesIO(request.body),
                    "wsgi.url_scheme": "http",
                    "wsgi.errors": sys.stderr,
                    "wsgi.multithread": True,
                    "wsgi.multiprocess": False,
                    "wsgi.run_once": False,
                    "wsgi.version": (1, 0),
                }
                answer = self._ask(environ)
                if int(answer.status[:3]) >= 400:
                    LOG.error("request %d was answered %s the second time", number, answer.status)
                count += 1
        return count


def reads(environ: Environ, body: bytes) -> bool:
    """Whether a request only asks, by the name of its operation or its method."""
    if environ.get("REQUEST_METHOD") in {"GET", "HEAD", "OPTIONS"}:
        return True
    target = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
    if not target and "x-www-form-urlencoded" in str(environ.get("CONTENT_TYPE", "")):
        target = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
    return bool(target) and _READS.match(target) is not None


def seed(number: int) -> None:
    """Make all ids of a request depend on its number only."""
    digest = hashlib.sha256(f"request {number}".encode()).digest()
    moto_random: Any = importlib.import_module("moto.moto_api._internal").mock_random
    moto_random.seed(digest)
    random.seed(digest)


def _load() -> Any:
    """Load moto, with what it answers otherwise than AWS mended."""
    os.environ.update(SETTINGS)
    moto_random: Any = importlib.import_module("moto.moto_api._internal").mock_random
    # Some of moto's modules ask Python itself for ids; those must come out the same the second time too.
    uuid.uuid4 = moto_random.uuid4
    mending: Any = importlib.import_module("infra.local.cloud.mending")
    mending.mend()
    _fix_defaults(moto_random)
    app: Any = importlib.import_module("moto.moto_server.werkzeug_app")
    return app.DomainDispatcherApplication(app.create_backend_app)


def _fix_defaults(moto_random: Any) -> None:
    """Give what a service has in a region from the beginning ids that depend on the region only.

    A service is built by whatever asks it first: also by a read, which nobody repeats.
    """
    services: Any = importlib.import_module("moto.core.base_backend").AccountSpecificBackend
    look_up = services.__getitem__

    def looked_up(self: Any, region_name: str) -> Any:
        # `in` without keys says which regions there could be; moto still calls its partition global here and there.
        if ("aws" if region_name == "global" else region_name) in self.keys():
            return look_up(self, region_name)
        states = moto_random.getstate(), random.getstate()
        moto_random.seed(f"defaults of {region_name}")
        random.seed(f"defaults of {region_name}")
        try:
            return look_up(self, region_name)
        finally:
            moto_random.setstate(states[0])
            random.setstate(states[1])

    services.__getitem__ = looked_up


def serve(folder: Path) -> int:
    """Serve until stopped; 1 when the journal cannot be used."""
    try:
        journal = Journal(folder)
        cloud = Cloud(_load(), journal)
        count = cloud.replay()
    except JournalError as problem:
        (folder / WHERE).unlink(missing_ok=True)
        sys.stderr.write(f"{problem}\n")
        return 1
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", _port(folder), cloud, threaded=True)
    ended = threading.Event()

    def end(*_: object) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    where = folder / WHERE
    draft = where.with_suffix(".new")
    (folder / PORT).write_text(str(server.server_port))
    draft.write_text(json.dumps({"pid": os.getpid(), "port": server.server_port, "replayed": count}))
    draft.replace(where)
    while not ended.wait(_POLL_SECONDS) and (folder / WHERE).exists():
        pass
    server.shutdown()
    journal.close()
    _leave(where)
    return 0


def _port(folder: Path) -> int:
    """The port of the time before, so that endpoint variables stay right, unless somebody has it."""
    try:
        wanted = int((folder / PORT).read_text())
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", wanted))
            return wanted
    except (OSError, ValueError):
        return 0


def _leave(where: Path) -> None:
    """Take the sign down, if it is ours."""
    try:
        if cast("dict[str, int]", json.loads(where.read_text()))["pid"] == os.getpid():
            where.unlink()
    except (OSError, ValueError, KeyError):
        return
