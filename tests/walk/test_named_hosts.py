"""``--host NAME=ADDRESS[:PORT]``: the name resolves, and its ports alone answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.cluster.hosts import HostOptionError, read_hosts
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world


@pytest.fixture(scope="module")
def world() -> World:
    written = [
        "Ledger.corp=10.50.0.5:5432",
        "ledger.corp=10.50.0.5:5433",
        "nas=192.168.0.90:2049",
        "api.example.com=198.51.100.7",
    ]
    return build_world([], ClusterOptions(hosts=read_hosts(written)))


@pytest.mark.parametrize(
    ("destination", "result"),
    [
        ("ledger.corp:5432", Result.CONNECTED),
        ("ledger.corp:5433", Result.CONNECTED),
        ("ledger.corp:5434", Result.REFUSED),
        ("LEDGER.corp.:5432/udp", Result.CONNECTED),
        ("10.50.0.5:5432", Result.CONNECTED),
        ("10.50.0.5:80", Result.REFUSED),
        ("nas:2049", Result.CONNECTED),
        ("nas:80", Result.REFUSED),
        ("192.168.0.91:80", Result.CONNECTED),
        ("api.example.com:1234", Result.CONNECTED),
        ("ledger:5432", Result.NO_SUCH_NAME),
    ],
)
@pytest.mark.parametrize("source", ["pod/client", "node/node-1"])
def test_a_host(world: World, source: str, destination: str, result: Result) -> None:
    assert walk(world, parse_request(world, source, destination)).outcome.result is result


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (["db"], "a name"),
        (["=1.2.3.4"], "a name"),
        (["db=there:80"], "'there' is no IP address"),
        (["db=1.2.3.4:0"], "'0' is no port"),
        (["db=1.2.3.4:"], "'' is no port"),
        (["db=1.2.3.4:70000"], "'70000' is no port"),
        (["db=1.2.3.4", "db=1.2.3.5"], "db is 1.2.3.4 already"),
    ],
)
def test_what_is_no_host(written: list[str], why: str) -> None:
    with pytest.raises(HostOptionError, match=why):
        read_hosts(written)


def test_ipv6() -> None:
    hosts = read_hosts(["a=fd00::5", "b=[fd00::6]:53"])
    assert str(hosts["a"].address) == "fd00::5"
    assert hosts["b"].ports == {53}


def test_a_name_of_a_load_balancer(tmp_path: Path) -> None:
    """Whoever asks it comes in by that: no host outside has the address."""
    file = tmp_path / "all.yaml"
    file.write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: "
        "[{name: web, image: web, ports: [{containerPort: 80}]}]}}\n---\n"
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: LoadBalancer, "
        "selector: {app: web}, ports: [{port: 80}]}, "
        "status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}}"
    )
    options = ClusterOptions(hosts=read_hosts(["shop.example=203.0.113.7"]))
    world = build_world([str(file)], options)
    found = walk(world, parse_request(world, "outside", "http://shop.example/"))
    assert found.outcome.server_pod == "default/web"
