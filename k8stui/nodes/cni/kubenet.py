"""kubenet: kubelet's own plug-in before 1.24, the bridge plug-in with a rule for what leaves.

Source: docs/facts/cni.md section 7 (kubernetes pkg/kubelet/dockershim/network/kubenet/
kubenet_linux.go: NET_CONFIG_TEMPLATE, ensureMasqRule; network/hostport/hostport_syncer.go);
recorded in recordings-cni/kubenet-cbr0 and kubelet-hostport-recreated.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from k8stui.because import Because
from k8stui.cluster.model import ContainerPort, Node, Pod
from k8stui.digest import sha256
from k8stui.kernel.address import Address
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.cni.between import host_gateway_routes
from k8stui.nodes.cni.bridge import style
from k8stui.nodes.cni.bridged import Bridged
from k8stui.nodes.cni.conflist import assumed_list, configured
from k8stui.nodes.cni.non_masquerade import non_masquerade
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.host_ports import host_ports, passed_on
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site

_USUAL = {
    "bridge": "cbr0",
    "isGateway": True,
    "hairpinMode": True,
    "ipam": {"routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]},
}
"""Its own default, promiscuous-bridge (cbr0 PROMISC), does what hairpin mode does: a pod reaches
itself by its Service (kubernetes.io, "Debug Services"; net/bridge/br_input.c, local_rcv)."""
_PORTALS = '-m comment --comment "kube hostport portals" -m addrtype --dst-type LOCAL'
_ENTRIES = "KUBE-HOSTPORTS"


class Kubenet:
    """kubelet with ``--network-plugin=kubenet``; routes between nodes are the cloud's."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._list = configured(site, "bridge") or assumed_list(_USUAL, "kubenet's own list")
        self._bridged = Bridged(site, style("kubenet", self._list))

    def recognises(self, node: Node) -> bool:
        return self._bridged.recognises(node)

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._bridged.addresses(node)

    def node_part(self, node: Node) -> Part:
        return self._bridged.node_part(node) + host_gateway_routes(self._site, node, "the cloud")

    def pod_part(self, node: Node, pod: Pod) -> Part:
        return self._bridged.pod_part(node, pod)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        if version != 4:
            return ()
        comment = "kubenet: SNAT for outbound traffic from cluster"
        said = "kubelet's --non-masquerade-cidr, as it is by default"
        masquerade = non_masquerade(self._site, "kubenet", comment, said)
        ports = self._host_ports(node)
        return (masquerade,) if ports is None else (ports, masquerade)

    def _host_ports(self, node: Node) -> Contribution | None:
        """Kubelet's own chains for hostPorts, by way of KUBE-MARK-MASQ."""
        entries: list[Rule] = []
        chains: dict[str, Chain] = {}
        for pod in self._site.pods(node.name):
            address = next((a for a in pod.addresses if a.version == 4), None)
            for port in host_ports(pod) if address else ():
                name = _chain(pod, port)
                because = passed_on(pod, port, "kubelet")
                protocol = port.protocol.name.lower()
                said = f"{pod.name}_{pod.namespace} hostport {port.host_port}"
                comment = f'-m comment --comment "{said}"'
                entries.append(
                    Rule(
                        f"-A {_ENTRIES} -p {protocol} {comment} -m {protocol} "
                        f"--dport {port.host_port} -j {name}",
                        because,
                    )
                )
                chains[name] = Chain(
                    name,
                    (
                        Rule(f"-A {name} -s {address}/32 {comment} -j KUBE-MARK-MASQ", because),
                        Rule(
                            f"-A {name} -p {protocol} {comment} -m {protocol} -j DNAT "
                            f"--to-destination {address}:{port.number}",
                            because,
                        ),
                    ),
                )
        if not entries:
            return None
        chains[_ENTRIES] = Chain(_ENTRIES, tuple(entries))
        because = Because(
            text="pods of this node have a hostPort",
            origin=self._list.origin,
            owner="kubelet",
        )
        bridge = self._bridged.attachment(node).bridge
        local = (
            f'-A POSTROUTING -s 127.0.0.0/8 -o {bridge} -m comment --comment "SNAT for localhost '
            'access to hostports" -j MASQUERADE'
        )
        jumps = (
            Jump("PREROUTING", Rule(f"-A PREROUTING {_PORTALS} -j {_ENTRIES}", because)),
            Jump("OUTPUT", Rule(f"-A OUTPUT {_PORTALS} -j {_ENTRIES}", because)),
            Jump("POSTROUTING", Rule(local, because)),
        )
        return Contribution("kubelet", {"nat": TablePart(chains=chains, jumps=jumps)})


def _chain(pod: Pod, port: ContainerPort) -> str:
    """``KUBE-HP-`` and a hash of sandbox, port and protocol (hostport_manager.go:getHostportChain).

    The port is the one on the node.
    """
    said = f"{pod.container_id}{port.host_port}{port.protocol.name.upper()}"
    return f"KUBE-HP-{base64.b32encode(sha256(said.encode()).digest()).decode()[:16]}"
