"""What the local platform says to a person: one-line notices, and errors that need no traceback."""

import signal
import sys
from types import FrameType

FAILED = 1
"""Exit code of an error of the local platform itself."""

NO_SUCH_STACK = 6
"""The engine's own exit code for a stack that does not exist."""


class LocalError(Exception):
    """Something a person has to know or do; its text says what was found, what is allowed and what to do."""

    def __init__(self, message: str, *, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Interrupted(BaseException):
    """A signal asked this run to stop before the engine had started."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.exit_code = 128 + signum


def say(message: str) -> None:
    """Print a notice on standard error; standard output belongs to the engine."""
    print(f"pulumi-local: {message}", file=sys.stderr, flush=True)


def raise_interrupted(signum: int, _frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that what was started is also ended."""
    raise Interrupted(signum)


def interrupt_on_signals() -> None:
    """Let the usual stop signals unwind this process until the engine takes them over."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, raise_interrupted)
