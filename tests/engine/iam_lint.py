"""parliament, which knows every action of AWS with its resources and conditions, asked about our documents."""

from __future__ import annotations

import importlib
import importlib.resources
import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, cast

from infra.policy.model import items

MISMATCH = "RESOURCE_MISMATCH"
UNNEEDED: Mapping[str, str] = {
    "rds:CreateDBInstanceReadReplica": "the source is an instance: clusters and option groups are never named",
}
"""Actions of which parliament asks for resources that our calls never name, and why."""

NEWER = ("kms:ResourceAliases",)
"""Conditions that AWS has and this version's data of parliament has not."""


def findings(document: Mapping[str, Any]) -> Iterator[str]:
    """What parliament says of an identity's document.

    It wants all resources of an action in one statement. Ours are split where conditions differ, so resources are
    judged over all statements of a document.
    """
    for found in _analysed(document):
        if found.issue != MISMATCH and not any(f"condition {name} " in str(found.detail) for name in NEWER):
            yield f"{found.issue}: {found.detail}"
    for found in _analysed(_united(document)):
        if found.issue == MISMATCH:
            for each in found.detail:
                if each["action"] not in UNNEEDED:
                    yield f"{MISMATCH}: {each['action']} needs {each['required_format']}"


def _analysed(document: Mapping[str, Any]) -> list[Any]:
    return list(_parliament().analyze_policy_string(json.dumps(document)).findings)


def _parliament() -> Any:
    """parliament, which asks a module that setuptools no longer has where its own data is."""
    if "pkg_resources" not in sys.modules:
        stand_in = ModuleType("pkg_resources")
        stand_in.__dict__["resource_filename"] = _resource_filename
        sys.modules["pkg_resources"] = stand_in
    with warnings.catch_warnings():
        # It leaves the files that it reads at import to be closed by themselves.
        warnings.simplefilter("ignore", ResourceWarning)
        return importlib.import_module("parliament")


def _resource_filename(package: str, name: str) -> str:
    return str(importlib.resources.files(package) / name)


def _united(document: Mapping[str, Any]) -> dict[str, Any]:
    """One statement for each action, with all resources that any statement allows it."""
    resources: dict[str, set[str]] = {}
    for statement in cast("list[dict[str, Any]]", items(document["Statement"])):
        if statement.get("Effect") == "Allow":
            for action in items(statement.get("Action")):
                resources.setdefault(str(action), set()).update(map(str, items(statement.get("Resource"))))
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": action, "Resource": sorted(found)}
            for action, found in sorted(resources.items())
        ],
    }
