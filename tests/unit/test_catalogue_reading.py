"""A mistake in the catalogue is told with its place, before anything is registered and without a traceback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services import CATALOGUE
from stacks import catalogue
from tests.unit.stack_files import ROOT

READ = """
from stacks import catalogue
try:
    catalogue.read()
except catalogue.CatalogueError as error:
    print(error)
"""


def said(root: Path, file: str, old: str, new: str) -> str:
    """What reading a copy of the catalogue says after a change of one of its files."""
    for name in ("infra", "services"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "local"))
    (root / "stacks").mkdir()
    for name in ("__init__.py", "catalogue.py"):
        shutil.copy(ROOT / "stacks" / name, root / "stacks")
    path = root / "services" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    done = subprocess.run([sys.executable, "-c", READ], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_catalogue_is_read_as_it_is() -> None:
    assert catalogue.read() == CATALOGUE


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "allowed"),
    [
        (
            "parking.py",
            "mesh=MeshAlgorithm.LEAST_REQUEST",
            'mesh="fastest"',
            "LoadBalancing.mesh",
            "MeshAlgorithm.COOKIE_HASH, MeshAlgorithm.CLIENT_ADDRESS_HASH, MeshAlgorithm.RESOURCE_AWARE",
        ),
        (
            "parking.py",
            "MeshAlgorithm.LEAST_REQUEST",
            "MeshAlgorithm.FASTEST",
            "MeshAlgorithm.FASTEST",
            "none of MeshAlgorithm.LEAST_REQUEST",
        ),
        (
            "analytics.py",
            "anomaly_mitigation=True",
            "anomaly_mitigation=True, sticky_cookie_seconds=60",
            "LoadBalancing",
            "weighted_random cannot be combined with stickiness",
        ),
        ("auth.py", "slow_start_seconds=30", "slow_start_seconds=10", "LoadBalancing", "30 to 900 s"),
        ("auth.py", "slow_start_seconds", "slow_strat_seconds", "slow_strat_seconds", "not permitted"),
    ],
    ids=["unknown algorithm", "unknown name", "contradiction", "out of range", "unknown field"],
)
def test_a_mistake_in_a_services_file_is_told_with_its_place(
    tmp_path: Path, file: str, old: str, new: str, place: str, allowed: str
) -> None:
    text = said(tmp_path, file, old, new)

    assert "nothing was registered" in text
    assert f"services/{file} line " in text
    assert place in text
    assert allowed in text
