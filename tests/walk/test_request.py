from __future__ import annotations

from fractions import Fraction

import pytest
import scenes

from k8stui.kernel.packet import Protocol
from k8stui.walk.request import RequestError, parse_request
from k8stui.walk.walk import walk, walks
from k8stui.walk.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return scenes.world(scenes.shop())


@pytest.mark.parametrize(
    ("typed", "canonical", "namespace"),
    [
        ("pod/client", "pod/default/client", "default/client"),
        ("po/client", "pod/default/client", "default/client"),
        ("pods/client", "pod/default/client", "default/client"),
        ("Pod/client", "pod/default/client", "default/client"),
        ("pod/client/shell", "pod/default/client/shell", "default/client"),
        ("pod/default/client", "pod/default/client", "default/client"),
        ("pod/default/client/shell", "pod/default/client/shell", "default/client"),
        ("pod/prod/client", "pod/prod/client", "prod/client"),
        ("prod/pod/client", "pod/prod/client", "prod/client"),
        ("deploy/web", "pod/default/web-1", "default/web-1"),
        ("deployment/web", "pod/default/web-1", "default/web-1"),
        ("deployments.apps/web", "pod/default/web-1", "default/web-1"),
        ("deploy/web/http", "pod/default/web-1/http", "default/web-1"),
        ("sts/db", "pod/default/db-0", "default/db-0"),
        ("node/node-2", "node/node-2", "node-2"),
        ("no/node-2", "node/node-2", "node-2"),
        ("outside", "outside", "outside"),
        ("203.0.113.10", "outside", "outside"),
        ("10.244.2.4", "pod/default/db-0", "default/db-0"),
        ("192.168.0.12", "node/node-2", "node-2"),
    ],
)
def test_source(world: World, typed: str, canonical: str, namespace: str) -> None:
    request = parse_request(world, typed, "svc/web")
    assert request.source == canonical
    assert request.connect is not None
    assert request.connect.namespace == namespace


@pytest.mark.parametrize(
    ("typed", "canonical", "address", "port", "protocol"),
    [
        ("svc/web", "svc/default/web:80", "10.96.0.10", 80, Protocol.TCP),
        ("svc/web:80", "svc/default/web:80", "10.96.0.10", 80, Protocol.TCP),
        ("service/web:80", "svc/default/web:80", "10.96.0.10", 80, Protocol.TCP),
        ("svc/web:8080", "svc/default/web:8080", "10.96.0.10", 8080, Protocol.TCP),
        ("svc/web.prod:80", "svc/prod/web:80", "10.96.0.12", 80, Protocol.TCP),
        ("svc/web.prod.svc.cluster.local", "svc/prod/web:80", "10.96.0.12", 80, Protocol.TCP),
        ("svc/prod/web:80", "svc/prod/web:80", "10.96.0.12", 80, Protocol.TCP),
        ("prod/svc/web:80", "svc/prod/web:80", "10.96.0.12", 80, Protocol.TCP),
        ("svc/two:http", "svc/default/two:80", "10.96.0.11", 80, Protocol.TCP),
        ("svc/two:dns", "svc/default/two:53", "10.96.0.11", 53, Protocol.UDP),
        ("svc/two:53/udp", "svc/default/two:53", "10.96.0.11", 53, Protocol.UDP),
        ("svc/two:53", "svc/default/two:53", "10.96.0.11", 53, Protocol.UDP),
        ("svc/two/udp", "svc/default/two:53", "10.96.0.11", 53, Protocol.UDP),
        ("svc/web:80/sctp", "svc/default/web:80", "10.96.0.10", 80, Protocol.SCTP),
        ("pod/web-2:http", "pod/default/web-2:8080", "10.244.2.3", 8080, Protocol.TCP),
        ("pod/web-2:1234", "pod/default/web-2:1234", "10.244.2.3", 1234, Protocol.TCP),
        ("pod/db-0", "pod/default/db-0:3306", "10.244.2.4", 3306, Protocol.TCP),
        ("deploy/web:metrics", "pod/default/web-1:9090", "10.244.1.3", 9090, Protocol.TCP),
        ("sts/db:3306", "pod/default/db-0:3306", "10.244.2.4", 3306, Protocol.TCP),
        ("node/node-1:30080", "node/node-1:30080", "192.168.0.11", 30080, Protocol.TCP),
        ("10.96.0.10:80", "10.96.0.10:80", "10.96.0.10", 80, Protocol.TCP),
        ("10.96.0.11:53", "10.96.0.11:53", "10.96.0.11", 53, Protocol.UDP),
        ("192.168.0.11:30080", "192.168.0.11:30080", "192.168.0.11", 30080, Protocol.TCP),
        ("[fd00::1]:443", "[fd00::1]:443", "fd00::1", 443, Protocol.TCP),
        ("localhost:8080", "localhost:8080", "127.0.0.1", 8080, Protocol.TCP),
        ("outside:443", "outside:443", "203.0.113.10", 443, Protocol.TCP),
        ("svc/peers:sql", "svc/default/peers:3306", "10.244.2.4", 3306, Protocol.TCP),
    ],
)
def test_destination(  # noqa: PLR0917 - one column of the table each
    world: World, typed: str, canonical: str, address: str, port: int, protocol: Protocol
) -> None:
    request = parse_request(world, "pod/client", typed)
    assert request.destination == canonical
    assert request.connect is not None
    assert str(request.connect.destination) == address
    assert (request.connect.port, request.connect.protocol) == (port, protocol)


