"""Why there is no lab here."""

from __future__ import annotations


class LabError(Exception):
    """The lab cannot be built on this machine, or not for this request.

    The message says what is missing; `hint` what to install or run.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
