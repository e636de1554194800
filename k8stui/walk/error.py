"""The error of the request parser, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from k8stui.errors import K8sTuiError
from k8stui.neutralise import neutralise
from k8stui.suggest import nearest

_SHOWN = 12
"""As many choices as still read well in one terminal line or two."""


class RequestError(K8sTuiError):
    """A source or destination that means nothing in this cluster."""

    def __init__(self, message: str, *, hint: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        # What was typed is quoted in them: a line break there begins no line here.
        self.message = neutralise(message)
        """One sentence."""
        self.hint = neutralise(hint)
        """What was probably meant; may be empty."""
        self.choices = choices
        """What there is to choose from, ready to be typed."""

    def render(self) -> str:
        """Message, hint and choices, a line each."""
        lines = [self.message]
        if self.hint:
            lines.append(self.hint)
        if self.choices:
            more = len(self.choices) - _SHOWN
            shown = ", ".join(self.choices[:_SHOWN])
            lines.append(f"there is: {shown}" + (f" and {more} more" if more > 0 else ""))
        return "\n".join(lines)


def unknown(message: str, word: str, choices: Iterable[str]) -> RequestError:
    """Make the error for a `word` that is none of `choices`, with the nearest as a hint."""
    all_choices = tuple(choices)
    near = nearest(word, all_choices)
    hint = f"did you mean {near}?" if near else ""
    return RequestError(message, hint=hint, choices=all_choices)