@pytest.mark.parametrize(
    ("typed", "service"),
    [
        ("svc/web:80", "default/web"),
        ("10.96.0.10:80", "default/web"),
        ("node/node-2:30080", "default/web"),
        ("192.168.0.12:30080", "default/web"),
        ("node/node-2:31111", None),
        ("pod/web-1:8080", None),
    ],
)
def test_service_asked_for(world: World, typed: str, service: str | None) -> None:
    assert parse_request(world, "outside", typed).service == service


@pytest.mark.parametrize(
    ("source", "destination", "message", "hint"),
    [
        ("pod/clinet", "svc/web", "no pod clinet", "pod/client"),
        ("pod/web", "svc/web", "no pod web", "deploy/web"),
        ("rc/web", "svc/web", "no ReplicationController web", "deploy/web"),
        ("depoy/web", "svc/web", "no kind 'depoy'", "deploy"),
        ("pod/waiting", "svc/web", "Pending: 0/2 nodes are available: Too many pods.", ""),
        ("pod/client/sh", "svc/web", "no container sh", ""),
        ("node/node-3", "svc/web", "no node node-3", "node/node-"),
        ("svc/web", "svc/web", "sends nothing", "pods"),
        ("10.9.9.9", "svc/web", "nobody here has the address", "outside"),
        ("client", "svc/web", "'client'", "pod/client"),
        ("pod/client", "svc/wbe", "no Service wbe", "svc/web"),
        ("pod/client", "svc/web.prd", "no Service web in namespace prd", "svc/web."),
        ("pod/client", "svc/two", "2 ports", "svc/two:PORT"),
        ("pod/client", "svc/two:htp", "no port named htp", "svc/two:http"),
        ("pod/client", "svc/two/sctp", "no SCTP port", ""),
        ("pod/client", "pod/waiting:80", "Pending", ""),
        ("pod/client", "pod/web-1", "declares 2 ports", "pod/web-1:PORT"),
        ("pod/client", "pod/web-1:htp", "no port named htp", "pod/web-1:http"),
        ("pod/client", "node/node-1", "which port", "node/node-1:PORT"),
        ("pod/client", "10.96.0.10", "which port", ":PORT"),
        ("pod/client", "10.96.0.10:http", "not a port number", ""),
        ("pod/client", "10.96.0.10:70000", "not a port", ""),
        ("pod/client", "fd00::1", "cannot tell address from port", "[fd00::1]:PORT"),
        ("pod/client", "[fd00::1", "not [ADDRESS]:PORT", ""),
        ("pod/client", "web", "neither kind nor port", "svc/web"),
        ("pod/client", "svc", "svc alone", "svc/NAME:PORT"),
        ("pod/client", "", "not a destination", "svc/NAME"),
        ("pod/client", "svc/", "not KIND/NAME", ""),
    ],
)
def test_error_says_what_was_meant(
    world: World, source: str, destination: str, message: str, hint: str
) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(world, source, destination)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.message in caught.value.render()


