"""Tables of the families `bridge` and `arp`: who meets a chain of theirs is told, nobody else."""

from __future__ import annotations

import json

import pytest
from kernel.nets import CLIENT, PODS, SERVER_1, SERVER_2, ip, standard

from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.nft import read, text
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import RuleCause, StepKind

_TABLE = """table {family} t {{
    chain c {{
        type filter hook {hook} priority filter; policy {policy};
        {rule}
    }}
}}
"""


def ask(
    family: str,
    hook: str,
    rule: str = "counter",
    policy: str = "accept",
    *,
    server: str = SERVER_1,
    **settings: bool,
) -> Exchange:
    """From a pod of node-1, where the chain stands: SERVER_1 is behind the same bridge."""
    said = _TABLE.format(family=family, hook=hook, rule=rule, policy=policy)
    made = standard(**settings).change("node-1", nft=text.parse(said))
    asked = Connect(namespace=CLIENT, destination=ip(PODS[server][0]), port=8080)
    return connect(made.spaces, asked)


def is_told(found: Exchange, family: str, hook: str) -> bool:
    last = found.steps[-1]
    if found.felt.result is not Result.UNKNOWN:
        assert not any(step.kind is StepKind.UNKNOWN for step in found.steps)
        return False
    assert last.kind is StepKind.UNKNOWN
    assert last.text == f"cannot evaluate chain {family} t c: family {family} is not modelled"
    assert isinstance(last.cause, RuleCause)
    assert (last.cause.table, last.cause.chain.name) == (f"{family} t", "c")
    assert (last.namespace, last.hook) == ("node-1", hook.upper())
    return True


@pytest.mark.parametrize("bridge_nf", [True, False])
@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize(
    ("hook", "server", "meets"),
    [
        ("prerouting", SERVER_1, True),
        ("forward", SERVER_1, True),
        ("postrouting", SERVER_1, True),
        ("input", SERVER_1, False),
        ("output", SERVER_1, False),
        ("prerouting", SERVER_2, True),
        ("input", SERVER_2, True),
        ("forward", SERVER_2, False),
        ("output", SERVER_2, True),  # the answer
        ("postrouting", SERVER_2, True),
    ],
)
def test_a_chain_of_a_bridge(
    hook: str, server: str, meets: bool, warm: bool, bridge_nf: bool
) -> None:
    found = ask("bridge", hook, server=server, warm=warm, bridge_nf=bridge_nf)
    assert is_told(found, "bridge", hook) is meets


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("hook", ["input", "output"])
def test_a_chain_of_arp(hook: str, warm: bool) -> None:
    """Only where the node asks, or is asked: of its bridge's ports it passes the frames on."""
    found = ask("arp", hook, server=SERVER_2, warm=warm)
    assert is_told(found, "arp", hook) is not warm
    assert not is_told(ask("arp", hook, warm=warm), "arp", hook)


@pytest.mark.parametrize("family", ["bridge", "arp"])
@pytest.mark.parametrize("hook", ["input", "output"])
def test_what_cannot_decide_is_passed(family: str, hook: str) -> None:
    idle = ask(family, hook, rule="", server=SERVER_2, warm=False)
    assert not is_told(idle, family, hook)
    drops = ask(family, hook, rule="", policy="drop", server=SERVER_2, warm=False)
    assert is_told(drops, family, hook)


def test_a_chain_whose_device_is_not_said() -> None:
    """As ``nft -j`` 1.0.6 prints one of family `netdev`."""
    of = {"family": "netdev", "table": "t"}
    hooked = {"type": "filter", "hook": "ingress", "prio": 0, "policy": "accept"}
    listed = [
        {"table": {"family": "netdev", "name": "t"}},
        {"chain": {**of, "name": "c", **hooked}},
        {"rule": {**of, "chain": "c", "expr": [{"drop": None}]}},
    ]
    ruleset = read.parse(json.dumps({"nftables": listed}))
    made = standard().change("node-1", nft=ruleset)
    asked = Connect(namespace=CLIENT, destination=ip(PODS[SERVER_2][0]), port=8080)
    found = connect(made.spaces, asked)
    assert found.felt.result is Result.UNKNOWN
    assert "at which device it stands is not said" in found.steps[-1].text
