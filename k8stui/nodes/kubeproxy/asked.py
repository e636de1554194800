"""What rules of iptables ask of a packet to a service port, as iptables-save prints it.

Source: kube-proxy pkg/proxy/iptables/proxier.go syncProxyRules; docs/facts/kube-proxy.md section 5.
"""

from __future__ import annotations

from k8stui.kernel.address import Address
from k8stui.nodes.kubeproxy.ports import Port
from k8stui.nodes.kubeproxy.settings import ProxySettings


def at_address(port: Port, address: Address, said: str, behind: str = "") -> str:
    """One of its addresses and its port. `said`: the comment; `behind`: a match on the device."""
    transport = port.protocol
    return (
        f"-d {address}/{address.bits} {behind}-p {transport} "
        f'-m comment --comment "{said}" -m {transport} --dport {port.number}'
    )


def at_node_port(port: Port, said: str, where: str = "") -> str:
    """Its node port. `said`: the comment; `where`: another match, with a blank behind it."""
    transport = port.protocol
    return (
        f'-p {transport} -m comment --comment "{said}" {where}-m {transport} '
        f"--dport {port.node_port}"
    )


def refused(settings: ProxySettings) -> str:
    """The target that tells the sender at once."""
    icmp = "icmp-port-unreachable" if settings.version == 4 else "icmp6-port-unreachable"
    return f"REJECT --reject-with {icmp}"
