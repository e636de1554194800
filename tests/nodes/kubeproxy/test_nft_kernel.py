"""The kernel takes the tables that are made here, and nft lists them as they are printed.

So the order of elements, merged ranges and times are nft's own, also where no recording has them.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from dataclasses import replace

import pytest
from nodes.kubeproxy.recording import Recording, recordings
from nodes.kubeproxy.test_lazy import ORIGIN, cluster_of

from k8stui.cluster.model import Cluster, LoadBalancerIngress, Service, ServicePort, ServiceType
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.nft.listing import listing
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.packet import Protocol
from k8stui.nodes.kubeproxy.around import Around
from k8stui.nodes.kubeproxy.nftables.rules import NftablesRules

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("nft") is None, reason="needs root and nft"
)
_KERNEL = ("unshare", "-n", "sh", "-c", "nft -f - && nft -s list ruleset")


def listed(text: str) -> str:
    """What nft shows of a ruleset that it was given; one of its own forms it does not read."""
    for ip in ("ip", "ip6"):
        text = text.replace(f" dnat {ip} to numgen", f" dnat {ip} addr . port to numgen")
    done = subprocess.run(
        _KERNEL, input=text, text=True, capture_output=True, check=False, timeout=60
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("no network namespaces here")
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("recording", recordings(".nft"), ids=lambda r: r.name)
def test_nft_lists_what_is_printed(recording: Recording) -> None:
    cluster, node = recording.cluster()
    around = Around(local_addresses=recording.local_addresses(node.name))
    tables = tuple(NftablesRules(cluster, node, version, around).table for version in (4, 6))
    text = listing(NftRuleset(tables))
    assert listed(text) == text


@pytest.mark.parametrize("seed", range(12))
def test_nft_lists_what_is_printed_of_random_services(seed: int) -> None:
    cluster = random_cluster(random.Random(seed))  # noqa: S311
    text = listing(
        NftRuleset((NftablesRules(cluster, cluster.nodes["node-1"], 4, Around()).table,))
    )
    assert listed(text) == text


def random_cluster(chance: random.Random) -> Cluster:
    """Services of any address, port, protocol, ranges and affinity time; some without endpoints."""

    def address() -> Address:
        return Address(4, chance.randrange(1 << 24, 224 << 24))

    def changed(service: Service) -> Service:
        protocol = chance.choice((Protocol.TCP, Protocol.UDP, Protocol.SCTP))
        ports = tuple(
            ServicePort(
                name=f"p{number}",
                protocol=protocol,
                port=number,
                target_port=80,
                node_port=chance.choice((None, chance.randrange(30000, 32768))),
                origin=ORIGIN,
            )
            for number in chance.sample(range(1, 65536), chance.randrange(1, 4))
        )
        ranges = [Prefix.of(address(), chance.randrange(1, 33)) for _ in range(chance.randrange(9))]
        return replace(
            service,
            cluster_ips=(address(),),
            external_ips=tuple(address() for _ in range(chance.randrange(3))),
            type=ServiceType.LOAD_BALANCER,
            load_balancer_ingress=(LoadBalancerIngress(ip=address()),),
            load_balancer_source_ranges=tuple(map(str, ranges)),
            external_traffic_policy=chance.choice(("Cluster", "Local")),
            session_affinity=chance.choice(("None", "ClientIP")),
            session_affinity_timeout_seconds=chance.randrange(1, 86401),
            ports=ports,
        )

    plain = cluster_of(chance.randrange(1, 40), "nftables")
    services = {key: changed(service) for key, service in plain.services.items()}
    slices = {
        key: tuple(
            replace(
                piece,
                ports=tuple(
                    replace(
                        piece.ports[0],
                        name=port.name,
                        protocol=port.protocol,
                        port=chance.randrange(1, 65536),
                    )
                    for port in services[key].ports
                ),
                endpoints=tuple(
                    replace(
                        one,
                        addresses=(address(),),
                        node_name=chance.choice(("node-1", "node-2")),
                        ready=chance.random() < 0.8,
                    )
                    for one in piece.endpoints
                ),
            )
            for piece in pieces
            if piece.ports
        )
        for key, pieces in plain.endpoint_slices.items()
    }
    ranges = {Prefix.of(address(), chance.randrange(8, 25)): ORIGIN for _ in range(3)}
    return replace(plain, services=services, endpoint_slices=slices, service_ranges=ranges)
