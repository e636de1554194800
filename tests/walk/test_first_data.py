"""What comes after connect(): the third packet and the first data, where rules tell them apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.kernel.later import matters
from k8stui.kernel.simulate import connect
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world, sample

RULES = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD {policy} [0:0]
:OUTPUT ACCEPT [0:0]
{rules}
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
"""
TIMEOUT, REFUSED, CONNECTED = Result.TIMEOUT, Result.REFUSED, Result.CONNECTED


def asked(tmp_path: Path, *rules: str, policy: str = "ACCEPT", size: int | None = None) -> Outcome:
    file = tmp_path / "node-1.save"
    file.write_text(RULES.format(rules="\n".join(rules), policy=policy))
    options = NodeOptions(iptables={"node-1": str(file)})
    world = build_world([str(sample("guestbook"))], None, options)
    return walk(
        world, parse_request(world, "pod/client", "pod/frontend-1:80", data_bytes=size)
    ).outcome


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("-A FORWARD -p tcp -m tcp --dport 80 --tcp-flags SYN,ACK ACK -j DROP", TIMEOUT),
        ("-A FORWARD -p tcp -m tcp --dport 80 --tcp-flags PSH PSH -j DROP", TIMEOUT),
        ("-A FORWARD -p tcp -m tcp --sport 80 --tcp-flags PSH PSH -j DROP", TIMEOUT),
        ("-A FORWARD -p tcp -m tcp --tcp-flags PSH PSH -j REJECT --reject-with tcp-reset", REFUSED),
        ("-A FORWARD -p tcp -m tcp --tcp-flags PSH PSH -j REJECT", TIMEOUT),
        # The bare ACK is lost; the data brings it along.
        ("-A FORWARD -p tcp -m length --length 0:59 -j DROP", CONNECTED),
        ("-A FORWARD -p tcp -m length --length 61:100 -j DROP", CONNECTED),
        ("-A FORWARD -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j DROP", TIMEOUT),
        ("-A FORWARD -p tcp -m u32 --u32 0=1 -j DROP", Result.UNKNOWN),
        ("-A FORWARD -p tcp -m tcp --dport 81 -j DROP", CONNECTED),
    ],
)
def test_later_packets_count(rule: str, expected: Result, tmp_path: Path) -> None:
    outcome = asked(tmp_path, rule)
    assert outcome.result is expected
    is_later = expected in (TIMEOUT, REFUSED)
    assert outcome.reason.startswith("connected, but") is is_later
    if is_later:
        assert outcome.decided_at == "node-1"
        # Who was told why fails with that at last, and not with ETIMEDOUT (tcp_write_err).
        told = "ECONNREFUSED" if rule.endswith("REJECT") else "ETIMEDOUT"
        assert outcome.errno == ("ECONNRESET" if expected is REFUSED else told)


def test_a_policy_after_new_only(tmp_path: Path) -> None:
    rules = (
        "-A FORWARD -m conntrack --ctstate NEW -j ACCEPT",
        "-A FORWARD -p tcp --sport 80 -j ACCEPT",
    )
    outcome = asked(tmp_path, *rules, policy="DROP")
    assert (outcome.result, outcome.reason[:34]) == (TIMEOUT, "connected, but the first data time")


def test_length_counts_with_the_size_that_is_asked(tmp_path: Path) -> None:
    rule = "-A FORWARD -p tcp -m length --length 1000:1500 -j DROP"
    assert asked(tmp_path, rule).result is CONNECTED
    assert asked(tmp_path, rule, size=500).result is CONNECTED
    assert asked(tmp_path, rule, size=5000).result is TIMEOUT


def test_what_is_written_for_a_usual_cluster_is_not_walked_twice() -> None:
    world = build_world([str(sample("guestbook"))])
    request = parse_request(world, "pod/client", "svc/frontend")
    assert request.connect is not None
    assert not matters(world.network, connect(world.network, request.connect).steps)
