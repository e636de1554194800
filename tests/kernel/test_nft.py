"""nftables: what rules of its own decide about one packet, and how often where chance does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.because import Because
from k8stui.kernel.address import Address
from k8stui.kernel.context import PacketContext
from k8stui.kernel.events import EventQueue
from k8stui.kernel.nft import text
from k8stui.kernel.nft.compatible import own
from k8stui.kernel.nft.compile import statements
from k8stui.kernel.nft.errors import NftError
from k8stui.kernel.nft.listing import listing
from k8stui.kernel.nft.read import parse
from k8stui.kernel.nft.traverse import traverse
from k8stui.kernel.nft_ruleset import NftRuleset, NftTable
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.recent import RecentLists
from k8stui.kernel.step import Fork, Hook, StepKind
from k8stui.kernel.traverse import Traversal
from k8stui.kernel.verdict import Accept, CannotEvaluate, Dnat, Drop, Masquerade, Reject, Snat
from k8stui.origin import Origin, OriginKind

Json = Mapping[str, object]

DADDR = {"payload": {"protocol": "ip", "field": "daddr"}}
SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
L4 = {"meta": {"key": "l4proto"}}
DPORT = {"payload": {"protocol": "th", "field": "dport"}}
MARK = {"meta": {"key": "mark"}}
TRIPLE = ["ipv4_addr", "inet_proto", "inet_service"]
TYPES: Mapping[str, Json] = {"known": {"type": "ipv4_addr"}, "triples": {"type": TRIPLE}}
VMAP: Json = {"type": TRIPLE, "map": "verdict"}


def table(
    chains: Mapping[str, Sequence[Sequence[Json]]],
    sets: Mapping[str, Sequence[object]] | None = None,
    policy: str = "accept",
    family: str = "ip",
) -> NftTable:
    """`chains`: their rules; the first one stands at prerouting."""
    base = next(iter(chains))
    listed: list[Json] = [{"table": {"family": family, "name": "t"}}]
    for name, elements in (sets or {}).items():
        kind, type_ = ("map", VMAP) if name == "services" else ("set", TYPES[name])
        said = {"family": family, "table": "t", "name": name, "elem": elements, **type_}
        listed.append({kind: said})
    for name, rules in chains.items():
        hooked = {"type": "filter", "hook": "prerouting", "prio": 0, "policy": policy}
        more = hooked if name == base else {}
        listed.append({"chain": {"family": family, "table": "t", "name": name, **more}})
        for rule in rules:
            said = {"family": family, "table": "t", "chain": name, "expr": rule}
            listed.append({"rule": said})
    (found,) = parse(json.dumps({"nftables": listed})).tables
    return found


def packet(dport: int = 80, protocol: Protocol = Protocol.TCP, mark: int = 0) -> Packet:
    return Packet(
        src=Address.parse("10.244.1.4"),
        dst=Address.parse("10.96.0.10"),
        protocol=protocol,
        sport=40000,
        dport=dport,
        mark=mark,
    )


def run(made: NftTable, asked: Packet | None = None, **context: object) -> Traversal:
    base = next(made.base_chains, None) or next(iter(made.chains.values()))
    known = PacketContext(hook=Hook.PREROUTING, **context)  # type: ignore[arg-type]
    return traverse(made, base, asked or packet(), known)


def match(left: object, right: object, op: str = "==") -> Json:
    return {"match": {"op": op, "left": left, "right": right}}


def target(name: str) -> Json:
    return {"target": name}


NET = {"prefix": {"addr": "10.96.0.0", "len": 12}}


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (match(DADDR, "10.96.0.10"), True),
        (match(DADDR, "10.96.0.10", "!="), False),
        (match(DADDR, NET), True),
        (match(DADDR, {"set": ["10.0.0.1", NET]}), True),
        (match(DADDR, {"range": ["10.96.0.1", "10.96.0.9"]}), False),
        (match(DADDR, "@known"), True),
        (match(SADDR, "@known"), False),
        (match(L4, "tcp"), True),
        (match(L4, {"set": ["udp", "sctp"]}), False),
        (match(DPORT, {"range": [1, 100]}), True),
        (match(DPORT, 80, ">"), False),
        (match({"payload": {"protocol": "udp", "field": "dport"}}, 80), False),
        (match({"payload": {"protocol": "ip6", "field": "daddr"}}, "::1"), False),
        (match({"concat": [DADDR, L4, DPORT]}, "@triples"), True),
        (match({"concat": [DADDR, L4, DPORT]}, {"concat": [NET, "tcp", 80]}), True),
        (match({"&": [MARK, 0x4000]}, 0, "!="), True),
        (match({"ct": {"key": "state"}}, ["new", "related"], "in"), True),
        (match({"ct": {"key": "state"}}, "established", "in"), False),
        (match({"ct": {"key": "status"}}, "dnat", "in"), True),
        (match({"meta": {"key": "iifname"}}, "veth*"), True),
        (match({"meta": {"key": "iifname"}}, "eth0"), False),
        (match({"meta": {"key": "oifname"}}, "eth0"), False),
        (match({"fib": {"result": "type", "flags": ["daddr"]}}, "unicast"), True),
    ],
)
def test_a_match(rule: Json, matches: bool) -> None:
    sets: dict[str, Sequence[object]] = {
        "known": ["10.96.0.1", "10.96.0.10"],
        "triples": [{"concat": ["10.96.0.10", "tcp", 80]}],
    }
    made = table({"base": [[rule, {"drop": None}]]}, sets)
    found = run(made, packet(mark=0x4001), in_device="veth1", ct_dnat=True)
    assert found.verdict == (Drop() if matches else Accept())


@pytest.mark.parametrize(
    ("rule", "version", "verdict"),
    [
        ("exthdr hbh exists drop", 6, Accept()),
        ("exthdr hbh missing drop", 6, Drop()),
        ("exthdr hbh missing drop", 4, Accept()),
        ("ip option rr missing drop", 6, Accept()),
        ("rt type 0 drop", 6, Accept()),
        ("frag more-fragments 1 drop", 4, Accept()),
        ("ip option rr exists drop", 4, Accept()),
        ("ip option rr missing drop", 4, Drop()),
        ("ip option lsrr type 131 drop", 4, Accept()),
        ("tcp option maxseg exists drop", 4, Drop()),
        ("tcp option maxseg size 1400-1500 drop", 4, Drop()),
        ("reset tcp option maxseg tcp option maxseg exists drop", 4, Accept()),
        ("tcp option md5sig exists drop", 4, Accept()),
        ("tcp option timestamp exists drop", 4, None),
        ("vlan id 5 drop", 4, Accept()),
        ("arp saddr ip 10.244.1.4 drop", 4, Accept()),
        ("ah spi 5 drop", 6, Accept()),
        ("igmp type membership-query drop", 4, Accept()),
        ('dup to 10.0.0.9 device "eth1" drop', 4, Drop()),
        ('fwd to "eth1"', 4, None),
        ("tproxy to :50080 drop", 4, None),
        ("synproxy mss 1460 wscale 7 timestamp sack-perm", 4, None),
        ("socket transparent 1 drop", 4, None),
        ("@nh,96,32 0xa000001 drop", 4, None),
        ("meta priority set 1:2 drop", 4, Drop()),
        ("ct event set new,destroy drop", 4, Drop()),
        ("meter m { ip saddr limit rate 3/minute } drop", 4, Drop()),
        ("meter m { ip6 saddr limit rate 3/minute } drop", 4, Accept()),
        ("add @marks { ip saddr : 0x00000001 } drop", 4, Drop()),
        ("update @marks { ip saddr timeout 5s : ct mark } meta mark set ip saddr map @marks", 4,
         None),
        ("meta mark set ip saddr map @marks drop", 4, Accept()),
    ],
)  # fmt: skip
def test_what_few_rules_ask_or_do(rule: str, version: int, verdict: object) -> None:
    """None: that cannot be told, and the rule's words say at what."""
    written = (
        "table inet t {\nmap marks { type ipv4_addr : mark; flags dynamic; }\nchain base {\n"
        f"type filter hook prerouting priority 0; policy accept;\n{rule}\n}}\n}}\n"
    )
    asked = packet()
    asked = replace(asked, flags=TcpFlags.SYN, mss_bytes=1460)
    if version == 6:
        asked = replace(asked, src=Address.parse("fd00::1"), dst=Address.parse("fd00::2"))
    (made,) = text.parse(written).tables
    assert " ".join(map(str, statements(rule))) == rule
    found = run(made, asked, recent=RecentLists(EventQueue())).verdict
    if verdict is None:
        assert isinstance(found, CannotEvaluate)
        assert rule.partition(" ")[0] in found.what or "@marks" in found.what
    else:
        assert found == verdict


