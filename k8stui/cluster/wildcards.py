"""Public names that carry their address in themselves, and zones that answer for every name.

Sources: nip.io ("dot, dash and hexadecimal notation"), sslip.io (IPv6 with dashes), traefik.me and
localtest.me (their own pages). A company's ``*.example.com`` cannot be known here.
"""

from __future__ import annotations

import re

from k8stui.kernel.address import Address

_BY_NAME = ("nip.io", "sslip.io", "xip.io", "traefik.me")
_LOOPBACK = ("localtest.me", "lvh.me", "traefik.me")
"""Every other name is 127.0.0.1."""
_PARTS = re.compile(r"(?:^|[.-])(\d{1,3})([.-])(\d{1,3})\2(\d{1,3})\2(\d{1,3})$")
_HEX = re.compile(r"(?:^|[.-])([0-9a-f]{8})$")


def answered(fqdn: str) -> Address | None:
    """What the public DNS says for a name of such a zone; None: it is of none."""
    name = f".{fqdn.rstrip('.').lower()}"
    for zone in (*_BY_NAME, *_LOOPBACK):
        if name.endswith(f".{zone}"):
            address = _written(name.removesuffix(zone).strip(".")) if zone in _BY_NAME else None
            if address is None and zone in _LOOPBACK:
                return Address.parse("127.0.0.1")
            return address
    return None


def _written(text: str) -> Address | None:
    if (found := _PARTS.search(text)) is not None:
        text = ".".join(found.group(1, 3, 4, 5))
    elif (found := _HEX.search(text)) is not None:
        text = ".".join(str(byte) for byte in bytes.fromhex(found[1]))
    else:
        text = text.rpartition(".")[2].replace("-", ":")
    try:
        return Address.parse(text)
    except ValueError:
        return None
