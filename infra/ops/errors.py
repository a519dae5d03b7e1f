"""What stops an operation, in words for people."""

from __future__ import annotations


class OpsError(Exception):
    """Something that stops an operation; shown without a traceback."""


class RefusedError(OpsError):
    """The operation would lose data or make things worse; says what, and how to insist."""


class CloudError(OpsError):
    """AWS refused or did not answer.

    Args:
        region: Where.
        operation: What was asked.
        code: AWS's error code, or the kind of failure.
        message: What was said.
        unreachable: Whether nothing answered at all, or nothing but failures of the service itself.
    """

    def __init__(
        self, *, region: str, operation: str, code: str, message: str, unreachable: bool = False
    ) -> None:
        super().__init__(f"{region}: {operation}: {code}: {message}")
        self.region, self.operation, self.code, self.unreachable = region, operation, code, unreachable
