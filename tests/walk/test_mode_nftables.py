"""kube-proxy in mode nftables, walked: the ways of iptables mode, and where they are others."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from k8stui.cluster.options import ClusterOptions
from k8stui.export.json import walk_json
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import RuleCause, StepKind
from k8stui.walk.align import Likeness, align
from k8stui.walk.commands import commands
from k8stui.walk.compare import compare
from k8stui.walk.mode_differences import mode_differences
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk, walks
from k8stui.walk.world import World, build_world, sample

MORE = """
apiVersion: v1
kind: Service
metadata: {name: guarded}
spec:
  type: LoadBalancer
  selector: {app: guestbook, tier: frontend}
  ports: [{port: 443, targetPort: 80}]
  loadBalancerSourceRanges: [198.51.100.0/24]
status: {loadBalancer: {ingress: [{ip: 203.0.113.77}]}}
---
apiVersion: v1
kind: Service
metadata: {name: empty}
spec:
  selector: {app: nobody}
  externalIPs: [203.0.113.88]
  ports: [{port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: inside}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: inside-1, labels: {kubernetes.io/service-name: inside}}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: [10.96.200.200]}]
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    file = tmp_path_factory.mktemp("nft") / "more.yaml"
    file.write_text(MORE)
    return [str(sample("guestbook")), str(file)]


@pytest.fixture(scope="module")
def world(files: list[str]) -> World:
    return build_world(files, ClusterOptions(proxy_mode="nftables"))


@pytest.fixture(scope="module")
def by_iptables(files: list[str]) -> World:
    return build_world(files)


def ask(made: World, source: str, destination: str) -> Trace:
    return walk(made, parse_request(made, source, destination))


SAME = [
    ("pod/client", "svc/frontend"),
    ("pod/frontend-1", "svc/frontend"),
    ("node/node-1", "svc/redis-leader"),
    ("outside", "node/node-2:30080"),
    ("pod/client", "node/node-2:30080"),
    ("pod/client", "svc/empty"),
    ("outside", "svc/guarded"),
    ("pod/client", "pod/frontend-2:80"),
    ("node/node-1", "node/node-2:80"),
]


@pytest.mark.parametrize(("source", "destination"), SAME)
def test_most_requests_end_the_same(
    world: World, by_iptables: World, source: str, destination: str
) -> None:
    """Every branch with its probability, the server that it reaches, and whom that sees."""

    def ends(made: World) -> list[tuple[object, ...]]:
        found = walks(made, parse_request(made, source, destination))
        return [
            (one.probability, end.result, end.server_pod, end.source_seen_by_server)
            for one in found
            for end in (one.outcome,)
        ]

    assert ends(world) == ends(by_iptables)


@pytest.mark.parametrize(
    ("source", "destination", "results", "reason", "advice"),
    [
        pytest.param(
            "pod/client", "svc/frontend:81", (Result.UNREACHABLE, Result.REFUSED),
            "rejects any other port at a cluster IP", "ask for port 80", id="no such port",
        ),
        pytest.param(
            "pod/client", "10.96.77.77:80", (Result.UNREACHABLE, Result.TIMEOUT),
            "10.96.77.77: it lies in 10.96.0.0/12", "ask the address of a Service", id="free",
        ),
        pytest.param(
            "pod/client", "svc/inside", (Result.CONNECTED, Result.TIMEOUT),
            "the endpoint 10.96.200.200 of Service default/inside lies in 10.96.0.0/12",
            "outside of every ServiceCIDR", id="endpoint in the range",
        ),
        pytest.param(
            "node/node-1", "localhost:30080", (Result.CONNECTED, Result.REFUSED),
            "no localhost node ports in that mode", "ask 192.168.0.11:30080", id="localhost",
        ),
        pytest.param(
            "node/node-1", "203.0.113.88:80", (Result.TIMEOUT, Result.REFUSED),
            "Service default/empty has no endpoints", "", id="the node itself",
        ),
    ],
)  # fmt: skip
def test_what_is_not_the_same_has_its_cause_and_mend(  # noqa: PLR0917
    world: World,
    by_iptables: World,
    source: str,
    destination: str,
    results: tuple[Result, Result],
    reason: str,
    advice: str,
) -> None:
    outcome = ask(world, source, destination).outcome
    assert (ask(by_iptables, source, destination).outcome.result, outcome.result) == results
    assert reason in outcome.reason
    assert advice in outcome.advice


def test_source_ranges_are_looked_at_before_dnat(world: World) -> None:
    trace = ask(world, "outside", "203.0.113.77:443")
    assert trace.outcome.result is Result.TIMEOUT
    assert "loadBalancerSourceRanges of Service default/guarded lets in" in trace.outcome.reason
    decided = next(step for step in trace.steps if step.kind is StepKind.DROP)
    assert isinstance(decided.cause, RuleCause)
    assert decided.cause.chain.name.startswith("firewall-")
    assert all(step.kind is not StepKind.DNAT for step in trace.steps)


def test_the_found_element_tells_the_reason(world: World) -> None:
    trace = ask(world, "pod/client", "svc/frontend")
    found = [s.cause for s in trace.steps if isinstance(s.cause, RuleCause) and s.cause.met]
    (cause,) = [cause for cause in found if cause.met[-1].name == "service-ips"]
    assert cause.leads == "service-DTOG5KOK-default/frontend/tcp/"
    assert cause.reason is not None
    assert cause.reason.text == "cluster IP of Service default/frontend, port 80"


