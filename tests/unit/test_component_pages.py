"""Every component has a page, and says of all that it takes and gives what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.docs import components_pages, docstrings
from tests.unit.stack_files import ROOT

PARTS = {
    **{part.name: part for part in components_pages.parts()},
    **docstrings.data_classes(ROOT / "components", root=ROOT),
}
SOURCE = '''
from dataclasses import dataclass

class Shop(Component):
    """Sells.

    All day.

    Args:
        name: Logical name,
            stable.
        size: Square metres. Default 10.

    Outputs:
        door: Where one goes in.

    Raises:
        infra.x.ShopError: When it rains.

    Source of the numbers: none.
    """

    door: pulumi.Output[str]
    _hidden: int

    def __init__(self, name: str, *, size: int = 10) -> None: ...
'''


def shop(folder: Path, source: str = SOURCE) -> docstrings.Part:
    (folder / "shop.py").write_text(source)
    (part,) = docstrings.components(folder, root=folder)
    return part


@pytest.mark.parametrize("name", sorted(PARTS))
def test_nothing_is_undocumented_and_nothing_is_invented(name: str) -> None:
    part = PARTS[name]

    assert part.text.prose
    assert docstrings.gaps(part) == []


def test_every_component_has_a_page_and_every_page_a_component() -> None:
    written = {str(path.relative_to(ROOT)) for path in (ROOT / components_pages.FOLDER).glob("*")}

    assert len(components_pages.parts()) > 50
    assert written == set(components_pages.pages())


def test_a_page_says_what_the_docstring_and_the_code_say(tmp_path: Path) -> None:
    part = shop(tmp_path)
    page = components_pages.page(part, {})

    assert docstrings.gaps(part) == []
    assert components_pages.path_of(part) == "docs/components/shop.md"
    assert "Sells.\n\nAll day.\n\nSource of the numbers: none." in page
    assert "| `name` | `str` | required | Logical name, stable. |" in page
    assert "| `size` | `int` | `10` | Square metres. Default 10. |" in page
    assert "| `door` | `Output[str]` | Where one goes in. |" in page
    assert "| `ShopError` | When it rains. |" in page
    assert "_hidden" not in page


@pytest.mark.parametrize(
    ("old", "new", "gap"),
    [
        ("        size: Square metres. Default 10.\n", "", "does not say what `size` is: add it under Args:"),
        ("        door: Where one goes in.\n", "", "does not say what `door` is: add it under Outputs:"),
        ("size: int = 10", "width: int", "does not say what `width` is: add it under Args:"),
        (
            "        door: Where",
            "        gate: Where",
            "says under Outputs: what `gate` is, which it has not",
        ),
        ("size: Square metres. Default 10.", "size: ", "does not say what `size` is: add it under Args:"),
    ],
)
def test_a_gap_is_found(tmp_path: Path, old: str, new: str, gap: str) -> None:
    assert old in SOURCE

    assert any(gap in found for found in docstrings.gaps(shop(tmp_path, SOURCE.replace(old, new))))
