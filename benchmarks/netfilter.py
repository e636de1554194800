"""What a traverse of kube-proxy's rules costs, and that it does not grow with the Services.

Usage: python benchmarks/netfilter.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from k8stui.kernel.address import Address
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.rules import Ruleset
from k8stui.kernel.save import dump, parse
from k8stui.kernel.step import Hook
from k8stui.kernel.traverse import PacketContext, traverse

SIZES = (100, 10_000)
ENDPOINTS = 3


def address(base: int, n: int) -> str:
    return str(Address(4, base + n))


def ruleset_text(services: int) -> str:
    """nat of a node with so many Services of three endpoints and a node port each."""
    chains, rules, services_rules, nodeports = [], [], [], []
    for n in range(services):
        ip, port = address(0x0A600001, n), 30000 + n % 2768
        svc, comment = f"KUBE-SVC-{n:016d}", f'-m comment --comment "ns/service-{n}"'
        services_rules.append(
            f"-A KUBE-SERVICES -d {ip}/32 -p tcp {comment} -m tcp --dport 80 -j {svc}"
        )
        nodeports.append(f"-A KUBE-NODEPORTS -p tcp {comment} -m tcp --dport {port} -j {svc}")
        chains.append(f":{svc} - [0:0]")
        rules.append(
            f"-A {svc} ! -s 10.244.0.0/16 -d {ip}/32 -p tcp {comment} -m tcp --dport 80"
            " -j KUBE-MARK-MASQ"
        )
        for k in range(ENDPOINTS):
            sep, pod = f"KUBE-SEP-{n:012d}-{k:03d}", address(0x0AF40002, n * ENDPOINTS + k)
            chance = f" -m statistic --mode random --probability {1 / (ENDPOINTS - k):.11f}"
            rules.append(f"-A {svc} {comment}{chance if k < ENDPOINTS - 1 else ''} -j {sep}")
            chains.append(f":{sep} - [0:0]")
            rules.append(f"-A {sep} -s {pod}/32 {comment} -j KUBE-MARK-MASQ")
            rules.append(f"-A {sep} -p tcp {comment} -m tcp -j DNAT --to-destination {pod}:8080")
    return "\n".join(
        [
            "*nat",
            ":PREROUTING ACCEPT [0:0]",
            ":KUBE-MARK-MASQ - [0:0]",
            ":KUBE-NODEPORTS - [0:0]",
            ":KUBE-SERVICES - [0:0]",
            *chains,
            "-A PREROUTING -m comment --comment portals -j KUBE-SERVICES",
            "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
            *nodeports,
            *services_rules,
            "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS",
            *rules,
            "COMMIT",
            "",
        ]
    )


def best(action: Callable[[], object], rounds: int) -> float:
    """Shortest of `rounds` runs, in CPU microseconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        action()
        times.append((time.process_time() - start) * 1e6)
    return min(times)


def many(action: Callable[[], object], times: int = 200) -> Callable[[], object]:
    return lambda: [action() for _ in range(times)]


def measure(services: int) -> dict[str, float]:
    text = ruleset_text(services)
    ruleset: Ruleset = parse(text)
    table = ruleset.tables["nat"]
    context = PacketContext(hook=Hook.PREROUTING, in_device="cni0")
    last = Packet(
        src=Address.parse("10.244.1.2"),
        dst=Address.parse(address(0x0A600001, services - 1)),
        protocol=Protocol.TCP,
        dport=80,
    )
    nobody = replace(last, dst=Address.parse("192.0.2.1"))
    figures = {"parse": best(lambda: parse(text), 3), "dump": best(lambda: dump(ruleset), 3)}
    figures["first traverse (builds the index)"] = best(
        lambda: traverse(table, "PREROUTING", last, context), 1
    )
    for name, packet in (("last service", last), ("no match", nobody)):
        action = many(lambda packet=packet: traverse(table, "PREROUTING", packet, context))
        figures[f"traverse, {name}"] = best(action, 20) / 200
    return figures


def main() -> None:
    columns = [measure(services) for services in SIZES]
    print(f"{'CPU µs':36}" + "".join(f"{size:>12,}" for size in SIZES) + f"{'ratio':>9}")
    for name in columns[0]:
        values = [column[name] for column in columns]
        print(
            f"{name:36}"
            + "".join(f"{value:12,.1f}" for value in values)
            + f"{values[-1] / values[0]:9.2f}"
        )


if __name__ == "__main__":
    main()
