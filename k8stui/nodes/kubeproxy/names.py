"""The names that kube-proxy gives its chains: a prefix and a hash of what the chain stands for.

The family is no part of it, so a dual-stack Service has chains of the same name in both tables.
Source: kube-proxy pkg/proxy/iptables/proxier.go portProtoHash, servicePortEndpointChainName;
docs/facts/kube-proxy.md section 3.
"""

from __future__ import annotations

from k8stui.digest import sha256

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""Base 32, RFC 4648 section 6."""
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)


def service_port_name(namespace: str, service: str, port: str) -> str:
    """``namespace/service:port``, without the last part for a port that has no name.

    Source: kube-proxy pkg/proxy/types.go ServicePortName.String.
    """
    return f"{namespace}/{service}:{port}" if port else f"{namespace}/{service}"


def chain_suffix(text: str) -> str:
    """The first 16 characters of the base 32 of the text's SHA-256.

    They hold 80 bits of the digest, taken ten at a time: five times as fast as base64.b32encode
    of the whole of it (docs/facts/speed.md section 4).

    >>> chain_suffix("default/kubernetes:https" + "tcp")
    'NPX46M4PTMTKRN6Y'
    """
    bits = int.from_bytes(sha256(text.encode()).digest()[:10], "big")
    pairs = _PAIRS
    return (
        pairs[bits >> 70]
        + pairs[bits >> 60 & 1023]
        + pairs[bits >> 50 & 1023]
        + pairs[bits >> 40 & 1023]
        + pairs[bits >> 30 & 1023]
        + pairs[bits >> 20 & 1023]
        + pairs[bits >> 10 & 1023]
        + pairs[bits & 1023]
    )


class EndpointNames(dict[str, str]):
    """``address:port`` → KUBE-SEP chain name, of one service port; hashed when first asked for.

    Each name that is made is entered in `owners` as the service port's.
    Source: kube-proxy pkg/proxy/iptables/proxier.go servicePortEndpointChainName.
    """

    __slots__ = ("_name", "_owners", "_protocol")

    def __init__(self, name: str, protocol: str, owners: dict[str, str]) -> None:
        super().__init__()
        self._name, self._protocol, self._owners = name, protocol, owners

    def __missing__(self, endpoint: str) -> str:
        made = "KUBE-SEP-" + chain_suffix(self._name + self._protocol + endpoint)
        self[endpoint] = made
        self._owners[made] = self._name
        return made
