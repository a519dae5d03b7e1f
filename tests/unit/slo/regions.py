"""A region's names for rules and dashboards under test."""

from __future__ import annotations

from infra.slo.site import MetricsSite
from services import CATALOGUE
from stacks.observability import metrics_site
from tests.unit import stack_files

STACKS = stack_files.STACKS


def site(stack: str = "prod") -> MetricsSite:
    """The site of a stack file of the repository."""
    return metrics_site(stack_files.load(stack), CATALOGUE)
