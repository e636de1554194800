"""ipset save → what `-m set` answers."""

from __future__ import annotations

import pytest

from k8stui.kernel.address import Address
from k8stui.kernel.ipset import IpsetError, parse
from k8stui.kernel.packet import Packet, Protocol

SAVED = """\
create pools hash:net family inet hashsize 1024 maxelem 1048576
add pools 10.244.0.0/16
add pools 10.244.9.0/24 nomatch
create hosts hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1
add hosts 192.168.0.11
create ports hash:ip,port family inet hashsize 1024 maxelem 65536
add ports 10.96.0.1,tcp:443
add ports 10.96.0.10,udp:53 timeout 30
create numbers bitmap:port range 0-65535
add numbers 8080
create both hash:net,port,net family inet hashsize 1024 maxelem 65536
add both 10.0.0.0/8,tcp:80,192.168.0.0/24
create all list:set size 8
add all hosts
add all pools
create devices hash:net,iface family inet
add devices 10.0.0.0/8,eth0
"""
SETS = parse(SAVED)


def packet(src: str, dst: str, dport: int, protocol: Protocol = Protocol.TCP) -> Packet:
    return Packet(
        src=Address.parse(src),
        dst=Address.parse(dst),
        sport=40000,
        dport=dport,
        protocol=protocol,
    )


@pytest.mark.parametrize(
    ("name", "asked", "directions", "expected"),
    [
        ("pools", packet("10.244.1.2", "1.1.1.1", 80), "src", True),
        ("pools", packet("10.244.1.2", "1.1.1.1", 80), "dst", False),
        ("pools", packet("10.244.9.2", "1.1.1.1", 80), "src", False),
        ("pools", packet("fd00::1", "fd00::2", 80), "src", False),
        ("hosts", packet("192.168.0.11", "1.1.1.1", 80), "src", True),
        ("hosts", packet("192.168.0.12", "1.1.1.1", 80), "src", False),
        ("ports", packet("1.1.1.1", "10.96.0.1", 443), "dst,dst", True),
        ("ports", packet("1.1.1.1", "10.96.0.1", 443, Protocol.UDP), "dst,dst", False),
        ("ports", packet("1.1.1.1", "10.96.0.10", 53, Protocol.UDP), "dst,dst", True),
        ("ports", packet("1.1.1.1", "10.96.0.1", 443), "dst", False),
        ("numbers", packet("1.1.1.1", "2.2.2.2", 8080, Protocol.UDP), "dst", True),
        ("numbers", packet("1.1.1.1", "2.2.2.2", 8080), "src", False),
        ("both", packet("10.1.2.3", "192.168.0.9", 80), "src,dst,dst", True),
        ("both", packet("10.1.2.3", "192.168.1.9", 80), "src,dst,dst", False),
        ("all", packet("10.244.1.2", "1.1.1.1", 80), "src", True),
        ("all", packet("172.16.0.1", "1.1.1.1", 80), "src", False),
    ],
)
def test_membership(name: str, asked: Packet, directions: str, expected: bool) -> None:
    assert SETS[name].contains(asked, tuple(directions.split(","))) is expected


def test_a_kind_that_cannot_be_asked_is_left_out() -> None:
    assert "devices" not in SETS


@pytest.mark.parametrize(
    "elements",
    ["add s 10.0.0.0/99", "add s a,b", "add s 10.0.0.1\nadd s icmp:echo-request"],
)
def test_an_element_not_understood_costs_its_set_only(elements: str) -> None:
    doubts: list[tuple[int, str]] = []
    text = f"create t hash:ip\ncreate s hash:ip\n{elements}\nadd t 10.0.0.1\n"
    text += "create l list:set\nadd l t\nadd l s\n"
    found = parse(text, doubt=lambda *one: doubts.append(one))
    assert set(found) == {"t"}
    assert [line for line, _ in doubts] == [
        text[: text.index(elements)].count("\n") + elements.count("\n") + 1,
        text.count("\n"),
    ]


