"""Names and parents of every stack's resources, as files that a review sees change: tests/golden."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infra.diagram.graph import Graph, Resource

FOLDER = "tests/golden"
_HEADER = "# Every resource of {stack}: type and name, then its parent. Written by `make golden`.\n"


def path(stack: str) -> str:
    """The stack's file in the repository."""
    return f"{FOLDER}/{stack}.txt"


def page(stack: str, graph: Graph) -> str:
    """What the stack's file says."""
    return _HEADER.format(stack=stack) + "".join(f"{line}\n" for line in sorted(identities(graph).values()))


def identities(graph: Graph) -> dict[str, str]:
    """A line for each resource, by URN: what it is and under what. Providers' default instances are left out."""
    return {urn: _line(resource, graph) for urn, resource in graph.resources.items() if _is_ours(resource)}


def lines(text: str) -> set[str]:
    """The lines of a file, without its header."""
    return {line for line in text.splitlines() if line and not line.startswith("#")}


def lost(recorded: Iterable[str], *, current: Mapping[str, str], aliases: Iterable[str]) -> list[str]:
    """Recorded lines that are gone and that no alias answers for.

    Args:
        recorded: Lines of the file.
        current: What there is now, by URN.
        aliases: URNs that resources say they had before.
    """
    answered = {line_of_urn(urn) for urn in aliases}
    now = set(current.values())
    return sorted(line for line in recorded if line not in now and line.partition(" < ")[0] not in answered)


def explanation(stack: str, *, gone: Iterable[str], new: Iterable[str]) -> str:
    """What differs from the file of a stack and what to do; empty where nothing does.

    Args:
        stack: Name of the stack.
        gone: Recorded lines that nothing answers for.
        new: Lines that are not recorded.
    """
    differences = [*(f"  gone: {line}" for line in gone), *(f"  new:  {line}" for line in new)]
    if not differences:
        return ""
    return "\n".join(
        [
            f"resources of stack {stack} are not called as {path(stack)} records.",
            *differences,
            "  allowed: names and parents that stay, since the engine deletes what changes them and makes it anew",
            "  to do: after a rename or a move, give the resource its old name or parent as an alias:",
            "         opts=ResourceOptions(aliases=[Alias(name='old', parent=old_parent)]), then: make golden",
            "         after a wanted addition or removal: make golden, and commit the files",
        ]
    )


def line_of_urn(urn: str) -> str:
    """Type and name in a URN."""
    *_, chain, name = urn.split("::")
    return f"{chain.rpartition('$')[2]} {name}"


def _line(resource: Resource, graph: Graph) -> str:
    parent = graph.resources.get(resource.parent)
    above = line_of_urn(parent.urn) if parent and parent.type != "pulumi:pulumi:Stack" else "the stack"
    return f"{line_of_urn(resource.urn)} < {above}"


def _is_ours(resource: Resource) -> bool:
    is_default = resource.type.startswith("pulumi:providers:") and resource.name.startswith("default")
    return resource.type != "pulumi:pulumi:Stack" and not is_default
