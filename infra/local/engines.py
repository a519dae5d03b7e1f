"""Finding a Pulumi engine: on PATH, made before, from the official installer, or built from its source with Go."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from infra.local import engine_install, go_builds
from infra.local.errors import LocalError, say
from infra.local.files import write_atomically
from infra.local.home import Home

MINIMUM = (3, 259, 0)
"""The oldest engine that the local platform was tried with."""

CHOICE = "PULUMI_LOCAL_ENGINE"
"""Environment variable: `path`, `installer` or `go` to allow only that way, or the path of an engine."""

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_MAKING = ("installer", "go")
_WAYS = ("path", *_MAKING)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine that can be used."""

    path: Path
    version: str
    source: str


def find(*, home: Home, environ: Mapping[str, str]) -> Engine:
    """Return an engine, making one if there is none.

    Raises:
        LocalError: none of the ways led to an engine.
    """
    choice = environ.get(CHOICE, "")
    if choice and choice not in _WAYS:
        return _named(Path(choice))
    cache = cache_folder(environ=environ, home=home)
    failures: list[str] = []
    if choice in {"", "path"} and (engine := _on_path(home=home, environ=environ, failures=failures)):
        return engine
    making = [way for way in _MAKING if choice in {"", way}]
    for way in making:
        if engine := _made_before(cache, way=way):
            return engine
    for way in making:
        if engine := _made(cache, way=way, failures=failures):
            return engine
    raise _none_found(failures)


def language_host_folder(*, engine: Engine, home: Home) -> Path:
    """Where the engine's language host is: beside it, or else in the state folder with one of ours."""
    beside = engine.path.resolve().parent
    if (beside / engine_install.HOST_NAME).exists():
        return engine.path.parent
    folder = home.root / "bin"
    folder.mkdir(exist_ok=True)
    engine_install.write_language_host(folder)
    return folder


def cache_folder(*, environ: Mapping[str, str], home: Home) -> Path:
    """Where engines are kept: per user, so that fresh clones share one; else in the state folder."""
    base = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or "~").expanduser() / ".cache")
    folder = base / "pulumi-local"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return home.root
    return folder if os.access(folder, os.W_OK | os.X_OK) else home.root


def _named(path: Path) -> Engine:
    version = _version_of(path)
    if version is None or not _new_enough(version):
        raise LocalError(
            f"{CHOICE} names no engine that can be used.\n"
            f"  found: {path}: {version or 'not a program that answers `pulumi version`'}\n"
            f"  needed: {', '.join(_WAYS)}, or the path of a pulumi >= {_text(MINIMUM)}\n"
            f"  to do: correct or unset {CHOICE}",
        )
    return Engine(path=path.absolute(), version=version, source="named")


def _on_path(*, home: Home, environ: Mapping[str, str], failures: list[str]) -> Engine | None:
    found = shutil.which("pulumi", path=environ.get("PATH"))
    if found is None:
        failures.append("on PATH: there is no `pulumi`")
        return None
    path = Path(found).absolute()
    version = _remembered_version(path, home=home)
    if version is not None and _new_enough(version):
        return Engine(path=path, version=version, source="path")
    failures.append(f"on PATH: {path} is {version or 'not working'}, older than {_text(MINIMUM)}")
    return None


def _made_before(cache: Path, *, way: str) -> Engine | None:
    """An engine in the cache; it was moved there whole, so its record is enough."""
    for record in sorted(cache.glob(f"engine-{way}-*/engine.json"), reverse=True):
        try:
            content = cast("dict[str, str]", json.loads(record.read_text(encoding="utf-8")))
            path, version = record.parent / content["program"], content["version"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if _new_enough(version) and os.access(path, os.X_OK):
            return Engine(path=path, version=version, source=way)
    return None


def _made(cache: Path, *, way: str, failures: list[str]) -> Engine | None:
    """Install or build an engine into the cache, once however many runs ask for it."""
    make = engine_install.from_installer if way == "installer" else engine_install.from_source
    label = "official installer" if way == "installer" else "built with Go"
    with go_builds.only_one(cache, name=f"engine-{way}", subject="the engine"):
        if engine := _made_before(cache, way=way):
            return engine
        try:
            folder, program = make(cache)
        except go_builds.NotPossibleError as error:
            failures.append(f"{label}: {error}")
            return None
        version = _version_of(folder / program)
        if version is None or not _new_enough(version):
            failures.append(f"{label}: the result does not work ({folder / program})")
            shutil.rmtree(folder, ignore_errors=True)
            return None
        write_atomically(folder / "engine.json", json.dumps({"program": str(program), "version": version}))
        target = cache / f"engine-{way}-{version}"
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    return Engine(path=target / program, version=version, source=way)


def _none_found(failures: list[str]) -> LocalError:
    found = "\n         ".join(failures)
    return LocalError(
        f"no Pulumi engine could be had.\n  found: {found}\n"
        f"  needed: a pulumi >= {_text(MINIMUM)}, in one of three ways\n"
        "  to do: 1. install Pulumi so that `pulumi` is on PATH (pulumi.com/docs/install); or\n"
        "         2. run this again with a network, and the official installer is used; or\n"
        "         3. install Go, and the engine is built from source (some minutes, once per machine)",
    )


def _remembered_version(path: Path, *, home: Home) -> str | None:
    """Ask a program for its version once; asking takes longer than the rest of the search."""
    record = home.root / "engine-on-path.json"
    try:
        status = path.stat()
    except OSError:
        return None
    mark = [str(path.resolve()), status.st_size, status.st_mtime_ns]
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = cast("dict[str, object]", json.loads(record.read_text(encoding="utf-8")))
        if content["mark"] == mark:
            return str(content["version"])
    version = _version_of(path)
    if version is not None:
        with suppress(OSError):
            write_atomically(record, json.dumps({"mark": mark, "version": version}))
    return version


def _version_of(path: Path) -> str | None:
    try:
        shown = subprocess.run(
            [str(path), "version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    found = _VERSION.search(shown.stdout)
    return found[0] if found else None


def _new_enough(version: str) -> bool:
    found = _VERSION.search(version)
    return found is not None and tuple(int(part) for part in found.groups()) >= MINIMUM


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def main() -> int:
    """Find or make the engine and say where it is (`make tools`)."""
    try:
        home = Home.locate(environ=os.environ, cwd=Path.cwd())
        home.create()
        engine = find(home=home, environ=os.environ)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    say(f"engine {engine.version} ({engine.source}): {engine.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
