"""Source files of installed Python packages, to be sent along with a function that needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path


class PackageMissingError(LookupError):
    """A package cannot be sent along."""


def sources(packages: Sequence[str]) -> Mapping[str, Path]:
    """Source files and metadata of pure Python packages, by their path in an archive.

    Nothing is fetched and nothing is built: what is sent is what `requirements.lock` pins by hash. Only sources, since
    compiled files differ from machine to machine and every preview would show a change.

    Args:
        packages: Names as in `requirements.lock`.

    Raises:
        PackageMissingError: When one is not installed, or has compiled modules, which another machine could not run.
    """
    found: dict[str, Path] = {}
    for package in packages:
        try:
            files = metadata.distribution(package).files or []
        except metadata.PackageNotFoundError:
            raise PackageMissingError(
                f"the Python package {package} is not installed; run bin/setup"
            ) from None
        if any(file.suffix == ".so" for file in files):
            raise PackageMissingError(f"the Python package {package} has compiled modules")
        found |= {
            file.as_posix(): Path(str(file.locate()))
            for file in files
            # Some ask for their own version when they are imported.
            if file.suffix == ".py" or file.name == "METADATA"
        }
    return dict(sorted(found.items()))
