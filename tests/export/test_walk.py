"""Text and JSON of a walk made by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest

from k8stui.export.charset import can_draw
from k8stui.export.json import walk_json
from k8stui.export.plain import to_ascii, wrap
from k8stui.export.text import seconds_words, walk_lines, walk_text
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Connect, Result
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.rules import Chain, Rule
from k8stui.kernel.step import Direction, Hook, RuleCause, StepKind
from k8stui.origin import Origin, OriginKind
from k8stui.walk.trace import Hop, Outcome, Request, Trace, TraceStep

NODE = Address.parse("192.168.0.11")
POD = Address.parse("10.244.2.2")
SYN = Packet(
    src=Address.parse("203.0.113.10"),
    dst=NODE,
    protocol=Protocol.TCP,
    sport=40000,
    dport=30080,
    ttl=63,
    smac="02:00:c0:a8:00:01",
    dmac="02:00:c0:a8:00:0b",
    flags=TcpFlags.SYN,
)


@dataclass(frozen=True)
class Spot:
    file: str = "frontend.yaml"
    line: int = 24
    column: int = 3
    field: str = "spec.ports[0]"


ORIGIN = Origin(kind=OriginKind.DECLARED, place=Spot())
TEXT = "-A KUBE-SEP-X -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:80"
CAUSE = RuleCause(
    table="nat", chain=Chain("KUBE-SEP-X", (Rule(TEXT),)), index=2, rule=Rule(TEXT), skipped=1
)


def step(number: int, kind: StepKind, text: str, **more: Any) -> TraceStep:
    values: dict[str, Any] = {
        "device": None,
        "hook": None,
        "cause": None,
        "origin": None,
        "before": SYN,
        "after": SYN,
        **more,
    }
    return TraceStep(number=number, kind=kind, text=text, **values)


TRACE = Trace(
    request=Request(
        source="outside",
        destination="node/node-1:30080",
        protocol=Protocol.TCP,
        connect=Connect(namespace="outside", destination=NODE, port=30080),
        service="default/frontend",
    ),
    hops=(
        Hop(
            direction=Direction.FORWARD,
            namespace="outside",
            steps=(
                step(1, StepKind.ROUTE, "default via 203.0.113.1 dev eth0",
                     before=replace(SYN, ttl=64)),
            ),
        ),
        Hop(
            direction=Direction.FORWARD,
            namespace="node-1",
            steps=(
                step(2, StepKind.DNAT, "192.168.0.11:30080 ⇒ 10.244.2.2:80", cause=CAUSE,
                     hook=Hook.PREROUTING, device="eth0", origin=ORIGIN, detail=TEXT,
                     after=replace(SYN, dst=POD, dport=80)),
            ),
        ),
        Hop(
            direction=Direction.FORWARD,
            namespace="default/frontend-2",
            steps=(step(3, StepKind.DELIVER, "10.244.2.2:80, source seen: 192.168.0.11"),),
        ),
        Hop(
            direction=Direction.REPLY,
            namespace="node-1",
            steps=(step(4, StepKind.CONNTRACK, "known connection"),),
        ),
    ),
    outcome=Outcome(
        result=Result.CONNECTED,
        errno=None,
        seconds=0.0,
        decided_at="default/frontend-2",
        reason="The pod sees node-1 (192.168.0.11), not the client",
        server_pod="default/frontend-2",
        server_address=POD,
        server_port=80,
        source_seen_by_server=NODE,
        origin=ORIGIN,
        step=3,
    ),
    probability=Fraction(1, 3),
    branch=2,
)  # fmt: skip
REFUSED = replace(
    TRACE,
    hops=TRACE.hops[:1],
    outcome=replace(
        TRACE.outcome,
        result=Result.REFUSED,
        errno="ECONNREFUSED",
        decided_at="node-1",
        reason="Service default/frontend has no endpoints",
        server_pod=None,
        server_address=None,
        server_port=None,
        source_seen_by_server=None,
        origin=None,
        advice="mend the selector",
    ),
)


def test_text() -> None:
    assert (
        walk_text([TRACE])
        == """\
outside 203.0.113.10:40000 ─▶ node-1:30080   Service default/frontend   TCP
branch 2, p = 1/3: endpoint frontend-2 (10.244.2.2:80) on node-1

 outside
   1 route      default via 203.0.113.1 dev eth0
 node-1                                                     ttl 63
   2 dnat       192.168.0.11:30080 ⇒ 10.244.2.2:80
 pod default/frontend-2                                     ttl 63
   3 deliver    10.244.2.2:80, source seen: 192.168.0.11
 reply
 node-1
   4 conntrack  known connection

