"""`python -m infra.supply.sbom`: every locked package with its hashes and licence, as CycloneDX, in dist/sbom.json.

Written by cyclonedx-py from the lock, completed with the licences of docs/licences.md, and validated against the
standard's own schema. Equal locks give equal files. Programs built from Go and Java for the tests are not in it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra.supply import licences
from infra.supply.lock import PATH, ROOT, normalised

OUTPUT = ROOT / "dist" / "sbom.json"
_VERSION = SchemaVersion.V1_6


class InvalidError(ValueError):
    """A document that is not CycloneDX."""


def document() -> dict[str, Any]:
    """The bill of materials."""
    command = (
        *(sys.executable, "-m", "cyclonedx_py", "requirements", str(PATH), "--pyproject", "pyproject.toml"),
        *("--output-reproducible", "--no-validate", "--sv", _VERSION.to_version(), "--of", "JSON", "-o", "-"),
    )
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    found: dict[str, Any] = json.loads(shown.stdout)
    expressions = {each.name: each.expression for each in licences.all_licences()}
    for component in cast("list[dict[str, Any]]", found["components"]):
        component["licenses"] = [{"expression": expressions[normalised(component["name"])]}]
        # The whole line of the lock, whose hashes stand below.
        component.pop("description", None)
    return found


def validate(text: str) -> None:
    """Hold a document against the standard's schema.

    Raises:
        InvalidError: It does not fit.
    """
    problem = JsonStrictValidator(_VERSION).validate_str(text)
    if problem is not None:
        raise InvalidError(f"not CycloneDX {_VERSION.to_version()}: {problem}")


def main(output: Path = OUTPUT) -> int:
    """Hold the bill against the standard, write the file and say where."""
    found = document()
    validate(json.dumps(found))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{output}: {len(found['components'])} packages, valid CycloneDX {_VERSION.to_version()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
