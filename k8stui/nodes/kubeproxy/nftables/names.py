"""The names that kube-proxy gives its nftables chains and sets: a hash and, for people, all of it.

Source: kube-proxy pkg/proxy/nftables/proxier.go (servicePortChainNameBase,
servicePortEndpointChainNameBase, hashAndTruncate); docs/facts/kube-proxy.md section 8.
"""

from __future__ import annotations

from functools import lru_cache

from k8stui.nodes.kubeproxy.endpoints import Backend
from k8stui.nodes.kubeproxy.names import chain_suffix, service_port_name
from k8stui.nodes.kubeproxy.ports import Port

_LONGEST = 240
"""NFT_NAME_MAXLEN (include/uapi/linux/netfilter/nf_tables.h) less 16 for a prefix."""
_HASHED = 8

SERVICE = "service-"
LOCAL = "local-"
EXTERNAL = "external-"
FIREWALL = "firewall-"
ENDPOINT = "endpoint-"
AFFINITY = "affinity-"


@lru_cache(maxsize=1024)
def hashed(name: str) -> str:
    """`name` behind eight characters of the base 32 of its SHA-256, cut where it is too long.

    >>> hashed("default/frontend/tcp/")
    'DTOG5KOK-default/frontend/tcp/'
    """
    whole = f"{chain_suffix(name)[:_HASHED]}-{name}"
    return whole if len(whole) <= _LONGEST else whole[: _LONGEST - 3] + "..."


def port_base(port: Port) -> str:
    """What the names of a service port's chains end in; the prefix says which one it is."""
    return hashed(_written(port))


def endpoint_base(port: Port, backend: Backend) -> str:
    """The same of one of its endpoints."""
    number = backend.text.rpartition(":")[2]
    address = backend.address.replace(":", ".")
    return hashed(f"{_written(port)}__{address}/{number}")


def service_port(name: str) -> str:
    """The service port name that a chain or set is of, as its name tells.

    Raises:
        KeyError: no such name.

    >>> service_port("endpoint-DPQN6T2J-shop/sticky-local/tcp/__10.244.0.40/8000")
    'shop/sticky-local'

    """
    parts = name.split("-", 2)[-1].split("/", 3)
    if len(parts) != 4:
        raise KeyError(name)
    namespace, service, _, port = parts
    return service_port_name(namespace, service, port.partition("__")[0])


def _written(port: Port) -> str:
    return f"{port.service_key}/{port.protocol}/{port.service_port.name}"
