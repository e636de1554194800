"""What a dump's rules tell of kube-proxy's configuration: its own rules, read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from k8stui.cluster.model import ProxyConfiguration
from k8stui.kernel.nft.listing import listing
from k8stui.kernel.save import dump_lines
from k8stui.nodes.network import build_network
from k8stui.nodes.options import NodeOptions
from k8stui.origin import OriginKind, assumed
from k8stui.walk.world import build_world

WORLD = build_world([])
NODE = WORLD.cluster.nodes["node-1"]
UNKNOWN = ProxyConfiguration(origin=assumed("nothing said"))


def rules(proxy: ProxyConfiguration) -> str:
    network = build_network(replace(WORLD.cluster, proxy=proxy))
    return "".join(f"{line}\n" for line in dump_lines(network.ruleset(NODE, 4)))


SAID = pytest.mark.parametrize(
    "said",
    [
        {"cluster_cidr": "10.244.0.0/16", "detect_local_mode": "ClusterCIDR"},
        {"cluster_cidr": "10.200.0.0/13", "detect_local_mode": "ClusterCIDR"},
        {"cluster_cidr": str(NODE.pod_cidrs[0]), "detect_local_mode": "NodeCIDR"},
        {"bridge_interface": "cni0", "detect_local_mode": "BridgeInterface"},
        {"interface_name_prefix": "veth", "detect_local_mode": "InterfaceNamePrefix"},
        {"masquerade_all": True, "cluster_cidr": "10.244.0.0/16"},
        {},
    ],
    ids=["pods", "other", "node", "bridge", "prefix", "all", "none"],
)


@SAID
def test_the_rules_that_come_of_what_was_seen_are_those_that_were_seen(
    said: dict[str, object], tmp_path: Path
) -> None:
    given = rules(replace(UNKNOWN, **said))  # type: ignore[arg-type]
    file = tmp_path / "node-1.save"
    file.write_text(given)
    cluster = replace(WORLD.cluster, proxy=UNKNOWN)
    seen = build_network(cluster, NodeOptions(iptables={"node-1": str(file)})).cluster.proxy
    assert rules(seen) == given
    origin = seen.origins["cluster_cidr"]
    assert origin.kind is OriginKind.OBSERVED
    assert origin.place is not None
    assert origin.place.file == str(file)


@SAID
def test_so_do_those_of_nftables(said: dict[str, object], tmp_path: Path) -> None:
    here = replace(UNKNOWN, mode="nftables", **said)  # type: ignore[arg-type]
    given = build_network(replace(WORLD.cluster, proxy=here))
    file = tmp_path / "node-1.nft"
    file.write_text(listing(given.nft(NODE)))
    options = NodeOptions(nft={"node-1": str(file)})
    cluster = replace(WORLD.cluster, proxy=UNKNOWN, service_ranges={})
    seen = build_network(cluster, options).cluster
    again = build_network(replace(WORLD.cluster, proxy=seen.proxy))
    assert listing(again.nft(NODE)) == listing(given.nft(NODE))
    assert set(seen.service_ranges) == set(WORLD.cluster.service_ranges)
    for origin in (seen.proxy.origins["cluster_cidr"], *seen.service_ranges.values()):
        assert origin.place is not None
        assert origin.place.file == str(file)


def test_what_the_input_says_stands(tmp_path: Path) -> None:
    file = tmp_path / "node-1.save"
    file.write_text(rules(UNKNOWN))
    said = replace(
        UNKNOWN,
        cluster_cidr="10.244.0.0/16",
        origins={"cluster_cidr": replace(UNKNOWN.origin, kind=OriginKind.DECLARED)},
    )
    options = NodeOptions(iptables={"node-1": str(file)})
    assert build_network(replace(WORLD.cluster, proxy=said), options).cluster.proxy == said


def test_rules_without_services_tell_nothing(tmp_path: Path) -> None:
    file = tmp_path / "node-1.save"
    file.write_text("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n")
    options = NodeOptions(iptables={"node-1": str(file)})
    assert build_network(WORLD.cluster, options).cluster is WORLD.cluster


def test_a_table_of_nftables_tells_the_mode(tmp_path: Path) -> None:
    file = tmp_path / "node-1.nft"
    network = build_network(replace(WORLD.cluster, proxy=replace(UNKNOWN, mode="nftables")))
    file.write_text(listing(network.nft(NODE)))
    options = NodeOptions(nft={"node-1": str(file)})
    seen = build_network(replace(WORLD.cluster, proxy=UNKNOWN), options).cluster.proxy
    assert seen.mode == "nftables"
    place = seen.origins["mode"].place
    assert place is not None
    assert place.file == str(file)
    said = replace(UNKNOWN, origins={"mode": assumed("--proxy-mode")})
    assert (
        build_network(replace(WORLD.cluster, proxy=said), options).cluster.proxy.mode != "nftables"
    )