@pytest.mark.parametrize(
    ("chains", "verdict"),
    [
        # what returns goes on behind the jump, what was gone to does not
        ({"base": [[{"jump": target("a")}], [{"drop": None}]], "a": [[{"return": None}]]}, Drop()),
        ({"base": [[{"goto": target("a")}], [{"drop": None}]], "a": []}, Accept()),
        (
            {
                "base": [[{"jump": target("a")}], [{"drop": None}]],
                "a": [[{"goto": target("b")}], [{"accept": None}]],
                "b": [],
            },
            Drop(),
        ),
        ({"base": [[{"counter": {"packets": 1, "bytes": 2}}, {"accept": None}]]}, Accept()),
        ({"base": [[{"reject": None}]]}, Reject("icmp-port-unreachable")),
        ({"base": [[{"reject": {"type": "tcp reset"}}]]}, Reject("tcp-reset")),
        ({"base": [[{"masquerade": {"flags": "fully-random"}}]]}, Masquerade(random_fully=True)),
        (
            {"base": [[{"dnat": {"addr": "10.0.0.1", "port": 8080}}]]},
            Dnat((Address.parse("10.0.0.1"),) * 2, (8080, 8080)),
        ),
        ({"base": [[{"snat": {"addr": "10.0.0.1"}}]]}, Snat((Address.parse("10.0.0.1"),) * 2)),
    ],
)  # fmt: skip
def test_a_verdict(chains: Mapping[str, Sequence[Sequence[Json]]], verdict: object) -> None:
    assert run(table(chains)).verdict == verdict


