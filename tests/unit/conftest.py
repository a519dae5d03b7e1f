"""What all unit tests share."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is no failure: properties are about values, not about time.
settings.register_profile("parking", deadline=None)
settings.load_profile("parking")


def _say_nothing(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
    """The SDK raises the first failure of a program and never retrieves those that follow from it."""


@pytest.fixture(scope="session", autouse=True)
def _loop() -> None:
    """One event loop for all mocked programs; left open at the end, as the SDK leaves its own."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_say_nothing)
    asyncio.set_event_loop(loop)
