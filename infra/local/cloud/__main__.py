"""`python -m infra.local.cloud up|down|env|status`: the AWS on this machine that boto3 can talk to."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from infra.local.cloud import running
from infra.local.cloud.server import serve
from infra.local.errors import LocalError, say
from infra.local.home import Home

_HELP = {
    "up": "start it, with all that it held",
    "down": "stop it; what it holds stays for the next time, unless --forget is given",
    "env": "print the variables that lead boto3 and the AWS CLI to it; starts it",
    "status": "say whether it runs",
}


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command."""
    given = _parser().parse_args(arguments)
    if given.command == "serve":
        return _detached(Path(given.folder), Path(given.log))
    home = Home.locate(environ=os.environ, cwd=Path.cwd())
    try:
        home.create()
        return _carried_out(str(given.command), home, drop=bool(getattr(given, "forget", False)))
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _carried_out(command: str, home: Home, *, drop: bool) -> int:
    if command == "down":
        ran = running.stop(home.cloud)
        if drop:
            running.forget(home.cloud)
        kept = "what it held is forgotten" if drop else "what it holds stays"
        say(f"the local cloud {'is stopped' if ran else 'was not running'}; {kept}")
        return 0
    if command == "status":
        found = running.find(home.cloud)
        say(f"the local cloud runs at {found.url}" if found else "the local cloud does not run")
        return 0 if found else 1
    found = running.start(home.cloud, log=home.logs / running.LOG)
    if command == "env":
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        for line in variables(found.url, region):
            print(f"export {line}")
        # A profile of the caller's would be looked for, and would come first.
        print("unset AWS_PROFILE AWS_SESSION_TOKEN")
    else:
        say(f"the local cloud runs at {found.url}; `make cloud-env` prints how boto3 gets there")
    return 0


def variables(url: str, region: str) -> list[str]:
    """The variables that lead boto3 and the AWS CLI here, and nowhere else.

    Args:
        url: Where the cloud is.
        region: The region of clients that name none.
    """
    return [
        f"AWS_ENDPOINT_URL={url}",
        "AWS_ACCESS_KEY_ID=local",
        "AWS_SECRET_ACCESS_KEY=local",
        f"AWS_DEFAULT_REGION={region}",
        "AWS_EC2_METADATA_DISABLED=true",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.cloud", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in _HELP.items():
        command = commands.add_parser(name, help=text, description=text)
        if name == "down":
            command.add_argument("--forget", action="store_true", help="drop all that it holds")
    served = commands.add_parser("serve")
    served.add_argument("--folder", required=True)
    served.add_argument("--log", required=True)
    served.add_argument("--here", action="store_true")
    return parser


def _detached(folder: Path, log: Path) -> int:
    """Leave a child behind that serves, in no group of the caller's."""
    if "--here" in sys.argv:
        code = serve(folder)
        sys.stderr.write("ended\n")
        return code
    with log.open("wb") as said:
        subprocess.Popen(
            [sys.executable, "-m", "infra.local.cloud", *sys.argv[1:], "--here"],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
