"""The cost of a build grows with the input, not with its square."""

from __future__ import annotations

import time
from io import BytesIO

from cluster.objects import deployment, service

from k8stui.apiserver import apply
from k8stui.cluster import ClusterOptions
from k8stui.cluster.build import build
from k8stui.manifests import Manifests


def an_input(services: int) -> Manifests:
    text = "".join(deployment(f"s{n}", 2) + service(f"s{n}") for n in range(services))
    return apply(["-"], stdin=BytesIO(text.encode()))


def seconds(manifests: Manifests) -> float:
    """CPU time of the quickest of three builds on the same number of nodes."""
    found = []
    for _ in range(3):
        started = time.process_time()
        build(manifests, ClusterOptions(nodes=20))
        found.append(time.process_time() - started)
    return min(found)


def test_ten_times_the_services_cost_about_ten_times_as_much() -> None:
    few, many = seconds(an_input(80)), seconds(an_input(800))
    assert many < 25 * max(few, 0.004)
