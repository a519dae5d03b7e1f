"""One istiod, two proxies and all services for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dataplane.mesh.rig import Rig


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("mesh")).running() as rig:
        yield rig
