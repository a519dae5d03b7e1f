"""`python -m infra.supply.audit`: which locked packages have known vulnerabilities, by pip-audit.

It asks PyPI's advisory database, so it needs a network that reaches it. Where it does not, it says that nothing was
audited instead of finding nothing. Exit code: 0 all audited and clean, 1 vulnerable, 3 not all could be audited.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from infra.supply.lock import PATH

VULNERABLE, NOT_AUDITED = 1, 3
_COMMAND = (
    *(sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off"),
    *("--requirement", str(PATH), "--require-hashes", "--disable-pip", "--no-deps"),
)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What pip-audit found.

    Attributes:
        audited: Packages that the database knows.
        skipped: Packages that could not be looked up, with the reason.
        faults: One line for each vulnerability.
    """

    audited: int
    skipped: Mapping[str, str]
    faults: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        if self.faults:
            return VULNERABLE
        return NOT_AUDITED if self.skipped or not self.audited else 0

    def __str__(self) -> str:
        lines = [*self.faults]
        if self.skipped:
            name, reason = next(iter(self.skipped.items()))
            lines += [
                f"{len(self.skipped)} of {self.audited + len(self.skipped)} packages could not be audited, as {name}:",
                f"    {reason}",
                "    to do: run this again where PyPI's own advisory database can be reached; a mirror has none",
            ]
        if not self.audited:
            lines.append("nothing was audited: this says nothing about vulnerabilities")
        elif not self.faults:
            lines.append(f"{self.audited} packages audited, no known vulnerability")
        return "\n".join(lines)


def read(document: Mapping[str, Any]) -> Report:
    """The report in what pip-audit printed."""
    dependencies = cast("list[dict[str, Any]]", document["dependencies"])
    skipped = {each["name"]: str(each["skip_reason"]) for each in dependencies if "skip_reason" in each}
    return Report(
        audited=len(dependencies) - len(skipped),
        skipped=skipped,
        faults=tuple(line for each in dependencies for line in _faults(each)),
    )


def _faults(dependency: Mapping[str, Any]) -> Iterator[str]:
    for fault in dependency.get("vulns", ()):
        mended = ", ".join(fault.get("fix_versions") or ()) or "no version yet"
        yield f"{dependency['name']} {dependency['version']}: {fault['id']}; mended in {mended}"


def main() -> int:
    """Audit the lock and say what was found.

    Returns:
        The exit code of the report; 3 where pip-audit itself failed.
    """
    done = subprocess.run(_COMMAND, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    try:
        report = read(json.loads(done.stdout))
    except (ValueError, KeyError):
        # What is above the last line is its own stack.
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"error: pip-audit could not work, so nothing was audited\n  found: {reason}", file=sys.stderr)
        return NOT_AUDITED
    print(report)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
