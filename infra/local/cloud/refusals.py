"""What the cloud refuses."""

from __future__ import annotations


class CloudRefusedError(Exception):
    """The cloud refused a call; the message has its code and its words.

    Attributes:
        gone: What the call is about is not there.
        lost: No answer came: the call may have been carried out, or not.
    """

    def __init__(self, message: str, *, gone: bool = False, lost: bool = False) -> None:
        super().__init__(message)
        self.gone = gone
        self.lost = lost
