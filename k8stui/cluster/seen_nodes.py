"""What the pods of a dump tell about nodes, for dumps without Nodes or without their ranges."""

from __future__ import annotations

from dataclasses import replace

from k8stui.apiserver.fields import array, flag, table, text
from k8stui.apiserver.inventory import WORKLOADS, Inventory
from k8stui.cluster.fields import addresses
from k8stui.cluster.model import Node
from k8stui.cluster.networks.own_bridges import own_bridge
from k8stui.kernel.address import Address, Prefix
from k8stui.origin import assumed

_USUAL_LENGTH = {4: 24, 6: 64}


def seen_nodes(inventory: Inventory) -> dict[str, Node | None]:
    """Nodes that observed pods and slices name, sorted by name, with what the pods tell of them.

    A pod tells its node's address (hostIP) and, by its own address, the node's pod range: a /24,
    in IPv6 a /64, which is what kube-controller-manager gives out unless told otherwise. The bridge
    of a runtime's own is the network of those nodes alone on which all pods hang on it.
    """
    found: dict[str, Node | None] = {}
    named = _named(inventory)
    for pod in inventory.of("Pod").values():
        host = text(pod.data, "status", "hostIP")
        name = text(pod.data, "spec", "nodeName") or named.get(host) or _by_address(host)
        if not name or not pod.observed:
            continue
        status = table(pod.data, "status")
        if not text(status, "hostIP") and not text(status, "podIP"):
            continue  # no kubelet has taken it on: the node may not exist
        seen = found.get(name)
        if seen is None:
            hosts = tuple(text(entry, "ip") for entry in array(status, "hostIPs"))
            seen = Node(
                name=name,
                index=0,
                addresses=addresses(hosts or (text(status, "hostIP"),)),
                origin=assumed("seen only through the pods on it"),
            )
        stray = any(own_bridge(cidr.address) for cidr in seen.pod_cidrs)
        if (stray or not seen.pod_cidrs) and not flag(pod.data, "spec", "hostNetwork"):
            ips = tuple(text(entry, "ip") for entry in array(status, "podIPs"))
            own = addresses(ips or (text(status, "podIP"),))
            if not stray or not all(map(own_bridge, own)):
                seen = replace(seen, pod_cidrs=tuple(_range(address) for address in own))
        found[name] = seen
    for manifest in () if inventory.of("Node") else inventory.of("EndpointSlice").values():
        for entry in array(manifest.data, "endpoints") if manifest.observed else ():
            name = text(entry, "nodeName")
            if name:
                found.setdefault(name, None)
    return dict(sorted(found.items()))


def _named(inventory: Inventory) -> dict[str, str]:
    """Names of nodes by their addresses, as Nodes and pods say them.

    A dump that somebody has tidied up may have lost nodeName, and not what the kubelet reports.
    """
    found = {
        text(pod.data, "status", "hostIP"): text(pod.data, "spec", "nodeName")
        for pod in inventory.of("Pod").values()
        if text(pod.data, "spec", "nodeName")
    }
    for name, node in inventory.of("Node").items():
        for entry in array(node.data, "status", "addresses"):
            found[text(entry, "address")] = name
    found.pop("", None)
    return found


def _by_address(host: str) -> str:
    """What to call a node of which nothing but the address is known."""
    known = addresses((host,)) if host else ()
    return str(known[0]).replace(":", "-") if known else ""


def asked_nodes(inventory: Inventory) -> tuple[str, ...]:
    """Names that declared pods and templates write as nodeName."""
    names = {
        text(manifest.data, "spec", "nodeName")
        for manifest in inventory.of("Pod").values()
        if not manifest.observed
    }
    for kind in sorted(WORKLOADS):
        for manifest in inventory.of(kind).values():
            names.add(text(manifest.data, "spec", "template", "spec", "nodeName"))
    return tuple(sorted(names - {""}))


def _range(address: Address) -> Prefix:
    known = own_bridge(address)
    if known is not None:
        return known.network
    return Prefix.of(address, _USUAL_LENGTH[address.version])
