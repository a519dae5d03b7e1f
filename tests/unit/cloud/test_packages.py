"""The package that a function runs: what the archive holds, and the same bytes for the same content."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from infra.local.cloud.packages import package


def opened(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_texts_files_and_folders_are_packed_under_their_names(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "deep.py").write_text("deep", encoding="utf-8")
    (tmp_path / "one.py").write_text("one", encoding="utf-8")

    packed = package(
        {
            "assets": {
                "text.py": {"text": "told"},
                "file.py": {"path": str(tmp_path / "one.py")},
                "folder": {"path": str(tmp_path / "inner")},
                "nested": {"assets": {"below.py": {"text": "below"}}},
            }
        }
    )

    assert opened(packed) == {
        "text.py": b"told",
        "file.py": b"one",
        "folder/deep.py": b"deep",
        "nested/below.py": b"below",
    }


def test_the_order_of_assets_does_not_show() -> None:
    forth = package({"assets": {"a.py": {"text": "a"}, "b.py": {"text": "b"}}})
    back = package({"assets": {"b.py": {"text": "b"}, "a.py": {"text": "a"}}})

    assert forth == back
    assert package({"assets": {"a.py": {"text": "A"}, "b.py": {"text": "b"}}}) != forth


def test_a_folder_is_an_archive_and_a_packed_file_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text("x", encoding="utf-8")
    whole = package({"path": str(tmp_path)})
    (tmp_path / "given.zip").write_bytes(whole)

    assert opened(whole) == {"handler.py": b"x"}
    assert package({"path": str(tmp_path / "given.zip")}) == whole
