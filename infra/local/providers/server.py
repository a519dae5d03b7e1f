"""Starts and stops the stand-ins: four ports, one line of JSON, then service until the caller is gone."""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO, cast

import grpc

from infra.local import environment
from infra.local.cloud import runs
from infra.local.home import CLUSTERS
from infra.local.providers import faults, sdk, wire
from infra.local.providers.aws.plugin import AwsPlugin
from infra.local.providers.backend import Backend, RecordBackend
from infra.local.providers.kubernetes.apiserver import ApiServerBackend
from infra.local.providers.kubernetes.plugin import KubernetesPlugin
from infra.local.providers.plugin import Plugin, RefusedError
from infra.local.providers.randomness import RandomPlugin
from infra.local.providers.servicer import Servicer
from infra.local.providers.store import Store
from infra.local.value_checks.judge import Judge, memory_folder
from infra.redaction import Known

LOG = logging.getLogger("providers")
ACCESS_KEY = "local"
# 400 MB, as the engine and the SDKs allow: a large chart's values exceed gRPC's default of 4 MB.
MESSAGE_LIMIT = 400 * 1024 * 1024
OPTIONS = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.so_reuseport", 0)]


def serve(plugin: Plugin, store: Store, rules: list[faults.Fault], known: Known) -> tuple[grpc.Server, int]:
    """Serve one plug-in on a free port of the loopback interface; what it sees to be secret becomes known."""
    server = grpc.server(ThreadPoolExecutor(max_workers=32), options=OPTIONS)
    servicer = Servicer(plugin, _backend(plugin, store), rules, known)
    wire.provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def _backend(plugin: Plugin, store: Store) -> Backend:
    """Records, and behind them the cloud and the clusters that run on this machine."""
    endpoint = os.environ.get(runs.URL)
    if isinstance(plugin, AwsPlugin) and endpoint:
        return _cloud(plugin, store, endpoint)
    if isinstance(plugin, KubernetesPlugin):
        return ApiServerBackend(plugin, store, clusters=store.path.parent.parent / CLUSTERS)
    return RecordBackend(plugin, store)


def _cloud(plugin: AwsPlugin, store: Store, endpoint: str) -> Backend:
    """The cloud, without what a killed run left in it half made."""
    # boto3 and its models take a second to load, which runs without a cloud need not spend.
    backends: Any = importlib.import_module("infra.local.providers.cloud_backend")
    drivers: Any = importlib.import_module("infra.local.cloud.driver")
    backend = backends.CloudBackend(plugin, store, drivers.Driver(endpoint, ACCESS_KEY))
    stack = os.environ.get(runs.STACK)
    if stack:
        try:
            backend.sweep(stack)
        except RefusedError as refused:
            # Kept for the next time; what is made under the same name takes it away first.
            LOG.warning("what a killed run left half made is still there: %s", refused)
    return cast("Backend", backend)


def start_components() -> subprocess.Popen[str]:
    """Start the eks stand-in in a process of its own: components run in the SDK's one global runtime."""
    return subprocess.Popen(
        [sys.executable, "-m", "infra.local.providers.eks"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A terminal's Ctrl-C reaches the whole process group; the engine still needs the stand-ins to clean up.
        start_new_session=True,
    )


def wait_for_end(source: TextIO, parent: int | None) -> threading.Event:
    """Return an event that is set on SIGTERM, on the end of standard input or when the parent is gone."""
    ended = threading.Event()

    def read() -> None:
        while source.read(4096):
            pass
        ended.set()

    def end(number: int, frame: object) -> None:
        del number, frame
        ended.set()

    def watch() -> None:
        while not ended.wait(0.5):
            if not _is_alive(parent):
                ended.set()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=read, daemon=True).start()
    if parent is not None:
        threading.Thread(target=watch, daemon=True).start()
    return ended


def _is_alive(process: int | None) -> bool:
    if process is None:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def warm_up(store: Store) -> None:
    """Read the schemas of the types that have records while the engine is still starting the program."""

    def read() -> None:
        for token in store.types():
            try:
                sdk.schema(token)
            except Exception:  # noqa: BLE001 - only an optimisation; the type's own check says what is wrong
                LOG.debug("cannot read the schema of %s ahead", token)

    threading.Thread(target=read, daemon=True).start()


def run(state: Path, parent: int | None, known: Known) -> int:
    """Serve until the caller is gone."""
    store = Store(state, passphrase=environment.passphrase(os.environ))
    rules = faults.parse()
    judge = Judge(memory_folder(os.environ, state))
    components = start_components()
    servers: list[grpc.Server] = []
    try:
        ports: dict[str, int] = {}
        for plugin in (AwsPlugin(judge), KubernetesPlugin(), RandomPlugin()):
            server, ports[plugin.package] = serve(plugin, store, rules, known)
            servers.append(server)
        line = components.stdout.readline() if components.stdout else ""
        if not line.strip().isdigit():
            LOG.error("the stand-in for eks did not start")
            return 1
        ports["eks"] = int(line)
        ended = wait_for_end(sys.stdin, parent)
        sys.stdout.write(json.dumps(ports) + "\n")
        sys.stdout.flush()
        warm_up(store)
        ended.wait()
        return 0
    finally:
        for server in servers:
            server.stop(grace=None)
        judge.close()
        components.terminate()
        components.wait(timeout=10)
