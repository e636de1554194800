"""What is not modelled is named, and only what rests on it is not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.check import check
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import RuleCause
from k8stui.nodes.errors import NodeOptionError, UnmodelledModeError
from k8stui.nodes.options import NodeOptions
from k8stui.origin import OriginKind
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world, sample

MODE = """apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: {mode}
"""
IN_CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata: {{name: kube-proxy, namespace: kube-system}}
data:
  config.conf: |
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
    mode: {mode}
"""
CALICO = """apiVersion: v1
kind: ConfigMap
metadata:
  name: calico-config
  namespace: kube-system
data: {}
"""


def world(tmp_path: Path, text: str) -> World:
    file = tmp_path / "more.yaml"
    file.write_text(text)
    return build_world([str(sample("guestbook")), str(file)])


def ask(made: World, source: str, destination: str) -> Trace:
    return walk(made, parse_request(made, source, destination))


@pytest.mark.parametrize("mode", ["ipvs", "kernelspace"])
@pytest.mark.parametrize(("text", "line"), [(MODE, 3), (IN_CONFIG_MAP, 8)])
def test_a_mode(tmp_path: Path, text: str, line: int, mode: str) -> None:
    made = world(tmp_path, text.format(mode=mode))
    assert any(f"more.yaml:{line}: kube-proxy's mode {mode}" in n.render() for n in made.notes)
    for source, destination in (
        ("pod/client", "svc/frontend"),
        ("node/node-1", "svc/redis-leader"),
        ("outside", "node/node-2:30080"),
    ):
        done = ask(made, source, destination).outcome
        assert done.result is Result.UNKNOWN
        assert "not modelled" in done.reason
        assert done.origin is not None
        assert done.origin.place is not None
        assert done.origin.place.line == line
    # IPVS' virtual servers are ports of an address: what asks another one is the node's own.
    other = Result.REFUSED if mode == "ipvs" else Result.UNKNOWN
    assert ask(made, "pod/client", "svc/frontend:81").outcome.result is other
    assert ask(made, "pod/client", "pod/frontend-2:80").outcome.result is Result.CONNECTED
    assert ask(made, "node/node-1", "node/node-2:80").outcome.result is Result.REFUSED
    node = made.cluster.nodes["node-1"]
    assert "cni" not in str(made.network.ruleset(node, 4, "kubelet"))
    with pytest.raises(UnmodelledModeError, match=rf"more.yaml:{line}: .*{mode}"):
        made.network.ruleset(node, 4, "kube-proxy")


def test_a_mode_that_an_option_names_is_the_options_mistake() -> None:
    from k8stui.cluster.options import ClusterOptions

    with pytest.raises(NodeOptionError, match=r"--proxy-mode.*ipvs"):
        build_world([], ClusterOptions(proxy_mode="ipvs"))


def test_a_plugin(tmp_path: Path) -> None:
    made = world(tmp_path, CALICO.replace("calico-config", "cilium-config"))
    said = [note.render() for note in made.notes]
    assert any("more.yaml:4: Cilium" in text and "as flannel" in text for text in said)
    trace = ask(made, "pod/client", "pod/frontend-2:80")
    assert trace.outcome.result is Result.CONNECTED
    (assumption,) = trace.assumptions
    assert "more.yaml:4: Cilium" in assumption
    routes = [step.origin for step in trace.steps if step.kind.value == "route" and step.origin]
    assert OriginKind.ASSUMED in {origin.kind for origin in routes}
    assert ask(build_world([]), "pod/client", "pod/frontend-2:80").assumptions == ()


def test_a_plugin_that_is_imitated(tmp_path: Path) -> None:
    made = world(tmp_path, CALICO)
    trace = ask(made, "pod/client", "pod/frontend-2:80")
    assert trace.outcome.result is Result.CONNECTED
    (assumption,) = trace.assumptions
    assert "more.yaml:4: Calico" in assumption
    assert "without a tunnel" in assumption
    chains = {s.cause.chain.name for s in trace.steps if isinstance(s.cause, RuleCause)}
    assert "cali-to-wl-dispatch" in chains


IPVS_DEVICES = """[
{"ifname": "lo", "link_type": "loopback", "operstate": "UNKNOWN",
 "flags": ["LOOPBACK", "UP", "LOWER_UP"],
 "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8, "scope": "host"}]},
{"ifname": "eth0", "link_type": "ether", "address": "02:00:c0:a8:00:0b",
 "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"], "operstate": "UP",
 "addr_info": [{"family": "inet", "local": "192.168.0.11", "prefixlen": 24, "scope": "global"}]},
{"ifname": "kube-ipvs0", "link_type": "ether", "address": "5e:00:00:00:00:01",
 "flags": [], "operstate": "DOWN",
 "addr_info": [{"family": "inet", "local": "10.97.1.1", "prefixlen": 32, "scope": "global"}]}
]
"""


@pytest.mark.parametrize("has_rules", [False, True])
def test_the_device_of_ipvs_tells_the_mode(tmp_path: Path, *, has_rules: bool) -> None:
    """At its own hooks where the node's rules are its own, else before what we would write."""
    (tmp_path / "addr.json").write_text(IPVS_DEVICES)
    (tmp_path / "save").write_text("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
    options = NodeOptions(
        ip_addr={"node-1": str(tmp_path / "addr.json")},
        iptables={"node-1": str(tmp_path / "save")} if has_rules else {},
    )
    made = build_world([str(sample("guestbook"))], None, options)
    trace = ask(made, "node/node-1", "10.97.1.1:80")
    assert trace.outcome.result is Result.UNKNOWN
    assert "kube-proxy in mode ipvs is not modelled" in trace.outcome.reason
    assert "10.97.1.1 (kube-ipvs0)" in trace.outcome.reason
    assert trace.outcome.origin is not None
    ping = ask(made, "node/node-1", "10.97.1.1/icmp").outcome.result
    assert ping is (Result.CONNECTED if has_rules else Result.UNKNOWN)
    assert ask(made, "node/node-1", "svc/frontend").outcome.result is not Result.CONNECTED
    assert ask(made, "pod/client", "pod/frontend-2:80").outcome.result is Result.CONNECTED
    assert "leave out the dump" in trace.outcome.advice, "--proxy-mode would change nothing"
    (told,) = (found for found in check(made) if found.rule == "not-modelled")
    assert told.subject == "Node node-1"
    assert "it shows kube-proxy in mode ipvs" in told.why
