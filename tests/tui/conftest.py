"""For all tests of the screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual._styles_cache import StylesCache


@pytest.fixture(autouse=True)
def _screens_go() -> Iterator[None]:
    """Textual keeps a thousand drawn widgets in a cache, with the screens of tests long gone."""
    yield
    StylesCache.get_inner_outer.cache_clear()
