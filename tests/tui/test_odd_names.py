"""Long names, other namespaces, the other address family, another uplink."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.export.drawing.ink import line_width, middle, text_of, width_of, wrap
from k8stui.export.drawing.scene import scene
from k8stui.export.drawing.words import pair, step_sign
from k8stui.tui.listings import branch_lines
from k8stui.tui.request import understood
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk, walks
from k8stui.walk.world import World, build_world

DUAL = """\
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
networking: {podSubnet: "10.244.0.0/16,2001:db8:7::/56", serviceSubnet: "10.96.0.0/16,fd00:7::/112"}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {a: shop}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: buyer}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  {ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv6, IPv4],
   selector: {a: shop}, ports: [{port: 80}]}
"""
SPACES = """\
apiVersion: v1
kind: Pod
metadata: {name: till, namespace: market, labels: {a: till}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: till, namespace: market}
spec: {selector: {a: till}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: twin, namespace: market}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: twin, namespace: yard}
spec: {containers: [{name: c, image: i}]}
"""


def world(tmp_path: Path, text: str) -> World:
    file = tmp_path / "all.yaml"
    file.write_text(text)
    return build_world([str(file)])


@pytest.mark.parametrize("version", [4, 6])
def test_a_walk_is_drawn_with_addresses_of_its_family(tmp_path: Path, version: int) -> None:
    made = world(tmp_path, DUAL)
    addresses = made.cluster.services["default/shop"].cluster_ips
    asked = next(str(one) for one in addresses if one.version == version)
    host = f"[{asked}]" if version == 6 else asked
    trace = walk(made, parse_request(made, "pod/buyer", f"{host}:80"))
    drawn = scene(made.network, made.cluster, trace)
    devices = [node.uplink for node in drawn.nodes] + [
        pod.device for node in drawn.nodes for pod in node.pods
    ]
    assert devices
    assert all((":" in one.address) is (version == 6) for one in devices)
    words = {step_sign(step).word for hop in trace.hops for step in hop.steps}
    assert ("arp" if version == 6 else "ndp") not in words


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("market/pod/till", "svc/till:80"),
        ("pod/till", "svc/till:80"),
        ("outside", "pod/till:80"),
        ("pod/market/twin", "svc/till:80"),
        ("pod/till", "till:80"),
    ],
)
def test_names_of_other_namespaces_are_found(tmp_path: Path, source: str, destination: str) -> None:
    request = understood(world(tmp_path, SPACES), source, destination, "default")
    assert "till" in request.destination


def test_a_name_that_several_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        understood(world(tmp_path, SPACES), "pod/twin", "svc/kubernetes:443", "default")


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 10, "short"),
        ("release-name-of-a-chart-frontend-2", 14, "release-n…nd-2"),
        ("網路設定服務", 7, "網路…務"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_the_middle_gives_way(text: str, width: int, shown: str) -> None:
    assert middle(text, width) == shown
    assert width_of(shown) <= max(width, 0)


@pytest.mark.parametrize("room", [44, 60, 78])
def test_who_asks_whom_keeps_both_ends_and_the_port(room: int) -> None:
    shown = pair(f"pod/{'a' * 50}-7", f"svc/{'b' * 50}-web:8443", room)
    assert width_of(shown) <= room
    asks, is_asked = shown.split(" ─▶ ")
    assert asks.startswith("pod/a")
    assert asks.endswith("-7")
    assert is_asked.startswith("svc/b")
    assert is_asked.endswith("-web:8443")
    shown = pair("outside", f"http://shop.acme.com:80/{'a/' * 50}pay", room)
    assert width_of(shown) <= room
    assert "http:" in shown
    assert shown.endswith("/pay")


@pytest.mark.parametrize("width", [78, 118])
def test_branches_to_pods_with_long_names_are_told_apart(tmp_path: Path, width: int) -> None:
    (tmp_path / "all.yaml").write_text(SPACES.replace("name: till", f"name: till-{'of' * 20}"))
    text = (tmp_path / "all.yaml").read_text()
    (tmp_path / "more.yaml").write_text(text.partition("---")[0].replace("ofof,", "ofofo,"))
    world = build_world([str(tmp_path)])
    asked = f"svc/market/till-{'of' * 20}:80"
    traces = list(walks(world, parse_request(world, "node/node-1", asked)))
    lines = [line for _, line in branch_lines(traces, width, capped=False)]
    assert len(lines) == 2
    assert max(map(line_width, lines)) <= width
    assert {text_of(line).split()[-2][-5:] for line in lines} == {"ofofo", "fofof"}


def test_a_long_name_is_broken_behind_one_of_its_marks() -> None:
    lines = wrap("Service market/a-name-that-is-longer-than-the-line-is-wide, port 80", 30)
    assert all(line.endswith(("-", "/", ".", ",", "80")) or " " in line for line in lines)
    assert "".join(lines).replace(" ", "") == (
        "Servicemarket/a-name-that-is-longer-than-the-line-is-wide,port80"
    )
