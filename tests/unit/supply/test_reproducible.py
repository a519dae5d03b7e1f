"""What is installed is what the lock says."""

from __future__ import annotations

import importlib.metadata

import pytest

from infra.supply import lock
from infra.supply.reproducible import differences

LOCK = (
    lock.Pin(name="a", version="1", marker="", hashes=("0" * 64,)),
    lock.Pin(name="b", version="2", marker="sys_platform == 'win32'", hashes=("0" * 64,)),
)


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        ({"a": "1", "pip": "24"}, []),
        ({"a": "1", "b": "2"}, []),
        ({"a": "2"}, ["a 2 is installed, and the lock has 1"]),
        ({"a": "1", "c": "3"}, ["c 3 is installed, and the lock has no such package"]),
        ({}, ["a 1 is in the lock, and not installed"]),
    ],
)
def test_every_difference_is_found(installed: dict[str, str], said: list[str]) -> None:
    assert list(differences(installed, LOCK)) == said


def test_this_environment_has_what_the_lock_says() -> None:
    here = {lock.normalised(found.name): found.version for found in importlib.metadata.distributions()}
    locked = {pin.name for pin in lock.pins()}

    # What is installed beside it by hand is no business of a test that runs on a person's machine.
    assert list(differences({name: here[name] for name in here if name in locked}, lock.pins())) == []
