"""Why there is no lab here."""

from __future__ import annotations

from k8stui.errors import K8sTuiError


class LabError(K8sTuiError):
    """The lab cannot be built on this machine, or not for this request.

    The message says what is missing; `hint` what to install or run.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def render(self) -> str:
        return f"{self}\n{self.hint}" if self.hint else str(self)


class NotComparedError(LabError):
    """There is nothing to compare: the walk, or the lab, has no such thing. Another request may."""
