"""`python -m infra.local.cluster up|down|status|kubeconfig`: a real Kubernetes API behind a stack's provider."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from infra import settings
from infra.local import tools
from infra.local.cluster import nodes, running
from infra.local.cluster.control_plane import Options
from infra.local.cluster.harness import LocalCluster, Parts
from infra.local.cluster.nodes import Size
from infra.local.cluster.running import Place
from infra.local.errors import Interrupted, LocalError, interrupt_on_signals, say
from infra.local.home import Home
from infra.model.stack import StackSettings
from infra.problems import SettingsError
from services import CATALOGUE

_DEFAULT_STACK = "prod"


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command."""
    given = _parser().parse_args(arguments)
    home = Home.locate(environ=os.environ, cwd=Path.cwd())
    place = Place(root=home.clusters, stack=str(given.stack or _DEFAULT_STACK))
    interrupt_on_signals()
    size = Size(getattr(given, "nodes", Size.START.value))
    commands: Mapping[str, Callable[[], int]] = {
        "up": lambda: _up(home, place, size=size),
        "serve": lambda: _serve(home, place, size=size),
        "down": lambda: _down(place),
        "kubeconfig": lambda: _kubeconfig(place),
        "status": lambda: _status(home),
    }
    try:
        return commands[str(given.command)]()
    except (LocalError, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        return interrupted.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    help_of = {
        "up": "start the cluster of a stack; bin/pulumi-local then applies that stack's objects to it",
        "down": "stop it; what it stores stays for the next time",
        "status": "list the clusters that run",
        "kubeconfig": "print the path of its kubeconfig",
        "serve": "hold the cluster in the foreground (what `up` starts)",
    }
    for name, text in help_of.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--stack", help=f"whose cluster; {_DEFAULT_STACK} unless given")
        if name in {"up", "serve"}:
            command.add_argument(
                "--nodes",
                choices=[size.value for size in Size],
                default=Size.START.value,
                help="size of the pools",
            )
    return parser


def _up(home: Home, place: Place, *, size: Size) -> int:
    if running.find(place) is not None:
        say(f"the cluster of stack '{place.stack}' runs already")
        return 0
    _settings_of(home, place.stack)
    # Here, where building shows its progress, and not in the process behind.
    for name in ("etcd", "kubernetes"):
        tools.obtain(name)
    started = time.monotonic()
    found = running.start(place, arguments=["--stack", place.stack, "--nodes", size.value])
    say(
        f"the cluster of stack '{place.stack}' is ready after {time.monotonic() - started:.1f} s, with "
        f"{found.nodes} nodes; KUBECONFIG={place.folder / 'kubeconfig'}"
    )
    return 0


def _down(place: Place) -> int:
    if running.stop(place):
        say(f"the cluster of stack '{place.stack}' has stopped")
    else:
        say(f"no cluster of stack '{place.stack}' runs")
    return 0


def _kubeconfig(place: Place) -> int:
    if running.find(place) is None:
        raise LocalError(
            f"no cluster of stack '{place.stack}' runs.\n"
            f"  to do: python -m infra.local.cluster up --stack {place.stack}"
        )
    print(place.folder / "kubeconfig")
    return 0


def _status(home: Home) -> int:
    for found in running.find_all(home.clusters):
        print(
            json.dumps(
                {
                    "stack": found.stack,
                    "pid": found.pid,
                    "server": f"https://{found.access.host}:{found.access.port}",
                    "nodes": found.nodes,
                }
            )
        )
    return 0


def _serve(home: Home, place: Place, *, size: Size) -> int:
    """Hold a cluster until a signal asks to stop."""
    stack = _settings_of(home, place.stack)
    asked = threading.Event()
    options = Options(service_cidr=stack.cluster.service_cidr, keep_data=True)
    with place.held(), LocalCluster(place.folder, parts=Parts(control_plane=options)) as cluster:
        wanted = nodes.of_pools(stack.node_pools, zones=stack.network.zones, size=size)
        names = cluster.nodes.add(wanted)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: asked.set())
        place.publish(cluster.client.access, nodes=len(names))
        asked.wait()
    return 0


def _settings_of(home: Home, stack: str) -> StackSettings:
    path = home.project / f"Pulumi.{stack}.yaml"
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise LocalError(
            f"no stack named '{stack}'.\n  found: {path}: {error}\n  needed: a stack file that can be read"
        ) from error
    config = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in document["config"].items()
    }
    return settings.parse(config, stack=stack, catalogue=CATALOGUE, other_ranges={})


if __name__ == "__main__":
    sys.exit(main())
