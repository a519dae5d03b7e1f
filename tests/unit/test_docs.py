"""Documentation that needs no engine to be checked: generated pages, links, paths and commands."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.docs import pages, settings_page
from infra.docs.markdown import NoSuchBlockError, replace_block, table
from stacks.outputs import OUTPUTS
from tests.unit.stack_files import STACKS

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:href|src)=\"([^\"]+)\"")
SUBCOMMANDS = {
    "up",
    "preview",
    "refresh",
    "destroy",
    "stack",
    "config",
    "state",
    "cancel",
    "import",
    "logs",
    "plugin",
}


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository, also those not committed yet, without what git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in shown.splitlines() if (ROOT / line).exists()]


PAGES = [path for path in tracked("*.md") if "shared" not in path.parts]
IDS = [str(path.relative_to(ROOT)) for path in PAGES]


def prose(path: Path) -> str:
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """Anchors of a page's headings, as code hosts make them."""
    found: dict[str, int] = {}
    names: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", prose(path), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        names.add(slug if slug not in found else f"{slug}-{found[slug]}")
        found[slug] = found.get(slug, 0) + 1
    return names


def commands(path: Path) -> Iterator[str]:
    """Every `make ...` and `bin/...` in code, fenced or inline."""
    text = path.read_text(encoding="utf-8")
    blocks = [
        content for language, content in FENCE.findall(text) if language in ("", "sh", "bash", "console")
    ]
    spans = re.findall(r"`([^`\n]+)`", prose(path))
    for block in (*blocks, *spans):
        for line in block.splitlines():
            if match := re.match(r"(?:\$ )?((?:make|bin/)[^#]*)", line.strip()):
                yield match[1].strip()


def test_generated_pages_are_up_to_date() -> None:
    generated = pages.from_models()

    assert {"docs/capacity.md", "docs/components/cache.md", "docs/cost.md", "docs/licences.md"} <= set(
        generated
    )
    assert pages.stale(generated) == [], "run `make docs`"


def test_every_output_is_documented() -> None:
    page = pages.from_models()["docs/outputs.md"]

    assert all(f"| `{spec.name}` | {spec.type} |" in page for spec in OUTPUTS)


def test_every_key_of_the_stack_files_is_documented() -> None:
    known = {setting.key for setting in settings_page.settings()}
    heads = {key.partition(".")[0] for key in known}

    for stack in STACKS:
        text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
        assert set(re.findall(r"^  parking:(\w+):", text, re.MULTILINE)) <= heads
    assert {"aws:region", "nodePools.application.spotShare", "services.<name>.image.tag"} <= known


def test_every_setting_has_a_meaning_and_no_default_is_invented() -> None:
    found = {setting.key: setting for setting in settings_page.settings()}

    assert all(setting.meaning for setting in found.values())
    assert found["database.storageGib"].default == "`1024`"
    assert found["nodePools.application.maxSize"].default == "`50`"
    assert found["nodePools.database.maxSize"].default == "`10`"
    assert found["network.cidr"].default == "required"
    assert found["registry"].default == "none"
    assert found["nodePools.application.spotShare"].type == "number, 0.0 to 0.3"


def test_a_table_keeps_pipes_inside_its_cells() -> None:
    assert table(["a"], [["x|y"]]) == "| a |\n| --- |\n| x\\|y |"


def test_a_block_is_replaced_and_the_rest_is_kept() -> None:
    page = "before\n<!-- generated: x, by `make docs` -->\nold\n<!-- end of x -->\nafter"

    assert replace_block(page, name="x", content="n\\1w") == page.replace("old", "n\\1w")
    with pytest.raises(NoSuchBlockError, match="the page needs"):
        replace_block(page, name="y", content="new")


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_every_relative_link_and_anchor_exists(path: Path) -> None:
    # What is in code is no link.
    for found in LINK.findall(re.sub(r"`[^`\n]+`", "", prose(path))):
        link = found[0] or found[1]
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), f"{link}: there is no {file.relative_to(ROOT)}"
        if anchor:
            assert anchor in anchors(file), f"{link}: {file.relative_to(ROOT)} has no such heading"


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_every_make_target_and_command_that_is_shown_exists(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))

    for command in commands(path):
        program, *arguments = command.split()
        words = [word for word in arguments if not word.startswith(("-", "<")) and "=" not in word]
        if program == "make":
            missing = {w for w in words if re.fullmatch(r"[a-z-]+", w)} - targets
            assert not missing, f"`{command}`: the Makefile has no {sorted(missing)}"
            continue
        assert (ROOT / program).exists(), f"`{command}`: there is no {program}"
        if program == "bin/pulumi-local" and words:
            assert words[0] in SUBCOMMANDS or not words[0].islower(), command
        for stack in re.findall(r"--stack[ =]([a-z][\w-]*)", command):
            assert stack in STACKS, f"`{command}`: there is no stack {stack}"


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_every_stack_that_make_is_shown_with_exists(path: Path) -> None:
    for command in commands(path):
        for stack in re.findall(r"\bSTACK=([a-z][\w-]*)", command):
            assert stack in STACKS, command


def test_every_path_of_the_readme_s_change_table_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = readme.partition("| to change | open |")[2].partition("\n\n")[0]
    paths = re.findall(r"`([^`]+)`", rows)

    assert len(paths) > 25
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_readme_shows_its_two_commands_first() -> None:
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:30]

    assert any(line.startswith("make preview STACK=prod") for line in first_screen)
    assert any(line.startswith("make test") for line in first_screen)
    assert any("docs/architecture.svg" in line for line in first_screen)


def test_the_readme_lists_every_stack() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert all(f"| `{stack}` |" in readme for stack in STACKS)


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_no_page_names_a_folder_of_one_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"(?<![\w.])/(?:home|root|work|Users)/", text)
