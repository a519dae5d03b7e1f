"""What the cloud refuses."""

from __future__ import annotations


class CloudRefusedError(Exception):
    """The cloud refused a call; the message has its code and its words."""

    def __init__(self, message: str, *, gone: bool = False) -> None:
        super().__init__(message)
        self.gone = gone
