"""Drift: what AWS has otherwise than Pulumi's state says, stack by stack."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from infra.ops.errors import OpsError
from infra.ops.estate import ROOT, Estate
from infra.ops.steps import Say

_DIFFERS = "no changes were expected"
"""How the engine says that a comparison found something; whatever else ends it is a failure to compare."""
_LINES = 40
"""Of what the engine said, the last so many are shown."""


def drift(estate: Estate, *, pulumi: Sequence[str], say: Say) -> bool:
    """Compare every stack of an environment with AWS and change nothing; says whether any differs.

    Args:
        estate: The environment.
        pulumi: The command, e.g. `pulumi` or `bin/pulumi-local`.
        say: Tells the user a line.

    Raises:
        OpsError: When the command is not there, or a stack could not be compared; the others are compared all the same.
    """
    differs, failed = False, list[str]()
    for region in estate.regions:
        command = [*pulumi, "refresh", "--preview-only", "--expect-no-changes", "--non-interactive"]
        try:
            done = subprocess.run(  # noqa: S603 - the command is the user's own
                [*command, "--stack", region.stack], cwd=ROOT, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise OpsError(
                f"{pulumi[0]} cannot be started: {error}\n  to do: install pulumi, or give --pulumi bin/pulumi-local"
            ) from None
        if done.returncode == 0:
            say(f"{region.stack}: as the state says")
            continue
        said = (done.stdout + done.stderr).strip()
        if _DIFFERS in said:
            differs = True
            say(f"{region.stack}: DIFFERS")
        else:
            failed.append(region.stack)
            say(f"{region.stack}: NOT COMPARED")
        say("    " + "\n    ".join(said.splitlines()[-_LINES:]))
    if failed:
        raise OpsError(
            f"not compared: {', '.join(failed)}; nothing is known of what differs there\n"
            "  to do: mend what pulumi says above, then run this again"
        )
    return differs
