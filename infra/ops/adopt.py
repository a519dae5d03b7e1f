"""Adopt: Pulumi's state learns the new ids of servers that were made anew under their old identifiers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from infra import redaction
from infra.ops.cloud import Cloud, Server
from infra.ops.errors import OpsError
from infra.ops.estate import ROOT, Region
from infra.ops.steps import Say, Step

_SERVER = "aws:rds/instance:Instance"
_STACK = "pulumi:pulumi:Stack"
_ELSEWHERE = ("delete", "external", "pendingReplacement")
"""Marks of a resource that an update is to delete or make, or that its stack only reads: its id stays as it is."""
_LINES = 10
"""Of what pulumi said, the last so many are shown."""


class StateError(OpsError):
    """The state of one stack cannot be read or changed; others can."""


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """The state of one stack, and the servers of its region.

    Attributes:
        region: The region, with its stack.
        cloud: The account.
        pulumi: The command, e.g. `pulumi` or `bin/pulumi-local`.
    """

    region: Region
    cloud: Cloud
    pulumi: Sequence[str]

    def look(self, say: Say) -> dict[str, str]:
        """Servers that the state knows by another id than AWS, with both ids; changes nothing.

        Args:
            say: Tells the user a line: which servers are left alone, and why.

        Raises:
            StateError: When the state cannot be read, or must not be changed now.
            CloudError: When AWS refuses or does not answer.
        """
        state = self._exported()
        ids = self._mend(state, say)
        if ids:
            self._refuse_pending(state)
        return ids

    def step(self, ids: Mapping[str, str]) -> Step:
        """The step that changes the state in what `look` found."""

        def act() -> str:
            return self._change(ids)

        stack, count = self.region.stack, len(ids)
        return Step(name=f"adopt {stack}", says=f"change the ids of {count} server(s) in the state", act=act)

    def _change(self, shown: Mapping[str, str]) -> str:
        state = self._exported()
        ids = self._mend(state, lambda _: None)
        if ids != shown:
            raise StateError("its state is not what was shown any more\n  to do: run this again")
        self._refuse_pending(state)
        self._pulumi("import", given=json.dumps(state))
        return f"changed: {', '.join(sorted(ids))}"

    def _exported(self) -> dict[str, Any]:
        """The state as pulumi exports it; its secrets stay encrypted."""
        try:
            state: Any = json.loads(self._pulumi("export"))
        except ValueError:
            state = None
        if not (
            isinstance(state, dict) and isinstance(cast("dict[str, Any]", state).get("deployment"), dict)
        ):
            raise StateError("what pulumi exported is no state\n  to do: see `pulumi stack export`")
        return cast("dict[str, Any]", state)

    def _pulumi(self, command: str, *, given: str | None = None) -> str:
        """Run `pulumi stack COMMAND`; a state goes in and out by pipes, so that no file of it is left behind."""
        try:
            done = subprocess.run(  # noqa: S603 - the command is the user's own
                [*self.pulumi, "stack", command, "--non-interactive", "--stack", self.region.stack],
                cwd=ROOT,
                input=given or "",
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise OpsError(
                f"{self.pulumi[0]} cannot be started: {error}\n"
                "  to do: install pulumi, or give --pulumi bin/pulumi-local"
            ) from None
        if done.returncode != 0:
            said = redaction.by_look(done.stderr).strip().splitlines()[-_LINES:]
            raise StateError("\n    ".join([f"pulumi stack {command} failed", *said]))
        return done.stdout

    def _mend(self, state: Mapping[str, Any], say: Say) -> dict[str, str]:
        """Put AWS's ids into a state; gives the servers whose id changed, with both ids."""
        ids: dict[str, str] = {}
        for resource in _resources(state, _SERVER):
            outputs = resource.get("outputs", {})
            identifier = outputs.get("identifier", resource.get("inputs", {}).get("identifier"))
            if not isinstance(identifier, str):
                say(f"{self.region.stack}: {resource['urn']} has no identifier: left alone")
                continue
            mark = next((mark for mark in _ELSEWHERE if resource.get(mark)), None)
            if mark is not None:
                say(f"{self.region.stack}: {identifier} is marked `{mark}` in the state: left alone")
                continue
            server = self.cloud.server(self.region.name, identifier)
            if server is None:
                say(f"{self.region.stack}: {identifier} is not there in {self.region.name}: left alone")
                continue
            _see_same_account(server, outputs.get("arn"))
            new = server.raw["DbiResourceId"]
            if resource.get("id") != new:
                ids[identifier] = f"{resource.get('id')} -> {new}"
                resource["id"] = new
                _replace(outputs, server)
        return ids

    def _refuse_pending(self, state: Mapping[str, Any]) -> None:
        """See that no update was cut short: an import would forget what it had begun.

        A refresh of the stack's own resource clears what is pending and asks AWS for no server.
        """
        operations: list[dict[str, Any]] = state["deployment"].get("pending_operations") or []
        pending = [f"{one['type']} {one['resource']['urn'].rpartition('::')[2]}" for one in operations]
        if pending:
            root = next((one["urn"] for one in _resources(state, _STACK)), "URN")
            raise StateError(
                f"an update of it did not end: {', '.join(pending)}\n"
                "  to do: see in AWS what became of each, then run this, which clears them, and adopt again:\n"
                f"    pulumi refresh --stack {self.region.stack} --clear-pending-creates --target '{root}'"
            )


def _resources(state: Mapping[str, Any], type_: str) -> Iterator[dict[str, Any]]:
    resources: list[dict[str, Any]] = state["deployment"].get("resources") or []
    return (one for one in resources if one["type"] == type_)


def _see_same_account(server: Server, arn: Any) -> None:
    if isinstance(arn, str) and arn != server.arn:
        raise StateError(
            f"{server.identifier} is {arn} in the state and {server.arn} in AWS\n"
            "  to do: use credentials of the account that the stack is in"
        )


def _replace(outputs: dict[str, Any], server: Server) -> None:
    """Put what AWS says into outputs that the state has in plain text; a refresh sees to the rest."""
    endpoint: Mapping[str, Any] = server.raw.get("Endpoint") or {}
    address, port = endpoint.get("Address"), endpoint.get("Port")
    said = {
        "id": server.raw["DbiResourceId"],
        "resourceId": server.raw["DbiResourceId"],
        "address": address,
        "endpoint": f"{address}:{port}" if address and port else None,
        "hostedZoneId": endpoint.get("HostedZoneId"),
    }
    for name, value in said.items():
        if value and isinstance(outputs.get(name), str):
            outputs[name] = value


def reconcile(environment: str, stacks: Sequence[str]) -> str:
    """How Pulumi's state learns of servers that were made anew."""
    return "\n".join(
        [
            "Pulumi does not know the new servers yet. Before any refresh, which would drop them from the state:",
            f"  {command(environment)}",
            *then(stacks),
        ]
    )


def command(environment: str) -> str:
    """The command that adopts an environment's servers."""
    return f"python -m infra.ops adopt --environment {environment}"


def then(stacks: Sequence[str]) -> list[str]:
    """What follows an adoption."""
    return [f"  pulumi {command} --stack {stack}" for stack in stacks for command in ("refresh", "up")]
