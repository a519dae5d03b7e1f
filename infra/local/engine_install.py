"""Making an engine: by the official installer of the Automation API, or from source with Go."""

import shutil
import subprocess
import sys
from pathlib import Path

from infra.local import go_builds
from infra.local.errors import say

HOST_NAME = "pulumi-language-python"
"""What the engine calls a language host for Python."""

_MODULE = Path(__file__).with_name("engine")
_PACKAGE = "github.com/pulumi/pulumi/pkg/v3"
_INSTALLER_SECONDS = 300
_CONNECT_SECONDS = 5

# The Automation API's own way, in a process of its own: it has no time limit, and prints tracebacks.
_INSTALL = """
import socket, sys
socket.setdefaulttimeout(float(sys.argv[2]))
import pulumi.automation
try:
    pulumi.automation.PulumiCommand.install(root=sys.argv[1])
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""

# Beside a built engine, where the engine looks first; it serves every clone that shares the engine.
_LANGUAGE_HOST = """#!/bin/sh
# The Python language host of an engine built from source; bin/pulumi-local says whose.
exec "${PULUMI_LOCAL_PYTHON:?run through bin/pulumi-local}" -P "${PULUMI_LOCAL_LANGUAGE_HOST:?}" "$@"
"""


def from_installer(cache: Path) -> tuple[Path, Path]:
    """Download the official engine.

    Returns:
        A temporary folder and the program inside it.
    """
    folder = go_builds.temporary(cache, name="installer")
    command = [sys.executable, "-c", _INSTALL, str(folder), str(_CONNECT_SECONDS)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_INSTALLER_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise go_builds.NotPossibleError(f"no answer within {_INSTALLER_SECONDS} s") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise go_builds.NotPossibleError(f"not reachable from here ({reason})")
    return folder, Path("bin") / "pulumi"


def from_source(cache: Path) -> tuple[Path, Path]:
    """Build the engine from the Go module beside this file.

    Returns:
        A temporary folder and the program inside it.
    """
    go_builds.find_go()
    folder = go_builds.temporary(cache, name="go")
    try:
        say("building the Pulumi engine from source with Go: once per machine, 3 to 4 minutes on 2 cores")
        go_builds.build(
            module=_MODULE,
            packages=[f"{_PACKAGE}/cmd/pulumi"],
            output=folder / "pulumi",
            linker_flags=f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={source_version()}",
            log=cache / "engine-build.log",
            subject="the engine",
        )
        write_language_host(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder, Path("pulumi")


def write_language_host(folder: Path) -> None:
    """Write the small program by which an engine starts the language host of this repository."""
    host = folder / HOST_NAME
    if host.exists() and host.read_text(encoding="utf-8") == _LANGUAGE_HOST:
        return
    host.write_text(_LANGUAGE_HOST, encoding="utf-8")
    host.chmod(0o755)


def source_version() -> str:
    """The engine version that go.mod pins."""
    return go_builds.pinned(_MODULE, _PACKAGE)
