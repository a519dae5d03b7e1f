"""The picture of a small stack: what is merged, which arrows stay, where things stand, how it is read."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

import pytest

from infra.diagram import layout, svg
from infra.diagram.boxes import Picture, picture
from infra.diagram.graph import Graph, GraphError, read
from infra.diagram.places import Tier

STACK = "urn:pulumi:prod::parking::pulumi:pulumi:Stack::parking-prod"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:prod::parking::{kind}::{name}"


def component(kind: str, name: str) -> dict[str, Any]:
    token = f"parking:components:{kind}"
    return {"urn": urn(token, name), "type": token, "parent": STACK}


def held(parent: dict[str, Any], name: str, *needs: str, kind: str = "aws:ec2/vpc:Vpc") -> dict[str, Any]:
    return {
        "urn": urn(kind, name),
        "type": kind,
        "custom": True,
        "parent": parent["urn"],
        "dependencies": [urn("aws:ec2/vpc:Vpc", needed) for needed in needs],
    }


NETWORK, EDGE = component("Network", "network"), component("Edge", "edge")
BALANCER, CERTIFICATE = (
    component("LoadBalancer", "load-balancer"),
    component("Certificate", "edge-certificate"),
)
WORKLOAD, SCALER = component("Workload", "auth"), component("Autoscaler", "auth-autoscaler")
OTHER, DATABASE = component("Workload", "parking"), component("Database", "database")
CLUSTER, ADDONS = component("Cluster", "cluster"), component("AddOns", "addons")
SECRET = {**component("GeneratedSecret", "database-owner"), "parent": DATABASE["urn"]}

ENTRIES: list[dict[str, Any]] = [
    {"urn": STACK, "type": "pulumi:pulumi:Stack"},
    {"urn": urn("pulumi:providers:aws", "default"), "type": "pulumi:providers:aws", "custom": True},
    *(NETWORK, EDGE, CERTIFICATE, BALANCER, WORKLOAD, SCALER, OTHER, DATABASE, CLUSTER, ADDONS, SECRET),
    held(NETWORK, "vpc"),
    held(EDGE, "distribution", "balancer", "certificate"),
    held(CERTIFICATE, "certificate"),
    held(BALANCER, "balancer", "vpc"),
    held(CLUSTER, "control-plane", "vpc"),
    held(ADDONS, "chart", "control-plane"),
    held(WORKLOAD, "deployment", "writer", "chart", "control-plane"),
    held(SCALER, "scaler", "deployment"),
    held(OTHER, "other-deployment", "writer", "chart", "password"),
    held(DATABASE, "writer", "vpc", "control-plane"),
    held(SECRET, "password"),
    held(component("Backup", "vault"), "plan", "writer"),
    component("Backup", "vault"),
]


@pytest.fixture
def graph() -> Graph:
    return read({"deployment": {"resources": ENTRIES}})


@pytest.fixture
def drawn(graph: Graph) -> Picture:
    return picture(graph)


def test_a_preview_and_an_export_of_one_stack_give_the_same_graph(graph: Graph) -> None:
    steps = [{"op": "create", "newState": entry} for entry in reversed(ENTRIES)]

    assert read({"steps": steps}) == graph


def test_a_deleted_resource_is_not_in_a_preview_s_graph() -> None:
    assert read({"steps": [{"op": "delete", "oldState": ENTRIES[0]}]}).resources == {}


def test_other_json_is_refused() -> None:
    with pytest.raises(GraphError, match="neither a preview"):
        read({"resources": []})


def test_components_of_one_service_share_a_box(drawn: Picture) -> None:
    box = drawn.boxes["service:auth"]

    assert box.components == ("Autoscaler auth-autoscaler", "Workload auth")
    assert box.resources == 2


def test_a_certificate_belongs_to_what_serves_it(drawn: Picture) -> None:
    assert drawn.boxes["Edge"].components == ("Certificate edge-certificate", "Edge edge")


def test_nested_components_count_with_the_outermost(drawn: Picture) -> None:
    assert drawn.boxes["Database"].resources == 2
    assert "GeneratedSecret" not in str(drawn.boxes["Database"].components)


def test_only_what_a_provider_answers_for_is_counted(drawn: Picture) -> None:
    assert sum(box.resources for box in drawn.boxes.values()) == 12


def test_an_unknown_component_stands_under_operations(drawn: Picture) -> None:
    assert drawn.boxes["Backup:vault"].place.tier is Tier.OPERATIONS
    assert drawn.boxes["Backup:vault"].needs == {"Database"}


def test_needs_of_many_resources_become_one_arrow(drawn: Picture) -> None:
    assert drawn.arrows.count(("service:parking", "Database")) == 1


def test_an_arrow_that_a_longer_way_shows_is_left_out(drawn: Picture) -> None:
    assert "Cluster" in drawn.boxes["service:auth"].needs
    assert ("service:auth", "AddOns") in drawn.arrows
    assert ("service:auth", "Cluster") not in drawn.arrows


def test_a_longer_way_through_a_third_tier_does_not_hide_an_arrow(drawn: Picture) -> None:
    assert ("Database", "Cluster") in drawn.arrows
    assert ("service:auth", "Database") in drawn.arrows


def test_the_ground_has_a_count_instead_of_arrows(drawn: Picture) -> None:
    assert drawn.needed_by("Network") == 3
    assert all("Network" not in arrow for arrow in drawn.arrows)


def test_tiers_stand_in_the_way_of_a_request(drawn: Picture) -> None:
    placed = layout.lay_out(drawn)

    assert [panel.tier for panel in placed.panels] == [
        Tier.EDGE,
        Tier.REGIONAL,
        Tier.PLATFORM,
        Tier.WORKLOADS,
        Tier.DATA,
        Tier.OPERATIONS,
        Tier.GROUND,
    ]
    assert placed.boxes["AddOns"].y < placed.boxes["Cluster"].y


def test_boxes_lie_in_their_panels_and_never_on_each_other(drawn: Picture) -> None:
    placed = layout.lay_out(drawn)
    panels = {panel.tier: panel for panel in placed.panels}
    boxes = list(placed.boxes.values())

    for box in boxes:
        panel = panels[drawn.boxes[box.key].place.tier]
        assert panel.y < box.y
        assert box.y + layout.BOX_HEIGHT <= panel.y + panel.height
        assert box.x > 0
        assert box.x + box.width < layout.WIDTH
    for first in boxes:
        for second in boxes:
            if first.key < second.key and first.row == second.row:
                assert first.x + first.width <= second.x or second.x + second.width <= first.x


def test_every_arrow_is_drawn_and_touches_both_its_boxes(drawn: Picture) -> None:
    placed = layout.lay_out(drawn)

    assert {(s, route.target) for route in placed.routes for s in route.sources} == set(drawn.arrows)
    for route in placed.routes:
        ends = [(x, y) for x1, y1, x2, y2 in route.pieces for x, y in ((x1, y1), (x2, y2))]
        for key in (route.target, *route.sources):
            box = placed.boxes[key]
            edges = (box.y, box.y + layout.BOX_HEIGHT)
            assert any(box.x <= x <= box.x + box.width and y in edges for x, y in ends), (key, route)


def test_no_line_crosses_a_box(drawn: Picture) -> None:
    placed = layout.lay_out(drawn)

    for route in placed.routes:
        for x1, y1, x2, y2 in route.pieces:
            for box in placed.boxes.values():
                beside = max(x1, x2) <= box.x or min(x1, x2) >= box.x + box.width
                apart = max(y1, y2) <= box.y or min(y1, y2) >= box.y + layout.BOX_HEIGHT
                assert beside or apart, (route.target, box.key)


def test_boxes_that_need_each_other_are_drawn_all_the_same() -> None:
    first, second = component("Database", "database"), component("Streaming", "streaming")
    entries = [first, second, held(first, "one", "two"), held(second, "two"), held(second, "three", "one")]
    drawn = picture(read({"deployment": {"resources": entries}}))

    assert set(drawn.arrows) == {("Database", "Streaming"), ("Streaming", "Database")}
    assert svg.render(read({"deployment": {"resources": entries}}), title="x")


@dataclass(kw_only=True)
class Element:
    name: str
    attributes: dict[str, str]
    text: str = ""


@dataclass(kw_only=True)
class Document:
    """Elements in order; reading fails where the XML is not well formed."""

    elements: list[Element] = field(default_factory=list[Element])

    @classmethod
    def parse(cls, text: str) -> Document:
        document, parser = cls(), expat.ParserCreate()
        parser.StartElementHandler = document.start
        parser.CharacterDataHandler = document.add_text
        parser.ParseFile(io.BytesIO(text.encode()))
        return document

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements.append(Element(name=name, attributes=attributes))

    def add_text(self, text: str) -> None:
        self.elements[-1].text += text.strip("\n")

    def texts(self, name: str) -> list[str]:
        return [element.text for element in self.elements if element.name == name]


def test_the_order_of_the_run_does_not_change_the_picture(graph: Graph) -> None:
    by_name = sorted(ENTRIES, key=lambda entry: str(entry["urn"])[::-1])

    for entries in (by_name, by_name[::-1]):
        assert svg.render(read({"deployment": {"resources": entries}}), title="t") == svg.render(
            graph, title="t"
        )


def test_an_empty_stack_is_a_picture_too() -> None:
    document = Document.parse(svg.render(read({"deployment": {}}), title="nothing"))

    assert document.texts("title") == ["nothing"]


def test_screen_readers_get_a_title_a_description_and_text(graph: Graph) -> None:
    document = Document.parse(svg.render(graph, title="A <stack> & more"))
    root, *others = document.elements
    labelled = {element.attributes.get("id"): element.text for element in others}
    title, description = (labelled[name] for name in root.attributes["aria-labelledby"].split())

    assert root.attributes["role"] == "img"
    assert title == "A <stack> & more"
    assert "PostgreSQL (2 resources)" in description
    assert {"CloudFront", "PostgreSQL", "2 resources", "1, needed by 3"} <= {*document.texts("text")}


def test_routes_say_what_needs_what(graph: Graph) -> None:
    titles = Document.parse(svg.render(graph, title="t")).texts("title")

    assert "Control plane is needed by Add-ons" in titles
    assert "PostgreSQL is needed by auth, parking" in titles


def test_headings_fit_their_boxes(drawn: Picture) -> None:
    placed = layout.lay_out(drawn)

    for key, box in placed.boxes.items():
        # A bold sans-serif letter is at most 0.6 of the size wide on the average.
        assert len(drawn.boxes[key].place.title) * svg.TITLE_SIZE * 0.6 <= box.width, key


def test_the_picture_is_legible_on_a_phone_and_in_the_dark(graph: Graph) -> None:
    document = svg.render(graph, title="t")

    assert "prefers-color-scheme: dark" in document
    assert svg.TITLE_SIZE * 390 / layout.WIDTH > 8.5
