"""Building programs from Go modules of this repository, once per user however many runs ask for them."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from infra.local.errors import say


class NotPossibleError(Exception):
    """This way does not lead to a program here; the text says why."""


@contextmanager
def only_one(cache: Path, *, name: str, subject: str) -> Generator[None]:
    """Let one process make something while others wait for it."""
    with (cache / f"{name}.lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run is making {subject}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def temporary(cache: Path, *, name: str) -> Path:
    """A new folder in the cache, after clearing what killed runs left there."""
    for left in cache.glob(f"new-{name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=cache, prefix=f"new-{name}-"))


def find_go() -> str:
    """Where Go is.

    Raises:
        NotPossibleError: It is not installed.
    """
    go = shutil.which("go")
    if go is None:
        raise NotPossibleError("Go is not installed")
    return go


def pinned(module: Path, package: str) -> str:
    """The version of a package's module that the go.mod of a folder requires.

    Raises:
        NotPossibleError: It requires none.
    """
    text = (module / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^(?:require)?\s+{re.escape(package)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise NotPossibleError(f"{module / 'go.mod'} pins no {package}")
    return found[1]


def module_folder(module: Path, package: str) -> Path:
    """Where the sources of a module are in Go's module cache, fetched first where they are not.

    Args:
        module: Folder of the go.mod that pins it.
        package: Path of the module, e.g. `istio.io/api`.

    Raises:
        NotPossibleError: It is not pinned, or cannot be fetched.
    """
    go, version = find_go(), pinned(module, package)
    done = subprocess.run(
        [go, "mod", "download", "-json", f"{package}@{version}"],
        cwd=module,
        env=environment(go),
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found = cast("dict[str, str]", json.loads(done.stdout))
    except ValueError:
        found = {"Error": done.stderr.strip()}
    if "Dir" not in found:
        raise NotPossibleError(f"{package} {version}: {found.get('Error')}")
    return Path(found["Dir"])


def build(
    *, module: Path, packages: Sequence[str], output: Path, linker_flags: str, log: Path, subject: str
) -> None:
    """Build packages of the Go module in a folder, exactly as its go.mod and go.sum pin them.

    Args:
        module: Folder of go.mod and go.sum; neither is changed.
        packages: Import paths of the programs.
        output: The program, or a folder for several.
        linker_flags: Linker flags beside those that leave debugging tables out.
        log: File for what Go says.
        subject: What is built, for messages: `the Pulumi engine`.

    Raises:
        NotPossibleError: Go is missing or failed.
    """
    go = find_go()
    flags = ["-v", "-trimpath", "-mod=readonly", "-ldflags", f"-s -w {linker_flags}".rstrip()]
    command = [*_politely(), go, "build", *flags, "-o", str(output), *packages]
    with log.open("w+", encoding="utf-8") as written:
        process = subprocess.Popen(
            command,
            cwd=module,
            env=environment(go),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
        )
        try:
            _show_progress(process, log=log, subject=subject)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode < 0:
        raise NotPossibleError(
            f"`go build` was ended by signal {-process.returncode}; what it did so far is kept"
        )
    if process.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        told = [line for line in lines if " " in line] or lines or ["no output"]
        raise NotPossibleError(f"`go build` failed: {told[-1]} (all of it: {log})")


def environment(go: str) -> dict[str, str]:
    """The caller's Go settings, but for what would wait in vain or change the committed sums."""
    env = dict(os.environ)
    shown = subprocess.run([go, "env", "GOPROXY"], capture_output=True, text=True, check=False)
    # `direct` means each module's own host: without one, a miss fails at once instead of hanging.
    proxies = [part for part in re.split(r"[,|]", shown.stdout.strip()) if part and part != "direct"]
    if proxies:
        env["GOPROXY"] = ",".join(proxies)
    env |= {"GOFLAGS": "-buildvcs=false", "GOWORK": "off", "CGO_ENABLED": "0"}
    return env


def _politely() -> list[str]:
    """Let a build of minutes give way to whatever else runs here."""
    nice = shutil.which("nice")
    return [nice, "-n", "10"] if nice else []


def _show_progress(process: subprocess.Popen[bytes], *, log: Path, subject: str) -> None:
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
            text = f"building {subject}: {seconds // 60}:{seconds % 60:02d}, {packages} packages compiled"
            if live:
                print(f"\rpulumi-local: {text}", end="", file=sys.stderr, flush=True)
            else:
                say(text)
        else:
            break
    if live:
        print(file=sys.stderr)
