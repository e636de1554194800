"""portmap: a pod's hostPort, done in nat.

Source: docs/facts/cni.md section 2 (plugins:plugins/meta/portmap/portmap.go: fillDnatRules,
genToplevelDnatChain, genSetMarkChain, genMarkMasqChain); recorded in recordings-cni/portmap and
flannel-host-gw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from k8stui.because import Because
from k8stui.cluster.model import ContainerPort, Node, Pod
from k8stui.digest import sha512
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.host_ports import host_ports
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site
from k8stui.origin import defaulted

_DNAT = "CNI-HOSTPORT-DNAT"
_MASQ = "CNI-HOSTPORT-MASQ"
_SETMARK = "CNI-HOSTPORT-SETMARK"
_MARK = "0x2000/0x2000"
"""markMasqBit 13, the default."""
_PORTS_IN_ONE_RULE = 15
"""What -m multiport takes."""
_ANY = frozenset((Address.parse("0.0.0.0"), Address.parse("::")))  # noqa: S104 - an address to compare with


def route_localnet(site: Site, node: Node, device: str) -> Part:
    """``snat: true``: what localhost sends to a hostPort may leave by the pod's or bridge's device.

    Source: plugins:portmap.go:enableLocalnetRouting.
    """
    has_any = any(True for pod in site.pods(node.name) for _ in host_ports(pod))
    return Part(route_localnet=frozenset((device,) if has_any else ()))


def portmap(site: Site, node: Node, version: int, network_name: str) -> Contribution | None:
    """What portmap has written on `node` for one family; None without a hostPort there."""
    entries: list[Rule] = []
    chains: dict[str, Chain] = {}
    for pod in site.pods(node.name):
        ports = tuple(host_ports(pod))
        address = next((a for a in pod.addresses if a.version == version), None) if ports else None
        if address is None:
            continue
        digest = sha512(f"{network_name}{pod.container_id}".encode()).hexdigest()
        name = f"CNI-DN-{digest}"[:28]
        network = site.network_of(node, address) or Prefix(address, address.bits)
        entries += _entries(pod, ports, name, network_name)
        rules = [
            rule
            for port in ports
            if port.host_ip is None or port.host_ip.version == version
            for rule in _pod_rules(name, pod, port, address, network)
        ]
        chains[name] = Chain(name, tuple(rules))
    if not entries:
        return None
    general = Because(
        text="pods of this node have a hostPort",
        origin=defaulted("portmap with snat: true and markMasqBit 13"),
        owner="portmap",
    )
    chains[_DNAT] = Chain(_DNAT, tuple(entries))
    chains[_MASQ] = Chain(
        _MASQ, (Rule(f"-A {_MASQ} -m mark --mark {_MARK} -j MASQUERADE", general),)
    )
    mark = f'-m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark {_MARK}'
    chains[_SETMARK] = Chain(_SETMARK, (Rule(f"-A {_SETMARK} {mark}", general),))
    local = f"-m addrtype --dst-type LOCAL -j {_DNAT}"
    masq = f'-m comment --comment "CNI portfwd requiring masquerade" -j {_MASQ}'
    jumps = (
        Jump("PREROUTING", Rule(f"-A PREROUTING {local}", general)),
        Jump("OUTPUT", Rule(f"-A OUTPUT {local}", general)),
        Jump("POSTROUTING", Rule(f"-A POSTROUTING {masq}", general), insert=True),
    )
    return Contribution("portmap", {"nat": TablePart(chains=chains, jumps=jumps)})


def _entries(
    pod: Pod, ports: Sequence[ContainerPort], name: str, network_name: str
) -> Iterator[Rule]:
    """One rule a protocol (sorted by name) and 15 ports in CNI-HOSTPORT-DNAT."""
    comment = f'"dnat name: \\"{network_name}\\" id: \\"{pod.container_id}\\""'
    by_protocol = sorted(ports, key=lambda port: port.protocol.name.lower())
    for protocol, group in groupby(by_protocol, key=lambda port: port.protocol.name.lower()):
        numbers = list(group)
        for start in range(0, len(numbers), _PORTS_IN_ONE_RULE):
            some = numbers[start : start + _PORTS_IN_ONE_RULE]
            yield Rule(
                f"-A {_DNAT} -p {protocol} -m comment --comment {comment} -m multiport "
                f"--dports {','.join(str(port.host_port) for port in some)} -j {name}",
                _because(pod, some[0]),
            )


def _pod_rules(
    name: str, pod: Pod, port: ContainerPort, address: Address, network: Prefix
) -> Iterator[Rule]:
    """Mark what comes from the pod's network or from localhost, then DNAT.

    The mark covers every pod of the node: each is seen as the bridge's address (hairpin).
    """
    because = _because(pod, port)
    protocol = port.protocol.name.lower()
    host = ""
    if port.host_ip is not None and port.host_ip not in _ANY:
        host = f"-d {port.host_ip}/{port.host_ip.bits} "
    match = f"{host}-p {protocol} -m {protocol} --dport {port.host_port}"
    yield Rule(f"-A {name} -s {network} {match} -j {_SETMARK}", because)
    if address.version == 4:
        yield Rule(f"-A {name} -s 127.0.0.1/32 {match} -j {_SETMARK}", because)
    target = address.with_port(port.number)
    yield Rule(f"-A {name} {match} -j DNAT --to-destination {target}", because)


def _because(pod: Pod, port: ContainerPort) -> Because:
    return Because(
        text=f"hostPort {port.host_port} of pod {pod.key}, to its port {port.number}",
        origin=port.origin,
        owner="portmap",
        pod=pod.key,
        setting=f"hostPort: {port.host_port}",
    )