def test_the_policy_of_the_base_chain() -> None:
    found = run(table({"base": []}, policy="drop"))
    assert found.verdict == Drop()
    assert found.cause is not None
    assert (found.cause.table, found.cause.rule) == ("ip t", None)


def test_a_verdict_map_and_a_mark() -> None:
    key = {"concat": [DADDR, L4, DPORT]}
    ways = [[{"concat": ["10.96.0.10", "tcp", 80]}, {"goto": target("svc")}]]
    marked = {"mangle": {"key": MARK, "value": {"|": [MARK, 0x4000]}}}
    made = table(
        {
            "base": [[{"vmap": {"key": key, "data": "@services"}}], [{"drop": None}]],
            "svc": [[marked], [{"accept": None}]],
        },
        {"services": ways},
    )
    found = run(made, packet(mark=1))
    assert (found.verdict, found.packet.mark) == (Accept(), 0x4001)
    assert [visit.kind for visit in found.visits] == [
        StepKind.JUMP, StepKind.MARK, StepKind.RULE,
    ]  # fmt: skip
    assert run(made, packet(dport=81)).verdict == Drop()
    first = found.visits[0].cause.rule
    assert first is not None
    assert first.text == "ip daddr . meta l4proto . th dport vmap @services"


@given(st.integers(1, 9))
def test_each_number_that_is_drawn_is_as_likely(most: int) -> None:
    ends = [[n, {"concat": [f"10.0.0.{n + 1}", 8000 + n]}] for n in range(most)]
    drawn = {
        "map": {
            "key": {"numgen": {"mode": "random", "mod": most, "offset": 0}},
            "data": {"set": ends},
        }
    }
    made = table({"base": [[{"dnat": {"family": "ip", "addr": drawn}}]]})
    found: dict[object, Fraction] = {}
    for chosen in range(most):
        forks: list[Fork] = []

        def choose(fork: Fork, chosen: int = chosen, forks: list[Fork] = forks) -> int:
            forks.append(fork)
            return chosen

        result = run(made, choose=choose)
        assert len(forks) == (most > 1)
        assert all(sum(way.share for way in fork.ways) == 1 for fork in forks)
        share = forks[0].ways[chosen].share if forks else Fraction(1)
        found[result.verdict] = share
    assert sum(found.values()) == 1
    ports = [verdict.ports for verdict in found if isinstance(verdict, Dnat)]
    assert ports == [(8000 + n, 8000 + n) for n in range(most)]


