"""All rows, by the short form of Pulumi's type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.local.cloud import table_network
from infra.local.cloud.rows import Row

ROWS: Final[Mapping[str, Row]] = {**table_network.ROWS}
