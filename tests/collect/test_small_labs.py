"""What `collect` writes of real namespaces is walked as the packets went that were sent there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from collect import small_lab
from collect.test_collect import NEW, _has

from k8stui.collect.script import script
from k8stui.export.rules import save_lines
from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import build_world


def objects(kind: str) -> Iterator[str]:
    for name, address in small_lab.NODES.items():
        number = name[-1]
        yield (
            f"apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n"
            f"spec: {{podCIDR: 10.244.{number}.0/24}}\n"
            f"status: {{addresses: [{{type: InternalIP, address: {address}}}]}}\n"
        )
    for pod, (node, address) in small_lab.pods_of(kind).items():
        app = pod.partition("-")[0]
        yield (
            f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {pod}, labels: {{app: {app}}}}}\n"
            f"spec: {{nodeName: {node}, containers: [{{name: c, image: i}}]}}\n"
            f"status: {{phase: Running, podIP: {address}, podIPs: [{{ip: {address}}}], "
            'conditions: [{type: Ready, status: "True"}]}\n'
        )
    yield (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
        f"spec: {{type: NodePort, clusterIP: {small_lab.CLUSTER_IP}, selector: {{app: web}}, "
        f"ports: [{{port: 80, targetPort: 8080, nodePort: {small_lab.NODE_PORT}}}]}}\n"
    )


def answer(trace: Trace) -> str:
    end = trace.outcome
    if end.result is not Result.CONNECTED:
        return end.result.value
    who = (end.server_pod or end.decided_at).rpartition("/")[2]
    return f"connected {who} {end.server_address} {end.source_seen_by_server}"


def place(name: str) -> str:
    if name in small_lab.NODES:
        return f"node/{name}"
    return name if name == "outside" else f"pod/{name}"


@pytest.mark.parametrize("kind", small_lab.KINDS)
def test_a_collected_folder_is_walked_as_the_packets_went(kind: str, tmp_path: Path) -> None:
    """Fifteen requests each: all answers that were heard, and no others."""
    if not _has(*NEW, "iptables", "-t", "nat", "-S") or not _has(*NEW, "ipset", "list"):
        pytest.skip("no user namespaces with iptables and ipset here")
    (tmp_path / "cluster.yaml").write_text("---\n".join(objects(kind)))
    (tmp_path / "collect.sh").write_text(script())
    planned = build_world([str(tmp_path)])
    for name, node in planned.cluster.nodes.items():
        lines = save_lines(planned.network.ruleset(node, 4, "kube-proxy"), None)
        # The kernel need not have nfacct.
        rules = "".join(f"{line}\n" for line in lines if "nfacct" not in line)
        (tmp_path / f"{name}.rules").write_text(rules)
    lab = [sys.executable, small_lab.__file__, kind, str(tmp_path)]
    done = subprocess.run(
        [*NEW, "--pid", "--fork", *lab], capture_output=True, check=False, text=True, timeout=120
    )
    assert not done.returncode, done.stderr
    world = build_world([str(tmp_path)])
    wrong = {}
    for source, address, port, heard in json.loads((tmp_path / "asked.json").read_text()):
        request = parse_request(world, place(source), f"{address}:{port}")
        told = {answer(trace) for trace in walks(world, request)}
        if told != set(heard):
            wrong[f"{source} -> {address}:{port}"] = (heard, told)
    assert not wrong