@pytest.mark.parametrize(
    "statement",
    [
        {"queue": {"num": 1}},
        {"xt": None},
        {"xt": {"type": "match", "name": "statistic"}},
        {"xt": {"type": "target", "name": "DNAT"}},
        match({"socket": {"key": "mark"}}, 1),
        match({"meta": {"key": "skuid"}}, 0),
        match(DADDR, "@absent"),
        {"jump": {"target": "absent"}},
        {"mangle": {"key": {"payload": {"protocol": "ip", "field": "daddr"}}, "value": "10.0.0.1"}},
        match({"meta": {"key": "hour"}}, {"range": ["09:00", "17:00"]}),
    ],
    ids=lambda statement: next(iter(statement)),
)
def test_what_is_not_modelled_is_not_guessed(statement: Json) -> None:
    found = run(table({"base": [[statement, {"drop": None}], [{"accept": None}]]}))
    assert isinstance(found.verdict, CannotEvaluate)


@pytest.mark.parametrize("name", ['"comment"', "comment"])
def test_a_comment_of_iptables_is_met_by_every_packet(name: str) -> None:
    listed = f"table ip filter {{\n\tchain c {{\n\t\txt match {name} drop\n\t}}\n}}\n"
    (made,) = text.parse(listed).tables
    (rule,) = made.chains["c"].chain.rules
    assert rule.text == f"xt match {name} drop"
    assert run(made).verdict == Drop()


_STRANGE = """table ip t {
    set known {
        type ipv4_addr
        elements = { 10.96.0.10, strange%eth0, 10.96.0.12 }
    }
    set all {
        type ipv4_addr
        elements = { *, strange%eth0 }
    }
    set put {
        type inet_service
        flags dynamic
        elements = { strange }
    }
    map ways {
        type inet_service : verdict
        elements = { 80 : drop, strange : accept, * : accept }
    }
    map wide {
        type inet_proto . inet_service : verdict
        flags interval
        elements = { tcp . 80-90 : drop, tcp . strange : accept }
    }
    chain base {
        type filter hook prerouting priority 0; policy accept;
        RULE
    }
}
"""


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("ip daddr @known drop", Drop()),
        ("ip daddr != @known drop", Accept()),
        ("ip saddr @known drop", None),
        ("ip saddr @all drop", Drop()),
        ("tcp dport vmap @ways", Drop()),
        ("tcp sport vmap @ways", None),
        ("meta l4proto . th dport vmap @wide", None),
        ("add @put { tcp dport } tcp dport @put drop", Drop()),
        ("add @put { tcp dport } tcp sport @put drop", None),
    ],
)
def test_an_element_that_is_not_understood_costs_only_itself(rule: str, verdict: object) -> None:
    (made,) = parse(_STRANGE.replace("RULE", rule)).tables
    found = run(made, recent=RecentLists(EventQueue())).verdict
    if verdict is None:
        assert isinstance(found, CannotEvaluate)
        assert "strange" in found.what
    else:
        assert found == verdict


def test_what_a_packet_does_not_meet_need_not_be_understood() -> None:
    rule = [match(DPORT, 81), {"queue": {"num": 1}}]
    assert run(table({"base": [rule]})).verdict == Accept()


def test_tables_of_iptables_are_left_out_and_inet_is_of_both_families() -> None:
    listed: list[Json] = []
    for family, name, chain in (
        ("ip", "nat", "INPUT"),
        ("ip", "filter", "input"),
        ("ip6", "own", "INPUT"),
        ("inet", "nat", "INPUT"),
        ("bridge", "b", "INPUT"),
    ):
        listed.append({"table": {"family": family, "name": name}})
        hooked = {"hook": "input", "type": "filter", "prio": 3, "policy": "drop"}
        listed.append({"chain": {"family": family, "table": name, "name": chain, **hooked}})
    whole = parse(json.dumps({"nftables": listed}))
    found = own(whole)
    assert [one.name for one, _ in found.base_chains(4)] == ["filter", "nat"]
    assert [one.name for one, _ in found.base_chains(6)] == ["own", "nat"]
    assert [one.name for one, _ in whole.base_chains(4)] == ["nat", "filter", "nat"]


@pytest.mark.parametrize(
    "text",
    ["{}", "[]", '{"nftables": 1}', '{"nftables": [{"chain": {}}]}', '{"nftables": []',
     '{"nftables": []} {"nftables": []}'],
)  # fmt: skip
def test_no_ruleset(text: str) -> None:
    with pytest.raises(NftError, match="not what nft -j list ruleset prints"):
        parse(text)


