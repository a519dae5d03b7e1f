"""`python -m infra.local ARGS...` (or this file by its path) is `pulumi ARGS...` on the local platform."""

import sys
from pathlib import Path

if not __package__:
    # Run by path, so that the caller's working directory never shadows a module of ours.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.local.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
