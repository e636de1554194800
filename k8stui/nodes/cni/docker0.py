"""docker0: Docker's own bridge as the pod network, as the first Kubernetes clusters had it.

Docker ran with ``--bip=10.244.N.1/24 --iptables=false --ip-masq=false`` and wrote no rule at all
(recordings-cni/docker-kubernetes-salt; docs/facts/cni.md section 5). Routes between the nodes
were the set-up's own, and kubelet masqueraded what left the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.because import Because
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Socket
from k8stui.nodes.cni.between import host_gateway_routes
from k8stui.nodes.cni.bridged import Bridged, BridgeStyle
from k8stui.nodes.cni.non_masquerade import non_masquerade
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.host_ports import host_ports
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site
from k8stui.origin import defaulted

_STYLE = BridgeStyle(
    owner="docker",
    device="docker0",
    veth_digits=7,
    mac_lead="02:42",
    hairpin=False,
    stands_empty=True,
)


class Docker0:
    """dockerd with Kubernetes' options, and kubelet before 1.8 with ``--configure-cbr0``'s rule."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._bridged = Bridged(site, _STYLE)

    def recognises(self, node: Node) -> bool:
        return self._bridged.recognises(node)

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._bridged.addresses(node)

    def node_part(self, node: Node) -> Part:
        return (
            self._bridged.node_part(node)
            + host_gateway_routes(self._site, node, "the cluster's set-up")
            + Part(sockets=tuple(docker_proxies(self._site, node)))
        )

    def pod_part(self, node: Node, pod: Pod) -> Part:
        return self._bridged.pod_part(node, pod)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        del node
        if version != 4:
            return ()
        comment = "kubelet: SNAT outbound cluster traffic"
        said = "Docker ran with --ip-masq=false; kubelet wrote it (--non-masquerade-cidr)"
        return (non_masquerade(self._site, "docker0", comment, said),)


def docker_proxies(site: Site, node: Node, *, answers_as_asked: bool = False) -> Iterator[Socket]:
    """docker-proxy holds each published port open and connects on to the container itself.

    Since 28.0 it answers datagrams from the address that was asked. Sources:
    recordings-cni/docker-kubernetes-salt/containers.json; moby cmd/docker-proxy/udp_proxy_linux.go
    (replyLoop). With --iptables=false no rule takes the packet before it.
    """
    for pod in site.pods(node.name):
        for port in host_ports(pod):
            target = pod.addresses[0].with_port(port.number)
            yield Socket(
                protocol=port.protocol,
                port=port.host_port,
                address=port.host_ip,
                answers_as_asked=answers_as_asked,
                onward=(pod.addresses[0], port.number),
                owner="docker-proxy",
                reason=Because(
                    text=f"docker-proxy takes hostPort {port.host_port} and connects to {target}",
                    origin=defaulted("docker run -p", port.origin.place),
                    owner="docker-proxy",
                    pod=pod.key,
                    setting=f"hostPort: {port.host_port}",
                ),
            )
