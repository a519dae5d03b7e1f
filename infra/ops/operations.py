"""The operations: each looks, shows its plan, asks, and does it step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.ops import adopt as adopting
from infra.ops import failover as failing_over
from infra.ops import rejoin as rejoining
from infra.ops.adopt import Adoption, StateError
from infra.ops.cloud import Cloud
from infra.ops.errors import CloudError, OpsError, RefusedError
from infra.ops.estate import Estate, Region
from infra.ops.failover import Failover, Patience
from infra.ops.journal import Journal, held
from infra.ops.rejoin import Rejoin
from infra.ops.status import EstateStatus, Holds, observe
from infra.ops.steps import Say, Step, run, show


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What every operation works with.

    Attributes:
        estate: The environment.
        cloud: The account.
        journals: Folder of the journals.
        say: Tells the user a line.
        ask: Asks the user, and gives the answer.
        dry_run: Show the plan and do nothing.
        accept_loss: Go on where writes may be lost.
        patience: How long steps wait.
    """

    estate: Estate
    cloud: Cloud
    journals: Path
    say: Say
    ask: Callable[[str], str]
    dry_run: bool = False
    accept_loss: bool = False
    patience: Patience = field(default_factory=Patience)


def status(desk: Desk) -> bool:
    """Show every region; says whether all is well."""
    seen = observe(desk.estate, desk.cloud)
    tell_status(seen, desk.say)
    return not seen.findings()


def tell_status(seen: EstateStatus, say: Say) -> None:
    """Tell the state of an environment, region by region, then what is wrong."""
    say(f"environment {seen.estate.environment}: {seen.estate.writer_name} -> {seen.target or '(nothing)'}")
    for one in seen.regions:
        lag = "" if one.lag_seconds is None else f", lag {one.lag_seconds:g} s"
        state = one.head.status if one.head else "-"
        say(f"  {one.region.name:<16} stack {one.region.stack:<20} {one.holds.value:<12} {state}{lag}")
    for finding in seen.findings():
        say(f"  ! {finding}")


def failover(desk: Desk, *, to: str) -> None:
    """Make a region the writer's.

    Raises:
        OpsError: When it is refused, or a step fails.
    """
    old = _fail_over(desk, to=to)
    if old is not None:
        desk.say(failing_over.reconcile(desk.estate, old=old, new=desk.estate.region(to)))


def _fail_over(desk: Desk, *, to: str) -> Region | None:
    """Fail over; gives the region that the writer left, or none after a dry run."""
    with held(desk.journals):
        target = desk.estate.region(to)
        journal = _journal(desk, "failover", target.name)
        seen, looked = _look(desk)
        if not journal.resumed:
            _accept(desk, failing_over.losses(seen, target.name))
        else:
            desk.say(f"going on with {journal.path.name}, which did not end")
        facts = journal.facts.get("failover")
        old = facts["old"] if facts else _old(seen, target.name)
        steps = Failover(
            estate=desk.estate,
            cloud=desk.cloud,
            journal=journal,
            old=desk.estate.region(old),
            new=target,
            accept_loss=desk.accept_loss,
            patience=desk.patience,
        ).steps()
        done = list(journal.done)
        if not _agreed(desk, steps, done=done, question=f"make {target.name} the writer's region"):
            return None
        failing_over.begin(seen, target.name, journal=journal)
        _audit(desk, journal, operation="failover", region=target.name, looked=looked)
        run(steps, journal=journal, say=desk.say)
        return desk.estate.region(old)


def rejoin(desk: Desk, *, region: str) -> None:
    """Make a region that was left behind a replica of the writer's.

    Raises:
        OpsError: When it is refused, or a step fails.
    """
    if _join_again(desk, region=region):
        stack = desk.estate.region(region).stack
        desk.say(adopting.reconcile(desk.estate.environment, [stack]))


def _join_again(desk: Desk, *, region: str) -> bool:
    """Rejoin; says whether it was done, and no dry run."""
    with held(desk.journals):
        joining = desk.estate.region(region)
        journal = _journal(desk, "rejoin", joining.name)
        seen, looked = _look(desk)
        if not journal.resumed:
            rejoining.check(seen, joining.name)
        writer = seen.writer
        if writer is None:
            raise RefusedError(
                "no region holds the writer: there is nothing to follow\n  to do: see `status`"
            )
        steps = Rejoin(
            estate=desk.estate,
            cloud=desk.cloud,
            journal=journal,
            region=joining,
            writer=writer.region,
            patience=desk.patience,
        ).steps()
        question = f"delete {joining.name}'s servers and make them anew"
        if not _agreed(desk, steps, done=list(journal.done), question=question):
            return False
        _audit(desk, journal, operation="rejoin", region=joining.name, looked=looked)
        run(steps, journal=journal, say=desk.say)
        return True


