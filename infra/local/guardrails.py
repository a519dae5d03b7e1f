"""What `preview` and `up` are held to: the project's policy pack, and the guard against losing stores."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra import guard
from infra.local.arguments import Invocation
from infra.local.errors import LocalError
from infra.local.home import Home

SWITCH = "PULUMI_LOCAL_POLICIES"
"""`off` leaves the policy pack out, to measure what it costs."""

DEBUG_COMMANDS = {"PULUMI_DEBUG_COMMANDS": "true"}
"""Lets the engine take `--event-log`, as the Automation API does."""

# Flags of `up` that say how it goes about it, not what it changes; `preview` knows none of them.
_UP_ONLY = frozenset({"--yes", "-y", "--skip-preview", "-f", "--continue-on-error", "--strict"})
_UP_ONLY_WITH_VALUE = ("--plan", "--policy-pack", "--policy-pack-config", "--secrets-provider")
# How a plan is shown is of no interest where nobody sees it.
_SHOWING = frozenset({"--json", "-j", "--diff", "--expect-no-changes"})


def policy_arguments(*, invocation: Invocation, home: Home, environ: Mapping[str, str]) -> list[str]:
    """The flag that makes the engine run the project's policy pack; none for other commands and projects."""
    pack = home.project / "infra" / "policy"
    if invocation.command not in {"preview", "up"} or environ.get(SWITCH) == "off":
        return []
    return [f"--policy-pack={pack}"] if (pack / "PulumiPolicy.yaml").is_file() else []


def before_up(args: Sequence[str]) -> list[str]:
    """The preview that shows what an `up` would do."""
    kept = [
        arg
        for arg in args
        if arg not in _UP_ONLY | _SHOWING and arg.partition("=")[0] not in _UP_ONLY_WITH_VALUE
    ]
    return ["preview" if arg in {"up", "update"} else arg for arg in kept]


@contextmanager
def watched(home: Home) -> Generator[Path]:
    """A file for the engine's event log, which may hold values and so is not kept."""
    home.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="plan-", dir=home.root) as folder:
        yield Path(folder) / "events.json"


def refuse_losses(events: Path, *, environ: Mapping[str, str]) -> None:
    """Stop where the plan in an event log loses a store, or jumps over a Kubernetes version.

    Raises:
        LocalError: It does; says what, why, and what to do.
    """
    if not events.exists():
        return
    with events.open(encoding="utf-8") as lines:
        found = guard.problems(list(guard.steps_of_events(lines)), allowed=guard.allowed_names(environ))
    if found:
        raise LocalError("\nerror: ".join(found))


def is_guarded(invocation: Invocation) -> bool:
    """Whether the guard looks at a command: one that would carry out a plan, or show one."""
    return invocation.command in {"preview", "up"} and "--event-log" not in " ".join(invocation.args)


Run = Callable[[Sequence[str]], int]
"""Runs the engine with these words and gives its exit code."""


def run(
    *, invocation: Invocation, home: Home, shown: tuple[Sequence[str], Run], quiet: Run, has_state: bool
) -> int:
    """Run a `preview` or `up` under guard.

    Args:
        invocation: The command.
        home: Where the plan's events may be kept for the while.
        shown: The engine's words, and how to run it before the user's eyes.
        quiet: How to run it unseen.
        has_state: Whether the stack holds anything that could be lost.

    Returns:
        The engine's exit code.

    Raises:
        LocalError: The plan loses a store.
    """
    args, show = shown
    if not has_state or not is_guarded(invocation):
        return show(args)
    with watched(home) as events:
        log = f"--event-log={events}"
        if invocation.command == "preview":
            code = show(with_flag(args, log))
            refuse_losses(events, environ=os.environ)
            return code
        # A plan that fails is left to `up` to explain.
        quiet(with_flag(before_up(args), log))
        refuse_losses(events, environ=os.environ)
    return show(args)


def with_flag(args: Sequence[str], flag: str) -> list[str]:
    """The words with one more flag, before `--`, which ends the flags."""
    words = list(args)
    words.insert(words.index("--") if "--" in words else len(words), flag)
    return words
