"""Link-layer names that a real node draws at random, and k8stui derives instead.

A kernel or plug-in takes random bytes for veth names and MAC addresses (docs/facts/cni.md
section 1). Here they follow from the pod and its address, so that the same input gives the same
network: assumed, and shown as such.
"""

from __future__ import annotations

from functools import lru_cache

from k8stui.cluster.model import Pod
from k8stui.digest import sha1
from k8stui.kernel.address import Address

CALI = "cali"
"""How the names of Calico's cables begin."""


@lru_cache(maxsize=1 << 14)
def mac(address: Address, lead: str = "02:00") -> str:
    """The MAC address of the device that holds `address`: the lead, then the IPv4 address in hex.

    Docker does the same with the lead ``02:42`` (docs/facts/cni.md section 5). An IPv6 address
    is too long for that: four bytes of its hash stand in.
    """
    four = address.packed if address.version == 4 else sha1(address.packed).digest()[:4]
    return f"{lead}:{four.hex(':')}"


def host_mac(address: Address) -> str:
    """The MAC address of the far end of the cable of the one who holds `address`."""
    return mac(address, "06:00")


def hashed_name(prefix: str, pod: Pod) -> str:
    """The prefix and eleven hex digits: the node's end of a pod's cable as Calico calls it.

    Amazon's VPC CNI does the same. Source: libcalico-go/lib/backend/k8s/conversion/
    workload_endpoint_default.go VethNameForWorkload.
    """
    digest = _hashed(pod.namespace, pod.name)
    return f"{prefix}{digest[:11]}"


@lru_cache(maxsize=1 << 14)
def _hashed(namespace: str, name: str) -> str:
    return sha1(f"{namespace}.{name}".encode()).hexdigest()


def veth_name(pod: Pod, digits: int = 8) -> str:
    """``veth`` and `digits` hex digits: the host's end of the pod's veth pair.

    Eight as the bridge plug-in draws them (plugins:pkg/ip/link_linux.go:RandomVethName), seven
    as Docker does.
    """
    digest = _hashed(pod.namespace, pod.name)
    return f"veth{digest[:digits]}"
