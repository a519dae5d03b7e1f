"""Whom an alert concerns."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """Value of the label `severity`, and which SNS topic is told."""

    CRITICAL = "critical"
    """Somebody must act now: users are hurt, or will be within hours."""
    WARNING = "warning"
    """Somebody must act within days."""
