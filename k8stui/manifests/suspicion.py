"""Whether an object that can be read deserves the slow look of `broken` all the same.

Stands apart so that a file without mistakes loads neither `broken` nor `repair`.
"""

from __future__ import annotations

import re

_SUSPICIOUS = re.compile(r"^[ \t]+[A-Za-z][\w./-]*:[^\s:/]", re.MULTILINE)


def suspicious(piece: str) -> bool:
    """Whether a value may have eaten the line below it (``value:"x"``); cheap, errs to True."""
    return _SUSPICIOUS.search(piece) is not None
