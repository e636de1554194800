"""Kernel steps, made by hand, to the sentences and hops of a walk."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from k8stui.because import Because
from k8stui.kernel import step as kernel
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.exchange import Connect, Exchange, Felt, Result
from k8stui.kernel.namespace import FdbEntry, Interface, LinkKind, Neighbour, Route, Socket
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.rules import Chain, Rule
from k8stui.kernel.step import Direction, Fork, Hook, RuleCause, StepKind, Way
from k8stui.origin import assumed
from k8stui.walk.explain import explain
from k8stui.walk.sentence import sentence
from k8stui.walk.trace import Request

CLIENT, NODE, POD = (Address.parse(a) for a in ("203.0.113.10", "192.168.0.11", "10.244.2.2"))
SYN = Packet(
    src=CLIENT, dst=NODE, protocol=Protocol.TCP, sport=40000, dport=30080, flags=TcpFlags.SYN
)
REQUEST = Request(
    source="outside",
    destination="node/node-1:30080",
    protocol=Protocol.TCP,
    connect=Connect(namespace="outside", destination=NODE, port=30080),
    service="default/frontend",
)
WHY = assumed("a test says so")


def rule(
    table: str, chain: str, index: int, text: str, because: str = "", **more: Any
) -> RuleCause:
    reason = Because(text=because, origin=WHY) if because else None
    made = Rule(text, reason)
    return RuleCause(table=table, chain=Chain(chain, (made,)), index=index, rule=made, **more)


def step(
    kind: StepKind,
    cause: kernel.Cause | None = None,
    *,
    namespace: str = "node-1",
    before: Packet = SYN,
    after: Packet | None = None,
    direction: Direction = Direction.FORWARD,
    number: int = 1,
    text: str = "as the kernel says",
    **more: Any,
) -> kernel.Step:
    return kernel.Step(
        kind=kind,
        namespace=namespace,
        direction=direction,
        packet_number=number,
        cause=cause,
        before=before,
        after=after or before,
        text=text,
        **more,
    )


MARKED = replace(SYN, mark=0x4000)
# fmt: off
JUMP = rule(
    "nat", "PREROUTING", 1,
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
)
TO_NODEPORTS = rule(
    "nat", "KUBE-SERVICES", 9,
    "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS",
    "addressed to this node",
)
ENDPOINT = rule(
    "nat", "KUBE-SVC-ENODL3HWJ5BZY56Q", 3,
    "-A KUBE-SVC-ENODL3HWJ5BZY56Q -m statistic --mode random --probability 0.50000000000"
    " -j KUBE-SEP-X",
    "1 of the 2 endpoints left",
)
MARK = rule("nat", "KUBE-MARK-MASQ", 1, "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000")
DNAT = rule(
    "nat", "KUBE-SEP-X", 2,
    "-A KUBE-SEP-X -p tcp -j DNAT --to-destination 10.244.2.2:80",
    "endpoint 2 of 3",
)
UNMARK = rule("nat", "KUBE-POSTROUTING", 2, "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0")
FOREIGN = rule("filter", "FORWARD", 4, '-A FORWARD -m comment --comment "my rule" -j DROP')
# fmt: on
POLICY = RuleCause(table="filter", chain=Chain("FORWARD", (), "DROP"), index=0, rule=None)
ROUTE = kernel.RouteCause(
    route=Route(
        destination=Prefix.parse("10.244.2.0/24"),
        gateway=Address.parse("192.168.0.12"),
        device="eth0",
        reason=Because(text="the way to node-2", origin=WHY),
    )
)
FORK = Fork(
    namespace="node-1",
    table="nat",
    chain=ENDPOINT.chain,
    ways=(Way(0, Fraction(1, 2)), Way(ENDPOINT.index - 1, Fraction(1, 2))),
    chosen=1,
)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (step(StepKind.JUMP, JUMP), "nat PREROUTING 1 → KUBE-SERVICES"),
        (
            step(StepKind.JUMP, TO_NODEPORTS),
            "nat KUBE-SERVICES 9: addressed to this node → KUBE-NODEPORTS",
        ),
        (
            step(StepKind.JUMP, ENDPOINT),
            ("nat KUBE-SVC-ENODL3HWJ5BZY56Q 3: 1 of the 2 endpoints left, p = 1/2 → KUBE-SEP-X"),
        ),
        (step(StepKind.MARK, MARK, after=MARKED), "0x4000: source will be masqueraded"),
        (
            step(StepKind.MARK, UNMARK, before=MARKED, after=SYN),
            "0x4000 cleared: it has done its work",
        ),
        (
            step(StepKind.DNAT, DNAT, after=replace(SYN, dst=POD, dport=80)),
            "192.168.0.11:30080 ⇒ 10.244.2.2:80 (endpoint 2 of 3)",
        ),
        (
            step(StepKind.SNAT, UNMARK, after=replace(SYN, src=NODE, sport=1024)),
            "203.0.113.10:40000 ⇒ 192.168.0.11:1024",
        ),
        (step(StepKind.DROP, FOREIGN), "filter FORWARD 4: my rule"),
        (step(StepKind.DROP, POLICY), "filter FORWARD: policy DROP"),
        (
            step(StepKind.ROUTE, ROUTE, text="10.244.2.0/24 via 192.168.0.12 dev eth0"),
            "10.244.2.0/24 via 192.168.0.12 dev eth0: the way to node-2",
        ),
        (
            step(StepKind.CONNTRACK, kernel.ConntrackCause(entry="tcp …", state="NEW")),
            "new connection",
        ),
        (
            step(
                StepKind.CONNTRACK,
                kernel.ConntrackCause(entry="tcp …", state="ESTABLISHED"),
                before=replace(SYN, src=POD, sport=80, dst=CLIENT, dport=40000),
                after=replace(SYN, src=NODE, sport=30080, dst=CLIENT, dport=40000),
                direction=Direction.REPLY,
            ),
            "known connection: 10.244.2.2:80 ⇒ 192.168.0.11:30080",
        ),
        (
            step(
                StepKind.DELIVER,
                kernel.SocketCause(socket=Socket(protocol=Protocol.TCP, port=80)),
                before=replace(SYN, dst=POD, dport=80, src=NODE),
            ),
            "10.244.2.2:80, source seen: 192.168.0.11",
        ),
    ],
    ids=lambda value: value.kind.value if isinstance(value, kernel.Step) else "",
)
def test_sentence(made: kernel.Step, text: str) -> None:
    assert sentence(made, [FORK]) == text


@pytest.mark.parametrize(
    ("cause", "detail"),
    [
        (DNAT, "-A KUBE-SEP-X -p tcp -j DNAT --to-destination 10.244.2.2:80"),
        (POLICY, "-P FORWARD DROP (table filter)"),
        (ROUTE, "10.244.2.0/24 via 192.168.0.12 dev eth0"),
        (kernel.RouteCause(route=None), ""),
        (
            kernel.RouteCause(
                route=Route(destination=Prefix.parse("0.0.0.0/0"), gateway=NODE, device="eth0")
            ),
            "default via 192.168.0.11 dev eth0",
        ),
        (
            kernel.BridgeCause(
                bridge="cni0", entry=FdbEntry(mac="02:00:0a:f4:01:02", device="veth1")
            ),
            "02:00:0a:f4:01:02 dev veth1 master cni0",
        ),
        (
            kernel.NeighbourCause(
                neighbour=Neighbour(address=POD, device="cni0", mac="02:00:0a:f4:02:02")
            ),
            "10.244.2.2 dev cni0 lladdr 02:00:0a:f4:02:02",
        ),
        (kernel.ConntrackCause(entry="tcp      6 119 SYN_SENT", state="NEW"),
         "tcp      6 119 SYN_SENT"),
        (kernel.DeviceCause(interface=Interface(name="eth0", kind=LinkKind.VETH, up=False)),
         "eth0 mtu 1500 DOWN"),
        (kernel.SysctlCause(name="net.ipv4.ip_forward", value="0"), "net.ipv4.ip_forward = 0"),
        (kernel.SocketCause(socket=Socket(protocol=Protocol.TCP, port=80, owner="nginx")),
         "LISTEN *:80 nginx"),
        (kernel.SocketCause(socket=Socket(protocol=Protocol.UDP, port=53, version=4)),
         "UNCONN 0.0.0.0:53"),
        (kernel.SocketCause(
            socket=Socket(protocol=Protocol.TCP, port=None, address=Address.parse("fd00::1"))),
         "LISTEN [fd00::1]:*"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)  # fmt: skip
def test_detail_is_what_linux_prints(cause: kernel.Cause, detail: str) -> None:
    hops, _ = explain(REQUEST, exchange(step(StepKind.ROUTE, cause)))
    assert hops[-1].steps[-1].detail == detail


def exchange(*steps: kernel.Step, deciding: int | None = None, **felt: Any) -> Exchange:
    values = {
        "result": Result.CONNECTED,
        "errno": None,
        "seconds": 0.0,
        "decided_at": "default/frontend-2",
        "reason": "",
        **felt,
    }
    return Exchange(
        steps=steps,
        captures=(),
        conntrack={},
        felt=Felt(deciding_step=deciding, **values),
        forks=(FORK,),
        probability=Fraction(1, 2),
    )


def test_hops_are_stays_in_one_namespace_and_direction() -> None:
    reply: dict[str, Any] = {"direction": Direction.REPLY, "number": 2}
    hops, numbers = explain(
        REQUEST,
        exchange(
            step(StepKind.ROUTE, namespace="outside"),
            step(StepKind.CONNTRACK),
            step(StepKind.DNAT, DNAT, hook=Hook.PREROUTING, device="eth0"),
            step(StepKind.DELIVER, namespace="default/frontend-2"),
            step(StepKind.ROUTE, namespace="default/frontend-2", **reply),
            step(StepKind.CONNTRACK, **reply),
            step(StepKind.DELIVER, namespace="outside", **reply),
            step(StepKind.ROUTE, namespace="outside", number=3),
        ),
    )
    assert [(h.namespace, h.direction.value, len(h.steps)) for h in hops] == [
        ("outside", "forward", 1),
        ("node-1", "forward", 2),
        ("default/frontend-2", "forward", 1),
        ("default/frontend-2", "reply", 1),
        ("node-1", "reply", 1),
        ("outside", "reply", 1),
    ]
    assert [s.number for h in hops for s in h.steps] == list(range(1, 8))
    assert numbers == {index: index + 1 for index in range(7)}
    nat = hops[1].steps[1]
    assert (nat.hook, nat.device, nat.origin) == (Hook.PREROUTING, "eth0", WHY)


def test_repeats_are_left_out_and_the_deciding_answer_is_kept() -> None:
    hops, numbers = explain(
        REQUEST,
        exchange(
            step(StepKind.ROUTE, namespace="outside"),
            step(StepKind.ROUTE, namespace="outside", number=2),
            step(StepKind.ROUTE, namespace="outside", number=3),
            step(StepKind.REJECT, FOREIGN, direction=Direction.REPLY, number=4),
            deciding=3,
        ),
    )
    assert [(h.namespace, h.direction.value) for h in hops] == [
        ("outside", "forward"),
        ("node-1", "reply"),
    ]
    assert numbers[3] == 2


def test_a_name_that_does_not_resolve_has_only_resolve_steps() -> None:
    request = replace(
        REQUEST, source="pod/default/client/shell", connect=None, names=("asks a", "NXDOMAIN")
    )
    hops, _ = explain(request, None)
    assert [h.namespace for h in hops] == ["default/client"]
    assert [(s.kind, s.text, s.before) for s in hops[0].steps] == [
        (StepKind.RESOLVE, "asks a", None),
        (StepKind.RESOLVE, "NXDOMAIN", None),
    ]
