"""No package comes in under a licence that is unknown or not permitted."""

from __future__ import annotations

import pytest

from infra.supply import licences
from infra.supply.lock import Pin


def pin(name: str) -> Pin:
    return Pin(name=name, version="1.0", marker="", hashes=())


def test_every_package_in_the_lock_has_a_permitted_licence() -> None:
    found = licences.all_licences()

    assert len(found) > 100
    assert licences.refusals(found) == []


@pytest.mark.parametrize(
    ("statements", "expression"),
    [
        (("MIT", "UNKNOWN", "x"), "MIT"),
        (("UNKNOWN", "Apache Software License", "UNKNOWN"), "Apache-2.0"),
        (("UNKNOWN", "Apache Software License; BSD License", "Dual License"), "Apache-2.0 AND BSD-3-Clause"),
        (("UNKNOWN", "UNKNOWN", "BSD"), "BSD-3-Clause"),
        (("Apache-2.0 OR BSD-2-Clause",), "Apache-2.0 OR BSD-2-Clause"),
        (("UNKNOWN", "UNKNOWN", "GPL v3"), "GPL v3"),
        (("UNKNOWN", "UNKNOWN", "A long\ntext"), "unknown"),
        ((), "unknown"),
    ],
)
def test_the_most_exact_statement_counts(statements: tuple[str, ...], expression: str) -> None:
    assert licences.of(pin("x"), statements).expression == expression


@pytest.mark.parametrize(
    "expression",
    [
        "unknown",
        "GPL v3",
        "AGPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT OR GPL-2.0-only) AND ISC",
        "Proprietary",
    ],
)
def test_what_is_unknown_or_not_permitted_is_refused(expression: str) -> None:
    (said,) = licences.refusals(
        [licences.Licence(name="x", version="1.0", expression=expression, by_hand=False)]
    )

    assert "x 1.0" in said
    assert expression in said


@pytest.mark.parametrize("expression", ["MIT", "GPL-3.0-only OR MIT", "MIT AND PSF-2.0"])
def test_one_permitted_choice_is_enough(expression: str) -> None:
    assert not licences.refusals(
        [licences.Licence(name="x", version="1.0", expression=expression, by_hand=False)]
    )


def test_what_was_read_by_hand_is_still_in_the_lock_and_wins() -> None:
    assert set(licences.REVIEWED) <= {each.name for each in licences.all_licences()}
    assert licences.of(pin("colorama"), ("GPL v3",)).expression == "BSD-3-Clause"
