"""ipsets in the lab: printed from what was parsed, and asked by the kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.export.lab import lab_lines
from k8stui.kernel import save
from k8stui.kernel.ipset import parse
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import Tools
from k8stui.lab.planning import sets
from k8stui.lab.planning.restore import restore_text
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.world import build_world

SAVED = """\
create nets hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xd00d
add nets 198.51.100.0/24
add nets 198.51.100.64/26 nomatch
add nets 198.51.100.70
create hosts hash:ip family inet hashsize 1024 maxelem 65536 timeout 600
add hosts 203.0.113.5 timeout 555
create cut hash:ip family inet hashsize 1024 maxelem 65536 netmask 28
add cut 203.0.113.16
create some bitmap:ip range 203.0.113.0-203.0.113.255
add some 203.0.113.40
create ports hash:ip,port family inet hashsize 1024 maxelem 65536
add ports 203.0.113.5,tcp:443
add ports 203.0.113.5,udp:53
create services hash:net,port family inet hashsize 1024 maxelem 65536
add services 203.0.113.0/24,tcp:443
add services 203.0.113.128/25,tcp:443 nomatch
create numbers bitmap:port range 0-65535
add numbers 8443
create pairs hash:net,net family inet hashsize 1024 maxelem 65536
add pairs 10.244.0.0/16,203.0.113.0/24
create three hash:ip,port,net family inet hashsize 1024 maxelem 65536
add three 203.0.113.5,tcp:443,10.244.0.0/16
create empty hash:ip family inet hashsize 1024 maxelem 65536
create either list:set size 8
add either hosts
add either nets
"""


@pytest.mark.parametrize(
    ("name", "directions", "asked", "is_in"),
    [
        pytest.param("nets", "dst", "198.51.100.9:443", True, id="network"),
        pytest.param("nets", "dst", "198.51.100.66:443", False, id="nomatch"),
        pytest.param("nets", "dst", "198.51.100.70:443", True, id="the-smallest-decides"),
        pytest.param("nets", "src", "198.51.100.9:443", False, id="other-side"),
        pytest.param("hosts", "dst", "203.0.113.5:443", True, id="address-with-a-time"),
        pytest.param("cut", "dst", "203.0.113.30:443", True, id="netmask"),
        pytest.param("cut", "dst", "203.0.113.32:443", False, id="behind-the-netmask"),
        pytest.param("some", "dst", "203.0.113.40:443", True, id="bitmap"),
        pytest.param("ports", "dst,dst", "203.0.113.5:443", True, id="address-and-port"),
        pytest.param("ports", "dst,dst", "203.0.113.5:53", False, id="the-other-protocol"),
        pytest.param("ports", "dst,dst", "203.0.113.5:53/udp", True, id="udp"),
        pytest.param("ports", "dst", "203.0.113.5:443", False, id="too-few-directions"),
        pytest.param("services", "dst,dst", "203.0.113.9:443", True, id="network-and-port"),
        pytest.param("services", "dst,dst", "203.0.113.200:443", False, id="nomatch-and-port"),
        pytest.param("numbers", "dst", "203.0.113.5:8443", True, id="bitmap-of-ports"),
        pytest.param("numbers", "src", "203.0.113.5:8443", False, id="bitmap-of-source-ports"),
        pytest.param("pairs", "src,dst", "203.0.113.5:443", True, id="two-networks"),
        pytest.param("pairs", "dst,src", "203.0.113.5:443", False, id="two-networks-swapped"),
        pytest.param("three", "dst,dst,src", "203.0.113.5:443", True, id="three"),
        pytest.param("empty", "dst", "203.0.113.5:443", False, id="empty"),
        pytest.param("either", "dst", "203.0.113.5:443", True, id="list"),
        pytest.param("either", "dst", "198.51.100.66:443", False, id="nomatch-in-a-list"),
    ],
)
def test_the_kernel_says_the_same(
    nft: Tools, tmp_path: Path, name: str, directions: str, asked: str, *, is_in: bool
) -> None:
    saved = tmp_path / "sets"
    saved.write_text(SAVED)
    rules = tmp_path / "rules"
    match = f"-m set --match-set {name} {directions}"
    rules.write_text(
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        f"-A FORWARD {match} -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n"
    )
    options = NodeOptions(iptables={"node-1": str(rules)}, ipset={"node-1": str(saved)})
    world = build_world([], node_options=options)
    # Nothing masquerades here, so what is let out is never answered.
    [found] = experiments(world, parse_request(world, "pod/client", asked), nft)
    if any("set type not supported" in note for note in found.trial.notes):
        pytest.skip(f"this kernel has no such type of set: {name}")
    assert found.comparison.agrees, "\n".join(lab_lines(found, packets=False))
    assert not [note for note in found.trial.notes if "match-set" in note]
    assert found.comparison.kernel.result == ("refused" if is_in else "timeout")


RULES = """*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -m set --match-set known src -j ACCEPT
-A FORWARD -m set ! --match-set unknown src -j DROP
COMMIT
"""


def test_only_what_rules_ask_for_is_made() -> None:
    made = parse(
        "create other hash:ip family inet\n"
        "create known hash:net family inet6 hashsize 64 maxelem 9 comment\n"
        'add known 2001:db8::/64 comment "$(touch /tmp/x)"\nadd known 2001:db8::1 nomatch\n'
    )
    ruleset = save.parse(RULES)
    names = sets.asked([ruleset])
    texts, refused = sets.restore_text(names, made)
    assert names == ("known", "unknown")
    assert texts["known"].splitlines() == [
        "create known hash:net family inet6",
        "add known 2001:db8::1 nomatch",
        "add known 2001:db8::/64",
    ]
    assert (list(texts), refused) == (["known"], ())
    rules, left_out = restore_text(ruleset, {}, texts)
    assert "-A FORWARD -m set --match-set known src -j ACCEPT" in rules
    assert left_out == ("-A FORWARD -m set ! --match-set unknown src -j DROP",)


@pytest.mark.parametrize("name", ["-exist", "a;b", "a$b", "a" * 32, "ä"])
def test_a_name_that_is_no_word_is_no_set(name: str) -> None:
    made = parse(f"create {name} hash:ip family inet\nadd {name} 10.0.0.1\n")
    assert sets.restore_text([name], made) == ({}, (name,))


def test_a_list_stands_behind_its_members() -> None:
    made, _ = sets.restore_text(["either"], parse(SAVED))
    assert list(made) == ["nets", "hosts", "either"]
    assert made["either"] == "create either list:set\nadd either hosts\nadd either nets\n"


def test_a_set_that_the_kernel_has_not_got_costs_its_own_rules(nft: Tools, tmp_path: Path) -> None:
    """Also where both are called as a policy engine calls them."""
    (tmp_path / "sets").write_text(
        "create KUBE-DST-A hash:net,port,net family inet\n"
        "add KUBE-DST-A 203.0.113.0/24,tcp:443,203.0.113.0/24\n"
        "create KUBE-DST-B hash:ip family inet\nadd KUBE-DST-B 203.0.113.5\n"
    )
    reject = "-j REJECT --reject-with icmp-port-unreachable"
    (tmp_path / "rules").write_text(
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        f"-A FORWARD -m set --match-set KUBE-DST-A dst,dst,src {reject}\n"
        f"-A FORWARD -m set --match-set KUBE-DST-B dst {reject}\nCOMMIT\n"
    )
    options = NodeOptions(
        iptables={"node-1": str(tmp_path / "rules")}, ipset={"node-1": str(tmp_path / "sets")}
    )
    world = build_world([], node_options=options)
    request = parse_request(world, "pod/client", "203.0.113.5:443")
    [found] = experiments(world, request, nft)
    if not any("set type not supported" in note for note in found.trial.notes):
        pytest.skip("this kernel has every type of set")
    assert found.comparison.kernel.result == "refused"
    (left_out,) = (note for note in found.trial.notes if "--match-set" in note)
    assert "KUBE-DST-A" in left_out


POLICIES = Path(__file__).with_name("policies.yaml")


@pytest.mark.parametrize(
    ("source", "destination", "result"),
    [
        pytest.param("pod/till", "pod/shelf:8080", "connected", id="let-in-by-a-port-s-name"),
        pytest.param("pod/till", "svc/shelf:80", "connected", id="through-the-service"),
        pytest.param("pod/till", "pod/shelf:9100", "refused", id="another-port"),
        pytest.param("pod/guest", "pod/shelf:8080", "refused", id="not-let-out-nor-in"),
        pytest.param("pod/guest", "pod/till:80", "connected", id="let-out"),
        pytest.param("pod/till", "pod/guest:80", "connected", id="nobody-asks-who-comes-in"),
        pytest.param("203.0.113.10", "node/node-2:30080", "connected", id="from-the-block"),
        pytest.param("outside", "node/node-2:30080", "refused", id="from-no-block"),
        pytest.param("node/node-2", "pod/shelf:9100", "connected", id="its-own-node"),
        pytest.param("node/node-1", "pod/shelf:8080", "refused", id="another-node"),
    ],
)
def test_kube_router(nft: Tools, source: str, destination: str, result: str) -> None:
    options = NodeOptions(policy_engine="kube-router")
    world = build_world([str(POLICIES)], node_options=options)
    found = list(experiments(world, parse_request(world, source, destination), nft))
    for one in found:
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
        assert one.trial.notes == ()
    assert found[0].comparison.kernel.result == result
