"""Drift: what AWS has otherwise than Pulumi's state says, stack by stack."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from infra.ops.errors import OpsError
from infra.ops.estate import ROOT, Estate
from infra.ops.steps import Say


def drift(estate: Estate, *, pulumi: Sequence[str], say: Say) -> bool:
    """Compare every stack of an environment with AWS and change nothing; says whether any differs.

    Args:
        estate: The environment.
        pulumi: The command, e.g. `pulumi` or `bin/pulumi-local`.
        say: Tells the user a line.

    Raises:
        OpsError: When the command is not there.
    """
    differs = False
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
        say(f"{region.stack}: {'as the state says' if done.returncode == 0 else 'DIFFERS'}")
        if done.returncode:
            differs = True
            say("    " + "\n    ".join((done.stdout + done.stderr).strip().splitlines()[-40:]))
    return differs
