"""Waiting for something to become so: with a deadline, and with words for what it was instead."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Condition = Callable[[], bool]
T = TypeVar("T")

_PAUSE = 0.05


class NeverError(AssertionError):
    """It did not become so in time."""


def until(
    look: Callable[[], T],
    *,
    so: Callable[[T], object],
    what: str,
    seconds: float = 60.0,
    show: Callable[[T], str] = repr,
) -> T:
    """Look again and again until what is seen is as wanted.

    Args:
        look: Looks.
        so: Says whether what was seen is as wanted.
        what: What is waited for, for the error.
        seconds: How long at most; generous, because it only matters when the answer is no.
        show: Words for what was seen, for the error.

    Returns:
        What was seen last.

    Raises:
        NeverError: It did not become so; the text has what was seen last.
    """
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if so(seen):
            return seen
        if time.monotonic() > deadline:
            raise NeverError(f"{what}: not within {seconds:.0f} s; seen last: {show(seen)}")
        time.sleep(_PAUSE)
