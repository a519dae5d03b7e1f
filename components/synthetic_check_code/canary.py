"""Asks every health path of the API as a client would, and fails when one is wrong or late.

CloudWatch Synthetics calls `handler`; a run that raises has failed.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

OK = 200
AGENT = "parking-synthetic-check"
"""Managed rules of the web ACL refuse requests without one."""


class FailedChecksError(Exception):
    """At least one path did not answer as it should; the message names each with what was found."""


@dataclass(frozen=True)
class Check:
    """A path and how many seconds its answer may take."""

    path: str
    seconds: float


def ask(url: str, seconds: float) -> str | None:
    """Ask one address.

    Args:
        url: The address.
        seconds: Longest that the answer may take.

    Returns:
        What is wrong, or nothing.
    """
    request = urllib.request.Request(url, headers={"User-Agent": AGENT})  # noqa: S310 - checked to be HTTP(S) below
    if request.type not in {"https", "http"}:
        return f"{url}: neither https nor http"
    begun = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310 - the scheme is checked above
            answer.read()
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError as error:
        return f"{url}: no answer ({error})"
    took = time.monotonic() - begun
    if status != OK:
        return f"{url}: status {status}, not {OK}"
    return f"{url}: {took:.1f} s, over {seconds:g} s" if took > seconds else None


def run(base: str, checks: Sequence[Check]) -> None:
    """Ask every path.

    Raises:
        FailedChecksError: When any is wrong; all are asked first, so that one failure hides no other.
    """
    wrong = [found for check in checks if (found := ask(f"{base}{check.path}", check.seconds))]
    if wrong:
        raise FailedChecksError("; ".join(wrong))


def handler(_event: Any, _context: Any) -> str:
    """Entry point; its configuration is in the environment."""
    checks = [Check(**one) for one in json.loads(os.environ["CHECKS"])]
    run(os.environ["BASE_URL"], checks)
    return f"{len(checks)} paths answer"
