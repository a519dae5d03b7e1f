"""What Prometheus answers to instant queries, as far as autoscalers ask; whoever runs it says the numbers."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

from infra.local.cluster.answers import AnswerServer
from infra.local.cluster.client import Json


class MetricSource:
    """Answers `/api/v1/query` with one number for each query it knows, and with nothing for others.

    Attributes:
        values: Value by PromQL text; set items to steer the autoscalers.
        asked: Queries that were asked, in no order.
        address: Its URL.
    """

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.asked: set[str] = set()
        self._server = AnswerServer("metric-source", answer=self._answer)
        self.address = f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def _answer(self, target: str) -> Json | None:
        parts = urlsplit(target)
        if parts.path != "/api/v1/query":
            return None
        query = parse_qs(parts.query).get("query", [""])[0]
        self.asked.add(query)
        value = self.values.get(query)
        result: list[Json] = [] if value is None else [{"metric": {}, "value": [time.time(), str(value)]}]
        return {"status": "success", "data": {"resultType": "vector", "result": result}}
