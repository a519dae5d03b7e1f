"""The report of a real plan in a real browser, and what its commands say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from infra.diagram.graph import read
from infra.report.facts import facts
from infra.report.page import render
from services import CATALOGUE
from tests.engine.browser import Scheme, chromium, opened, stops
from tests.engine.platform import REPOSITORY, Platform

LAPTOP, PHONE = (1440, 900), (360, 740)


@pytest.fixture(scope="module")
def page(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of production, from its exported state."""
    graph = read(json.loads(platform.ok("stack", "export", "--stack", "prod")))
    path = tmp_path_factory.mktemp("report") / "prod.html"
    found = facts("prod", catalogue=CATALOGUE, root=REPOSITORY, graph=graph)
    path.write_text(render(found, graph=graph), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_it_opens_without_a_word_a_request_or_a_sideways_scroll(
    browser: Browser, page: Path, size: tuple[int, int], scheme: Scheme
) -> None:
    with opened(browser, page, width=size[0], height=size[1], scheme=scheme) as found:
        wide = found.page.evaluate("document.documentElement.scrollWidth")
        parts = found.page.locator("main > section").count()

        assert found.said == []
        assert found.asked == []
        assert wide <= size[0]
        assert parts >= 9


@pytest.mark.parametrize("width", [PHONE[0], 390, 768, LAPTOP[0]])
def test_no_table_but_the_list_of_all_lines_has_to_be_moved_sideways(
    browser: Browser, page: Path, width: int
) -> None:
    with opened(browser, page, width=width, height=800) as found:
        found.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        moved: list[str] = found.page.evaluate(
            """() => [...document.querySelectorAll('.scroll:not(.wide)')]
                .filter(each => each.scrollWidth > each.clientWidth)
                .map(each => each.querySelector('caption').textContent)"""
        )

    assert moved == []


def test_a_page_that_fetches_or_complains_would_be_noticed(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!doctype html><html><body style='width:3000px'><img src='https://example.invalid/a.png'>"
        "<script>console.error('oh')</script></body></html>"
    )
    with opened(browser, bad, width=360, height=740) as found:
        assert "https://example.invalid/a.png" in found.asked
        assert any("oh" in text for text in found.said)
        assert found.page.evaluate("document.documentElement.scrollWidth") > 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_axe_finds_nothing(browser: Browser, page: Path, size: tuple[int, int], scheme: Scheme) -> None:
    with opened(browser, page, width=size[0], height=size[1], scheme=scheme) as found:
        found.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        result = Axe().run(found.page)  # pyright: ignore[reportUnknownMemberType] - its options are bare dicts

        assert result.violations_count == 0, result.generate_report()


def test_dark_is_dark_and_light_is_light(browser: Browser, page: Path) -> None:
    def brightness(scheme: Scheme) -> int:
        with opened(browser, page, width=800, height=600, scheme=scheme) as found:
            colour: str = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
            return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    assert brightness("dark") < 120
    assert brightness("light") > 600


def test_the_keyboard_reaches_everything_in_order_with_a_visible_focus(browser: Browser, page: Path) -> None:
    with opened(browser, page, width=LAPTOP[0], height=LAPTOP[1]) as found:
        found.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        wanted = found.page.locator("a, summary, [tabindex='0']").count()

        reached = list(stops(found.page))

        assert [stop.split()[0] for stop in reached] == [str(place) for place in range(wanted)]
        assert not [stop for stop in reached if "without" in stop]


def test_the_skip_link_leads_past_the_navigation(browser: Browser, page: Path) -> None:
    with opened(browser, page, width=LAPTOP[0], height=LAPTOP[1]) as found:
        found.page.keyboard.press("Tab")
        found.page.keyboard.press("Enter")

        assert found.page.evaluate("document.activeElement.id") == "content"


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_LOCAL_HOME", "PULUMI_LOCAL_PROJ"))
    }
    return subprocess.run(
        [sys.executable, "-m", "infra.report", *words],
        cwd=root,
        env=kept,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose only commit is the program, with a node more and a larger budget in the working copy."""
    platform = Platform.copy_to(tmp_path_factory.mktemp("change") / "program")
    root = platform.root
    for name in ("bin", "docs"):
        shutil.copytree(REPOSITORY / name, root / name)
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "base"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    platform.set("staging", "nodePools.application.desiredSize", 5)
    platform.set("staging", "budget.monthlyUsd", 2500)
    platform.set("staging", "network.interfaceEndpoints", ["ecr.api", "ecr.dkr", "sts", "logs"])
    return root


def test_a_pull_request_sees_resources_cost_and_budget(change: Path) -> None:
    done = run(change, "--base", "HEAD", "--stack", "staging")

    assert done.returncode == 0, done.stderr[-3000:]
    assert "### `staging`" in done.stdout
    assert "| `aws:ec2/vpcEndpoint:VpcEndpoint` | 4 | 5 | +1 |" in done.stdout
    assert "| budget, USD a month | 2,000 | 2,500 | +500 |" in done.stdout
    rows = {line.split("|")[1].strip(): line for line in done.stdout.splitlines() if line.startswith("| ")}
    # An endpoint in three zones at 0.01 an hour, and what it moves.
    assert rows["Network"].rstrip(" |").endswith("+22")
    assert "Worker nodes" in rows
    assert "| `aws:eks/nodeGroup:NodeGroup application-on-demand` | `scalingConfig` |" in done.stdout
    assert "PostgreSQL" not in rows


def test_the_facts_are_json_with_the_plan(change: Path) -> None:
    done = run(change, "--stack", "staging", "--json")

    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["plan"]["types"]["aws:eks/cluster:Cluster"] == 1
    assert found["cost"]["budget"] == 2500
