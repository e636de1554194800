"""What is sent to ``nft -f`` comes back as it was: recorded rulesets, and made-up ones.

In a network namespace of its own. Where nft is not installed or namespaces are forbidden, the tests
say so and are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.nft_rules import CONDITION
from kernel.test_nft_listing import listed, told

from k8stui.kernel.nft import read, text
from k8stui.kernel.nft.compatible import own
from k8stui.kernel.nft.compile import statements
from k8stui.kernel.nft.listing import Form, listing
from k8stui.kernel.nft.statement import Unknown


def through_nft(sent: str, how: str = "") -> str:
    if not shutil.which("nft"):
        pytest.skip("nft is not on this machine")
    apart = ["unshare", "-n" if os.geteuid() == 0 else "-Urn"]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
        pytest.skip("namespaces are forbidden on this machine")
    done = subprocess.run(
        [*apart, "sh", "-c", f"nft -f - && nft {how} list ruleset"],
        input=sent,
        capture_output=True,
        text=True,
        check=False,
    )
    if "Message too long" in done.stderr:
        pytest.skip("so much at once takes more rights: SO_SNDBUFFORCE")
    assert not done.returncode, f"{done.stderr}\n{sent}"
    return done.stdout


@pytest.mark.parametrize("path", listed(), ids=lambda path: "/".join(path.parts[-3:]))
def test_a_recorded_ruleset_goes_through_nft(path: Path) -> None:
    ruleset = own(text.parse(told(path)))
    if ruleset.tables:
        assert through_nft(listing(ruleset, Form.SENT)) == listing(ruleset)


_CHAIN = """table inet t {
    map m { type ipv4_addr : mark; flags dynamic; timeout 1m; }
    set ports { type ipv4_addr . inet_service; size 100; flags dynamic,timeout; }
    counter some { }
    counter other { }
    quota much { over 20 mbytes; }
    limit slow { rate over 7/minute burst 9 packets; }
    ct helper ftp { type "ftp" protocol tcp; l3proto ip; }
    chain c {
        type filter hook prerouting priority -150;
"""
_SELDOM = (
    _CHAIN,
    """
    socket transparent 1 meta mark set 0x1 accept
    socket wildcard 0
    socket mark 0x1
    meta l4proto tcp tproxy to :50080
    ip protocol tcp tproxy ip to 127.0.0.1:50080 accept
    ip6 nexthdr tcp tproxy ip6 to [::1]:50080
    rt type 0 drop
    exthdr frag exists drop
    exthdr hbh missing
    frag id 5
    hbh nexthdr tcp
    dst hdrlength 1
    rt seg-left 1
    srh sid[1] ::1
    ip option rr exists
    ip option lsrr type 131
    tcp option timestamp exists
    tcp option maxseg missing
    tcp option window count 4
    reset tcp option sack-perm
    tcp dport 22 meter mm size 65535 { ip saddr timeout 30s limit rate 3/minute }
    tcp dport 22 meter mn { ip saddr . tcp dport ct count over 5 } drop
    add @m { ip saddr : 0x1 }
    update @m { ip saddr timeout 5s : ct mark }
    @nh,96,32 0x7f000001
    ah spi 5
    esp spi 5
    comp cpi 5
    rt ip nexthop 192.168.0.1
    rt classid 1
    meta priority 1:2
    meta priority set 1:2
    ct event set new,destroy
    meta hour "17:00"-"19:00"
    meta day { "Sunday", "Saturday" }
    meta time >= "2030-01-01 00:00:00"
    ct expiration 60s-120s
    ct expiration { 33s, 1m7s }
    iifgroup "default"
    meta iiftype != ether
    meta l4proto 33-45
    ip ecn ce
    ip dscp set ef
    ip6 hoplimit set 7
    mh type home-test
    osf ttl skip name "Linux"
    ipsec in spnum 2 ip saddr 10.6.0.0/16
    ipsec in reqid 5
    sctp chunk init exists
    sctp chunk data stream 5
    dccp type { request, response }
    tcp option 255 missing
    tcp option @255,8,8 255
    tcp flags & syn == syn
    ip daddr & 255.0.0.0 == { 10.0.0.0, 11.0.0.0 }
    ct mark set (meta mark | 0x00000010) << 8
    add @ports { ip saddr . 22 timeout 1m counter }
    counter name ip saddr map { 10.0.0.1 : "some", 10.0.0.2 : "other" }
    counter name "some"
    limit name ip saddr map { 10.0.0.1 : "slow" } drop
    ct helper set tcp dport map { 2121 : "ftp" }
    meta secmark set ct secmark
    meta mark 0x00000005-0x00000009
    icmp type 3-11
    """,
    'table netdev n {\n\tchain c {\n\t\ttype filter hook ingress device "lo" priority 0;\n',
    """
    vlan id 5 drop
    ether type 8021q vlan type ip
    ip saddr 10.0.0.1 fwd to "lo"
    ip saddr 10.0.0.1 fwd ip to 10.0.0.5 device "lo"
    dup to "lo"
    arp operation request
    arp saddr ip 10.0.0.1
    """,
)


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_seldom_seen_goes_through_nft(form: str) -> None:
    sent = "".join(
        f"{head}{rules}\n\t}}\n}}\n"
        for head, rules in zip(_SELDOM[::2], _SELDOM[1::2], strict=True)
    )
    printed = through_nft(sent)
    if form == "text":
        assert listing(text.parse(printed)) == printed
    found = read.parse(printed if form == "text" else through_nft(sent, "-j"))
    for table in found.tables:
        for rule in table.chains["c"].chain.rules:
            assert f"\t\t{rule.text}\n" in printed
            assert not any(isinstance(one, Unknown) for one in statements(rule.text)), rule.text


@given(st.lists(CONDITION, min_size=5, max_size=40))
@settings(max_examples=10)
def test_rules_at_random_go_through_nft(conditions: list[str]) -> None:
    """nft takes what was read and printed, and prints what is read without a rest, and the same."""
    written = "".join(f"\t\t{one} counter\n" for one in conditions)
    made = text.parse(f"table inet t {{\n\tchain c {{\n{written}\t}}\n}}\n")
    printed = through_nft(listing(made, Form.SENT))
    found = text.parse(printed)
    rules = found.tables[0].chains["c"].chain.rules
    assert len(rules) == len(conditions)
    for rule, asked in zip(rules, conditions, strict=True):
        said = statements(rule.text)
        assert not any(isinstance(one, Unknown) for one in said), rule.text
        assert " ".join(map(str, said)) == rule.text
        if "{" not in rule.text:  # nft puts the elements of a set into an order of its own
            assert " ".join(map(str, statements(f"{asked} counter"))) == rule.text
