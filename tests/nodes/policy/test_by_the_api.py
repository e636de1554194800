"""What the API says of recorded requests is what engines by the API's rules do, and Calico.

The recordings say beside each packet's fate under kube-router what the API's rules say of it.
"""

from __future__ import annotations

import json

import pytest
import truth
from nodes.policy.recorded import folder, folders, network_of
from nodes.policy.test_flows import Flow, Network, connect, verdict

from k8stui.kernel.branches import branches

EVERY = 6
"""A walk for each of some thousand requests takes minutes: one of so many is walked."""
PLUGINS = {"api": "bridge", "antrea": "ptp", "calico": "calico"}
"""Cilium's address blocks mean no pods and no nodes: it departs from the API there."""


def is_own_node(network: Network, flow: Flow) -> bool:
    """Calico judges what a pod sends to its own node by the pod's egress rules, as kube-router."""
    pod = network.made.cluster.pods.get(flow["from"])
    return pod is not None and flow["to"] == pod.node_name


@pytest.mark.parametrize("engine", PLUGINS)
@pytest.mark.parametrize("name", [each.name for each in folders()])
def test_recorded_requests(name: str, engine: str) -> None:
    text = truth.read(folder(name) / "flows.json")
    if text is None:
        pytest.skip("no requests were recorded here")
    network = Network(network_of(name, "node-1", cni=PLUGINS[engine], policy_engine=engine))
    flows = [one for one in json.loads(text)["flows"] if one.get("api")]
    assert flows
    for flow in flows[::EVERY]:
        if engine == "calico" and is_own_node(network, flow):
            continue
        found = verdict(network, flow, next(iter(branches(network, connect(network.made, flow)))))
        assert (found["verdict"] == "delivered") == (flow["api"] == "allowed"), (flow, found)
