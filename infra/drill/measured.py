"""What a drill measured, as `docs/drill.json` keeps it; written by `make drill`, read by `make docs`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PARTS = ("postgresql", "kubernetes", "tool", "unplugged")
"""Files of a drill's folder, each written by the test that measured it."""


class DrillError(ValueError):
    """A drill's measurements are missing or not what is expected; says what to do."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Machine(_Record):
    """Where it was measured.

    Attributes:
        cores: Processors.
        memory_gib: Memory.
        system: Operating system and architecture.
        load: Processes that wanted a processor, averaged over the last 15 minutes when it ended.
    """

    cores: int
    memory_gib: int
    system: str
    load: float


class PostgreSql(_Record):
    """A primary that was killed behind the pooler.

    Attributes:
        version: PostgreSQL's.
        pgbouncer: PgBouncer's version.
        promotion_seconds: From the kill until the replica took writes and the name pointed to it.
        write_gap_seconds: Longest time without an acknowledged write, the promotion in it.
        acknowledged: Writes that clients were told of.
        lost: Those of them that the new writer lacks.
    """

    version: str
    pgbouncer: str
    promotion_seconds: float = Field(gt=0)
    write_gap_seconds: float = Field(gt=0)
    acknowledged: int = Field(gt=0)
    lost: int = Field(ge=0)


class Kubernetes(_Record):
    """Pods that were lost, on the real controllers and scheduler.

    Attributes:
        version: Kubernetes'.
        pod_seconds: From a pod's deletion until another is ready.
        doubled_seconds: Until twice as many pods of every service are ready, on nodes with room.
        node_gone_seconds: From a node's removal until its pods have others in their place.
        node_silent_seconds: From a node's silence until its pods have others in their place.
        node_gone_pods: Pods of the removed node.
        node_silent_pods: Pods of the silent node.
    """

    version: str
    pod_seconds: float = Field(gt=0)
    doubled_seconds: float = Field(gt=0)
    node_gone_seconds: float = Field(gt=0)
    node_silent_seconds: float = Field(gt=0)
    node_gone_pods: int = Field(gt=0)
    node_silent_pods: int = Field(gt=0)


class ToolStep(_Record):
    """One step of the operations tool: seconds from its start to its end."""

    run: str
    step: str
    seconds: float = Field(ge=0)
    result: str


class Tool(_Record):
    """A failover and back by the command line, on a cloud of this machine.

    Attributes:
        at: When.
        moto: Version of the stand-in of AWS.
        steps: All steps of all runs, in order.
    """

    at: datetime
    moto: str
    steps: tuple[ToolStep, ...] = Field(min_length=1)


class Unplugged(_Record):
    """A failover while the old region takes no connection."""

    steps: tuple[ToolStep, ...] = Field(min_length=1)

    def seconds(self, *names: str) -> float:
        """What steps took together.

        Raises:
            DrillError: When one was not taken.
        """
        taken = {step.step: step.seconds for step in self.steps}
        missing = [name for name in names if name not in taken]
        if missing:
            raise DrillError(
                f"the drill has no step {', '.join(missing)}\n  there are: {', '.join(taken)}\n  to do: make drill"
            )
        return sum(taken[name] for name in names)


class Measured(_Record):
    """All of a drill."""

    at: datetime
    machine: Machine
    postgresql: PostgreSql
    kubernetes: Kubernetes
    tool: Tool
    unplugged: Unplugged


def read(text: str) -> Measured:
    """What a file of measurements says.

    Args:
        text: JSON.

    Raises:
        DrillError: When it is not whole; names every key.
    """
    return _checked(lambda: Measured.model_validate_json(text))


def read_content(content: Mapping[str, Any]) -> Measured:
    """The same of what was read already."""
    return _checked(lambda: Measured.model_validate(content))


def _checked(validate: Callable[[], Measured]) -> Measured:
    try:
        return validate()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'the file'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise DrillError(
            f"the drill's measurements are not as expected: {problems}\n  to do: make drill"
        ) from None


def gather(folder: Path) -> Measured:
    """Put together what the tests of a drill left in a folder.

    Raises:
        DrillError: When a part is missing or not whole.
    """
    missing = [name for name in PARTS if not (folder / f"{name}.json").exists()]
    if missing:
        raise DrillError(
            f"{folder} has no {', '.join(f'{name}.json' for name in missing)}\n  allowed: one of each of "
            f"{', '.join(PARTS)}\n  to do: make drill, which runs the tests that write them"
        )
    content: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine().model_dump(),
    }
    for name in PARTS:
        try:
            content[name] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        except ValueError as error:
            raise DrillError(f"{folder / name}.json is no JSON: {error}\n  to do: make drill") from None
    return read_content(content)


def written(measured: Measured) -> str:
    """The file's text."""
    return measured.model_dump_json(indent=1) + "\n"


def runs(measured: Measured) -> Sequence[tuple[str, tuple[ToolStep, ...]]]:
    """The tool's runs in order, each with its steps."""
    names = dict.fromkeys(step.run for step in measured.tool.steps)
    return [(name, tuple(step for step in measured.tool.steps if step.run == name)) for name in names]


def _machine() -> Machine:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cores=os.cpu_count() or 1,
        memory_gib=round(pages / 2**30),
        system=f"{platform.system()} {platform.machine()}",
        load=round(os.getloadavg()[2], 1),
    )