connected. The pod sees node-1 (192.168.0.11), not the client.
"""
    )


def test_verbose_adds_rule_and_origin() -> None:
    lines = [line.text for line in walk_lines(TRACE, branches=3, verbose=True)]
    assert "branch 2 of 3, p = 1/3: endpoint frontend-2 (10.244.2.2:80) on node-1" in lines
    at = lines.index("   2 dnat       192.168.0.11:30080 ⇒ 10.244.2.2:80")
    assert " ".join(lines[at + 1 : at + 3]).split() == TEXT.split()
    assert lines[at + 3].strip() == "declared frontend.yaml:24 spec.ports[0]"


def test_failure_says_who_why_and_what_would_mend_it() -> None:
    text = walk_text([REFUSED])
    assert "refused (ECONNREFUSED) after less than 1 ms, decided at node-1: Service" in text
    assert "what would mend it: mend the selector." in text


def test_every_line_fits_80_columns() -> None:
    for trace in (TRACE, REFUSED):
        assert all(len(line.text) <= 80 for line in walk_lines(trace, verbose=True))


def test_no_string_can_steer_a_terminal() -> None:
    evil = "a\x1b[2Jb\u202ec\nd"
    hop = replace(TRACE.hops[0], namespace=evil, steps=(step(1, StepKind.DROP, evil, detail=evil),))
    bad = replace(
        TRACE,
        request=replace(TRACE.request, source=evil, destination=evil, service=evil),
        hops=(hop,),
        outcome=replace(TRACE.outcome, reason=evil, advice=evil, decided_at=evil),
    )
    for line in walk_lines(bad, verbose=True):
        assert line.text.isprintable() or line.text == ""
    raw = walk_json(bad.request, [bad])
    assert raw.isascii()
    assert "\x1b" not in raw


PACKET_KEYS = {"src", "sport", "dst", "dport", "protocol", "mark", "ttl", "smac", "dmac"}


def test_json_has_every_key_of_the_contract() -> None:
    document = json.loads(walk_json(TRACE.request, [TRACE, REFUSED]))
    assert set(document) == {"version", "request", "branches"}
    assert document["version"] == 1
    assert document["request"] == {
        "source": "outside",
        "destination": "node/node-1:30080",
        "protocol": "TCP",
        "service": "default/frontend",
    }
    first, second = document["branches"]
    assert {"probability", "outcome", "hops"} <= set(first)
    assert first["probability"] == "1/3"
    outcome = first["outcome"]
    assert {"result", "decided_at", "reason", "server", "source_seen_by_server"} <= set(outcome)
    assert outcome["result"] == "connected"
    assert outcome["decided_at"] == "frontend-2"
    assert outcome["server"] == {"pod": "default/frontend-2", "address": "10.244.2.2", "port": 80}
    assert outcome["source_seen_by_server"] == "192.168.0.11"
    assert second["outcome"]["server"] is None
    assert second["outcome"]["source_seen_by_server"] is None
    for branch in document["branches"]:
        for hop in branch["hops"]:
            assert set(hop) == {"direction", "namespace", "steps"}
            for each in hop["steps"]:
                assert {
                    "kind", "hook", "device", "cause", "origin", "before", "after",
                } <= set(each)  # fmt: skip
                assert set(each["before"]) >= PACKET_KEYS
                assert set(each["after"]) >= PACKET_KEYS
    nat = first["hops"][1]["steps"][0]
    assert nat["kind"] == "dnat"
    assert (nat["hook"], nat["device"]) == ("PREROUTING", "eth0")
    assert nat["cause"] == {
        "table": "nat", "chain": "KUBE-SEP-X", "index": 2, "text": TEXT, "skipped": 1,
    }  # fmt: skip
    assert nat["origin"] == {
        "kind": "declared", "file": "frontend.yaml", "line": 24, "field": "spec.ports[0]",
        "reason": "",
    }  # fmt: skip
    assert (nat["before"]["dst"], nat["after"]["dst"]) == ("192.168.0.11", "10.244.2.2")
    assert nat["before"]["flags"] == ["SYN"]


def test_json_of_an_icmp_error_quotes_the_packet() -> None:
    error = Packet(src=NODE, dst=SYN.src, protocol=Protocol.ICMP, icmp_type=3, icmp_code=3,
                   inner=SYN)  # fmt: skip
    hop = replace(TRACE.hops[0], steps=(step(1, StepKind.REJECT, "rejected", before=error),))
    document = json.loads(walk_json(TRACE.request, [replace(TRACE, hops=(hop,))]))
    before = document["branches"][0]["hops"][0]["steps"][0]["before"]
    assert before["icmp"] == {"type": 3, "code": 3}
    assert before["inner"]["dport"] == 30080


@pytest.mark.parametrize(
    ("text", "ascii_text"),
    [("a → b", "a -> b"), ("─▶", "->"), ("x ⇒ y", "x => y"), ("é", "\\xe9"), ("●○", "*o")],
)
def test_ascii(text: str, ascii_text: str) -> None:
    assert to_ascii(text).replace("-->", "->").replace(">>", ">") == ascii_text.replace("-->", "->")


@pytest.mark.parametrize(
    ("encoding", "able"), [("utf-8", True), ("ascii", False), ("latin-1", False), (None, False)]
)
def test_can_draw(encoding: str | None, able: bool) -> None:
    assert can_draw(encoding) is able


def test_wrap_breaks_at_blanks_only() -> None:
    assert list(wrap("aa bb cc", "1 ", "  ", 7)) == ["1 aa bb", "  cc"]
    assert list(wrap("a" * 20, "1 ", "  ", 7)) == ["1 " + "a" * 20]
    assert list(wrap("", "1 ", "  ", 7)) == ["1"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "less than 1 ms"), (3.06, "3.06 s"), (134, "134 s")]
)
def test_seconds(seconds: float, words: str) -> None:
    assert seconds_words(seconds) == words
