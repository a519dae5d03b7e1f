"""Parking platform: one stack is one region of an environment."""

import gc

# The program is short and builds a graph that stays: collections find nothing, and they cost a third of a preview.
gc.disable()

from infra import settings  # noqa: E402 - the imports make most of the objects
from stacks import catalogue, summary  # noqa: E402 - as above
from stacks.region import deploy  # noqa: E402 - as above

services = catalogue.read()
loaded = settings.load(catalogue=services)
declared = summary.Declared()
deploy(loaded, catalogue=services, siblings=settings.siblings(loaded))
summary.tell(loaded, catalogue=services, declared=declared)
