"""Errors that the user can mend, in words; everything else is a bug of ours."""

from __future__ import annotations

from k8stui.neutralise import neutralise
from k8stui.walk.error import RequestError


def explain_mistake(error: Exception) -> str | None:
    """Text for the terminal, or None when the error is nobody's mistake but ours."""
    if isinstance(error, RequestError):
        return "\n        ".join(neutralise(line) for line in error.render().splitlines())
    from k8stui.cluster.proxy_configuration import ProxyConfigurationError  # noqa: PLC0415
    from k8stui.nodes.errors import NodeOptionError, ObservedFileError  # noqa: PLC0415

    if isinstance(error, NodeOptionError | ObservedFileError | ProxyConfigurationError):
        return neutralise(str(error))
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return neutralise(f"{where}{error.strerror or error}")
    return None
