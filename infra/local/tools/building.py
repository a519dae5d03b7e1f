"""Finding tools in the user's cache, and building what is missing there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import cast

from infra.local import engines, go_builds
from infra.local.errors import LocalError, say
from infra.local.files import write_atomically
from infra.local.home import Home
from infra.local.tools.catalogue import TOOLS, Tool

_RECORD = "tool.json"


def find(tool: Tool) -> dict[str, Path] | None:
    """The programs of a tool that was built before, None where it was not."""
    folder = _target(_cache(), tool)
    # It was moved there whole, so its record is enough.
    if not (folder / _RECORD).exists():
        return None
    return {name: folder / name for name in tool.programs}


def obtain(name: str) -> dict[str, Path]:
    """The programs of a tool, built first where they are missing.

    Args:
        name: The tool's name, or the name of one of its programs.

    Raises:
        LocalError: There is no such tool, or it cannot be built here.
    """
    tool = _named(name)
    programs = find(tool)
    if programs is not None:
        return programs
    try:
        return _build(tool)
    except go_builds.NotPossibleError as error:
        raise LocalError(
            f"{tool.name} ({tool.about}) could not be built.\n  found: {error}\n"
            "  needed: Go, and the modules that its go.sum lists, from a module proxy or the module cache\n"
            f"  to do: install Go (go.dev/dl) and run: python -m infra.local.tools {tool.name}",
        ) from error


def seconds_taken(tool: Tool) -> int | None:
    """How long a tool took to build here, None where it was not."""
    try:
        content: object = json.loads((_target(_cache(), tool) / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    seconds = cast("dict[str, object]", content).get("seconds") if isinstance(content, dict) else None
    return seconds if isinstance(seconds, int) else None


def cache_folder() -> Path:
    """Where tools and what is made with them are kept."""
    return _cache()


def _named(name: str) -> Tool:
    for tool in TOOLS.values():
        if name == tool.name or name in tool.programs:
            return tool
    known = ", ".join(f"{tool.name} ({', '.join(tool.programs)})" for tool in TOOLS.values())
    raise LocalError(f"no tool named {name!r}.\n  there are: {known}\n  to do: name one of them")


def _cache() -> Path:
    home = Home.locate(environ=os.environ, cwd=Path.cwd())
    return engines.cache_folder(environ=os.environ, home=home)


def _target(cache: Path, tool: Tool) -> Path:
    """The folder of exactly these sources and flags: another version of the project has its own."""
    digest = hashlib.sha256(tool.linker_flags.encode())
    for file in ("go.mod", "go.sum"):
        digest.update((tool.folder / file).read_bytes())
    return cache / f"tool-{tool.name}-{tool.version}-{digest.hexdigest()[:8]}"


def _build(tool: Tool) -> dict[str, Path]:
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    with go_builds.only_one(cache, name=f"tool-{tool.name}", subject=tool.name):
        programs = find(tool)
        if programs is not None:
            return programs
        go_builds.find_go()
        say(f"building {tool.name} {tool.version} with Go: once per user, some minutes")
        started = time.monotonic()
        folder = go_builds.temporary(cache, name=f"tool-{tool.name}")
        try:
            _compile(tool, folder=folder, log=cache / f"tool-{tool.name}-build.log")
            seconds = int(time.monotonic() - started)
            write_atomically(
                folder / _RECORD, json.dumps({"version": tool.version, "seconds": seconds}), mode=0o644
            )
            target = _target(cache, tool)
            shutil.rmtree(target, ignore_errors=True)
            folder.chmod(0o755)
            folder.rename(target)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    say(f"built {tool.name} in {seconds // 60}:{seconds % 60:02d}")
    return {name: target / name for name in tool.programs}


def _compile(tool: Tool, *, folder: Path, log: Path) -> None:
    """Build all programs in one go, which shares their packages, and name them as we call them."""
    built = folder / "built"
    built.mkdir()
    go_builds.build(
        module=tool.folder,
        packages=list(tool.packages.values()),
        output=built,
        linker_flags=tool.linker_flags,
        log=log,
        subject=tool.name,
    )
    for name, package in tool.packages.items():
        (built / _name_by_go(package)).rename(folder / name)
    built.rmdir()


def _name_by_go(package: str) -> str:
    """What `go build` calls the program of a package: its last part that is no version."""
    parts = package.split("/")
    last = parts[-1]
    is_version = last[:1] == "v" and last[1:].isdigit()
    return parts[-2] if is_version else last