def test_namespace_option(world: World) -> None:
    request = parse_request(world, "pod/client", "svc/web", "prod")
    assert request.source == "pod/prod/client"
    assert request.destination == "svc/prod/web:80"


def test_canonical_forms_can_be_typed_again(world: World) -> None:
    for source in ("pod/client/shell", "deploy/web", "node/node-1", "outside"):
        for destination in ("svc/web", "svc/web.prod:80", "pod/web-2:http", "node/node-1:30080"):
            first = parse_request(world, source, destination)
            again = parse_request(world, first.source, first.destination, "elsewhere")
            assert again == first


def test_a_pod_of_a_node_that_nobody_knows() -> None:
    lost = scenes.pod("lost", "10.244.7.2", "node-7")
    world = scenes.world(scenes.cluster(pods=[lost]))
    with pytest.raises(RequestError, match="no network namespace") as caught:
        parse_request(world, "pod/lost", "node/node-1:80")
    assert caught.value.hint == "its node node-7 is not known"


@pytest.mark.parametrize(
    ("source", "destination", "addresses", "said"),
    [
        ("pod/client", "web:80", "10.96.0.10", "web.default.svc.cluster.local is the virtual"),
        ("pod/client", "web.prod:80", "10.96.0.12", "web.prod.svc.cluster.local is the virtual"),
        ("pod/prod/client", "web:80", "10.96.0.12", "web.prod.svc.cluster.local is the virtual"),
        ("pod/client", "peers:3306", "10.244.2.4", "the ready pods of Service default/peers"),
        ("pod/client", "svc/peers:3306", "10.244.2.4", "translates no port"),
        ("pod/client", "svc/peers:sql", "10.244.2.4", "SRV _sql._tcp.peers: port 3306"),
        ("pod/client", "svc/alias:443", "203.0.113.10", "an alias (CNAME) of example.com"),
        ("pod/client", "example.org:443", "203.0.113.10", "assumed to be the host outside"),
        ("node/node-1", "example.org:443", "203.0.113.10", "assumed to be the host outside"),
        ("pod/client", "wbe:80", None, "no such name: no Service is called wbe"),
        ("pod/client", "web.prd:80", None, "no such name: web.prd is no name of this cluster"),
        ("pod/client", "x.invalid:80", None, "no such name"),
        ("node/node-1", "web:80", None, "node-1 does not ask cluster DNS: Service default/web"),
        ("outside", "web:80", None, "outside does not ask cluster DNS"),
    ],
)
def test_names(
    world: World, source: str, destination: str, addresses: str | None, said: str
) -> None:
    request = parse_request(world, source, destination)
    found = str(request.connect.destination) if request.connect else None
    assert found == addresses
    assert said in " | ".join(request.names)


def test_a_headless_service_gives_every_ready_pod() -> None:
    pods = [scenes.pod(f"db-{n}", f"10.244.1.{n + 3}") for n in range(3)]
    client = scenes.pod("client", "10.244.1.2")
    owner = scenes.service("db", None, scenes.port(3306), headless=True, selector={})
    made = scenes.cluster(
        pods=[client, *pods], services=[owner], slices=[scenes.slice_of(owner, pods, {"": 3306})]
    )
    world = scenes.world(made)
    request = parse_request(world, "pod/client", "db:3306")
    assert "shuffled: 10.244.1.3, 10.244.1.4, 10.244.1.5" in request.names[-1]
    traces = list(walks(world, request))
    assert [t.probability for t in traces] == [Fraction(1, 3)] * 3
    assert [t.outcome.server_pod for t in traces] == [p.key for p in pods]
    assert walk(world, request) == traces[0]
