"""`python -m infra.supply.reproducible`: set up anew from nothing, with an empty cache, and compare with the lock."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from infra.supply.lock import ROOT, Pin, normalised, pins

_TOOLS = frozenset({"pip", "setuptools"})
"""What a new virtual environment has of its own."""


def differences(installed: Mapping[str, str], locked: Sequence[Pin]) -> Iterator[str]:
    """What an environment has that the lock has not, and the other way round, one sentence each.

    Args:
        installed: Version by normalised name.
        locked: The lock. A package with a marker may be missing: another system installs it.
    """
    versions: dict[str, set[str]] = {}
    for pin in locked:
        versions.setdefault(pin.name, set()).add(pin.version)
    for name, version in sorted(installed.items()):
        if name not in versions and name not in _TOOLS:
            yield f"{name} {version} is installed, and the lock has no such package"
        elif name in versions and version not in versions[name]:
            yield f"{name} {version} is installed, and the lock has {', '.join(sorted(versions[name]))}"
    for pin in locked:
        if not pin.marker and pin.name not in installed:
            yield f"{pin.name} {pin.version} is in the lock, and not installed"


def set_up(folder: Path) -> dict[str, str]:
    """Set up in a folder, with a cache of its own, and list what is there then.

    Args:
        folder: An empty folder.

    Raises:
        subprocess.CalledProcessError: `bin/setup` failed; it has said why.
    """
    (folder / "bin").mkdir()
    shutil.copy(ROOT / "bin" / "setup", folder / "bin" / "setup")
    shutil.copy(ROOT / "requirements.lock", folder / "requirements.lock")
    env = {**os.environ, "PIP_CACHE_DIR": str(folder / "cache")}
    subprocess.run([str(folder / "bin" / "setup")], env=env, check=True)  # noqa: S603 - our own command
    listing = [str(folder / ".venv" / "bin" / "python"), "-m", "pip", "list", "--format=json"]
    shown = subprocess.run(listing, env=env, check=True, capture_output=True, text=True)  # noqa: S603 - as above
    return {normalised(each["name"]): each["version"] for each in json.loads(shown.stdout)}


def main() -> int:
    """Set up, compare, and say what differs."""
    with tempfile.TemporaryDirectory(prefix="parking-setup-") as folder:
        try:
            installed = set_up(Path(folder))
        except subprocess.CalledProcessError:
            return 1
    found = list(differences(installed, pins()))
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    if not found:
        print(f"{len(installed)} packages from an empty cache, all as the lock says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
