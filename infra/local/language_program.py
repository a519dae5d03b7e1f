"""Runs a Pulumi program in a process of its own, as the official language host's helper does.

Run by its path, and free of imports from this repository: to the program, only itself and the SDK are there.
"""

import argparse
import asyncio
import ctypes
import logging
import os
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

FAILED = 1
FAILED_AND_TOLD = 32
"""Exit code for an error that has been shown in full; the engine then adds nothing."""

_PR_SET_PDEATHSIG = 1
_THREADS_PER_OPERATION = 4


def main() -> int:
    """Run the program named on the command line and return the exit code."""
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
    try:
        import pulumi  # noqa: PLC0415 - its absence deserves a sentence, not a traceback
        import pulumi.runtime  # noqa: PLC0415
        from pulumi.runtime.config import get_config_env, get_config_secret_keys_env  # noqa: PLC0415
    except ImportError as error:
        print(f"{error}\nThe Pulumi SDK is not installed here; run bin/setup.", file=sys.stderr)
        return FAILED_AND_TOLD

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
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    threads = ThreadPoolExecutor(max_workers=max(options.parallel, 1) * _THREADS_PER_OPERATION)
    loop.set_default_executor(threads)
    program = os.path.abspath(options.program)  # noqa: PTH100 - links are to be shown as they are
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _execute(options.program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return FAILED
    except Exception as error:  # noqa: BLE001 - whatever a program raises is shown in the same way
        pulumi.log.error(f"Program failed with an unhandled exception:\n{_user_traceback(error, program)}")
        return FAILED_AND_TOLD
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        threads.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _execute(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _user_traceback(error: BaseException, program: str) -> str:
    """The traceback from the program's first line on, without what ran it."""
    entry = {program, os.path.join(program, "__main__.py")}  # noqa: PTH118
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if os.path.abspath(trace.tb_frame.f_code.co_filename) in entry:  # noqa: PTH100
            return "".join(traceback.format_exception(type(error), error, trace))
        trace = trace.tb_next
    return "".join(traceback.format_exception(error))


if __name__ == "__main__":
    sys.exit(main())
