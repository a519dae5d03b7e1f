"""Reads components out of their source: what their docstrings say, beside what their code takes and gives."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SECTIONS = ("Args", "Attributes", "Outputs", "Raises")
_ENTRY = re.compile(r"(\*{0,2}[\w.]+): (.*)")


@dataclass(frozen=True, kw_only=True)
class Text:
    """A docstring in its parts.

    Attributes:
        prose: What is not in a section.
        sections: Meaning by name, by section.
    """

    prose: str
    sections: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Field:
    """An argument, an output or an attribute as the code has it.

    Attributes:
        name: Its name.
        type: Its annotation, as written.
        default: Its default, as written; None where there is none.
    """

    name: str
    type: str
    default: str | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """A component, or a data class that one takes.

    Attributes:
        name: Name of the class.
        path: Its file in the repository.
        line: Where it begins.
        text: Its docstring.
        arguments: What it takes, without `self`.
        outputs: What it gives, by the annotations in its body.
    """

    name: str
    path: str
    line: int
    text: Text
    arguments: tuple[Field, ...]
    outputs: tuple[Field, ...] = field(default=())


def parse(docstring: str) -> Text:
    """Take a docstring of the project's form apart.

    A section is a line such as `Args:`; an entry in it is indented, its further lines more so. A line at the
    margin ends it.
    """
    prose: list[str] = []
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    name = ""
    for line in inspect.cleandoc(docstring).splitlines():
        title = line.removesuffix(":")
        if line.endswith(":") and title in _SECTIONS:
            current = sections.setdefault(title, {})
        elif current is None or (line and not line.startswith(" ")):
            current = None
            prose.append(line)
        elif found := _ENTRY.match(line.removeprefix("    ")):
            name = found[1].lstrip("*")
            current[name] = found[2]
        elif line.strip():
            current[name] = f"{current[name]} {line.strip()}"
    return Text(prose="\n".join(prose).strip(), sections=sections)


def components(folder: Path, *, root: Path) -> Iterator[Part]:
    """Every component below a folder, by name.

    Args:
        folder: Folder with the sources.
        root: Folder of the repository.
    """
    found = [part for part in _parts(folder, root=root) if part[1]]
    yield from sorted((part for part, _ in found), key=lambda part: part.name)


def data_classes(folder: Path, *, root: Path) -> dict[str, Part]:
    """Every data class below a folder, by name."""
    return {part.name: part for part, is_component in _parts(folder, root=root) if not is_component}


def _parts(folder: Path, *, root: Path) -> Iterator[tuple[Part, bool]]:
    """Components and data classes, each with whether it is a component."""
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef):
                continue
            is_component = any(isinstance(base, ast.Name) and base.id == "Component" for base in node.bases)
            is_data = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
            if is_component or is_data:
                yield _part(node, str(path.relative_to(root)), is_component=is_component), is_component


def _part(node: ast.ClassDef, path: str, *, is_component: bool) -> Part:
    annotated = tuple(
        Field(
            name=each.target.id,
            type=ast.unparse(each.annotation),
            default=ast.unparse(each.value) if each.value else None,
        )
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
        if not each.target.id.startswith("_") and "ClassVar" not in ast.unparse(each.annotation)
    )
    makers = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    return Part(
        name=node.name,
        path=path,
        line=node.lineno,
        text=parse(ast.get_docstring(node, clean=False) or ""),
        arguments=tuple(_arguments(makers[0])) if makers else () if is_component else annotated,
        outputs=annotated if is_component else (),
    )


def _arguments(maker: ast.FunctionDef) -> Iterator[Field]:
    positional = maker.args.args[1:]
    missing = len(positional) - len(maker.args.defaults)
    defaults = [*([None] * missing), *maker.args.defaults, *maker.args.kw_defaults]
    for argument, default in zip([*positional, *maker.args.kwonlyargs], defaults, strict=True):
        yield Field(
            name=argument.arg,
            type=ast.unparse(argument.annotation) if argument.annotation else "",
            default=ast.unparse(default) if default else None,
        )


def gaps(part: Part) -> list[str]:
    """What a docstring leaves out or invents, one sentence each."""
    what = "Outputs" if part.outputs else None
    takes = "Args" if part.outputs or "Args" in part.text.sections else "Attributes"
    found = list(_gaps(part, takes, part.arguments))
    if what:
        found += _gaps(part, what, part.outputs)
    return found


def _gaps(part: Part, section: str, fields: tuple[Field, ...]) -> Iterator[str]:
    said = part.text.sections.get(section, {})
    where = f"{part.path}:{part.line}: {part.name}"
    for each in fields:
        if not said.get(each.name, "").strip():
            yield f"{where} does not say what `{each.name}` is: add it under {section}:"
    for name in said:
        if name not in {each.name for each in fields}:
            yield f"{where} says under {section}: what `{name}` is, which it has not"
