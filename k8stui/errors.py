"""The root of all errors that a user can mend, and the words for them; others are bugs of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from k8stui.neutralise import neutralise


class K8sTuiError(Exception):
    """Something in the input, the options or on the machine is not as it has to be."""

    told_of = ""
    """The option whose value is meant; empty where it is none."""

    def render(self) -> str:
        """What is wrong and what helps; further lines belong under the first."""
        return str(self)


@contextmanager
def value_of(option: str) -> Iterator[None]:
    """Say of errors within that they are about the value of this option; the outermost counts."""
    try:
        yield
    except K8sTuiError as error:
        error.told_of = option
        raise


def explain_mistake(error: Exception) -> str | None:
    """Text for the terminal, or None when the error is nobody's mistake but ours."""
    if isinstance(error, K8sTuiError):
        said = error.render()
        if error.told_of:
            said = f"{error.told_of}: {said}"
        return "\n        ".join(neutralise(line) for line in said.splitlines())
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return neutralise(f"{where}{error.strerror or error}")
    return None
