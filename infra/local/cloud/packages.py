"""Makes the package that a function runs of the archive that Pulumi gives."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

Json = Any
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644 << 16


def package(archive: Mapping[str, Json]) -> bytes:
    """Pack an archive: the same content always gives the same bytes.

    Args:
        archive: In the engine's own form.
    """
    path = archive.get("path")
    if isinstance(path, str) and Path(path).is_file():
        return Path(path).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in sorted(_files(archive)):
            info = zipfile.ZipInfo(name, date_time=_LONG_AGO)
            info.external_attr, info.compress_type = _MODE, zipfile.ZIP_DEFLATED
            target.writestr(info, content)
    return packed.getvalue()


def _files(archive: Mapping[str, Json], folder: str = "") -> Iterator[tuple[str, bytes]]:
    path = archive.get("path")
    if isinstance(path, str):
        root = Path(path)
        for file in (file for file in root.rglob("*") if file.is_file()):
            yield folder + file.relative_to(root).as_posix(), file.read_bytes()
    for name, item in cast("dict[str, Mapping[str, Json]]", archive.get("assets") or {}).items():
        if item.get("assets") is not None or _is_folder(item):
            yield from _files(item, f"{folder}{name}/")
        else:
            yield folder + name, _content(item)


def _is_folder(item: Mapping[str, Json]) -> bool:
    return isinstance(item.get("path"), str) and Path(item["path"]).is_dir()


def _content(asset: Mapping[str, Json]) -> bytes:
    if isinstance(asset.get("text"), str):
        return str(asset["text"]).encode()
    path = Path(str(asset.get("path", "")))
    # What lies elsewhere is not fetched; its name stands for it.
    return path.read_bytes() if path.is_file() else str(asset.get("uri", "")).encode()
