"""Starting the process of the stand-in providers, and making the engine content with them."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from infra.local import engines, environment, plugins, processes
from infra.local.errors import LocalError
from infra.local.home import REPOSITORY, Home

_START_SECONDS = 120

# Providers are attached by port, never started from the plugin folder; this only answers who tries.
_STUB = """#!/bin/sh
echo "pulumi-resource-{name}: a stand-in that bin/pulumi-local attaches; it cannot be run by itself" >&2
exit 1
"""


@contextmanager
def running(
    *, home: Home, environ: Mapping[str, str], cloud: Mapping[str, str] | None = None
) -> Generator[dict[str, int]]:
    """Run the stand-in providers for the length of a block, and give their ports by name.

    Args:
        home: Where their records are.
        environ: The caller's environment.
        cloud: Variables that lead them to the cloud on this machine, if it is to stand behind them.
    """
    log = home.logs / "providers.log"
    # Another file than ours is for tests of the command line, which need a provider with faults.
    other = environ.get("PULUMI_LOCAL_PROVIDERS")
    program = ["-P", other] if other else ["-m", "infra.local.providers"]
    command = [sys.executable, *program, "--state-dir", str(home.providers), "--parent-pid", str(os.getpid())]
    env = environment.scrubbed(environ) | {
        "AWS_EC2_METADATA_DISABLED": "true",
        "PULUMI_LOCAL": "1",
        "PULUMI_LOCAL_CACHE": str(engines.cache_folder(environ=environ, home=home)),
        **(cloud or {}),
    }
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            # A group of its own, so that Ctrl-C leaves the providers to the engine until it has cancelled. They end
            # with their standard input, so also when this process is killed.
            process_group=0,
        )
    with processes.ended(process):
        yield _ports(process, log=log)


def provide_plugin_stubs(home: Home) -> None:
    """Mark the plugins of the installed SDKs as present.

    The engine looks for every plugin that a program's packages name before it asks who is attached.
    """
    for plugin in plugins.installed():
        folder = home.pulumi_home / "plugins" / f"resource-{plugin.name}-v{plugin.version}"
        program = folder / f"pulumi-resource-{plugin.name}"
        if program.exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        program.write_text(_STUB.format(name=plugin.name), encoding="utf-8")
        program.chmod(0o755)


def _ports(process: subprocess.Popen[bytes], *, log: Path) -> dict[str, int]:
    """Read the one line that the providers print when they are ready."""
    stdout = process.stdout.fileno() if process.stdout else -1
    deadline = time.monotonic() + _START_SECONDS
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(stdout, 65536) if ready else b""
        if not chunk:
            raise _failed(process, log=log, waited=not ready)
        line += chunk
    try:
        ports = cast("dict[str, int]", json.loads(line))
        return {str(name): int(port) for name, port in ports.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise _failed(process, log=log, waited=False) from error


def _failed(process: subprocess.Popen[bytes], *, log: Path, waited: bool) -> LocalError:
    if waited:
        found = f"no answer within {_START_SECONDS} s"
    else:
        try:
            found = f"the process ended with exit code {process.wait(timeout=5)}"
        except subprocess.TimeoutExpired:
            found = "the process answered something else than its ports"
    said = log.read_text(encoding="utf-8", errors="replace").splitlines()
    # The frames of a traceback are for the log; its last line says what happened.
    plain = [line for line in said if line.strip() and not line.startswith((" ", "Traceback"))]
    shown = "\n    ".join(plain[-5:]) or "(nothing)"
    return LocalError(
        f"the stand-in providers did not start.\n  found: {found}; it said:\n    {shown}\n"
        "  needed: four free ports on 127.0.0.1 and a writable state folder\n"
        f"  to do: see {log}; if an import failed, run bin/setup",
    )