INLINE = """table ip t {
	chain c {
		type filter hook prerouting priority filter; policy accept;
		tcp dport 80 jump {
			ip saddr 10.0.0.0/8 jump {
				ip daddr { 10.0.0.1, 10.96.0.10 } return
				drop
			} comment "twice"
		}
		goto {
			reject
		}
	}
}
"""


def test_a_chain_without_a_name_is_where_it_is_jumped_to() -> None:
    """As the kernel has it: bound to the rule, and called by a number."""
    (made,) = text.parse(INLINE).tables
    assert listing(NftRuleset((made,))) == INLINE
    assert {name: len(one.chain.rules) for name, one in made.chains.items()} == {
        "__chain1": 1, "__chain2": 2, "__chain3": 1, "c": 2,
    }  # fmt: skip
    assert isinstance(run(made).verdict, Reject)
    as_json = [
        {"table": {"family": "ip", "name": "t"}},
        {"chain": {"family": "ip", "table": "t", "name": "c"}},
        *(
            {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [said]}}
            for said in ("jump {\n\t\t\taccept\n\t\t}", "goto {\n\t\t\tdrop\n\t\t}")
        ),
    ]
    (told,) = parse(json.dumps({"nftables": as_json})).tables
    assert [one.chain.rules[0].text for one in told.chains.values()] == [
        "jump __chain1", "accept", "drop",
    ]  # fmt: skip


def test_a_map_leads_to_the_counter_of_some() -> None:
    said = 'counter name ip saddr map { KNOWN : "seen" } drop'
    for address, verdict in ((str(packet().src), Drop), ("192.0.2.99", Accept)):
        rule = said.replace("KNOWN", address)
        (made,) = text.parse(
            "table ip t {\nchain c {\ntype filter hook prerouting priority 0; policy accept;\n"
            f"{rule}\n}}\n}}\n"
        ).tables
        assert " ".join(map(str, statements(rule))) == rule
        assert isinstance(run(made).verdict, verdict)


def test_json_tells_where_and_which_sets_rules_fill() -> None:
    """Older versions do not say there that a set is dynamic."""
    held = {"family": "ip", "table": "t", "name": "seen", "type": "ipv4_addr"}
    update: Json = {"set": {"op": "update", "elem": SADDR, "set": "@seen"}}
    rules = [[match(SADDR, "@seen"), {"drop": None}], [update]]
    said: list[Json] = [
        {"table": {"family": "ip", "name": "t"}},
        {"set": {**held, "flags": ["timeout"], "elem": ["192.0.2.1"]}},
        {"chain": {"family": "ip", "table": "t", "name": "c", "hook": "input", "prio": 0}},
        *({"rule": {"family": "ip", "table": "t", "chain": "c", "expr": one}} for one in rules),
    ]
    lines = ",\n".join(map(json.dumps, said))
    places: dict[str, int] = {}

    def why(text: str, line: int, _: str) -> Because:
        places[text] = line
        return Because(text="it stands there", origin=Origin(kind=OriginKind.OBSERVED))

    (made,) = parse(f'{{"nftables": [\n{lines}\n]}}', why).tables
    assert made.sets["seen"].flags == ("dynamic", "timeout")
    assert places == {
        "set seen": 3, "192.0.2.1": 3, "ip saddr @seen drop": 5, "update @seen { ip saddr }": 6,
    }  # fmt: skip
    recent = RecentLists(EventQueue())
    verdicts = [type(run(made, recent=recent).verdict) for _ in range(2)]
    assert verdicts == [Accept, Drop]
    with pytest.raises(NftError) as caught:
        parse(f'{{"nftables": [\n{lines},\n{{"rule": {{}}}}]}}')
    assert caught.value.line == 7


@pytest.mark.parametrize("field", ["ip dscp set ef", "ip ttl set 9", "ip6 hoplimit set 9"])
def test_a_field_of_the_other_family_is_not_set(field: str) -> None:
    (made,) = text.parse(
        "table inet t {\nchain c {\ntype filter hook prerouting priority 0; policy accept;\n"
        f"{field} drop\n}}\n}}\n"
    ).tables
    asked = replace(packet(), src=Address.parse("fd00::1"), dst=Address.parse("fd00::2"))
    verdicts = [type(run(made, one).verdict) for one in (packet(), asked)]
    assert verdicts == ([Accept, Drop] if field.startswith("ip6") else [Drop, Accept])
