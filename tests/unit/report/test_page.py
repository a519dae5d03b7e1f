"""The page as text: whole, self-contained, and marked up for those who do not see it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from infra.report.facts import facts
from infra.report.page import heat, number, render
from services import CATALOGUE
from tests.unit.report.graphs import graph
from tests.unit.stack_files import ROOT

VOID = {"meta", "link", "img", "br", "line", "path"}


class Outline(HTMLParser):
    """What a reader's tools see: headings, landmarks, tables, links, and whether tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if identifier := values.get("id"):
            self.ids.append(identifier)
        if tag == "a":
            self.links.append(values["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def html() -> str:
    found = facts("prod", catalogue=CATALOGUE, root=ROOT, graph=graph())
    return render(found, graph=graph())


@pytest.fixture(scope="module")
def outline(html: str) -> Outline:
    outline = Outline()
    outline.feed(html)
    assert outline.open == []
    return outline


def test_nothing_is_fetched_from_anywhere(html: str) -> None:
    without_names = html.replace("http://www.w3.org/2000/svg", "")

    assert not re.search(r"https?://|//[a-z]+\.|@import|<script", without_names)
    assert set(re.findall(r'(?:src|href)="([a-z]+):', html)) == {"data"}


def test_headings_descend_one_level_at_a_time_from_a_single_first(outline: Outline) -> None:
    assert outline.headings.count(1) == 1
    assert all(
        deeper - level <= 1 for level, deeper in zip(outline.headings, outline.headings[1:], strict=False)
    )


def test_every_link_leads_to_a_part_of_the_page_and_no_id_repeats(outline: Outline) -> None:
    assert outline.links[0] == "#content"
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))


def test_every_table_has_a_caption_and_every_landmark_is_there(outline: Outline) -> None:
    assert outline.tags.count("table") == outline.tags.count("caption") >= 10
    assert {"header", "nav", "main", "footer"} <= set(outline.tags)


def test_no_template_s_words_or_placeholders_are_left(html: str) -> None:
    assert not re.search(r"\{\{|\}\}|\{%|\bNone\b|\bnan\b|\binf\b|Undefined|TODO", html)


def test_numbers_are_written_for_people() -> None:
    assert [number(value) for value in (12345.6, 10.0, 8.33, 0)] == ["12,346", "10", "8.3", "0"]


def test_a_bar_warns_before_a_limit_and_past_it() -> None:
    assert [heat(used) for used in (0.5, 0.8, 1.1)] == ["", "warn", "bad"]


def test_code_in_a_deviation_is_code_and_all_else_is_text(html: str) -> None:
    assert "<code>nginx-ingress</code>" in html
    found = facts("prod", catalogue=CATALOGUE, root=ROOT, graph=graph())
    found["deviations"] = [{"part": "A", "asked": "<b>`x<y`</b>", "built": "b", "why": "c"}]

    assert "&lt;b&gt;<code>x&lt;y</code>&lt;/b&gt;" in render(found, graph=graph())
