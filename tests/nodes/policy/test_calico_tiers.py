"""Calico's chains of all tiers let through what the API's rules do, on random clusters."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from reach.test_brute_force import CLUSTERS, _objects
from reach.test_changes import unlike_the_api, world_of

from k8stui.kernel.exchange import Result
from k8stui.reach.ends import asked, askers
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walks


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(CLUSTERS)
def test_chains_say_what_the_api_says(cluster: dict[str, Any]) -> None:
    assume(cluster["policies"] or cluster["cluster_policies"])
    assume(not any(map(unlike_the_api, cluster["cluster_policies"])))
    objects, nodes = _objects(cluster | {"enforced": False}), cluster["nodes"]
    calico = world_of(objects, nodes, "calico", "calico")
    api = world_of(objects, nodes, "api", "calico")
    assert all(map(calico.network.has_policy_rules, calico.cluster.nodes.values()))
    pods = [one.name for one in askers(calico) if one.pod and not one.pod.host_network]
    ends = [one.name for one in asked(calico) if one.pod and not one.pod.host_network]
    for source in pods[:4]:
        for target in ends[:4]:
            here, there = (
                {one.outcome.result for one in walks(world, parse_request(world, source, target))}
                for world in (calico, api)
            )
            assert here == there, (source, target)
            assert here <= {Result.CONNECTED, Result.TIMEOUT, Result.REFUSED}
