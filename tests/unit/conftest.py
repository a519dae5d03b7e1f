"""What all unit tests share."""

from __future__ import annotations

import asyncio

import pytest


@pytest.fixture(scope="session", autouse=True)
def _loop() -> None:
    """One event loop for all mocked programs, which says nothing of failures that follow from a raised one.

    The SDK raises the first failure of a program and never retrieves the others.
    """
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    asyncio.set_event_loop(loop)
    # Left open, as the SDK leaves its own: what failing programs left waiting would be warned of at a close.
