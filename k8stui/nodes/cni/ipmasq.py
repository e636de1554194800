"""``ipMasq: true``, as the bridge and the ptp plug-in have it in common."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.because import Because
from k8stui.cluster.model import Node, Pod
from k8stui.digest import sha512
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.site import Site
from k8stui.origin import defaulted

MULTICAST = {4: "224.0.0.0/4", 6: "ff00::/8"}


def ip_masq(
    site: Site, node: Node, version: int, network_name: str, owner: str
) -> Contribution | None:
    """``ipMasq: true``: one nat chain a pod.

    Source: plugins:pkg/ip/ipmasq_linux.go:SetupIPMasq; recordings-cni/bridge-ipmasq. The ACCEPT
    covers the node's own pod network only. `owner`: the plug-in that was told to.
    """
    chains: dict[str, Chain] = {}
    jumps: list[Jump] = []
    for pod, address, network in _pod_addresses(site, node, version):
        because = Because(
            text=f"pod {pod.key} leaves the node with the node's address",
            origin=defaulted("ipMasq: true", pod.origin.place),
            owner=owner,
            pod=pod.key,
            setting="ipMasq: true",
        )
        comment = f'-m comment --comment "name: \\"{network_name}\\" id: \\"{pod.container_id}\\""'
        digest = sha512(f"{network_name}{pod.container_id}".encode()).hexdigest()
        name = f"CNI-{digest}"[:28]
        chains[name] = Chain(
            name,
            (
                Rule(f"-A {name} -d {network} {comment} -j ACCEPT", because),
                Rule(f"-A {name} ! -d {MULTICAST[version]} {comment} -j MASQUERADE", because),
            ),
        )
        host = Prefix(address, address.bits)
        jumps.append(
            Jump("POSTROUTING", Rule(f"-A POSTROUTING -s {host} {comment} -j {name}", because))
        )
    if not jumps:
        return None
    return Contribution(owner, {"nat": TablePart(chains=chains, jumps=tuple(jumps))})


def _pod_addresses(site: Site, node: Node, version: int) -> Iterator[tuple[Pod, Address, Prefix]]:
    for pod in site.pods(node.name):
        for address in pod.addresses:
            network = site.network_of(node, address)
            if address.version == version and network is not None:
                yield pod, address, network
