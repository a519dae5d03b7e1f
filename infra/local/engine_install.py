"""Making an engine: by the official installer of the Automation API, or from source with Go."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

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


class NotPossibleError(Exception):
    """This way does not lead to an engine here; the text says why."""


@contextmanager
def only_one(cache: Path, *, way: str) -> Generator[None]:
    """Let one process make an engine while others wait for it."""
    with (cache / f"engine-{way}.lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is making the engine; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def from_installer(cache: Path) -> tuple[Path, Path]:
    """Download the official engine.

    Returns:
        A temporary folder and the program inside it.
    """
    folder = _temporary(cache, way="installer")
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
        raise NotPossibleError(f"no answer within {_INSTALLER_SECONDS} s") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotPossibleError(f"not reachable from here ({reason})")
    return folder, Path("bin") / "pulumi"


def from_source(cache: Path) -> tuple[Path, Path]:
    """Build the engine from the Go module beside this file.

    Returns:
        A temporary folder and the program inside it.
    """
    go = shutil.which("go")
    if go is None:
        raise NotPossibleError("Go is not installed")
    folder = _temporary(cache, way="go")
    try:
        say("building the Pulumi engine from source with Go: once per machine, 3 to 4 minutes on 2 cores")
        _build(go, program=folder / "pulumi", log=cache / "engine-build.log")
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


def _build(go: str, *, program: Path, log: Path) -> None:
    version = source_version()
    flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"
    command = [go, "build", "-v", "-trimpath", "-mod=readonly", "-ldflags", flags, "-o", str(program)]
    with log.open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            [*command, f"{_PACKAGE}/cmd/pulumi"],
            cwd=_MODULE,
            env=_go_environment(go),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            _show_progress(process, log=log)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        told = [line for line in lines if " " in line] or lines or ["no output"]
        raise NotPossibleError(f"`go build` failed: {told[-1]} (all of it: {log})")


def _go_environment(go: str) -> dict[str, str]:
    """The caller's Go settings, but for what would wait in vain or change the committed sums."""
    env = dict(os.environ)
    shown = subprocess.run([go, "env", "GOPROXY"], capture_output=True, text=True, check=False)
    # `direct` means each module's own host: without one, a miss fails at once instead of hanging.
    proxies = [part for part in re.split(r"[,|]", shown.stdout.strip()) if part and part != "direct"]
    if proxies:
        env["GOPROXY"] = ",".join(proxies)
    env |= {"GOFLAGS": "-buildvcs=false", "GOWORK": "off", "CGO_ENABLED": "0"}
    return env


def _show_progress(process: subprocess.Popen[bytes], *, log: Path) -> None:
    """Say how far the build is: on one line of a terminal, else now and then."""
    live = sys.stderr.isatty()
    started = time.monotonic()
    every = 1 if live else 30
    while True:
        try:
            process.wait(timeout=every)
        except subprocess.TimeoutExpired:
            packages = sum(1 for _ in log.open(encoding="utf-8", errors="replace"))
            seconds = int(time.monotonic() - started)
            text = f"building the engine: {seconds // 60}:{seconds % 60:02d}, {packages} packages compiled"
            if live:
                print(f"\rpulumi-local: {text}", end="", file=sys.stderr, flush=True)
            else:
                say(text)
        else:
            break
    if live:
        print(file=sys.stderr)


def source_version() -> str:
    """The engine version that go.mod pins."""
    text = (_MODULE / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"{re.escape(_PACKAGE)} (v\S+)", text)
    if found is None:
        raise NotPossibleError(f"{_MODULE / 'go.mod'} pins no engine")
    return found[1]


def _temporary(cache: Path, *, way: str) -> Path:
    """A new folder in the cache, after clearing what killed runs left there."""
    for left in cache.glob(f"new-{way}-*"):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=cache, prefix=f"new-{way}-"))
