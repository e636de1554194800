"""What a dump leaves open is said: other plug-ins' devices, tables left out, kinds of devices."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8stui.kernel import iproute, iproute_json
from k8stui.kernel.exchange import Result
from k8stui.kernel.namespace import LinkKind
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world, sample

FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n"


def asked(tmp_path: Path, rules: str) -> Outcome:
    file = tmp_path / "node-1.save"
    file.write_text(rules)
    world = build_world(
        [str(sample("guestbook"))], None, NodeOptions(iptables={"node-1": str(file)})
    )
    return walk(world, parse_request(world, "pod/client", "pod/frontend-1:80")).outcome


@pytest.mark.parametrize(
    ("lines", "strangers"),
    [
        ("-A FORWARD -i weave -j ACCEPT", "weave"),
        ("-A FORWARD -i cali+ -j ACCEPT\n-A FORWARD -o eni+ -j ACCEPT", "cali+, eni+"),
        ("-A FORWARD -i docker0 -j ACCEPT", ""),
        ("-A FORWARD -i cni0 -j ACCEPT\n-A FORWARD -i weave -j DROP", ""),
        ("-A FORWARD -i eth0 -j ACCEPT", ""),
        # The uplink and lo stand on every node: naming them does not show whose rules these are.
        ("-A FORWARD -i eth0 -j ACCEPT\n-A FORWARD -i weave -j ACCEPT", "weave"),
        ("-A INPUT -i lo -j ACCEPT\n-A FORWARD -i weave -j ACCEPT", "weave"),
    ],
)
def test_devices_of_another_plug_in(lines: str, strangers: str, tmp_path: Path) -> None:
    outcome = asked(tmp_path, f"{FILTER}{lines}\nCOMMIT\n{NAT}")
    if strangers:
        assert outcome.result is Result.UNKNOWN
        said = f"the rules name {strangers}, which node-1 (assumed: flannel) has not"
        assert said in outcome.reason
    else:
        assert outcome.result is Result.CONNECTED


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (f"{FILTER}COMMIT\n", "as far as the dump of node-1 goes: it has no table nat"),
        (NAT, "as far as the dump of node-1 goes: it has no table filter"),
        (
            f"# Warning: iptables-legacy tables present, use …\n{FILTER}COMMIT\n{NAT}",
            "iptables-save says: Warning: iptables-legacy tables present",
        ),
        (f"{FILTER}COMMIT\n{NAT}", ""),
    ],
)
def test_how_far_a_dump_goes(rules: str, said: str, tmp_path: Path) -> None:
    outcome = asked(tmp_path, rules)
    assert outcome.result is Result.CONNECTED
    assert said in outcome.reason
    assert bool(said) is ("as far as" in outcome.reason)


@pytest.mark.parametrize(
    ("link", "kind", "driver"),
    [
        ({"ifname": "eth0", "link_type": "ether"}, LinkKind.VETH, ""),
        ({"ifname": "enp0s3", "link_type": "ether"}, LinkKind.VETH, ""),
        ({"ifname": "nic7", "link_type": "ether", "promiscuity": 0}, LinkKind.VETH, ""),
        ({"ifname": "what", "link_type": "ether"}, LinkKind.OTHER, ""),
        ({"ifname": "tunl0", "link_type": "ipip"}, LinkKind.IPIP, ""),
        ({"ifname": "gre0", "link_type": "gre"}, LinkKind.OTHER, "gre"),
        ({"ifname": "wg0", "link_type": "none"}, LinkKind.OTHER, ""),
        (
            {"ifname": "wg0", "link_type": "none", "linkinfo": {"info_kind": "wireguard"}},
            LinkKind.OTHER,
            "wireguard",
        ),
        ({"ifname": "bond0", "linkinfo": {"info_kind": "bond"}}, LinkKind.OTHER, "bond"),
        ({"ifname": "flannel.1", "link_type": "ether"}, LinkKind.VXLAN, ""),
        ({"ifname": "cni0", "link_type": "ether"}, LinkKind.BRIDGE, ""),
        ({"ifname": "kube-ipvs0", "link_type": "ether"}, LinkKind.DUMMY, ""),
        ({"ifname": "lo", "flags": ["LOOPBACK"]}, LinkKind.LOOPBACK, ""),
    ],
)
def test_kind_of_a_device(link: dict[str, object], kind: LinkKind, driver: str) -> None:
    (found,) = iproute.interfaces(iproute_json.load(json.dumps([link]), "ip -j addr"))
    assert (found.kind, found.driver) == (kind, driver)


def test_the_sets_of_ipvs_tell_the_mode(tmp_path: Path) -> None:
    rules, sets = tmp_path / "rules", tmp_path / "sets"
    rules.write_text(f"{FILTER}COMMIT\n{NAT}")
    sets.write_text("create KUBE-CLUSTER-IP hash:ip,port\nadd KUBE-CLUSTER-IP 10.96.0.1,tcp:443\n")
    options = NodeOptions(iptables={"node-1": str(rules)}, ipset={"node-1": str(sets)})
    world = build_world([str(sample("guestbook"))], None, options)
    outcome = walk(world, parse_request(world, "pod/client", "svc/redis-leader:6379")).outcome
    assert outcome.result is Result.UNKNOWN
    assert "ipvs" in outcome.reason
