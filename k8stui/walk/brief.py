"""Names of who asks and is asked, as short as they are still told apart."""

from __future__ import annotations


def brief(name: str) -> str:
    """Without the namespace that everything is in: ``pod/client-1``, ``svc/frontend:80``."""
    kind, slash, rest = name.partition("/")
    return kind + slash + rest.removeprefix("default/")
