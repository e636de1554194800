"""Functions and classes of modules that are loaded when they are first called.

For tables of which one run needs a line or two (a kind's checks, a plug-in, a mode): a walk of a
tenth of a second would else pay for all of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Late:
    """Calls what has the name in the module."""

    __slots__ = ("_found", "module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name
        self._found: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.found(*args, **kwargs)

    @property
    def found(self) -> Any:
        """What is called."""
        if self._found is None:
            self._found = getattr(import_module(self.module), self.name)
        return self._found
