"""Runs a Pulumi program in a process of its own, as the official language host's helper does.

Run by its path, and free of imports from this repository: to the program, only itself and the SDK are there.
"""

import argparse
import asyncio
import ctypes
import importlib
import logging
import os
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any

try:
    import pulumi
    import pulumi.runtime
    from pulumi.runtime.config import get_config_env, get_config_secret_keys_env
except ImportError as error:
    sys.exit(f"{error}\nThe Pulumi SDK is not installed here; run bin/setup.")

FAILED = 1
FAILED_AND_TOLD = 32
"""Exit code for an error that has been shown in full; the engine then adds nothing."""

_PR_SET_PDEATHSIG = 1
_THREADS_PER_OPERATION = 4


def main() -> int:
    """Run the program named on the command line and return the exit code."""
    # An interrupt means that the engine wants no more: end at once, without a traceback that nobody asked for.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        # No program goes on once its engine is gone.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    parser = argparse.ArgumentParser(description="Run a Pulumi program.")
    for name in ("monitor", "engine", "project", "root-directory", "stack", "organization", "pwd"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    return _run(parser.parse_args())


def _run(options: argparse.Namespace) -> int:
    pulumi.runtime.set_all_config(get_config_env(), get_config_secret_keys_env())
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=options.project,
            stack=options.stack,
            monitor=options.monitor,
            engine=options.engine,
            parallel=options.parallel,
            dry_run=options.dry_run,
            organization=options.organization,
            root_directory=options.root_directory,
        )
    )
    sys.argv = [options.program, *options.arguments]
    if options.pwd:
        os.chdir(options.pwd)

    # Futures that nobody awaits are usual in a program that stops early; asyncio would report each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    _wait_for_outputs_at_once()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    threads = ThreadPoolExecutor(max_workers=max(options.parallel, 1) * _THREADS_PER_OPERATION)
    loop.set_default_executor(threads)
    try:
        task = loop.create_task(pulumi.runtime.run_in_stack(lambda: _execute(options.program)))
        # Waiting does not raise what the program raises; its SystemExit ends this process with its code.
        loop.run_until_complete(asyncio.wait([task]))
        return _report(task.exception(), program=options.program)
    finally:
        threads.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()


def _wait_for_outputs_at_once() -> None:
    """Let the SDK wait once for all outputs that are under way, and for the first that fails.

    It waits anew after each, for all that are left; with thousands of outputs that is a quarter of a program's time.
    """
    waiting = {**vars(asyncio), "FIRST_COMPLETED": asyncio.FIRST_EXCEPTION}
    stack: Any = importlib.import_module("pulumi.runtime.stack")
    stack.asyncio = SimpleNamespace(**waiting)


def _report(error: BaseException | None, *, program: str) -> int:
    """Show what went wrong, if anything, and choose the exit code."""
    if error is None:
        return 0
    if isinstance(error, pulumi.RunError):
        pulumi.log.error(str(error))
        return FAILED
    pulumi.log.error(f"Program failed with an unhandled exception:\n{_user_traceback(error, program)}")
    return FAILED_AND_TOLD


def _execute(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _user_traceback(error: BaseException, program: str) -> str:
    """The traceback from the program's first line on, without what ran it."""
    entry = {Path(program).absolute(), Path(program, "__main__.py").absolute()}
    trace: TracebackType | None = error.__traceback__
    while trace is not None and Path(trace.tb_frame.f_code.co_filename).absolute() not in entry:
        trace = trace.tb_next
    if trace is None and isinstance(error, SyntaxError):
        return "".join(traceback.format_exception_only(error))
    return "".join(traceback.format_exception(type(error), error, trace or error.__traceback__))


if __name__ == "__main__":
    sys.exit(main())
