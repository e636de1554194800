"""Whether a rule's matches hold, one case a line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from k8stui.kernel.address import Address
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.rules import Chain, Rule, Table
from k8stui.kernel.step import Hook
from k8stui.kernel.traverse import CannotEvaluate, Drop, PacketContext, traverse

SYN = Packet(
    src=Address.parse("10.244.1.2"),
    dst=Address.parse("10.96.0.10"),
    protocol=Protocol.TCP,
    sport=40000,
    dport=80,
    smac="02:00:0a:f4:01:02",
    flags=TcpFlags.SYN,
    mark=0x4001,
)
UDP = replace(SYN, protocol=Protocol.UDP, dport=53)
PING = replace(SYN, protocol=Protocol.ICMP, icmp_type=8)
V6 = replace(SYN, src=Address.parse("fd00::2"), dst=Address.parse("fd00::10"))
LOCAL = {Address.parse("10.244.1.1"), Address.parse("192.168.0.11")}


class _Set:
    def contains(self, packet: Packet, directions: tuple[str, ...]) -> bool:
        return directions == ("src",) and packet.src == SYN.src


class _Recent:
    def seen(self, name: str, address: Address, seconds: int | None, hitcount: int | None) -> bool:
        return (name, str(address), seconds, hitcount) == ("L", "10.244.1.0", 60, None)

    def keep(self, name: str, address: Address) -> None:
        pass

    def forget(self, name: str, address: Address) -> None:
        pass


CONTEXT = {
    "hook": Hook.PREROUTING,
    "in_device": "cni0",
    "physical_in": "veth1",
    "address_type": lambda address, device: (
        "LOCAL" if address in LOCAL and device in {None, "cni0"} else "UNICAST"
    ),
    "sets": {"PODS": _Set()},
    "recent": _Recent(),
}


def matches(text: str, packet: Packet = SYN, **context: Any) -> bool | None:
    """Whether ``-A X TEXT -j DROP`` drops; None: cannot be evaluated."""
    table = Table("filter", {"X": Chain("X", (Rule(f"-A X {text} -j DROP"),))})
    verdict = traverse(table, "X", packet, PacketContext(**{**CONTEXT, **context})).verdict
    return None if isinstance(verdict, CannotEvaluate) else isinstance(verdict, Drop)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-s 10.244.1.0/24", True),
        ("! -s 10.244.1.0/24", False),
        ("-d 10.96.0.11/32", False),
        ("-s 10.0.1.2/255.0.255.255", True),
        ("-s 10.0.2.2/255.0.255.255", False),
        ("-s 192.0.2.1,10.244.1.2", True),
        ("-s 192.0.2.1,192.0.2.2", False),
        ("-s fd00::/8", False),
        ("! -s fd00::/8", True),
        ("-i cni0", True),
        ("-i cni+", True),
        ("-i +", True),
        ("-i cni", False),
        ("! -i cni0", False),
        ("-o eth0", False),
        ("! -o eth0", True),
        ("-o +", True),
        ("-p tcp", True),
        ("-p 6", True),
        ("! -p udp", True),
        ("-p udp", False),
        ("-p ipv4", False),
        ("-f", False),
        ("! -f", True),
        ("-p tcp -m tcp --dport 80", True),
        ("-p tcp -m tcp --dport 79:81", True),
        ("-p tcp -m tcp --dport 81:", False),
        ("-p tcp -m tcp ! --dport 80", False),
        ("-p tcp -m tcp --sport 40000 --dport 80", True),
        ("-p tcp --syn", True),
        ("-p tcp ! --syn", False),
        ("-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK", False),
        ("-p tcp -m multiport --dports 22,80,443", True),
        ("-p tcp -m multiport --dports 22,81:443", False),
        ("-p tcp -m multiport --sports 80", False),
        ("-p tcp -m multiport --ports 40000", True),
        ("-p tcp -m multiport ! --ports 40000", False),
        ("-m comment --comment anything", True),
        ("-m nfacct --nfacct-name n", True),
        ("-m mark --mark 0x4000/0x4000", True),
        ("-m mark --mark 0x4000", False),
        ("-m mark ! --mark 0x8000/0x8000", True),
        ("-m mac --mac-source 02:00:0A:F4:01:02", True),
        ("-m mac ! --mac-source 02:00:0a:f4:01:03", True),
        ("-m iprange --src-range 10.244.1.1-10.244.1.5", True),
        ("-m iprange ! --dst-range 10.96.0.1-10.96.0.5", True),
        ("-m set --match-set PODS src", True),
        ("-m set ! --match-set PODS src", False),
        ("-m set --match-set PODS dst", False),
        ("-m set --match-set NOBODY src", None),
        ("-m recent --set --name A", True),
        ("-m recent --rcheck --name L", False),
        ("-m recent --update --seconds 60 --name L --mask 255.255.255.0", True),
        ("-m recent ! --rcheck --name L", True),
        ("-m limit --limit 5/min", True),
        ("-m hashlimit --hashlimit-upto 5/min --hashlimit-name x", True),
        ("-m hashlimit --hashlimit-above 5/min --hashlimit-name x", False),
        ("-m owner --uid-owner 0", False),
        ("-m owner ! --uid-owner 0", True),
        ("-m rpfilter", None),
        ("-m u32 --u32 0=1", None),
        ("-m conntrack --ctstatus ASSURED", None),
    ],
)
def test_a_syn(text: str, expected: bool | None) -> None:
    assert matches(text) is expected


@pytest.mark.parametrize(
    ("text", "packet", "expected"),
    [
        ("-p udp -m udp --dport 53", UDP, True),
        ("-p tcp -m tcp --dport 53", UDP, False),
        ("-p icmp -m icmp --icmp-type 8", PING, True),
        ("-p icmp -m icmp --icmp-type echo-request", PING, True),
        ("-p icmp -m icmp --icmp-type any", PING, True),
        ("-p icmp -m icmp --icmp-type 3/3", PING, False),
        ("-p icmp -m icmp ! --icmp-type 0", PING, True),
        (
            "-p ipv6-icmp -m icmp6 --icmpv6-type 128",
            replace(V6, protocol=Protocol.ICMPV6, icmp_type=128),
            True,
        ),
        ("-d fd00::10/128", V6, True),
        ("-s 0.0.0.0/0", V6, False),
        ("-p sctp -m sctp --dport 80", replace(SYN, protocol=Protocol.SCTP), True),
    ],
)
def test_other_packets(text: str, packet: Packet, expected: bool) -> None:
    assert matches(text, packet) is expected


@pytest.mark.parametrize(
    ("text", "context", "expected"),
    [
        ("-m conntrack --ctstate NEW", {}, True),
        ("-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT", {}, True),
        ("-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT", {"ct_dnat": True}, False),
        ("-m conntrack --ctstate SNAT", {"ct_snat": True}, True),
        ("-m conntrack --ctstate DNAT", {"ct_dnat": True, "ct_state": "INVALID"}, False),
        ("-m conntrack --ctstate UNTRACKED", {"ct_state": "UNTRACKED"}, True),
        ("-m state --state ESTABLISHED", {"ct_state": "ESTABLISHED"}, True),
        ("-m conntrack --ctorigdst 10.96.0.10", {}, True),
        ("-m conntrack --ctorigdst 10.96.0.10", {"original": UDP}, True),
        ("-m conntrack --ctorigdstport 53", {"original": UDP}, True),
        ("-m conntrack --ctorigsrc 10.0.0.0/8", {"ct_state": "INVALID"}, False),
        ("-m conntrack --ctproto 17", {"original": UDP}, True),
        ("-m conntrack --ctdir REPLY", {"ct_reply": True}, True),
        ("-m conntrack --ctdir ORIGINAL", {"ct_reply": True}, False),
        ("-m connmark --mark 0x5/0xf", {"ct_mark": 0x15}, True),
        ("-m connmark ! --mark 0x5", {"ct_state": "UNTRACKED"}, False),
        ("-m physdev --physdev-is-in", {}, True),
        ("-m physdev ! --physdev-is-in", {}, False),
        ("-m physdev ! --physdev-is-in", {"physical_in": None}, True),
        ("-m physdev --physdev-in veth+", {}, True),
        ("-m physdev --physdev-in eth+", {}, False),
        ("-m physdev --physdev-is-bridged", {}, False),
        ("-m physdev --physdev-is-bridged", {"physical_out": "veth2"}, True),
        ("-m physdev --physdev-out veth2", {"physical_out": "veth2"}, True),
        ("-m physdev ! --physdev-out veth2", {}, False),
        ("-m rpfilter --invert", {"reverse_path": lambda *_, **__: False}, True),
        ("-m rpfilter --loose", {"reverse_path": lambda _, *, loose, **__: loose}, True),
        ("-m owner --uid-owner 0", {"in_device": None, "socket_uid": 0}, True),
        ("-m owner --uid-owner 1-5", {"in_device": None, "socket_uid": 0}, False),
        ("-m owner --gid-owner 0", {"in_device": None}, None),
    ],
)
def test_what_is_known_besides_the_header(
    text: str, context: dict[str, Any], expected: bool | None
) -> None:
    assert matches(text, **context) is expected


@pytest.mark.parametrize(
    ("text", "in_device", "expected"),
    [
        ("-m addrtype --dst-type LOCAL", "cni0", True),
        ("-m addrtype ! --dst-type LOCAL", "cni0", False),
        ("-m addrtype --src-type LOCAL", "cni0", False),
        ("-m addrtype --src-type UNICAST --dst-type LOCAL", "cni0", True),
        ("-m addrtype --dst-type LOCAL --limit-iface-in", "cni0", True),
        ("-m addrtype --dst-type LOCAL --limit-iface-in", "eth0", False),
        ("-m addrtype --dst-type LOCAL,BROADCAST", "eth0", True),
    ],
)
def test_address_types(text: str, in_device: str, expected: bool) -> None:
    packet = replace(SYN, dst=Address.parse("10.244.1.1"))
    assert matches(text, packet, in_device=in_device) is expected


def test_an_unknown_match_does_no_harm_where_a_known_one_fails() -> None:
    assert matches("-p udp -m u32 --u32 0=1") is False
    assert matches("-m u32 --u32 0=1 -m mark --mark 0x1") is False
