"""Operations of an environment's regions: `python -m infra.ops COMMAND --environment prod`.

Talks to AWS by boto3's own settings (profile, region, AWS_ENDPOINT_URL). Every change is planned, shown, confirmed and
written to a journal; a run that was stopped goes on where it was when the same command is given again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from infra.ops import drift, operations
from infra.ops.cloud import Cloud
from infra.ops.drill import drill
from infra.ops.errors import OpsError
from infra.ops.estate import ROOT, read
from infra.ops.failover import Patience
from infra.ops.operations import Desk
from infra.problems import SettingsError
from services import CATALOGUE

_COMMANDS = {
    "status": "show the regions: who holds the writer, lag, what is wrong",
    "failover": "make another region the writer's",
    "rejoin": "make a region that was left behind a replica again",
    "failback": "bring the writer back home, and the other region into line",
    "adopt": "let Pulumi's state know servers that a rejoin made anew",
    "drill": "failover and back on a local cloud, timed",
    "drift": "compare every stack with AWS, and change nothing",
}


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and do what it says; 1 when something is wrong, 2 when it is refused or fails."""
    given = _parser().parse_args(arguments)
    try:
        desk = Desk(
            estate=read(given.environment, catalogue=CATALOGUE, root=given.root),
            cloud=Cloud(),
            journals=given.journals,
            say=_say,
            ask=(lambda _: "yes") if given.yes else _ask,
            dry_run=given.dry_run,
            accept_loss=given.accept_loss,
            patience=Patience(pause=given.pause),
        )
        return _run(desk, given)
    except (OpsError, SettingsError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("stopped; the same command goes on from here\n")
        return 130


def _run(desk: Desk, given: argparse.Namespace) -> int:
    if given.command == "status":
        return 0 if operations.status(desk) else 1
    if given.command == "drift":
        return 1 if drift.drift(desk.estate, pulumi=_pulumi(given), say=desk.say) else 0
    if given.command == "adopt":
        operations.adopt(desk, pulumi=_pulumi(given))
    elif given.command == "failover":
        operations.failover(desk, to=given.to)
    elif given.command == "rejoin":
        operations.rejoin(desk, region=given.region)
    elif given.command == "failback":
        operations.failback(desk, to=given.to)
    else:
        drill(desk, to=given.to, timeline=given.timeline)
    return 0


def _pulumi(given: argparse.Namespace) -> list[str]:
    local = shutil.which("pulumi") is None or "AWS_ENDPOINT_URL" in os.environ
    return [given.pulumi or (str(ROOT / "bin" / "pulumi-local") if local else "pulumi")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.ops", description=(__doc__ or "").split("\n\n")[0])
    parser.set_defaults(dry_run=False, accept_loss=False, yes=False, pause=5.0)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, says in _COMMANDS.items():
        command = commands.add_parser(name, help=says, description=says)
        command.add_argument("--environment", default="prod", help="environment of the stack files (prod)")
        command.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
        command.add_argument(
            "--journals", type=Path, default=ROOT / ".ops", help="folder of the journals (.ops)"
        )
        if name in ("failover", "failback", "drill"):
            command.add_argument("--to", required=True, metavar="REGION", help="region, or its stack")
        if name == "rejoin":
            command.add_argument("--region", required=True, help="region, or its stack")
        if name in ("failover", "rejoin", "failback", "adopt", "drill"):
            command.add_argument("--dry-run", action="store_true", help="show the plan and do nothing")
            command.add_argument("--yes", action="store_true", help="do not ask")
        if name in ("failover", "rejoin", "failback", "drill"):
            command.add_argument("--accept-loss", action="store_true", help="go on where writes may be lost")
            command.add_argument(
                "--pause", type=float, default=5.0, help="seconds between two questions to AWS (5)"
            )
        if name == "drill":
            command.add_argument("--timeline", type=Path, help="file for the timings, as JSON")
        if name in ("drift", "adopt"):
            command.add_argument("--pulumi", help="the pulumi command")
    return parser


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _ask(question: str) -> str:
    if not sys.stdin.isatty():
        raise OpsError("nobody is there to confirm\n  to do: run it at a terminal, or give --yes")
    return input(question)


if __name__ == "__main__":
    sys.exit(main())
