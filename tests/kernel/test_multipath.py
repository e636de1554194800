"""Routes with several next hops: a fork for each flow, in the shares of the weights."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.nets import CLIENT, ip, standard, via

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.address_routes import kernel_routes
from k8stui.kernel.branches import branches
from k8stui.kernel.exchange import Connect, Result
from k8stui.kernel.multipath import _preferred
from k8stui.kernel.namespace import (
    Interface,
    InterfaceAddress,
    Ipip,
    LinkKind,
    NetNamespace,
    Network,
    Route,
    Socket,
    Sysctls,
)
from k8stui.kernel.packet import Protocol
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import Fork


def several(prefix: str, *gateways: str) -> Route:
    hops = tuple(replace(via(prefix, one), weight=1) for one in gateways)
    return replace(hops[0], hops=hops, weight=0)


def asking(network: Network, source: str = "node-1", **said: object) -> list[tuple[str, str, str]]:
    request = Connect(namespace=source, destination=ip("10.244.2.2"), port=8080, **said)  # type: ignore[arg-type]
    return [
        (
            str(one.probability),
            one.felt.result.value,
            " ".join(str(fork.hop and fork.hop.gateway) for fork in one.forks),
        )
        for one in branches(network, request)
    ]


def test_each_hop_is_a_branch() -> None:
    net = standard().without_route("node-1", "10.244.2.0/24")
    net.routes("node-1", several("10.244.2.0/24", "192.168.0.12", "192.168.0.1"))
    assert asking(net.spaces) == [
        ("1/2", "connected", "192.168.0.12"),
        ("1/2", "unreachable", "192.168.0.1"),
    ]


@pytest.mark.parametrize("policy", [0, 1])
def test_a_flow_takes_one_way_and_its_answers_another(policy: int) -> None:
    """The SYN, its repeats and its data are one flow; what comes back is another."""
    both = ("192.168.0.12", "192.168.0.13")
    net = standard().without_route("node-1", "10.244.2.0/24")
    net.routes("node-1", several("10.244.2.0/24", *both))
    net.without_route("node-2", "10.244.1.0/24")
    net.routes("node-2", several("10.244.1.0/24", "192.168.0.11", "192.168.0.13"))
    for name in ("node-1", "node-2"):
        net.sysctl(name, multipath_hash=policy)
    assert asking(net.spaces, CLIENT) == [
        ("1/4", "connected", "192.168.0.12 192.168.0.11"),
        ("1/4", "timeout", "192.168.0.12 192.168.0.13"),
        ("1/2", "unreachable", "192.168.0.13"),
    ]


def test_what_stands_on_a_device_that_is_down_is_no_way() -> None:
    net = standard().without_route("node-1", "10.244.2.0/24")
    hops = (
        replace(via("10.244.2.0/24", "192.168.0.13", "eth9"), weight=1),
        replace(via("10.244.2.0/24", "192.168.0.12"), weight=1),
    )
    net.routes("node-1", replace(hops[0], hops=hops, weight=0))
    assert asking(net.spaces) == [("1", "connected", "")]


@given(
    st.lists(st.tuples(st.integers(1, 256), st.booleans()), min_size=1, max_size=8),
)
def test_shares_are_whole_however_hops_are_preferred(hops: list[tuple[int, bool]]) -> None:
    whole = sum(weight for weight, _ in hops)
    plain = [Fraction(weight, whole) for weight, _ in hops]
    own = [is_own for _, is_own in hops]
    found = _preferred(plain, own)
    assert sum(found) == 1
    assert all(share >= 0 for share in found)
    if any(own):
        assert not any(share for share, is_own in zip(found, own, strict=True) if not is_own)


def two_uplinks(*, other_hash: int = 0) -> dict[str, NetNamespace]:
    """A host with two cards and a default route over both, and a router at the other end."""

    def card(name: str, address: str, far: tuple[str, str]) -> Interface:
        own = InterfaceAddress(address=ip(address), prefix_length=24)
        return Interface(
            name=name,
            kind=LinkKind.VETH,
            mac=f"02:00:00:00:{far[1][-1]}{name[-1]}:{len(address):02x}",
            addresses=(own,),
            peer=far,
        )

    host = (card("up0", "10.0.0.2", ("router", "p0")), card("up1", "10.0.1.2", ("router", "p1")))
    ports = (card("p0", "10.0.0.1", ("host", "up0")), card("p1", "10.0.1.1", ("host", "up1")))
    far = Interface(
        name="d0",
        kind=LinkKind.DUMMY,
        addresses=(InterfaceAddress(address=ip("10.9.9.9"), prefix_length=32),),
    )
    hops = tuple(
        replace(via("0.0.0.0/0", f"10.0.{n}.1", f"up{n}"), weight=1 + 2 * n) for n in (0, 1)
    )
    return {
        "host": NetNamespace(
            name="host",
            interfaces=host,
            routes=(*kernel_routes(host), replace(hops[0], hops=hops, weight=0)),
            sysctls=Sysctls(multipath_hash=other_hash),
        ),
        "router": NetNamespace(
            name="router",
            interfaces=(*ports, far),
            routes=kernel_routes((*ports, far)),
            sockets=(Socket(protocol=Protocol.TCP, port=80),),
        ),
    }


def test_a_socket_s_source_is_its_hop_s() -> None:
    """ip_route_connect asks twice, the second time with the address of the hop it has got."""
    request = Connect(namespace="host", destination=ip("10.9.9.9"), port=80)
    found = list(branches(two_uplinks(), request))
    assert [(str(one.probability), str(one.felt.source_seen)) for one in found] == [
        ("1/4", "10.0.0.2"),
        ("3/4", "10.0.1.2"),
    ]
    assert all(one.felt.result is Result.CONNECTED for one in found)


@pytest.mark.parametrize(("source", "device"), [("10.0.0.2", "up0"), ("10.0.1.2", "up1")])
def test_who_is_bound_leaves_by_its_own_device(source: str, device: str) -> None:
    request = Connect(
        namespace="host", destination=ip("10.9.9.9"), port=80, source=Address.parse(source)
    )
    (only,) = branches(two_uplinks(), request)
    assert only.probability == 1
    sent = {one.device for one in only.captures if one.namespace == "host" and not one.incoming}
    assert sent == {device}


def tunnelled(remote: str | None) -> dict[str, NetNamespace]:
    """The two of `two_uplinks` with a tunnel between them; the answers go past it."""
    spaces = two_uplinks()
    host, router = spaces["host"], spaces["router"]
    tunnel = Interface(name="tunl0", kind=LinkKind.IPIP, mtu_bytes=1480, ipip=Ipip())
    own = InterfaceAddress(address=ip("10.7.7.7"), prefix_length=32)
    end = InterfaceAddress(address=ip("10.8.8.8"), prefix_length=32)
    there = (*router.interfaces, replace(tunnel, addresses=(end,)))
    here = replace(
        tunnel,
        addresses=(own,),
        ipip=Ipip(local=own.address, remote=ip(remote) if remote else None),
    )
    return {
        "host": replace(
            host,
            interfaces=(*host.interfaces, here),
            routes=(
                *kernel_routes((*host.interfaces, here)),
                *(one for one in host.routes if one.hops),
                replace(via("10.9.9.9/32", "10.8.8.8", "tunl0"), onlink=True),
            ),
        ),
        "router": replace(
            router,
            interfaces=there,
            routes=(*kernel_routes(there), via("10.7.7.7/32", "10.0.0.2", "p0")),
        ),
    }


@pytest.mark.parametrize("remote", [None, "10.8.8.8"])
def test_a_tunnel_over_several_next_hops(remote: str | None) -> None:
    request = Connect(namespace="host", destination=ip("10.9.9.9"), port=80)
    found = list(branches(tunnelled(remote), request))
    assert [(str(one.probability), one.felt.result.value) for one in found] == [
        ("1/4", "connected"),
        ("3/4", "connected"),
    ]
    for one, device in zip(found, ("up0", "up1"), strict=True):
        outer = [two for two in one.captures if two.packet.protocol is Protocol.IPIP]
        assert {two.device for two in outer if two.namespace == "host"} == {device}


@pytest.mark.parametrize(("remote", "ways"), [(None, ["1/4", "3/4"]), ("10.8.8.8", ["1"])])
def test_only_a_tunnel_without_a_remote_end_asks_anew_for_each_flow(
    remote: str | None, ways: list[str]
) -> None:
    """ip_tunnel_xmit: the inner flow is part of the hash, but a settled end's way is kept."""
    request = Connect(namespace="host", destination=ip("10.9.9.9"), port=80, earlier=1)
    assert [str(one.probability) for one in branches(tunnelled(remote), request)] == ways


def test_rp_filter_minds_each_of_the_hops() -> None:
    """What comes in by any of them is routed back (fib_info_nh_uses_dev)."""
    net = standard().sysctl("node-1", rp_filter={"all": 1})
    prefix = Prefix.parse("10.244.2.0/24")
    net.without_route("node-1", str(prefix))
    away = replace(via(str(prefix), "10.244.1.3", "cni0"), weight=1)
    back = replace(via(str(prefix), "192.168.0.12"), weight=1)
    net.routes("node-1", replace(away, hops=(away, back), weight=0))

    def last(fork: Fork) -> int:
        return len(fork.ways) - 1

    request = Connect(namespace=CLIENT, destination=ip("10.244.2.2"), port=8080)
    assert connect(net.spaces, request, last).felt.result is Result.CONNECTED
