"""Which runs of the engine have the cloud behind them, and when it ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Final

from infra.local.arguments import Invocation
from infra.local.cloud import running
from infra.local.errors import LocalError, say
from infra.local.home import Home

VARIABLE: Final = "PULUMI_LOCAL_CLOUD"
URL: Final = "PULUMI_LOCAL_CLOUD_URL"
"""Tells the stand-ins where it is."""
STACK: Final = "PULUMI_LOCAL_CLOUD_STACK"
"""Tells them which stack this run holds."""
_CHANGING: Final = frozenset({"up", "refresh", "destroy", "import"})
_ALLOWED: Final = {"on": True, "off": False}


def variables(
    invocation: Invocation, *, home: Home, environ: Mapping[str, str], stack: str | None
) -> dict[str, str]:
    """What the stand-ins are told, the cloud being started where a run needs it; nothing for a run without it.

    Args:
        invocation: The command.
        home: Whose cloud.
        environ: The caller's environment; PULUMI_LOCAL_CLOUD is `on` (the default) or `off`.
        stack: The stack that the command holds.

    Raises:
        LocalError: PULUMI_LOCAL_CLOUD is neither, or is off though resources are in the cloud; or it does not start.
    """
    wanted = environ.get(VARIABLE, "on").strip().lower() or "on"
    if wanted not in _ALLOWED:
        raise LocalError(
            f"{VARIABLE} cannot be read.\n  found: {wanted}\n  allowed: on, off\n"
            "  to do: leave it unset for a cloud that boto3 can talk to, or set it to off for records only"
        )
    refreshing = any(word in {"--refresh", "-r", "--refresh=true"} for word in invocation.args)
    asks = invocation.command in _CHANGING or (invocation.command == "preview" and refreshing)
    # Other providers than ours, as tests have them, know nothing of a cloud.
    if not asks or environ.get("PULUMI_LOCAL_PROVIDERS"):
        return {}
    if not _ALLOWED[wanted]:
        if held := count(home):
            raise LocalError(
                f"{VARIABLE}=off would leave resources behind.\n"
                f"  found: {held} of them are in the cloud of {home.root}\n"
                f"  to do: unset {VARIABLE}, or destroy the stacks with it first"
            )
        return {}
    log = home.logs / running.LOG
    found = running.start(home.cloud, log=log)
    return {URL: found.url, STACK: stack if stack and invocation.holds_stack else ""}


def end_if_empty(home: Home) -> None:
    """Stop the cloud when nothing of any stack is in it any more, and let the next one begin anew."""
    if running.exists(home.cloud) and count(home) == 0:
        running.forget(home.cloud)
        say("the local cloud is empty and stopped")


def count(home: Home) -> int:
    """How many resources of the stacks are in the cloud."""
    records = home.providers / "records.sqlite"
    if not records.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{records}?mode=ro", uri=True, timeout=60)) as database:
            return int(database.execute("select count(*) from records where live != ''").fetchone()[0])
    except sqlite3.Error:
        # Records of before there was a cloud, or damaged ones, which the run itself reports.
        return 0
