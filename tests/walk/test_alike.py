"""Endpoints that fare alike are one branch: it must be what walking each of them comes to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from k8stui.cluster.options import ClusterOptions
from k8stui.export.rules import nft_lines, save_lines
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.nodes.options import NodeOptions
from k8stui.walk.alike import Endpoints
from k8stui.walk.clients import arrivals
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: pool}}
spec:
  selector: {{pool: "yes"}}
  type: {type}
  {more}
  ports: [{{port: 80, targetPort: 8080}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: asker, labels: {{pool: "{asker}"}}}}
spec: {{containers: [{{name: a, image: a, ports: [{{containerPort: 8080}}]}}]}}
"""
WORKLOAD = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: pool-{number}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{part: "{number}"}}}}
  template:
    metadata: {{labels: {{pool: "yes", part: "{number}"}}}}
    spec:
      hostNetwork: {host}
      containers: [{{name: c{number}, image: i, ports: {ports}}}]
"""
PORTS = ("[]", "[{containerPort: 8080}]", "[{containerPort: 9090}]")
POLICY = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: some}}
spec:
  podSelector: {{}}
  policyTypes: [Egress]
  egress: [{{to: [{{{peer}}}]}}]
"""
PEERS = (
    'podSelector: {matchLabels: {part: "0"}}',
    "ipBlock: {cidr: 10.244.0.0/16, except: [10.244.1.3/32, 10.244.2.2/31]}",
    "ipBlock: {cidr: 10.244.1.0/29}",
)
OWN_TABLE = """table inet guard {{
	set bad {{
		type ipv4_addr
		elements = {{ 10.244.1.3, 10.244.1.5 }}
	}}

	set ranges {{
		type ipv4_addr
		flags interval
		elements = {{ 10.244.1.4/31 }}
	}}

	map verdicts {{
		type ipv4_addr . inet_service : verdict
		elements = {{ 10.244.1.3 . 8080 : drop, 10.244.1.4 . 9090 : drop,
			10.244.1.5 . 8080 : jump other }}
	}}

	set seen {{
		type ipv4_addr
		size 65535
		flags dynamic
	}}

	chain other {{
		tcp dport 8080 reject with tcp reset
	}}

	chain forward {{
		type filter hook forward priority filter; policy accept;
		{rule}
	}}
}}
"""
NFT_RULES = (
    "",
    "",
    "ip daddr 10.244.1.3 drop",
    "ip daddr 10.244.1.4/30 drop",
    "ip saddr 10.244.1.0/29 reject",
    "ip daddr 10.244.1.3-10.244.1.5 drop",
    "ip daddr { 10.244.1.3, 10.244.1.5 } drop",
    "ip daddr @bad drop",
    "ip daddr != @ranges tcp dport 8080 drop",
    "ip daddr . tcp dport vmap @verdicts",
    "ip daddr . tcp dport vmap { 10.244.1.3 . 8080 : jump other, 10.244.1.4 . 9090 : drop }",
    "jhash ip daddr mod 2 seed 0x3 0 drop",
    "ip daddr & 0.0.0.1 == 0.0.0.1 drop",
    "update @seen { ip daddr } ip saddr @seen drop",
    "ct original ip daddr 10.244.1.3 drop",
    "meta mark set ip daddr map { 10.244.1.3 : 0x00000001 } accept",
    'oifname "veth*" ip daddr @bad drop',
    'iifname "eth0" drop',
)


def world(
    folder: Path,
    text: str,
    *,
    nodes: int = 3,
    rules: str = "",
    nft_rule: str = "",
    cni: str | None = None,
    mode: str | None = None,
    engine: str | None = None,
) -> World:
    (folder / "set.yaml").write_text(text)
    paths = [str(folder / "set.yaml")]
    options = ClusterOptions(nodes=nodes, proxy_mode=mode) if mode else ClusterOptions(nodes=nodes)
    plain = build_world(paths, options)
    node = next(iter(plain.cluster.nodes.values()))
    iptables = {}
    if rules:
        own = "\n".join(save_lines(plain.network.ruleset(node, 4)))
        (folder / "node.save").write_text(
            own.replace("-A FORWARD", f"-A FORWARD {rules}\n-A FORWARD", 1) + "\n"
        )
        iptables = {node.name: str(folder / "node.save")}
    nft = {}
    if nft_rule:
        kube_proxy = plain.network[node.name].nft or NftRuleset()
        own = "".join(nft_lines(kube_proxy)) + OWN_TABLE.format(rule=nft_rule)
        (folder / "node.nft").write_text(own)
        nft = {node.name: str(folder / "node.nft")}
    seen = NodeOptions(iptables=iptables, nft=nft, policy_engine=engine)
    return build_world(paths, options, replace(seen, cni=cni) if cni else seen)


