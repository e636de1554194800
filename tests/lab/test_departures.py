"""Each way in which kube-router departs from the API, with packets in the kernel.

docs/facts/policy.md has them in a table; each has a namespace in departures.yaml. The second answer
is what the API's rules say; None: they leave it open.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from k8stui.export.lab import lab_lines
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import Tools
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

HARBOUR = Path(__file__).with_name("departures.yaml")
LET_IN, REFUSED, SILENT = "connected", "refused", "timeout"


@cache
def harbour(engine: str, *, bridge_nf: bool) -> World:
    options = NodeOptions(policy_engine=engine, bridge_nf_call_iptables=bridge_nf)
    return build_world([str(HARBOUR)], node_options=options)


ROWS = {
    "1-own-node": ("pod/row-1/diver", "node/node-1:9000", REFUSED, LET_IN),
    "1-another-node": ("pod/row-1/diver", "node/node-2:30012", REFUSED, SILENT),
    "1-a-node-port-of-its-own": ("pod/row-1/diver", "node/node-1:30012", REFUSED, None),
    "2-one-mark-for-both": ("pod/row-2/crane", "pod/row-2/hold:8080", LET_IN, SILENT),
    "2-not-from-elsewhere": ("node/node-1", "pod/row-2/hold:8080", REFUSED, None),
    "3-a-name-nobody-has": ("pod/row-3/crane", "pod/row-3/hold:8080", LET_IN, SILENT),
    "4-the-number-of-another": ("pod/row-4/crane", "pod/row-4/buoy:82", LET_IN, SILENT),
    "4-not-its-own-other-name": ("pod/row-4/crane", "pod/row-4/buoy:81", REFUSED, SILENT),
    "5-a-name-without-to": ("pod/row-5/crane", "pod/quay/ship:8080", LET_IN, SILENT),
    "6-except-of-another-block": ("pod/row-6/crane", "pod/row-6/hold:8080", REFUSED, LET_IN),
    "6-the-rest": ("pod/row-3/crane", "pod/row-6/hold:8080", LET_IN, LET_IN),
    "7-all-of-6": ("node/node-1", "[fd00:10:244:2::77]:8080", REFUSED, LET_IN),
    "7-usual-addresses": ("pod/row-3/crane", "[fd00:10:244:2::77]:8080", LET_IN, LET_IN),
    "8-ping": ("pod/quay/ship", "pod/row-8/hold/icmp", LET_IN, SILENT),
    "8-no-ping": ("pod/quay/ship", "pod/row-8/hold:8080", REFUSED, SILENT),
    "9-agent-of-another-node": ("pod/row-9/far", "pod/row-9/hold:8080", REFUSED, None),
    "9-agent-of-the-node": ("pod/row-9/near", "pod/row-9/hold:8080", LET_IN, LET_IN),
    "10-their-node": ("pod/row-10/diver", "node/node-1:9000", REFUSED, None),
    "11-addresses-of-services": ("pod/row-11/crane", "svc/hold.row-11:80", REFUSED, None),
    "12-by-the-pod-s-node": ("203.0.113.10", "node/node-1:30012", LET_IN, None),
    "12-by-another-node": ("203.0.113.10", "node/node-2:30012", REFUSED, None),
    "13-the-pod-s-node": ("node/node-1", "svc/hold.row-13:80", LET_IN, LET_IN),
    "13-another-node": ("node/node-2", "svc/hold.row-13:80", REFUSED, None),
    "14-itself": ("pod/row-14/hold", "svc/hold.row-14:80", REFUSED, LET_IN),
    "14-ingress-alone": ("pod/row-13/hold", "svc/hold.row-13:80", LET_IN, LET_IN),
    "15-bridged": ("pod/row-15/crane", "pod/row-15/hold:8080", LET_IN, SILENT),
    "15-routed": ("pod/quay/ship", "pod/row-15/hold:8080", REFUSED, SILENT),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_kernel_departs_as_the_walk_does(nft: Tools, row: str) -> None:
    source, destination, kube_router, _ = ROWS[row]
    world = harbour("kube-router", bridge_nf=not row.startswith("15"))
    found = list(experiments(world, parse_request(world, source, destination), nft))
    for one in found:
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
        assert one.trial.notes == ()
    assert found[0].comparison.kernel.result == kube_router


@pytest.mark.parametrize("row", [row for row, (*_, api) in ROWS.items() if api is not None])
def test_the_api_says_otherwise(row: str) -> None:
    source, destination, _, api = ROWS[row]
    world = harbour("api", bridge_nf=True)
    assert walk(world, parse_request(world, source, destination)).outcome.result.value == api
