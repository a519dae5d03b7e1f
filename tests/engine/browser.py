"""Opening a page in the real headless Chromium of this machine, with everything that it says or asks for recorded."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, Request, Route, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)
Scheme = Literal["light", "dark"]


class NoBrowserError(Exception):
    """There is no Chromium."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A page that is open.

    Attributes:
        page: The page.
        said: What its console and its errors said.
        asked: Addresses outside its own file that it asked for.
    """

    page: Page
    said: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])


@contextmanager
def chromium() -> Generator[Browser]:
    """The browser, ended when the caller is done.

    Raises:
        NoBrowserError: When none is installed.
    """
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise NoBrowserError(
            "no Chromium on PATH: the report is tested in a real browser "
            "(Debian: apt-get install chromium; elsewhere any Chromium or Chrome)"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, file: Path, *, width: int, height: int, scheme: Scheme = "light"
) -> Generator[Opened]:
    """A file in a window of its own, which may fetch nothing but itself."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    try:
        found = Opened(page=context.new_page())

        def keep_inside(route: Route, request: Request) -> None:
            if request.url == file.as_uri():
                route.continue_()
            else:
                found.asked.append(request.url)
                route.abort()

        context.route("**/*", keep_inside)
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.goto(file.as_uri(), wait_until="load")
        yield found
    finally:
        context.close()


def stops(page: Page) -> Iterator[str]:
    """What the Tab key reaches, in order, until it begins anew; each as its tag and its first words."""
    first: str | None = None
    while True:
        page.keyboard.press("Tab")
        stop: str = page.evaluate(
            """() => { const e = document.activeElement;
                const ring = getComputedStyle(e).outlineStyle !== 'none' ? '' : ' without a visible focus';
                const place = [...document.querySelectorAll('a,summary,[tabindex="0"]')].indexOf(e);
                return e === document.body ? 'body' : `${place} ${e.tagName.toLowerCase()}${ring}`; }"""
        )
        if stop in (first, "body"):
            return
        first = first or stop
        yield stop
