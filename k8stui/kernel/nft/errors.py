"""What is wrong with the text of a ruleset."""

from __future__ import annotations

from k8stui.errors import K8sTuiError


class NftError(K8sTuiError, ValueError):
    """The text is not what the command prints."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        """1-based; None: it cannot be told."""


class BreakError(Exception):
    """The packet has no such field, or not this value: the rule does not match (NFT_BREAK)."""


class UnknownError(Exception):
    """What becomes of the packet is not known here, or not modelled."""