@pytest.mark.parametrize(
    ("options", "element", "hits"),
    [
        ("netmask 24", "10.0.0.0", True),
        ("netmask 25", "10.0.0.0", False),
        ("netmask 24", "10.0.0.77", True),
        ("bitmask 255.255.255.0", "10.0.0.0", True),
        ("family inet", "10.0.0.0", False),
    ],
)
def test_netmask_cuts_both(options: str, element: str, hits: bool) -> None:
    # ip_set_hash_ip.c hash_ip4_kadt: the address that is asked for is cut, too.
    found = parse(f"create s hash:ip {options}\nadd s {element}\n")["s"]
    assert found.contains(packet("10.0.0.200", "10.1.0.1", 80), ("src",)) is hits


@pytest.mark.parametrize("line", ["flush x", "add nobody 10.0.0.1", "create"])
def test_other_lines_are_told(line: str) -> None:
    with pytest.raises(IpsetError, match="line 18"):
        parse("\n".join([*SAVED.splitlines()[:17], line]))


def test_a_comment_says_nothing() -> None:
    found = parse('create s hash:net family inet comment\nadd s 10.0.0.0/8 comment "a nomatch"\n')
    assert found["s"].contains(packet("10.0.0.1", "1.1.1.1", 80), ("src",))


@pytest.mark.parametrize(
    "element", ["10.0.0.1,tcp:65536", "10.0.0.1,tcp:٨", "10.0.0.1,-1", "fd00::1,80"]
)
def test_what_no_kernel_holds_is_not_understood(element: str) -> None:
    assert parse(f"create s hash:ip,port family inet\nadd s {element}\n") == {}


def test_a_set_is_of_its_family_though_it_is_empty() -> None:
    found = parse(
        "create s hash:net family inet6 maxelem 9 initval 0x1\ncreate l list:set size 8\nadd l s\n"
    )
    assert (found["s"].version, found["l"].version) == (6, None)
    lines = [line for name, one in found.items() for line in one.save_lines(name)]
    assert lines == [
        "create s hash:net family inet6 maxelem 9", "create l list:set size 8", "add l s"
    ]  # fmt: skip


LISTED = """\
$ sudo ipset list
Name: KUBE-CLUSTER-IP
Type: hash:ip,port
Revision: 6
Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1234abcd
Size in memory: 352
References: 3
Number of entries: 2
Members:
10.96.0.10,udp:53
10.96.0.1,tcp:443

Name: nets
Type: hash:net
Revision: 7
Header: family inet hashsize 1024 maxelem 65536 timeout 0 comment
Size in memory: 352
References: 0
Number of entries: 2
Members:
10.0.0.0/8 timeout 0
10.1.0.0/16 nomatch comment "a: b"

Name: both
Type: list:set
Revision: 3
Header: size 8
Members:
nets

Name: terse
Type: hash:ip
Revision: 5
Header: family inet hashsize 1024 maxelem 65536
Number of entries: 4
"""


def test_a_listing_says_what_a_save_does() -> None:
    saved = (
        "create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 "
        "initval 0x1234abcd\nadd KUBE-CLUSTER-IP 10.96.0.10,udp:53\n"
        "add KUBE-CLUSTER-IP 10.96.0.1,tcp:443\n"
        "create nets hash:net family inet hashsize 1024 maxelem 65536 timeout 0 comment\n"
        "add nets 10.0.0.0/8 timeout 0\nadd nets 10.1.0.0/16 nomatch comment x\n"
        "create both list:set size 8\nadd both nets\n"
    )
    listed, expected = parse(LISTED), parse(saved)
    assert list(listed) == list(expected)
    for name, one in listed.items():
        assert list(one.save_lines(name)) == list(expected[name].save_lines(name))


def test_a_set_without_its_members_is_not_known() -> None:
    assert "terse" not in parse(LISTED)


def test_an_empty_set_is_known() -> None:
    (name, one) = next(iter(parse(LISTED.partition("10.96")[0]).items()))
    assert (name, list(one.elements())) == ("KUBE-CLUSTER-IP", [])


def test_a_member_that_is_not_understood_is_told_with_its_line() -> None:
    heard: list[int] = []
    parse(LISTED.replace("10.96.0.1,tcp", "x"), lambda line, _: heard.append(line))
    assert heard == [11]
