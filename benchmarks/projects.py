"""The projects that are compared with the repository's: a bare program, and several copies of production."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from benchmarks.processes import REPOSITORY
from infra.local import plugins

STACK = "prod"
_OWN = "parking:"
_PROGRAMS = Path(__file__).with_name("programs")
_PROJECT = (
    "name: parking\nruntime: { name: python, options: { toolchain: pip, virtualenv: .venv } }\nmain: .\n"
)


def bare(folder: Path, *, export: Mapping[str, Any]) -> tuple[Path, Path, int]:
    """A project that registers, flat, what an exported stack holds.

    Args:
        folder: Where to make it.
        export: What `stack export --show-secrets` says of an applied stack.

    Returns:
        The project, the file with its resources, and how many those are.
    """
    project = _project(folder, program="bare")
    (project / f"Pulumi.{STACK}.yaml").write_text("config:\n  aws:region: us-east-1\n", encoding="utf-8")
    plan = flat_resources(export)
    file = project / "resources.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    return project, file, len(plan)


def copies(folder: Path) -> Path:
    """A project that deploys production as often as BENCHMARK_COPIES says."""
    project = _project(folder, program="copies")
    text = (REPOSITORY / f"Pulumi.{STACK}.yaml").read_text(encoding="utf-8")
    (project / f"Pulumi.{STACK}.yaml").write_text(text, encoding="utf-8")
    return project


def flat_resources(export: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Type, name and inputs of every resource that the program itself registers, components included.

    What remote components make is left out: they make it again by themselves.

    Args:
        export: What `stack export` says.
    """
    versions = {plugin.name: plugin.version for plugin in plugins.installed()}
    found = cast("list[dict[str, Any]]", export["deployment"]["resources"])
    parents = {str(entry["urn"]): str(entry.get("parent", "")) for entry in found}
    components = {str(entry["urn"]) for entry in found if not entry.get("custom")}
    remote = {
        urn for urn in components if not urn.split("::")[2].split("$")[-1].startswith((_OWN, "pulumi:"))
    }
    flat: list[dict[str, Any]] = []
    same: dict[tuple[str, str], int] = {}
    for entry in found:
        kind, urn = str(entry["type"]), str(entry["urn"])
        if kind.startswith("pulumi:") or _is_below(urn, remote, parents):
            continue
        package = kind.partition(":")[0]
        name = urn.rpartition("::")[2]
        same[kind, name] = same.get((kind, name), 0) + 1
        # What had its name under another parent needs one of its own in a flat program.
        number = same[kind, name]
        flat.append(
            {
                "type": kind,
                "name": name if number == 1 else f"{name}-{number}",
                "inputs": {} if kind.startswith(_OWN) else entry.get("inputs", {}),
                "component": urn in components,
                "remote": urn in remote,
                "version": versions.get(package, ""),
            }
        )
    return flat


def _is_below(urn: str, ancestors: set[str], parents: Mapping[str, str]) -> bool:
    parent = parents.get(urn, "")
    while parent:
        if parent in ancestors:
            return True
        parent = parents.get(parent, "")
    return False


def _project(folder: Path, *, program: str) -> Path:
    folder.mkdir(parents=True)
    shutil.copy(_PROGRAMS / program / "__main__.py", folder / "__main__.py")
    (folder / "Pulumi.yaml").write_text(_PROJECT, encoding="utf-8")
    return folder
