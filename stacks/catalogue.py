"""Reading the catalogue of services, so that a mistake in it is told as one in a stack file is."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterable, Sequence
from enum import EnumMeta
from pathlib import Path
from typing import cast

import pulumi
import pydantic
from pydantic_core import ErrorDetails

from infra.model import service as model_of_services
from infra.model.service import Service
from infra.problems import Problem

PACKAGE = "services"


class CatalogueError(pulumi.RunError):
    """A catalogue that must not be deployed; the engine shows the message alone, without a traceback.

    Args:
        problems: All that is wrong, at least one.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"{number}. {problem}" for number, problem in enumerate(problems, 1))
        super().__init__(f"{PACKAGE}/ cannot be read; nothing was registered.\n{listed}")


def read() -> tuple[Service, ...]:
    """The services that stacks deploy.

    Raises:
        CatalogueError: When a service's file says what no service can be: an unknown algorithm, a number out of
            its range, a name that does not exist.
    """
    try:
        return cast("tuple[Service, ...]", importlib.import_module(PACKAGE).CATALOGUE)
    except pydantic.ValidationError as error:
        place = _place(error)
        raise CatalogueError(
            [_wrong_value(place, error.title, detail) for detail in error.errors(include_url=False)]
        ) from None
    except (AttributeError, NameError, TypeError) as error:
        problem = Problem(
            key=_place(error),
            found=_told(error),
            allowed="names and arguments of infra/model/service.py",
            why="services are data, read by every part of the platform",
            action="correct the name; `make types` finds such mistakes, too",
        )
        raise CatalogueError([problem]) from None


def _told(error: AttributeError | NameError | TypeError) -> str:
    """What Python says, in whole: an enum tells only the name that it lacks."""
    if isinstance(error, AttributeError) and isinstance(error.obj, EnumMeta):
        return f"{error.obj.__name__}.{error.name}, which is none of {_members(error.obj)}"
    return str(error)


def _members(enum: EnumMeta) -> str:
    names: Iterable[str] = enum.__members__
    return ", ".join(f"{enum.__name__}.{name}" for name in names)


def _place(error: BaseException) -> str:
    """File and line of the catalogue where an error arose, e.g. `services/auth.py line 12`."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).parent.name == PACKAGE
    ]
    return f"{PACKAGE}/{Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else f"{PACKAGE}/"


def _wrong_value(place: str, model: str, detail: ErrorDetails) -> Problem:
    field = ".".join(str(part) for part in detail["loc"])
    context = detail.get("ctx", {})
    allowed = detail["msg"].removeprefix("Value error, ")
    kind = getattr(model_of_services, str(context.get("class")), None)
    if isinstance(kind, EnumMeta):
        allowed = f"one of {_members(kind)}"
    return Problem(
        key=f"{place}: {model}.{field}" if field else f"{place}: {model}",
        found=repr(detail["input"])[:80] if field else "values that contradict each other",
        allowed=f"one of {context['expected']}" if "expected" in context else allowed,
        why="the platform knows, and checks, these values only",
        action="correct it in that file; infra/model/service.py says what each field means",
    )
