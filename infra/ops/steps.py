"""Steps of an operation: shown before, done one after another, taken up where a run ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.ops.errors import OpsError
from infra.ops.journal import Journal

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step. Its act may be repeated: it looks first at what is already so.

    Attributes:
        name: Stable name in the journal.
        says: What it will do, for the plan.
        act: Does it, and says what it found or did.
    """

    name: str
    says: str
    act: Callable[[], str]


def show(steps: Sequence[Step], *, done: Sequence[str], say: Say) -> None:
    """Show the plan, with what an earlier run did already."""
    for number, step in enumerate(steps, 1):
        mark = "done" if step.name in done else "    "
        say(f"  {number:>2}. {mark} {step.name:<22} {step.says}")


def run(steps: Sequence[Step], *, journal: Journal, say: Say) -> None:
    """Do every step that is not done yet.

    Raises:
        OpsError: When a step fails; the journal then says which, and the next run begins with it.
    """
    for number, step in enumerate(steps, 1):
        if step.name in journal.done:
            say(f"[{number}/{len(steps)}] {step.name}: done by the earlier run")
            continue
        say(f"[{number}/{len(steps)}] {step.name}: {step.says}")
        journal.write("started", step=step.name, says=step.says)
        started = time.monotonic()
        try:
            result = step.act()
        except OpsError as error:
            journal.write("failed", step=step.name, error=str(error))
            raise
        seconds = round(time.monotonic() - started, 3)
        journal.write("done", step=step.name, seconds=seconds, result=result)
        journal.done[step.name] = seconds
        say(f"      {result} ({seconds:.1f} s)")
    journal.write("ended")


def wait_for(condition: Callable[[], bool], *, what: str, seconds: float, pause: float) -> None:
    """Ask again until something is so.

    Args:
        condition: What is waited for.
        what: Its words, for the error.
        seconds: How long at most.
        pause: Seconds between two questions.

    Raises:
        OpsError: When it is not so in time; the run can be taken up.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise OpsError(
                f"waited {seconds:g} s for: {what}\n  to do: see what AWS says of it, then run the same command again; "
                "it goes on from here"
            )
        time.sleep(pause)
