"""``rules --diff`` of nftables: a real node's tables beside kube-proxy's, and what that breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.nft.listing import listing
from k8stui.nodes.difference import DifferenceKind
from k8stui.nodes.options import NodeOptions
from k8stui.walk.breakage import rules_report
from k8stui.walk.world import World, build_world, sample

MODE = ClusterOptions(proxy_mode="nftables")
OTHER = "table inet mine {\n\tchain forward {\n\t\tcounter accept\n\t}\n}\n"


@pytest.fixture
def world() -> World:
    return build_world([str(sample("guestbook"))], MODE)


def tables(world: World) -> str:
    return listing(world.network.nft(world.cluster.nodes["node-1"]))


def test_what_should_stand_there_is_no_difference(world: World, tmp_path: Path) -> None:
    """Nor is the order of Services' chains, nor what clients have put into a dynamic set."""
    file = tmp_path / "node-1.nft"
    blocks = tables(world).split("\n\n")
    moved = next(block for block in blocks if "chain service-DTOG5KOK" in block)
    blocks.remove(moved)
    blocks.insert(next(n for n, one in enumerate(blocks) if "chain services {" in one), moved)
    file.write_text("\n\n".join(blocks) + OTHER)
    report = rules_report(world, world.cluster.nodes["node-1"], 4, str(file))
    assert report.differences == ()
    assert report.others == {"inet mine": 1}


def test_a_difference_is_told_with_the_requests_that_it_breaks(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "node-1.nft"
    text = tables(world)
    assert "tcp . 30080 : goto" in text
    file.write_text(text.replace("tcp . 30080 : goto", "tcp . 30081 : goto"))
    node = world.cluster.nodes["node-1"]
    for made in (
        rules_report(world, node, 4, str(file)),
        rules_report(
            build_world([str(sample("guestbook"))], MODE, NodeOptions(nft={"node-1": str(file)})),
            node,
            4,
        ),
    ):
        found = [(each.kind, each.chain, each.service) for each in made.differences]
        assert found == [
            (DifferenceKind.MISSING, "@service-nodeports", "default/frontend"),
            (DifferenceKind.EXTRA, "@service-nodeports", "default/frontend"),
        ]
        extra = made.differences[1].observed
        assert extra is not None
        assert extra.reason is not None
        place = extra.reason.origin.place
        assert place is not None
        assert "30081" in file.read_text().splitlines()[place.line - 1]
        assert [(each.source, each.destination) for each in made.breakages if each.is_worse] == [
            ("outside", "node/node-1:30080")
        ]
