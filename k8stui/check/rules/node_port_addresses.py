"""nodePortAddresses that no address of a node is in: its node ports answer nobody.

kube-proxy serves node ports only on the node's addresses within nodePortAddresses
(pkg/proxy/util NodePortAddresses); without any the rules are simply missing.

Only an information where the nodes, and so their addresses, are assumed. Does not apply without a
Service that has a node port.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.ground import names as listed
from k8stui.kernel.address import Prefix

ID = "node-port-addresses"


def look(ground: Ground) -> Iterator[Finding]:
    proxy = ground.cluster.proxy
    written = proxy.node_port_addresses
    if not written or "primary" in written:
        return
    asked = [s for s in ground.services if any(port.node_port for port in s.ports)]
    if not asked:
        return
    ranges = [prefix for text in written if (prefix := _prefix(text)) is not None]
    without = [
        name
        for name in ground.cluster.nodes
        if not any(
            one.address in prefix
            for device in ground.world.network[name].interfaces
            for one in device.addresses
            for prefix in ranges
        )
    ]
    if not without:
        return
    origin = proxy.origins.get("node_port_addresses", proxy.origin)
    yield Finding(
        rule=ID,
        severity=Severity.INFO if ground.nodes_are_assumed else Severity.WARNING,
        subject="KubeProxyConfiguration",
        place=origin.place,
        why=f"nodePortAddresses {', '.join(written)} holds no address of "
        f"{listed(without)}{' (assumed)' if ground.nodes_are_assumed else ''}: the node ports of "
        f"{listed([s.key for s in asked])} are not served there",
        fix="add the nodes' own range, or leave nodePortAddresses out",
    )


def _prefix(text: str) -> Prefix | None:
    try:
        return Prefix.parse(text)
    except ValueError:
        return None


RULE = CheckRule(
    id=ID,
    summary="nodePortAddresses match no address of a node",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
