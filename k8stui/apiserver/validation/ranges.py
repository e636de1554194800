"""The ranges out of which a cluster gives node ports and clusterIPs, where the input says them.

Sources, all that are there: ServiceCIDR objects, kubeadm's ClusterConfiguration (by itself or in
the ``kubeadm-config`` ConfigMap), the command of a kube-apiserver Pod. Node ports are
30000-32767 where nobody says otherwise (--service-node-port-range); a range of clusterIPs that
nobody says is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from k8stui.apiserver.fields import Object, array, numbered, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.manifests.embedded import embedded
from k8stui.manifests.manifest import Manifest
from k8stui.record import record

NODE_PORTS = range(30000, 32768)
_LAST_PORT = 0xFFFF
_PORT_RANGE = re.compile(r"([0-9]{1,5})([-+])([0-9]{1,5})")
_DEFAULT = "kubernetes"
"""Name of the ServiceCIDR that the API server makes of its own range; others add to it
(pkg/controlplane/controller/defaultservicecidr)."""


@record()
class Ranges:
    """From which addresses and ports the server gives out."""

    node_ports: range = NODE_PORTS
    services: tuple[str, ...] = ()
    """As written, ``10.96.0.0/12``; empty where the input does not say."""
    pods: tuple[str, ...] = ()
    """Ranges of the Nodes' pods, which have the families of the Services'."""

    @property
    def families(self) -> frozenset[str]:
        """IPv4, IPv6 or both; empty where the input does not say."""
        return frozenset("IPv6" if ":" in cidr else "IPv4" for cidr in self.services or self.pods)

    def refuse(self, address: str) -> str:
        """Why no clusterIP is `address`, behind "which is"; empty where it may be given.

        Never a range's first address, the network's own, nor in IPv4 its last, the broadcast
        address (pkg/registry/core/service/ipallocator/ipallocator.go NewIPAllocator). Nothing is
        refused where no range is known.
        """
        if not self.services:
            return ""
        import ipaddress  # noqa: PLC0415 - 3 ms, and most inputs say no range

        one = ipaddress.ip_address(address)
        why = f"not in the Services' range {', '.join(self.services)}"
        for cidr in self.services:
            network = ipaddress.ip_network(cidr, strict=False)
            if one not in network:
                continue
            if one == network[0]:
                why = f"the first address of the Services' range {cidr}, which stands for the range"
            elif one == network[-1] and one.version == 4:
                why = f"the last address of the Services' range {cidr}, its broadcast address"
            else:
                return ""
        return why

    def first(self) -> str:
        """The address of default/kubernetes: the first of the first range; empty if unknown."""
        if not self.services:
            return ""
        import ipaddress  # noqa: PLC0415 - as above

        return str(ipaddress.ip_network(self.services[0], strict=False)[1])


def known_ranges(objects: Sequence[Manifest]) -> Ranges:
    """Collect what `objects` say."""
    node_ports, services = NODE_PORTS, dict[str, None]()
    for option, value in _said(objects):
        if option == "service-node-port-range":
            node_ports = port_range(value) or node_ports
        else:
            cidrs = (cidr.strip() for cidr in value.split(","))
            services |= dict.fromkeys(cidr for cidr in cidrs if formats.is_cidr(cidr))
    if services:  # those that came later only add to the API server's own
        for one in objects:
            if one.kind == "ServiceCIDR" and one.name != _DEFAULT:
                written = (cidr for _, cidr in numbered(table(one.data, "spec"), "cidrs"))
                services |= dict.fromkeys(cidr for cidr in written if formats.is_cidr(cidr))
    pods = {
        cidr
        for one in objects
        if one.kind == "Node"
        for _, cidr in numbered(table(one.data, "spec"), "podCIDRs")
    }
    return Ranges(node_ports, tuple(services), tuple(sorted(pods)))


def _said(objects: Iterable[Manifest]) -> Iterator[tuple[str, str]]:
    """Options of the API server, and ``service-cluster-ip-range`` for what means the same."""
    for one in objects:
        if one.kind == "ServiceCIDR" and one.name == _DEFAULT:
            for _, cidr in numbered(table(one.data, "spec"), "cidrs"):
                yield "service-cluster-ip-range", cidr
        elif one.kind == "ClusterConfiguration":
            yield from _kubeadm(one.data)
        elif one.kind == "ConfigMap" and one.name == "kubeadm-config":
            for inner in embedded(one, "ClusterConfiguration"):
                yield from _kubeadm(inner.data)
        elif one.kind == "Pod" and one.name.startswith("kube-apiserver"):
            for _, container in records(table(one.data, "spec"), "containers", ()):
                for field in ("command", "args"):
                    for _, word in numbered(container, field):
                        yield from _option(word)


def _kubeadm(configuration: Object) -> Iterator[tuple[str, str]]:
    if subnet := text(table(configuration, "networking"), "serviceSubnet"):
        yield "service-cluster-ip-range", subnet
    server = table(configuration, "apiServer")
    for name, value in table(server, "extraArgs").items():  # a list of pairs since v1beta4
        yield from _option(f"--{name}={value}")
    for pair in array(server, "extraArgs"):
        if isinstance(pair, dict):
            yield from _option(f"--{pair.get('name')}={pair.get('value')}")


def _option(word: str) -> Iterator[tuple[str, str]]:
    name, _, value = word.removeprefix("--").partition("=")
    if name in ("service-node-port-range", "service-cluster-ip-range"):
        yield name, value


def port_range(written: str) -> range | None:
    """Read ``30000-32767``, or ``30000+2767``; None: it is no range of ports.

    Source: apimachinery/pkg/util/net/port_range.go ParsePortRange.
    """
    found = _PORT_RANGE.fullmatch(written)
    if found is None:
        return None
    first, last = int(found[1]), int(found[3])
    end = last if found[2] == "-" else first + last
    return range(first, end + 1) if first <= end <= _LAST_PORT else None
