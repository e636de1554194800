"""Walks through a mesh's proxies: each makes the next connection, as another user."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.kernel.step import StepKind
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

ISTIO = (
    "{name: istio-init, image: 'istio/proxyv2:1.24.0', args: [istio-iptables, -p, '15001', -z, "
    "'15006', -u, '1337', -m, REDIRECT, -i, '*', -x, '', -b, '*', -d, '15090,15021,15020']}"
)
LINKERD = (
    "{name: linkerd-init, image: 'cr.l5d.io/linkerd/proxy-init:v2.4.1', args: "
    "[--incoming-proxy-port, '4143', --outgoing-proxy-port, '4140', --proxy-uid, '2102', "
    "--inbound-ports-to-ignore, '4190,4191', --outbound-ports-to-ignore, '4567', --ipv6=false]}"
)
POD = """\
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {app}}}}}
spec:
  nodeName: {node}
  initContainers: [{init}]
  containers: [{{name: app, image: nginx, ports: [{{containerPort: 80}}]}}]
"""
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


def world(tmp_path: Path, init: str) -> World:
    pods = (
        ("web", "web", "node-1", init),
        ("other", "web", "node-2", ""),
        ("client", "client", "node-1", init),
        ("plain", "plain", "node-2", ""),
    )
    made = (POD.format(name=n, app=app, node=node, init=one) for n, app, node, one in pods)
    (tmp_path / "all.yaml").write_text("".join(made) + SERVICE)
    return build_world([str(tmp_path)])


def ends(made: World, source: str, destination: str) -> list[Trace]:
    return list(walks(made, parse_request(made, source, destination)))


def proxies(trace: Trace) -> list[str]:
    return [hop.namespace for hop in trace.hops for one in hop.steps if one.kind is StepKind.PROXY]


@pytest.mark.parametrize("init", [ISTIO, LINKERD], ids=["istio", "linkerd"])
def test_from_proxy_to_proxy(init: str, tmp_path: Path) -> None:
    made = world(tmp_path, init)
    found = ends(made, "pod/client", "svc/web:80")
    assert sum((one.probability for one in found), Fraction(0)) == 1
    assert {one.outcome.server_pod for one in found} == {"default/web", "default/other"}
    for one in found:
        assert one.outcome.result is Result.CONNECTED
        there = ["default/web"] if one.outcome.server_pod == "default/web" else []
        assert proxies(one) == ["default/client", *there]


@pytest.mark.parametrize(
    ("init", "seen"), [(ISTIO, "127.0.0.6"), (LINKERD, "10.244.1.2")], ids=["istio", "linkerd"]
)
def test_what_comes_from_outside_the_mesh(init: str, seen: str, tmp_path: Path) -> None:
    """Istio's proxy asks its own pod from 127.0.0.6, Linkerd's from the pod's address."""
    made = world(tmp_path, init)
    (trace,) = ends(made, "pod/plain", "pod/web:80")
    assert proxies(trace) == ["default/web"]
    assert str(trace.outcome.source_seen_by_server) == seen


@pytest.mark.parametrize(
    ("init", "port"), [(ISTIO, 15021), (LINKERD, 4191)], ids=["istio", "linkerd"]
)
def test_ports_that_are_left_alone(init: str, port: int, tmp_path: Path) -> None:
    made = world(tmp_path, init)
    (trace,) = ends(made, "pod/plain", f"pod/web:{port}")
    assert proxies(trace) == []


@pytest.mark.parametrize("init", [ISTIO, LINKERD], ids=["istio", "linkerd"])
def test_what_the_proxy_does_not_get_it_closes(init: str, tmp_path: Path) -> None:
    made = world(tmp_path, init)
    (trace,) = ends(made, "pod/client", "svc/web:81")
    assert (trace.outcome.result, trace.outcome.errno) == (Result.REFUSED, "ECONNRESET")
    assert "503" in trace.outcome.reason
    (alone,) = ends(made, "pod/plain", "svc/web:81")
    assert proxies(alone) == []


def test_what_tproxy_takes_is_not_followed(tmp_path: Path) -> None:
    """interceptionMode TPROXY: the walk ends at the rule, there and where the proxy answers."""
    made = world(tmp_path, ISTIO.replace("REDIRECT", "TPROXY"))
    (trace,) = ends(made, "pod/plain", "pod/web:80")
    assert (trace.outcome.result, trace.outcome.decided_at) == (Result.UNKNOWN, "default/web")
    assert "mangle ISTIO_TPROXY" in trace.outcome.reason
    (back,) = ends(made, "pod/client", "pod/plain:80")
    assert (back.outcome.result, back.outcome.decided_at) == (Result.UNKNOWN, "default/client")
    assert "--uid-owner 1337" in back.outcome.reason


def test_datagrams_pass_by(tmp_path: Path) -> None:
    made = world(tmp_path, ISTIO)
    (trace,) = ends(made, "pod/client", "8.8.8.8:53/udp")
    assert proxies(trace) == []


def test_what_a_webhook_would_do_is_said_and_not_done(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\n"
        "metadata: {name: default, labels: {istio-injection: enabled}}\n"
    )
    made = world(tmp_path, ISTIO)
    (said,) = [one.text for one in made.network.remarks if "sidecar" in one.text]
    assert "2 of its pods have none" in said
