"""The bill of materials is CycloneDX, whole, and the same every time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.supply import lock, sbom


def test_every_locked_package_is_in_it_with_hashes_and_licence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dist" / "sbom.json"

    assert sbom.main(path) == 0

    assert "valid CycloneDX 1.6" in capsys.readouterr().out
    found = json.loads(path.read_text())
    # Nothing in it is of one run, so equal locks give equal files.
    assert not {"serialNumber", "timestamp"} & {*found, *found["metadata"]}
    assert found["metadata"]["component"]["name"] == "parking-platform"
    components = {
        (each["purl"].partition("?")[0].lower(), each["version"]): each for each in found["components"]
    }
    assert len(components) == len(lock.pins())
    for component in components.values():
        assert component["licenses"][0]["expression"] != "unknown"
        assert component["externalReferences"][0]["hashes"][0]["alg"] == "SHA-256"


def test_a_document_that_is_none_is_refused() -> None:
    with pytest.raises(sbom.InvalidError, match="not CycloneDX"):
        sbom.validate('{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "car"}]}')
