"""infra/cost/counted.json: AWS resources by type in each kind of stack, from the stacks' plans."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from infra import settings
from infra.cost.pieces import kind_of
from infra.diagram.graph import Graph
from services import CATALOGUE


def content(graphs: Mapping[str, Graph]) -> str:
    """The file.

    Args:
        graphs: The plan of every stack.
    """
    kinds: dict[str, dict[str, int]] = {}
    for stack, graph in graphs.items():
        kind = kind_of(settings.from_file(stack, catalogue=CATALOGUE))
        found = Counter(r.type for r in graph.resources.values() if r.type.startswith("aws:"))
        known = kinds.setdefault(kind, {})
        for token, count in sorted(found.items()):
            known[token] = max(known.get(token, 0), count)
    return json.dumps(kinds, indent=1, sort_keys=True) + "\n"
