"""Serve the stand-ins: `python -m infra.local.providers --state-dir DIR [--parent-pid PID]`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from infra import redaction


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.providers", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True, help="folder that keeps the records")
    parser.add_argument("--parent-pid", type=int, help="stop when this process is gone")
    given = parser.parse_args(arguments)
    known = redaction.Known()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(redaction.Formatter(known, "%(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    from infra.local.providers import server, store  # noqa: PLC0415 - `--help` need not load the SDKs

    try:
        return server.run(given.state_dir, given.parent_pid, known)
    except (store.StoreError, OSError, ValueError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