def told(traces: list[Trace]) -> dict[object, Fraction]:
    """What can happen, and how often, without who it is that answers."""
    found: dict[object, Fraction] = defaultdict(Fraction)
    for trace in traces:
        done = trace.outcome
        places: dict[str, int] = {}
        hops = [(_role(hop.namespace, places), hop.direction, len(hop.steps)) for hop in trace.hops]
        seen = done.source_seen_by_server
        found[
            done.result,
            done.errno,
            done.seconds,
            seen,
            done.server_port,
            done.server_pod is None,
            tuple(hops),
        ] += trace.probability
    return dict(found)


def _role(namespace: str, nodes: dict[str, int]) -> object:
    """Pods are alike, and nodes too but for their order on the way."""
    if "/" in namespace:
        return "a pod"
    is_node = namespace.startswith("node-")
    return nodes.setdefault(namespace, len(nodes)) if is_node else namespace


def servers(traces: list[Trace]) -> list[str]:
    own = [trace.outcome.server_pod or str(trace.outcome.server_address) for trace in traces]
    return sorted([*own, *(name for trace in traces for name in trace.alike)])


@example(
    workloads=[(2, "[{containerPort: 9090}]", "false"), (3, "[]", "false")],
    kind="ClusterIP",
    more="",
    asker="yes",
    source="pod/asker",
    cni="flannel",
    mode="userspace",
    rule="",
    peer="",
    engine=None,
    nft_rule="",
)
@example(
    workloads=[(7, "[{containerPort: 9090}]", "false")],
    kind="ClusterIP",
    more="",
    asker="yes",
    source="pod/asker",
    cni="flannel",
    mode="userspace",
    rule="",
    peer="",
    engine=None,
    nft_rule="",
)
@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    workloads=st.lists(
        st.tuples(
            st.integers(1, 8), st.sampled_from(PORTS), st.sampled_from(("true", "false", "false"))
        ),
        min_size=1,
        max_size=3,
    ),
    kind=st.sampled_from(("ClusterIP", "NodePort", "headless")),
    more=st.sampled_from(
        (
            "",
            "internalTrafficPolicy: Local",
            "sessionAffinity: ClientIP",
            "publishNotReadyAddresses: true",
        )
    ),
    asker=st.sampled_from(("yes", "no")),
    source=st.sampled_from(("pod/asker", "node/node-1", "outside")),
    cni=st.sampled_from(("flannel", "flannel-vxlan", "bridge", "ptp", "docker0")),
    mode=st.sampled_from(("iptables", "nftables", "nftables", "userspace")),
    peer=st.sampled_from(("", "", *PEERS)),
    engine=st.sampled_from((None, "api", "kube-router", "calico")),
    nft_rule=st.sampled_from(NFT_RULES),
    rule=st.sampled_from(
        (
            "",
            "",
            "-d 10.244.1.3/32 -j DROP",
            "-d 10.244.1.4/30 -j DROP",
            "-s 10.244.1.0/29 -j REJECT",
            "-m iprange --dst-range 10.244.1.3-10.244.1.5 -j DROP",
        )
    ),
)
def test_what_is_counted_is_what_each_comes_to(  # noqa: PLR0917
    workloads: list[tuple[int, str, str]],
    kind: str,
    more: str,
    asker: str,
    source: str,
    cni: str,
    mode: str,
    rule: str,
    peer: str,
    engine: str | None,
    nft_rule: str,
) -> None:
    text = SERVICE.format(
        type="ClusterIP" if kind == "headless" else kind,
        more="clusterIP: None" if kind == "headless" else more,
        asker=asker,
    )
    for number, (replicas, ports, host) in enumerate(workloads):
        text += WORKLOAD.format(number=number, replicas=replicas, ports=ports, host=host)
    with TemporaryDirectory() as folder:
        made = world(
            Path(folder),
            text + POLICY.format(peer=peer) if peer else text,
            rules=rule,
            nft_rule=nft_rule if mode == "nftables" else "",
            cni=cni,
            mode=mode,
            engine=engine,
        )
        to = "node/node-1:30080" if kind == "NodePort" and source == "outside" else "svc/pool"
        try:
            if kind == "NodePort" and source == "outside":
                port = made.cluster.services["default/pool"].ports[0].node_port
                to = f"node/node-1:{port}"
            request = parse_request(made, source, to)
        except RequestError:
            return
        each = list(walks(made, request, endpoints=Endpoints(made, few=10**9)))
        some = list(walks(made, request, endpoints=Endpoints(made, few=1)))
    assert sum(trace.probability for trace in some) == 1
    assert told(some) == told(each)
    if all(trace.outcome.server_address for trace in each):
        assert servers(some) == servers(each)
    assert [trace.branch for trace in some] == list(range(1, len(some) + 1))
    assert some[0].outcome == each[0].outcome


