"""docs/components: a page for each component, from its docstring and its code."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from infra.docs.docstrings import Field, Part, components, data_classes
from infra.docs.markdown import NOTICE, table

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "docs/components"

_INTRODUCTION = """# Components

One page for each `ComponentResource` in `components/`, from its docstring and its code. Each is used with keyword
arguments only, but its name. Units stand in the meaning; a component without a default for an argument needs it.
"""


@functools.cache
def parts() -> tuple[Part, ...]:
    """Every component, by name."""
    return tuple(components(ROOT / "components", root=ROOT))


def pages() -> dict[str, str]:
    """Every page by its path in the repository, the list of all included."""
    known = data_classes(ROOT / "components", root=ROOT)
    found = {path_of(part): page(part, known) for part in parts()}
    rows = [
        [f"[{part.name}]({Path(path_of(part)).name})", _first_sentence(part.text.prose)] for part in parts()
    ]
    return {
        f"{FOLDER}/README.md": f"{NOTICE}\n\n{_INTRODUCTION}\n{table(['component', 'what it is'], rows)}\n"
    } | found


def path_of(part: Part) -> str:
    """A component's page in the repository: CacheUsers is in cache-users.md."""
    return f"{FOLDER}/{re.sub(r'(?<!^)(?=[A-Z])', '-', part.name).lower()}.md"


def page(part: Part, known: Mapping[str, Part]) -> str:
    """One component's page.

    Args:
        part: The component.
        known: Data classes by name, which are shown where an argument takes one.
    """
    blocks = [
        NOTICE,
        f"# {part.name}",
        part.text.prose,
        f"Type `parking:components:{part.name}`, in [`{part.path}`](../../{part.path}).",
        "## Arguments",
        _table(part.arguments, part.text.sections.get("Args", {}), with_defaults=True),
    ]
    for taken in _taken(part, known):
        blocks += [
            f"### {taken.name}",
            taken.text.prose,
            f"In [`{taken.path}`](../../{taken.path}).",
            _table(taken.arguments, taken.text.sections.get("Attributes", {}), with_defaults=True),
        ]
    if part.outputs:
        blocks += [
            "## Outputs",
            _table(part.outputs, part.text.sections.get("Outputs", {}), with_defaults=False),
        ]
    if errors := part.text.sections.get("Raises"):
        rows = [[f"`{name.rpartition('.')[2]}`", meaning] for name, meaning in errors.items()]
        blocks += ["## Errors", table(["error", "when"], rows)]
    return "\n\n".join(blocks) + "\n"


def _table(fields: Iterable[Field], meanings: Mapping[str, str], *, with_defaults: bool) -> str:
    head = ["name", "type", "default", "meaning"] if with_defaults else ["name", "type", "meaning"]
    rows = [
        [
            f"`{each.name}`",
            f"`{_short(each.type)}`",
            *([f"`{each.default}`" if each.default is not None else "required"] if with_defaults else []),
            meanings.get(each.name, ""),
        ]
        for each in fields
    ]
    return table(head, rows)


def _taken(part: Part, known: Mapping[str, Part]) -> Sequence[Part]:
    """Data classes that a component's arguments name, in order."""
    names = dict.fromkeys(word for each in part.arguments for word in re.findall(r"\w+", each.type))
    return [known[name] for name in names if name in known]


def _short(annotation: str) -> str:
    """An annotation without the SDK's name."""
    return annotation.replace("pulumi.", "")


def _first_sentence(prose: str) -> str:
    return " ".join(prose.partition("\n\n")[0].split())
