"""Which address the server sees, by kube-proxy's own rules (docs/facts/outcomes.md, section 2).

The rules and devices are those of the recorded states.
"""

from __future__ import annotations

import pytest
import truth
from kernel import golden

from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Connect
from k8stui.kernel.simulate import connect

OWN, OTHER, LOCALHOST = "192.168.0.11", "192.168.0.12", "127.0.0.1"
SAME, FAR, OWN_HOST, FAR_HOST, LOCAL_FAR = 30011, 30012, 30020, 30019, 30018
TABLE = {
    ("node-1", OWN): ("10.244.1.1", OWN, OWN, OWN, OWN),
    ("node-1", LOCALHOST): ("10.244.1.1", OWN, OWN, OWN, OWN),
    ("node-1", "127.0.0.2"): ("10.244.1.1", OWN, OWN, OWN, OWN),
    ("pod/client", OWN): ("10.244.1.1", OWN, "10.244.1.2", OWN, "10.244.1.2"),
    ("pod/client", OTHER): (OTHER, "10.244.2.1", OTHER, OWN, OWN),
    ("outside", OWN): ("10.244.1.1", OWN, "203.0.113.10", OWN, None),
}
ROWS = [
    (source, address, port, seen)
    for (source, address), row in TABLE.items()
    for port, seen in zip((SAME, FAR, OWN_HOST, FAR_HOST, LOCAL_FAR), row, strict=True)
]


@pytest.mark.parametrize(
    ("source", "address", "port", "seen"),
    ROWS,
    ids=[f"{source} to {address}:{port}" for source, address, port, _ in ROWS],
)
def test_host_gw(source: str, address: str, port: int, seen: str | None) -> None:
    network = golden.load(truth.folder("golden-walks") / "state-standard.json")
    request = Connect(namespace=source, destination=Address.parse(address), port=port)
    felt = connect(network, request).felt
    if seen is None:
        assert felt.errno == "ETIMEDOUT"
    else:
        assert felt.errno is None
        assert str(felt.source_seen) == seen


@pytest.mark.parametrize(
    ("source", "address", "port", "seen"),
    [
        ("outside", OWN, FAR, "10.244.1.0"),
        ("node-1", "10.96.0.12", 80, "10.244.1.0"),
        ("node-1", "10.244.2.2", 8080, "10.244.1.0"),
        ("pod/client", "10.244.2.2", 8080, "10.244.1.2"),
        ("pod/client", OWN, FAR, "10.244.1.0"),
    ],
)
def test_vxlan(source: str, address: str, port: int, seen: str) -> None:
    network = golden.load(truth.folder("golden-walks") / "state-vxlan.json")
    request = Connect(namespace=source, destination=Address.parse(address), port=port)
    felt = connect(network, request).felt
    assert felt.errno is None
    assert str(felt.source_seen) == seen
