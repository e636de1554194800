"""Names of devices: the walk's own where the kernel takes them, else generated ones.

A dump's device names are somebody else's text and become words of ``ip -batch`` lines, each
behind its keyword: only plain ones are used. The kernel's limit is 15 bytes (IFNAMSIZ,
net/core/dev.c dev_valid_name).
"""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_TAKEN = frozenset({"all", "default", "tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0"})
"""Words of /proc/sys/net/ipv4/conf, and devices that a new namespace may have by itself."""


class Naming:
    """Real names of the devices in one namespace."""

    def __init__(self) -> None:
        self.real: dict[str, str] = {}
        """Name in the walk → real name."""

    def __call__(self, name: str) -> str:
        """The real name of the device that the walk calls `name`."""
        found = self.real.get(name)
        if found is None:
            taken = _TAKEN.union(self.real.values())
            found = name if _PLAIN.fullmatch(name) and name not in taken else self._fresh(taken)
            self.real[name] = found
        return found

    def _fresh(self, taken: frozenset[str]) -> str:
        number = len(self.real)
        while (name := f"k8x{number}") in taken:
            number += 1
        return name

    @property
    def changed(self) -> dict[str, str]:
        """Real name → name in the walk, where the two differ."""
        return {real: name for name, real in self.real.items() if real != name}
