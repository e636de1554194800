"""For each way of failing: what is said, and what would mend it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world, sample

BROKEN = Path(sample("broken"))


def outcome(paths: Sequence[Path | str], source: str, destination: str, **options: Any) -> Outcome:
    world = build_world([str(p) for p in paths], ClusterOptions(nodes=2), NodeOptions(**options))
    assert not world.problems, [p.render() for p in world.problems]
    return walk(world, parse_request(world, source, destination)).outcome


def pod(name: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "x", "ports": [{"containerPort": 8080}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"nodeName": "node-1", "containers": [container], **spec},
    }


def service(selector: dict[str, str] | None, **spec: Any) -> dict[str, Any]:
    port = {"port": 80, "targetPort": 8080}
    chosen = {} if selector is None else {"selector": selector}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"ports": [port], **chosen, **spec},
    }


CLIENT = pod("client", {"app": "client"})
UNSCHEDULABLE = pod("web", {"app": "web"})
del UNSCHEDULABLE["spec"]["nodeName"]
UNSCHEDULABLE["spec"]["nodeSelector"] = {"kubernetes.io/os": "windows"}
UNREADY = {
    **pod("web", {"app": "web"}),
    "status": {
        "phase": "Running",
        "podIP": "10.244.1.9",
        "conditions": [{"type": "Ready", "status": "False"}],
    },
}
HEADLESS = service({"app": "nobody"}, clusterIP="None")


Write = Callable[[list[dict[str, Any]]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(documents: list[dict[str, Any]]) -> Path:
        file = tmp_path / "input.yaml"
        file.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
        return file

    return to


@pytest.mark.parametrize(
    ("folder", "source", "destination", "result", "reason", "advice"),
    [
        pytest.param(
            "selector-matches-nothing", "pod/client", "svc/shop", Result.REFUSED,
            "selector app=shop-frontend matches no pod (pod shop-1 has app=shop-front, not",
            "write app: shop-front instead of shop-frontend in the selector",
            id="selector",
        ),
        pytest.param(
            "target-port-name-unknown", "pod/client", "svc/api", Result.REFUSED,
            "declares a port named web for TCP; it declares http", "write targetPort: http",
            id="named-target-port",
        ),
        pytest.param(
            "target-port-undeclared", "pod/client", "svc/api", Result.REFUSED,
            "leads to pods that declare 8080, not 8000", "write targetPort: 8080",
            id="target-port-number",
        ),
        pytest.param(
            "webapp-wrong-selector", "outside", "node/node-1:30001", Result.REFUSED,
            "leads to pods that declare 3306, not 8080", "selector app=myweb was probably meant",
            id="wrong-pods",
        ),
        pytest.param(
            "local-policy-no-pod-here", "outside", "node/node-1:30090", Result.TIMEOUT,
            "externalTrafficPolicy of Service default/web is Local, and node-1 has no endpoint"
            " of it (node-2 has)",
            "ask node-2, or set externalTrafficPolicy: Cluster",
            id="local-policy",
        ),
        pytest.param(
            "local-policy-no-pod-here", "outside", "node/node-1:30080", Result.REFUSED,
            "no Service has node port 30080/TCP", "30090 (default/web)",
            id="node-port-unknown",
        ),
    ],
)  # fmt: skip
def test_broken_samples(  # noqa: PLR0917 - one column of the table each
    folder: str, source: str, destination: str, result: Result, reason: str, advice: str
) -> None:
    found = outcome([BROKEN / folder], source, destination)
    assert found.result is result
    assert reason in found.reason
    assert advice in found.advice
    assert found.step is not None


@pytest.mark.parametrize(
    ("documents", "destination", "result", "reason", "advice"),
    [
        pytest.param(
            [service({"app": "web"}), UNSCHEDULABLE], "svc/web", Result.REFUSED,
            "pod default/web is Pending: 0/2 nodes are available", "label a node",
            id="pending",
        ),
        pytest.param(
            [service({"app": "web"}), UNREADY], "svc/web", Result.REFUSED,
            "none is ready (web)", "kubectl describe pod web",
            id="not-ready",
        ),
        pytest.param(
            [service(None)], "svc/web", Result.REFUSED,
            "it has no selector, and nobody has written EndpointSlices", "give it a selector",
            id="no-selector",
        ),
        pytest.param(
            [service({"app": "zzz"})], "svc/web", Result.REFUSED,
            "its selector app=zzz matches no pod", "create pods labelled app=zzz",
            id="no-pod-like-it",
        ),
        pytest.param(
            [service({"ap": "client"})], "svc/web", Result.REFUSED,
            "pod client has app=client, not ap=client", "write app: client instead of ap",
            id="label-key-typo",
        ),
        pytest.param(
            [service({"app": "client"})], "svc/web:8080", Result.UNREACHABLE,
            "Service default/web has no port 8080/TCP (it has 80/TCP)",
            "ask for port 80: 8080 is the targetPort behind port 80",
            id="service-port",
        ),
        pytest.param(
            [HEADLESS], "svc/web:80", Result.NO_SUCH_NAME,
            "its selector app=nobody matches no pod", "create pods labelled app=nobody",
            id="headless",
        ),
        pytest.param(
            [], "pod/client:8090", Result.REFUSED,
            "nothing listens on port 8090 of pod default/client (it declares 8080)",
            "ask for 8080",
            id="pod-port",
        ),
        pytest.param(
            [], "10.244.1.77:80", Result.UNREACHABLE, "nobody answers", "no pod has that address",
            id="nobody",
        ),
        pytest.param(
            [], "10.97.1.1:80", Result.UNREACHABLE,
            "an address of the Services' range that no Service has", "for an address and port",
            id="no-such-cluster-ip",
        ),
        pytest.param(
            [service({"app": "client"})], "wbe:80", Result.NO_SUCH_NAME,
            "no Service is called wbe", "did you mean web?",
            id="name-typo",
        ),
    ],
)  # fmt: skip
def test_made_to_fail(  # noqa: PLR0917
    write: Write,
    documents: list[dict[str, Any]],
    destination: str,
    result: Result,
    reason: str,
    advice: str,
) -> None:
    found = outcome([write([CLIENT, *documents])], "pod/client", destination)
    assert found.result is result
    assert reason in found.reason
    assert advice in found.advice


def test_outside_asks_a_cluster_ip(write: Write) -> None:
    found = outcome([write([CLIENT, service({"app": "client"})])], "outside", "svc/web")
    assert found.result is Result.UNREACHABLE
    assert "the ClusterIP of Service default/web, which no routing table has" in found.reason
    assert "ask from a node or a pod" in found.advice


def test_hairpin_off(write: Write) -> None:
    files = [write([CLIENT, service({"app": "client"})])]
    found = outcome(files, "pod/client", "svc/web", hairpin=False)
    assert found.result is Result.TIMEOUT
    assert found.seconds == 134
    assert "the Service chose the client itself (default/client)" in found.reason
    assert "hairpin mode of veth" in found.reason
    assert "hairpinMode: true" in found.advice
    works = outcome(files, "pod/client", "svc/web")
    assert works.result is Result.CONNECTED
    assert "the client is its own server (hairpin)" in works.reason


def test_bridge_nf_off_on_one_node(write: Write) -> None:
    files = [write([CLIENT, pod("web", {"app": "web"}), service({"app": "web"})])]
    found = outcome(files, "pod/client", "svc/web", bridge_nf_call_iptables=False)
    assert found.result is Result.TIMEOUT
    assert "answers it directly" in found.reason
    assert "bridge-nf-call-iptables = 1" in found.advice


def test_internal_policy_local(write: Write) -> None:
    there = pod("web", {"app": "web"}, nodeName="node-2")
    made = service({"app": "web"}, internalTrafficPolicy="Local")
    found = outcome([write([CLIENT, there, made])], "pod/client", "svc/web")
    assert found.result is Result.TIMEOUT
    assert "internalTrafficPolicy of Service default/web is Local" in found.reason
    assert found.advice.startswith("set internalTrafficPolicy: Cluster; or run one of its pods on")


@pytest.mark.parametrize(
    ("rule", "result", "reason"),
    [
        ('-A FORWARD -d 10.244.2.0/24 -m comment --comment "no entry" -j DROP', Result.TIMEOUT,
         "dropped on node-1 by rule 1 of chain FORWARD (table filter), no entry: -A FORWARD"),
        ("-A FORWARD -d 10.244.2.0/24 -j REJECT --reject-with icmp-port-unreachable",
         Result.REFUSED, "rejected on node-1 by rule 1 of chain FORWARD"),
        ('-A FORWARD -m u32 --u32 "0=1" -j DROP', Result.UNKNOWN,
         "cannot evaluate rule 1 of filter FORWARD on node-1"),
    ],
)  # fmt: skip
def test_a_real_node_s_own_rules(
    write: Write, tmp_path: Path, rule: str, result: Result, reason: str
) -> None:
    dump = tmp_path / "node-1.save"
    dump.write_text(
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        f"{rule}\nCOMMIT\n",
        encoding="utf-8",
    )
    there = pod("web", nodeName="node-2")
    found = outcome(
        [write([CLIENT, there])], "pod/client", "pod/web:8080", iptables={"node-1": str(dump)}
    )
    assert found.result is result
    assert reason in found.reason


def test_policy_drop(write: Write, tmp_path: Path) -> None:
    dump = tmp_path / "node-1.save"
    dump.write_text(
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n",
        encoding="utf-8",
    )
    found = outcome(
        [write([CLIENT, pod("web", nodeName="node-2")])], "pod/client", "pod/web:8080",
        iptables={"node-1": str(dump)},
    )  # fmt: skip
    assert found.result is Result.TIMEOUT
    assert "by the policy DROP of chain FORWARD" in found.reason
    assert "on node-1: iptables -A FORWARD -s 10.244.0.0/16 -j ACCEPT" in found.advice


def test_what_nobody_declares_is_assumed(write: Write) -> None:
    bare = pod("bare", nodeName="node-2")
    del bare["spec"]["containers"][0]["ports"]
    found = outcome([write([CLIENT, bare])], "pod/client", "pod/bare:1234")
    assert found.result is Result.CONNECTED
    assert found.origin is not None
    assert found.origin.kind.value == "assumed"
    other = outcome([write([CLIENT, bare])], "pod/bare", "pod/client:1234")
    assert (other.result, other.origin and other.origin.kind.value) == (
        Result.CONNECTED,
        "assumed",
    )
    slip = outcome([write([CLIENT, bare])], "pod/bare", "pod/client:8081")
    assert slip.result is Result.REFUSED
    assert slip.origin is not None
    assert slip.origin.reason == "nothing declares 8081"
