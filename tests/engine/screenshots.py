"""`python -m tests.engine.screenshots`: photographs production's report for docs/, as a laptop and a phone show it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from infra.docs.plans import plan_all
from infra.report.facts import facts
from infra.report.page import render
from services import CATALOGUE
from tests.engine.browser import Scheme, chromium, opened
from tests.engine.platform import REPOSITORY

STACK = "prod"
SIZES = {"laptop": (1440, 1000), "phone": (390, 844)}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def main() -> int:
    """Write a picture for each size and scheme, and say where."""
    graph = plan_all(only=[STACK])[STACK]
    html = render(facts(STACK, catalogue=CATALOGUE, root=REPOSITORY, graph=graph), graph=graph)
    with tempfile.TemporaryDirectory(prefix="parking-page-") as folder, chromium() as browser:
        page = Path(folder) / "page.html"
        page.write_text(html, encoding="utf-8")
        for name, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                path = REPOSITORY / "docs" / f"report-{name}-{scheme}.png"
                with opened(browser, page, width=width, height=height, scheme=scheme) as found:
                    found.page.screenshot(path=path)
                print(path.relative_to(REPOSITORY))
    return 0


if __name__ == "__main__":
    sys.exit(main())
