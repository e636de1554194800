"""Versions of Kubernetes' programs, as Nodes report them: ``v1.31.4``, ``v1.27.3+k3s1``."""

from __future__ import annotations

import re

_VERSION = re.compile(r"v?1\.(\d{1,3})\b")


def minor(written: str) -> int | None:
    """The 31 of ``v1.31.4``; None: it is no such version.

    >>> minor("v1.27.3+k3s1"), minor("")
    (27, None)
    """
    found = _VERSION.match(written)
    return int(found[1]) if found is not None else None
