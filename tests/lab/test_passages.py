"""Rules met: a kernel that traces what the walk says, and kernels that do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab.test_compare import as_walked, frame

from k8stui.kernel.exchange import Exchange
from k8stui.kernel.header import changed
from k8stui.kernel.rules import BUILTIN_CHAINS, Rule
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import RuleCause, Step
from k8stui.lab.comparing.compare import compare
from k8stui.lab.inside.netlink import attribute, attributes, name, number
from k8stui.lab.plan import Met, Passed
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

Lists = dict[str, list[Passed]]


@pytest.fixture(scope="module")
def exchange(guestbook: World) -> Exchange:
    request = parse_request(guestbook, "outside", "node/node-1:30080").connect
    assert request is not None
    return connect(guestbook.network, request)


def told(exchange: Exchange) -> Lists:
    """What a kernel traces that agrees."""
    found: Lists = {}
    last = None
    for step in exchange.steps:
        cause = step.cause
        if not isinstance(cause, RuleCause):
            last = None
            continue
        here = (step.packet_number, step.namespace, step.hook, cause.table)
        if here != last:
            chain = step.hook.value if step.hook else ""
            passed = Passed(
                space=step.namespace, table=cause.table, chain=chain, device=step.device or "",
                mark=step.after.mark, header=frame(step.before), met=[],
            )  # fmt: skip
            found.setdefault(step.namespace, []).append(passed)
        last = here
        text = cause.rule.text if cause.rule else ""
        met = Met(chain=cause.chain.name, number=cause.index, text=text)
        found[step.namespace][-1]["met"].append(met)
    return found


def test_the_same_agrees(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    seen["passed"] = told(exchange)
    found = compare(exchange, seen)
    assert found.agrees
    assert found.rules_equal == sum(isinstance(step.cause, RuleCause) for step in exchange.steps)


def test_a_packet_that_comes_again_counts_once(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    seen["passed"] = {space: [*many, *many] for space, many in told(exchange).items()}
    assert compare(exchange, seen).agrees


def test_a_packet_that_is_sent_again_may_meet_other_rules(exchange: Exchange) -> None:
    """A SYN a second later: conntrack has seen the answer, so it is NEW no more."""
    seen = as_walked(exchange)
    seen["passed"] = {space: [*many] for space, many in told(exchange).items()}
    first = seen["passed"]["node-1"][0]
    time_ns = first["header"].time_ns
    header = replace(first["header"], time_ns=time_ns + 1_000_000_000)
    again: Passed = {**first, "header": header, "met": first["met"][1:]}
    seen["passed"]["node-1"].append(again)
    assert compare(exchange, seen).agrees
    again["header"] = replace(header, time_ns=time_ns + 1_000_000)
    assert not compare(exchange, seen).agrees


def test_a_chain_in_which_nothing_matched_is_nobodys_claim(exchange: Exchange) -> None:
    seen = as_walked(exchange)
    passed = told(exchange)
    idle: Passed = passed["node-1"][0] | {"table": "mangle", "met": []}
    seen["passed"] = {"node-1": [idle, *passed["node-1"]]}
    assert compare(exchange, seen).agrees


def test_where_no_rules_are_told_none_are_missing(exchange: Exchange) -> None:
    found = compare(exchange, as_walked(exchange))
    assert found.agrees
    assert found.rules_equal == 0


def _other_number(many: list[Passed]) -> None:
    many[0]["met"][2]["number"] += 1


def _other_chain(many: list[Passed]) -> None:
    many[0]["met"][2]["chain"] = "KUBE-SVC-OTHER"


def _one_less(many: list[Passed]) -> None:
    del many[0]["met"][2:]


def _one_more(many: list[Passed]) -> None:
    many[0]["met"].append(Met(chain="X", number=1, text="-A X"))


def _other_mark(many: list[Passed]) -> None:
    many[1]["mark"] ^= 1


def _other_device(many: list[Passed]) -> None:
    many[1]["device"] = "eth9"


def _other_header(many: list[Passed]) -> None:
    many[1]["header"] = replace(many[1]["header"], dport=81)


def _dropped(many: list[Passed]) -> None:
    many.append(many[1] | {"chain": "INPUT", "met": [Met(chain="INPUT", number=0, text="")]})


def _gone(many: list[Passed]) -> None:
    del many[1]


@pytest.mark.parametrize(
    "change",
    [_other_number, _other_chain, _one_less, _one_more, _other_mark, _other_device, _other_header,
     _dropped, _gone],
)  # fmt: skip
def test_each_part_counts(exchange: Exchange, change: Callable[[list[Passed]], None]) -> None:
    seen = as_walked(exchange)
    seen["passed"] = told(exchange)
    change(seen["passed"]["node-1"])
    found = compare(exchange, seen)
    assert not found.agrees
    first = found.rules[0]
    assert first.namespace == "node-1"
    assert first.chain in BUILTIN_CHAINS[first.table]
    assert first.walk != first.kernel


def test_a_syn_sent_again_with_another_mark(exchange: Exchange) -> None:
    """What it met in nat it does not meet again."""
    seen = as_walked(exchange)
    seen["passed"] = told(exchange)
    again = seen["passed"]["node-1"][1]
    header = replace(again["header"], time_ns=again["header"].time_ns + 1_000_000_000)
    seen["passed"]["node-1"].append(again | {"mark": 0x99, "header": header})
    assert compare(exchange, seen).agrees
    seen["passed"]["node-1"].append(again | {"mark": 0x98})
    assert not compare(exchange, seen).agrees


def test_a_late_packet_of_a_connection_before_in_a_tunnel(exchange: Exchange) -> None:
    """What is traced of it is the outer packet; what is in there tells its frame."""
    seen = as_walked(exchange)
    seen["passed"] = told(exchange)
    first = seen["passed"]["node-1"][0]
    outer = replace(
        first["header"], src="192.168.0.12", dst="192.168.0.11", protocol=17, sport=42981,
        dport=8472, flags=0,
    )  # fmt: skip
    seen["passed"]["node-1"].append(first | {"header": outer})
    assert not compare(exchange, seen, former_ports=(39998,)).agrees
    inside = replace(first["header"], sport=39998)
    seen["frames"].append(replace(outer, namespace="node-1", device="eth0", vni=1, inner=inside))
    assert compare(exchange, seen, former_ports=(39998,)).agrees
    assert not compare(exchange, seen).agrees


@pytest.mark.parametrize(
    ("rule", "agrees"),
    [
        ("-A X -m limit --limit 10/min -j NFLOG --nflog-group 100", True),
        ("-A X -m limit --limit 10/min -j DROP", False),
        ("-A X -j NFLOG --nflog-group 100", False),
    ],
)
def test_a_log_of_limited_rate_may_be_silent(exchange: Exchange, rule: str, agrees: bool) -> None:
    steps = list(exchange.steps)
    place = next(n for n, one in enumerate(steps) if isinstance(one.cause, RuleCause))
    cause = steps[place].cause
    assert isinstance(cause, RuleCause)
    seen = as_walked(exchange)
    seen["passed"] = told(exchange)
    other = replace(cause, index=cause.index + 1, rule=Rule(rule))
    steps.insert(place + 1, replace(steps[place], cause=other))
    logging = replace(exchange, steps=tuple(steps))
    assert compare(logging, seen).agrees is agrees
    # Or it logs the packet, and not when it comes again.
    loud = told(logging)
    seen["passed"] = {name: [*loud[name], *silent] for name, silent in told(exchange).items()}
    assert compare(logging, seen).agrees is agrees


@given(st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=40), max_size=6))
def test_attributes_are_read_as_they_are_written(values: dict[int, bytes]) -> None:
    data = b"".join(attribute(kind, value) for kind, value in values.items())
    assert attributes(data) == values


@given(st.integers(-(2**31), 2**31 - 1))
def test_numbers_and_names(value: int) -> None:
    assert number(attributes(attribute(3, value))[3]) == value
    assert name(attributes(attribute(4, "KUBE-SEP"))[4]) == "KUBE-SEP"
    nested = attributes(attribute(5, [attribute(1, value), attribute(2, "x")]))[5]
    assert number(attributes(nested)[1]) == value


@given(st.binary(max_size=60))
def test_what_is_cut_short_ends(data: bytes) -> None:
    attributes(data)


def test_a_mark_is_told_as_the_first_rule_leaves_it() -> None:
    """AWS' VPC CNI restores a connection's mark by the first rule that a packet meets."""
    world = build_world([], node_options=NodeOptions(cni="amazon-vpc-cni"))
    request = parse_request(world, "outside", "node/node-1:30080").connect
    assert request is not None
    walked = connect(world.network, request)
    marks = [step for step in walked.steps if "--restore-mark" in step.text]
    assert any(step.before.mark != step.after.mark for step in marks)
    seen = as_walked(walked)
    seen["passed"] = told(walked)
    found = compare(walked, seen)
    assert found.rules == ()
    assert found.rules_equal > 0


def _unmarked(step: Step) -> Step:
    before, after = (changed(one, mark=0) for one in (step.before, step.after))
    return replace(step, before=before, after=after)


def test_a_packet_sent_again_with_another_mark_is_told(exchange: Exchange) -> None:
    """It meets no nat table, which marks; both sides have it, half a second later and more."""
    seen = as_walked(exchange)
    seen["passed"] = told(exchange)
    again = {
        space: [
            {**one, "mark": 0, "header": replace(one["header"], time_ns=10**9)}
            for one in passages
            if one["mark"]
        ]
        for space, passages in seen["passed"].items()
    }
    assert any(again.values())
    bare = replace(exchange, steps=(*exchange.steps, *map(_unmarked, exchange.steps)))
    for space, passages in again.items():
        seen["passed"][space] = [*seen["passed"][space], *passages]  # type: ignore[list-item]
    assert compare(bare, seen).rules == ()
    seen["passed"] = told(exchange)
    assert compare(bare, seen).rules != ()
