"""A real node's dump beside the manifests: what it does to requests is found, with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from check.worlds import checked

from k8stui.check.check import check
from k8stui.check.finding import Severity
from k8stui.kernel.save import dump_lines
from k8stui.nodes.options import NodeOptions
from k8stui.walk.world import build_world

_MANIFEST = """\
apiVersion: v1
kind: Service
metadata: {name: barn}
spec:
  selector: {app: barn}
  ports: [{port: 8600}]
---
apiVersion: v1
kind: Pod
metadata: {name: barn-a, labels: {app: barn}}
spec:
  nodeName: node-2
  containers: [{name: main, image: x, ports: [{containerPort: 8600}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: farmer}
spec:
  nodeName: node-1
  containers: [{name: main, image: x}]
"""
_FLANNEL = '-A FORWARD -m comment --comment "flanneld forward"'


def dump_of(file: Path) -> list[str]:
    made = build_world([str(file)])
    return list(dump_lines(made.network.ruleset(made.cluster.nodes["node-2"], 4)))


def written(folder: Path, lines: list[str]) -> str:
    dump = folder / "node-2.save"
    dump.write_text("".join(f"{line}\n" for line in lines))
    return str(dump)


def test_a_firewall_on_the_other_node(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(_MANIFEST)
    reject = "-A FORWARD -j REJECT --reject-with icmp-host-prohibited"
    lines = [reject if line.startswith(_FLANNEL) else line for line in dump_of(file)]
    dump = written(tmp_path, lines)
    (found,) = checked(file, ["--iptables", f"node-2={dump}"])
    assert (found.rule, found.severity) == ("node-state", Severity.ERROR)
    assert found.place is not None
    assert (found.place.file, found.place.line) == (dump, lines.index(reject) + 1)
    assert "rejected on node-2 by rule" in found.why
    assert found.proof is not None


def test_the_policy_of_docker(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(_MANIFEST)
    lines = [line for line in dump_of(file) if not line.startswith(_FLANNEL)]
    at = lines.index(":FORWARD ACCEPT [0:0]", lines.index("*filter"))
    lines[at] = ":FORWARD DROP [0:0]"
    (found,) = checked(file, ["--iptables", f"node-2={written(tmp_path, lines)}"])
    assert found.place is not None
    assert found.place.line == at + 1
    assert "iptables -P FORWARD ACCEPT" in found.fix


def test_a_node_as_it_should_be(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(_MANIFEST)
    assert not checked(file, ["--iptables", f"node-2={written(tmp_path, dump_of(file))}"])


def test_hairpin_mode_is_the_ports_own_and_no_option_s(tmp_path: Path) -> None:
    """docker0 in `ip -d addr` of a node, with hairpin mode off at its port: as `--cni docker0`."""
    file = tmp_path / "all.yaml"
    file.write_text(_MANIFEST)
    addresses = build_world([str(file)]).cluster.pods["default/barn-a"].addresses
    bridge = str(addresses[0]).rpartition(".")[0] + ".1"
    devices = [
        _device("eth0", "192.168.0.12", 24),
        _device("docker0", bridge, 24) | {"linkinfo": {"info_kind": "bridge"}},
        _device("veth9") | {"master": "docker0", "linkinfo": {"info_kind": "veth"}},
    ]
    dump = tmp_path / "addr.json"
    dump.write_text(json.dumps(devices))
    world = build_world([str(file)], node_options=NodeOptions(ip_addr={"node-2": str(dump)}))
    (found,) = (one for one in check(world) if one.rule == "hairpin")
    assert found.proof is not None
    assert "veth9" in found.proof.text
    assert not [one for one in check(build_world([str(file)])) if one.rule == "hairpin"]


def _device(name: str, address: str | None = None, length: int = 0) -> dict[str, object]:
    info = [{"family": "inet", "local": address, "prefixlen": length, "scope": "global"}]
    return {
        "ifname": name,
        "flags": ["BROADCAST", "UP", "LOWER_UP"],
        "mtu": 1500,
        "operstate": "UP",
        "link_type": "ether",
        "address": f"02:00:00:00:00:{len(name):02x}",
        "addr_info": info if address else [],
    }


@pytest.mark.parametrize(("mtu", "count"), [(1500, 1), (1450, 0)])
def test_a_tunnel_that_is_too_wide_is_seen_among_devices_alone(
    tmp_path: Path, mtu: int, count: int
) -> None:
    """Without its routes, and without what the pods have."""
    file, dump = tmp_path / "all.yaml", tmp_path / "addr.json"
    file.write_text(_MANIFEST)
    tunnel = _device("flannel.1", "10.244.2.0", 32)
    tunnel |= {"mtu": mtu, "linkinfo": {"info_kind": "vxlan", "info_data": {"id": 1}}}
    dump.write_text(json.dumps([_device("eth0", "192.168.0.12", 24), tunnel]))
    world = build_world(
        [str(file)], node_options=NodeOptions(cni="flannel-vxlan", ip_addr={"node-2": str(dump)})
    )
    assert [one.rule for one in check(world)].count("mtu") == count


_POLICY = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: fence}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


def test_policies_are_told_with_the_plugin_that_stands_on_the_nodes(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(_MANIFEST + _POLICY)
    (found,) = (one for one in checked(file, ["--cni", "bridge"]) if one.rule == "network-policy")
    assert "bridge enforces no policies" in found.why


def test_a_service_beyond_the_first_fifty_is_asked_too(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    more = "".join(
        f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: shed-{n}}}\n"
        "spec: {selector: {app: barn}, clusterIP: 10.96.7."
        f"{n}, ports: [{{port: 8600}}]}}\n"
        for n in range(1, 61)
    )
    file.write_text(f"{_MANIFEST}{more}")
    lines = dump_of(file)
    raw = ["*raw", ":PREROUTING ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
    drop = "-A PREROUTING -d 10.96.7.58/32 -j DROP"
    dump = written(tmp_path, [*raw, drop, "COMMIT", *lines])
    found = checked(file, ["--iptables", f"node-2={dump}"])
    assert [one.rule for one in found] == ["node-state"]
    assert "shed-58" in found[0].why


def test_a_line_that_cannot_be_evaluated(tmp_path: Path) -> None:
    """Nothing is known of what meets it: that is told, and no more."""
    file = tmp_path / "all.yaml"
    file.write_text(_MANIFEST)
    lines = dump_of(file)
    at = next(number for number, line in enumerate(lines) if line.startswith(_FLANNEL))
    lines[at] = "-A FORWARD -m u32 --u32 0=1 -j DROP"
    (found,) = checked(file, ["--iptables", f"node-2={written(tmp_path, lines)}"])
    assert (found.rule, found.severity) == ("node-state", Severity.INFO)
    assert found.place is not None
    assert found.place.line == at + 1
    assert "cannot evaluate rule 5 of filter FORWARD on node-2" in found.why


def test_tables_of_iptables_in_a_listing_are_no_assumed_ones(tmp_path: Path) -> None:
    """``nft list ruleset`` alone, on a node whose iptables is that of nft: what it lists counts."""
    file = tmp_path / "all.yaml"
    file.write_text(_MANIFEST)
    listing = tmp_path / "node-2.nft"
    listing.write_text(
        "table ip nat {\n}\ntable ip filter {\n\tchain FORWARD {\n"
        "\t\ttype filter hook forward priority filter; policy accept;\n"
        "\t\ttcp dport 8600 counter packets 0 bytes 0 reject\n\t}\n}\n"
    )
    found = {
        one.place.line: one for one in checked(file, ["--nft", f"node-2={listing}"]) if one.place
    }
    assert found[6].severity is Severity.ERROR
    assert "rejected on node-2 by rule 1 of chain FORWARD (table ip filter)" in found[6].why