@pytest.mark.parametrize("replicas", [3, 4, 6])
@pytest.mark.parametrize("source", ["pod/asker", "node/node-1"])
def test_a_proxy_that_fails_over_meets_the_same_kinds(
    tmp_path: Path, replicas: int, source: str
) -> None:
    """Who refuses alike does not fare alike where the next in turn does not."""
    text = SERVICE.format(type="ClusterIP", more="", asker="yes")
    text += WORKLOAD.format(number=0, replicas=replicas, ports=PORTS[2], host="false")
    made = world(tmp_path, text, cni="flannel", mode="userspace")
    request = parse_request(made, source, "svc/pool")
    each = list(walks(made, request, endpoints=Endpoints(made, few=10**9)))
    some = list(walks(made, request, endpoints=Endpoints(made, few=1)))
    assert told(some) == told(each)
    assert servers(some) == servers(each)


@pytest.fixture
def crowd(tmp_path: Path) -> World:
    text = SERVICE.format(type="NodePort", more="", asker="no")
    text += WORKLOAD.format(number=0, replicas=120, ports=PORTS[1], host="false")
    return world(tmp_path, text)


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize("cni", ["flannel", "flannel-vxlan"])
def test_many_endpoints_are_a_branch_here_and_one_on_other_nodes(
    tmp_path: Path, mode: str, cni: str
) -> None:
    text = SERVICE.format(type="ClusterIP", more="", asker="no")
    text += WORKLOAD.format(number=0, replicas=120, ports=PORTS[1], host="false")
    made = world(tmp_path, text, mode=mode, cni=cni)
    found = list(walks(made, parse_request(made, "pod/asker", "svc/pool")))
    assert sorted(1 + len(trace.alike) for trace in found) == [40, 80]
    assert sorted(trace.probability for trace in found) == [Fraction(1, 3), Fraction(2, 3)]


@pytest.mark.parametrize(
    ("second", "third", "branches"),
    [
        ("", "", [40, 80]),
        ("-s 10.1.2.0/24 -j DROP", "-s 10.1.3.0/24 -j DROP", [40, 80]),  # nobody is there
        ("-d 10.244.2.0/24 -j ACCEPT", "-d 10.244.3.0/24 -j ACCEPT", [40, 80]),
        ("-d 10.244.2.0/24 -j ACCEPT", "-d 10.244.2.0/24 -j ACCEPT", [40, 40, 40]),
        ("-d 10.244.2.9/32 -j DROP", "", [1, 39, 40, 40]),
    ],
)
def test_nodes_are_alike_if_their_rules_are(
    tmp_path: Path, second: str, third: str, branches: list[int]
) -> None:
    text = SERVICE.format(type="NodePort", more="", asker="no")
    text += WORKLOAD.format(number=0, replicas=120, ports=PORTS[1], host="false")
    plain = world(tmp_path, text)
    dumps = {}
    for name, rule in (("node-2", second), ("node-3", third)):
        saved = "\n".join(save_lines(plain.network.ruleset(plain.cluster.nodes[name], 4)))
        added = f"-A FORWARD {rule}\n-A FORWARD" if rule else "-A FORWARD"
        dumps[name] = str(tmp_path / f"{name}.save")
        Path(dumps[name]).write_text(saved.replace("-A FORWARD", added, 1) + "\n")
    paths, seen = [str(tmp_path / "set.yaml")], NodeOptions(iptables=dumps)
    made = build_world(paths, ClusterOptions(nodes=3), seen)
    found = list(walks(made, parse_request(made, "pod/asker", "svc/pool")))
    assert sorted(1 + len(trace.alike) for trace in found) == branches


def test_one_that_a_rule_names_stays_alone(tmp_path: Path) -> None:
    text = SERVICE.format(type="ClusterIP", more="", asker="no")
    text += WORKLOAD.format(number=0, replicas=60, ports=PORTS[1], host="false")
    made = world(tmp_path, text, nodes=1, rules="-d 10.244.1.9/32 -j DROP")
    found = list(walks(made, parse_request(made, "node/node-1", "svc/pool")))
    assert sum(trace.probability for trace in found) == 1
    assert len(found) == 2


def test_few_are_shown_one_by_one(tmp_path: Path) -> None:
    text = SERVICE.format(type="ClusterIP", more="", asker="no")
    text += WORKLOAD.format(number=0, replicas=16, ports=PORTS[1], host="false")
    made = world(tmp_path, text, nodes=1)
    assert len(list(walks(made, parse_request(made, "pod/asker", "svc/pool")))) == 16


def test_clients_name_all_the_pods(crowd: World) -> None:
    found = [one for one in arrivals(crowd, "default/pool") if one.policy == "Cluster"]
    for entry in ("node-1", "node-2", "node-3"):
        these = [one for one in found if one.entry == entry]
        assert sum(one.probability for one in these) == 1
        assert sum(len(one.servers) for one in these) == 120