def failback(desk: Desk, *, to: str) -> None:
    """Bring the writer back: the region rejoins, takes over, and the other rejoins.

    Each of the three is a run of its own with its own plan and question, so that each can be taken up.

    Raises:
        OpsError: When one is refused, or a step fails.
    """
    seen = observe(desk.estate, desk.cloud)
    home = seen.of(to)
    away = seen.writer
    left: Region | None = None
    if away is not None and away.region != home.region:
        if home.holds in (Holds.FENCED, Holds.MISSING) or _unfinished(desk, "rejoin", home.region.name):
            _join_again(desk, region=home.region.name)
        if desk.dry_run:
            desk.say(f"then: failover --to {home.region.name}, and rejoin --region {away.region.name}")
            return
        left = _fail_over(desk, to=home.region.name)
    elif _unfinished(desk, "failover", home.region.name):
        left = _fail_over(desk, to=home.region.name)
    for one in observe(desk.estate, desk.cloud).regions:
        joins = one.holds is Holds.FENCED or _unfinished(desk, "rejoin", one.region.name)
        if joins and _join_again(desk, region=one.region.name) and one.region != home.region:
            left = left or one.region
    if left is not None:
        desk.say(failing_over.reconcile(desk.estate, old=left, new=home.region))


def adopt(desk: Desk, *, pulumi: Sequence[str]) -> None:
    """Let Pulumi's state know servers that were made anew, stack by stack.

    Args:
        desk: What operations work with.
        pulumi: The command, e.g. `pulumi` or `bin/pulumi-local`.

    Raises:
        OpsError: When a stack's state cannot be read or changed; the others are changed all the same.
    """
    with held(desk.journals):
        started, failed = time.monotonic(), list[str]()
        found: list[tuple[Adoption, dict[str, str]]] = []
        for region in desk.estate.regions:
            adoption = Adoption(region=region, cloud=desk.cloud, pulumi=pulumi)
            with _passed_over(desk, region, failed):
                found.append((adoption, _differing(desk, adoption)))
        looked = round(time.monotonic() - started, 3)
        found = [(adoption, ids) for adoption, ids in found if ids]
        steps = [adoption.step(ids) for adoption, ids in found]
        if steps and _agreed(desk, steps, done=(), question="change these ids in Pulumi's state"):
            adopted: list[str] = []
            for (adoption, ids), step in zip(found, steps, strict=True):
                with _passed_over(desk, adoption.region, failed):
                    _adopt_one(desk, adoption.region, step, ids=ids, looked=looked)
                    adopted.append(adoption.region.stack)
            if adopted:
                desk.say("\n".join(["Then:", *adopting.then(adopted)]))
    if failed:
        raise OpsError(
            f"not adopted: {', '.join(failed)}\n  to do: mend what is said above, then run this again"
        )


def _differing(desk: Desk, adoption: Adoption) -> dict[str, str]:
    ids = adoption.look(desk.say)
    stack = adoption.region.stack
    for identifier, change in ids.items():
        desk.say(f"{stack}: {identifier} was made anew: {change}")
    if not ids:
        desk.say(f"{stack}: nothing to adopt")
    return ids


def _adopt_one(desk: Desk, region: Region, step: Step, *, ids: Mapping[str, str], looked: float) -> None:
    journal = _journal(desk, "adopt", region.name)
    # What is to be done is what the state lacks now, whatever a run that was cut short had done.
    journal.done.clear()
    _audit(desk, journal, operation="adopt", region=region.name, looked=looked, ids=ids)
    run([step], journal=journal, say=desk.say)


@contextmanager
def _passed_over(desk: Desk, region: Region, failed: list[str]) -> Generator[None]:
    """Tell what fails for one stack, and go on with the next."""
    try:
        yield
    except (StateError, CloudError) as error:
        failed.append(region.stack)
        desk.say(f"{region.stack}: NOT ADOPTED: {error}")


def _journal(desk: Desk, operation: str, region: str) -> Journal:
    """The journal of an operation on a region: the unfinished one, or a new one."""
    return Journal.open(desk.journals, operation=operation, subject=f"{desk.estate.environment}-{region}")


def _unfinished(desk: Desk, operation: str, region: str) -> bool:
    return _journal(desk, operation, region).resumed


def _old(seen: EstateStatus, target: str) -> str:
    if seen.writer is not None:
        return seen.writer.region.name
    others = [one.region.name for one in seen.regions if one.region.name != target]
    if not others:
        raise OpsError("the environment has one region: there is nowhere to fail over from")
    return others[0]


def _accept(desk: Desk, losses: Sequence[str]) -> None:
    for loss in losses:
        desk.say(f"  ! {loss}")
    if losses and not desk.accept_loss:
        raise RefusedError(
            "refused, because writes may be lost:\n  "
            + "\n  ".join(losses)
            + "\n  to do: mend it, or run again with --accept-loss"
        )


def _agreed(desk: Desk, steps: Sequence[Step], *, done: Sequence[str], question: str) -> bool:
    desk.say("plan:")
    show(steps, done=done, say=desk.say)
    if desk.dry_run:
        desk.say("dry run: nothing was done")
        return False
    answer = desk.ask(f"{question}? type 'yes': ")
    if answer.strip() != "yes":
        raise OpsError("not confirmed: nothing was done")
    return True


def _look(desk: Desk) -> tuple[EstateStatus, float]:
    """The state of every region, told, and the seconds that it took to learn: long where a region does not answer."""
    started = time.monotonic()
    seen = observe(desk.estate, desk.cloud)
    looked = round(time.monotonic() - started, 3)
    tell_status(seen, desk.say)
    return seen, looked


def _audit(desk: Desk, journal: Journal, *, operation: str, region: str, looked: float, **more: Any) -> None:
    journal.write(
        "resumed" if journal.resumed else "began",
        operation=operation,
        region=region,
        caller=desk.cloud.caller(region),
        accept_loss=desk.accept_loss,
        looked=looked,
        clock=time.time(),
        **more,
    )
    desk.say(f"journal: {journal.path}")