def test_the_dnat_of_every_branch_names_its_pod_and_the_odds(world: World) -> None:
    asked = parse_request(world, "pod/client", "svc/frontend")
    for one in walks(world, asked):
        (step,) = (s for hop in one.hops for s in hop.steps if s.kind is StepKind.DNAT)
        (name,) = (
            pod.name
            for pod in world.cluster.pods.values()
            if step.after is not None and step.after.dst in pod.addresses
        )
        assert f"({name}, one of 3 endpoints" in step.text


def test_two_modes_stand_side_by_side_at_the_same_decisions(by_iptables: World) -> None:
    found = compare(by_iptables, "outside", "node/node-2:30080", "proxy-mode=nftables")
    assert found.answers_before == found.answers_after
    beside = [
        (found.before.steps[pair.left].kind, found.after.steps[pair.right].kind)
        for pair in align(found.before, found.after)
        if pair.likeness is not Likeness.UNLIKE and pair.left is not None and pair.right is not None
    ]
    together = [left for left, right in beside if left is right]
    for kind in (StepKind.JUMP, StepKind.DNAT, StepKind.MARK, StepKind.SNAT, StepKind.DELIVER):
        assert kind in together, kind


@pytest.mark.parametrize(
    ("source", "destination", "told"),
    [
        ("pod/client", "svc/frontend:81", "a cluster IP on a port that its Service has not"),
        ("pod/client", "10.96.77.77:80", "an address of the ServiceCIDR that no Service has"),
        ("pod/client", "svc/inside", "the endpoint's address lies in a ServiceCIDR"),
        ("outside", "203.0.113.77:443", "nftables drops it before DNAT, iptables in filter"),
        ("node/node-1", "203.0.113.88:80", "asked by the node itself at an external address"),
        ("node/node-1", "localhost:30080", "a node port at 127.0.0.1"),
        ("pod/client", "svc/frontend", ""),
        ("pod/client", "svc/empty", ""),
    ],
)
def test_a_comparison_says_how_the_modes_differ(
    by_iptables: World, world: World, source: str, destination: str, told: str
) -> None:
    """Whichever of them is the input's."""
    said = mode_differences(compare(by_iptables, source, destination, "proxy-mode=nftables"))
    assert said == mode_differences(compare(world, source, destination, "proxy-mode=iptables"))
    assert len(said) == bool(told)
    assert told in "".join(said)


DOCUMENT = """apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
nftables: {masqueradeAll: true}
iptables: {masqueradeAll: false}
"""
CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system}
data:
  config.conf: |
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
    mode: nftables
    nftables: {masqueradeAll: true}
"""


@pytest.mark.parametrize("text", [DOCUMENT, CONFIG_MAP], ids=["document", "ConfigMap"])
def test_an_input_that_says_so_is_walked_so(tmp_path: Path, text: str) -> None:
    """With the settings of its own section."""
    (tmp_path / "proxy.yaml").write_text(text)
    made = build_world([str(sample("guestbook")), str(tmp_path / "proxy.yaml")])
    assert not [note for note in made.notes if "not modelled" in note.render()]
    trace = ask(made, "pod/client", "svc/frontend")
    assert trace.outcome.result is Result.CONNECTED
    assert "masqueradeAll" in trace.outcome.reason


def test_the_commands_show_the_chain_and_the_element(world: World) -> None:
    trace = ask(world, "pod/client", "svc/frontend")
    step = next(s for s in trace.steps if isinstance(s.cause, RuleCause) and s.cause.met)
    lines = [command.line for command in commands(trace, step)]
    address = world.cluster.services["default/frontend"].cluster_ips[0]
    assert lines[0] == "nft list chain ip kube-proxy services"
    assert shlex.split(lines[1]) == [
        "nft", "get", "element", "ip", "kube-proxy", "service-ips",
        "{", f"{address} . tcp . 80", "}",
    ]  # fmt: skip


def test_json_has_the_elements(world: World) -> None:
    request = parse_request(world, "outside", "node/node-2:30080")
    document = json.loads(walk_json(request, [walk(world, request)]))
    steps = [step for hop in document["branches"][0]["hops"] for step in hop["steps"]]
    (found,) = [s["cause"]["elements"] for s in steps if "elements" in (s["cause"] or {})][:1]
    assert found == [
        {"set": "nodeport-ips", "text": "192.168.0.12"},
        {
            "set": "service-nodeports",
            "text": "tcp . 30080 : goto external-DTOG5KOK-default/frontend/tcp/",
        },
    ]


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("v1.28.3", "1.28 of n knows no mode nftables"),
        ("v1.33.1", "shown as 1.36"),
        ("v1.36.2", ""),
    ],
)
def test_what_other_versions_write_is_said(tmp_path: Path, version: str, said: str) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    status = {"nodeInfo": {"kubeletVersion": "v1.20.1", "kubeProxyVersion": version}}
    (tmp_path / "node.json").write_text(json.dumps({**node, "status": status}))
    made = build_world(
        [str(tmp_path / "node.json")], cluster_options=ClusterOptions(proxy_mode="nftables")
    )
    (told,) = [
        remark.text for remark in made.network.remarks if "kube-proxy 1." in remark.text
    ] or [""]
    assert said in told
    assert bool(told) is bool(said)
