"""The hooks: whoever registers is called in the order of the priorities, and nothing else decides.

include/uapi/linux/netfilter_ipv4.h; net/netfilter/core.c nf_hook_entries_grow, nf_hook_slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.nets import CLIENT, ip, network

from k8stui.kernel import netfilter, save
from k8stui.kernel.address import Prefix
from k8stui.kernel.exchange import Connect, Result
from k8stui.kernel.hooks import Blocked, HookState, Registration, Registry
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.namespace import NetNamespace, PolicyRule, Route, RouteType
from k8stui.kernel.rules import Ruleset
from k8stui.kernel.simulate import connect
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Hook


def tables(**rules: str) -> Ruleset:
    """One chain line for each chain that a rule is added to."""
    text = ""
    for table, added in rules.items():
        names = dict.fromkeys(line.split()[1] for line in added.splitlines())
        chains = "".join(f":{name} ACCEPT [0:0]\n" for name in names)
        text += f"*{table}\n{chains}{added}\nCOMMIT\n"
    return save.parse(text)


ALL = tables(
    **{
        table: "\n".join(f"-A {chain} -m conntrack --ctstate INVALID -j ACCEPT" for chain in chains)
        for table, chains in (
            ("filter", ("INPUT", "FORWARD", "OUTPUT")),
            ("nat", ("PREROUTING", "OUTPUT")),
            ("mangle", ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")),
            ("raw", ("PREROUTING", "OUTPUT")),
        )
    }
)
"""Tables in no useful order, as a dump may have them."""


@given(st.lists(st.tuples(st.sampled_from([4, 6]), st.sampled_from(Hook), st.integers(-400, 400))))
def test_the_order_is_that_of_the_priorities_and_then_of_registering(
    registered: list[tuple[int, Hook, int]],
) -> None:
    registry = Registry(
        Registration(family, hook, priority, number)
        for number, (family, hook, priority) in enumerate(registered)
    )
    for family in (4, 6):
        for hook in Hook:
            mine = [(one[2], n) for n, one in enumerate(registered) if one[:2] == (family, hook)]
            found = [(one.priority, one.function) for one in registry.at(family, hook)]
            assert found == sorted(mine)


@pytest.mark.parametrize(
    ("hook", "priorities"),
    [
        (Hook.PREROUTING, [-300, -200, -150, -100]),
        (Hook.INPUT, [-150, 0, 100, 2**31 - 1]),
        (Hook.FORWARD, [-150, 0]),
        (Hook.OUTPUT, [-300, -200, -150, -100, 0]),
        (Hook.POSTROUTING, [-150, 100, 2**31 - 1]),
    ],
)
def test_tables_and_tracking_stand_where_the_kernel_has_them(
    hook: Hook, priorities: list[int]
) -> None:
    registry = Registry(netfilter.registrations(4, NetNamespace(name="a", rulesets={4: ALL})))
    assert [one.priority for one in registry.at(4, hook)] == priorities
    assert registry.at(6, hook) == ()


def test_another_engine_is_an_addition(monkeypatch: pytest.MonkeyPatch) -> None:
    """A base chain of priority −50 sees what mangle and nat left, and filter never sees it."""
    net = network()
    usual = netfilter.registrations
    seen: list[tuple[int, str]] = []

    def chain(host: Host, skb: Skb, where: HookState) -> Blocked | None:
        assert where.hook is Hook.OUTPUT
        seen.append((skb.packet.mark, str(skb.packet.dst)))
        host.simulation.journal.loss(host.name, skb, "dropped by another engine")
        return Blocked()

    def both(family: int, namespace: NetNamespace) -> Iterator[Registration[HookFunction]]:
        yield Registration(family, Hook.OUTPUT, -50, chain)
        yield from usual(family, namespace)

    rules = tables(
        mangle="-A OUTPUT -j MARK --set-mark 0x7",
        nat="-A OUTPUT -d 10.9.9.9/32 -j DNAT --to-destination 10.244.1.3",
        filter="-A OUTPUT -j REJECT",
    )
    client = replace(net[CLIENT], rulesets={4: rules})
    monkeypatch.setattr("k8stui.kernel.simulate.netfilter.registrations", both)
    made = connect(
        {**net, CLIENT: client}, Connect(namespace=CLIENT, destination=ip("10.9.9.9"), port=80)
    )
    assert seen == [(7, "10.244.1.3")]
    assert made.steps[made.felt.deciding_step or 0].text == "dropped by another engine"


@pytest.mark.parametrize(("table", "result"), [("mangle", True), ("raw", False), ("filter", False)])
def test_only_mangle_and_nat_route_again(table: str, result: bool) -> None:
    """A mark of another table comes too late for the route (iptable_mangle.c ipt_mangle_out)."""
    net = network()
    client = net[CLIENT]
    hole = Route(destination=Prefix.parse("0.0.0.0/0"), type=RouteType.BLACKHOLE, table="9")
    marked = replace(
        client,
        rulesets={4: tables(**{table: "-A OUTPUT -j MARK --set-mark 0x1"})},
        routes=(*client.routes, hole),
        policy_rules=(*client.policy_rules, PolicyRule(priority=5, mark=1, table="9")),
    )
    made = connect(
        {**net, CLIENT: marked}, Connect(namespace=CLIENT, destination=ip("10.244.1.3"), port=8080)
    )
    assert (made.felt.result is not Result.CONNECTED) is result
