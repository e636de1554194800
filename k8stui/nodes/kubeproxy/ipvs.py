"""kube-proxy in mode ipvs, as far as a packet gets there: the addresses that it binds on a node.

Each address of a Service is an address of kube-ipvs0, a dummy device that is down, on every node:
what is sent there is the node's own, and in INPUT (its own packets: in OUTPUT) the kernel's
balancer, IPVS, takes it and chooses an endpoint. That choice is not modelled.

Sources: kube-proxy pkg/proxy/ipvs/proxier.go (defaultDummyDevice, syncProxyRules); net/netfilter/
ipvs/ip_vs_core.c (ip_vs_ops4). Its end: Kubernetes enhancement 5495, docs/facts/kube-proxy.md
section 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8stui.because import Because
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Interface, InterfaceAddress, LinkKind
from k8stui.origin import defaulted

IPVS = "ipvs"
DEVICE = "kube-ipvs0"
WHAT_IT_DOES = (
    f"kube-proxy binds the Services' addresses to {DEVICE} on every node, and there the kernel's "
    "own balancer, IPVS, chooses an endpoint"
)
ITS_END = (
    "the mode is deprecated since Kubernetes 1.35, to be off by default from 1.40 and gone in 1.43"
)


def device(taken: Mapping[Address, Because], own: Iterable[Address]) -> Interface:
    """The device with the addresses that are `taken`, but those that are the node's `own`."""
    there = frozenset(own)
    return Interface(
        name=DEVICE,
        kind=LinkKind.DUMMY,
        up=False,
        addresses=tuple(
            InterfaceAddress(address=address, prefix_length=address.bits, reason=why)
            for address, why in taken.items()
            if address not in there
        ),
        reason=Because(
            text="every Service's addresses are bound to it",
            origin=defaulted("kube-proxy in mode ipvs"),
            owner="kube-proxy",
        ),
    )
