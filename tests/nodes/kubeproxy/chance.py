"""Take chance out of iptables-save text, so that two runs of kube-proxy can be compared.

kube-proxy walks its service ports in an order that is random at every sync. Blocks of one service
port are ordered by its name; rules inside a block, and everything else, keep their order.
In userspace mode the port that the kernel picked for a service port becomes ``R(its name)``.
"""

from __future__ import annotations

import re
from itertools import product

_SHARED = {
    *product(("filter", "nat"), ("KUBE-SERVICES", "KUBE-NODEPORTS")),
    *product(("filter",), ("KUBE-EXTERNAL-SERVICES", "KUBE-PROXY-FIREWALL")),
    *product(("filter",), ("KUBE-NODEPORT-NON-LOCAL",)),
    *product(
        ("nat",),
        (f"KUBE-{a}-{b}" for a, b in product(("PORTALS", "NODEPORT"), ("CONTAINER", "HOST"))),
    ),
}
_LAST = "this must be the last rule in this chain"
_COMMENT = re.compile(r'--comment "?([^" ]*)')
_PROXY_PORT = re.compile(r'^-A KUBE-\S+ .*--comment "([^" ]+)".* --to-ports (\d+)$', re.MULTILINE)


def without_chance(text: str) -> list[str]:
    """Lines in an order, and with port numbers, that do not depend on chance."""
    lines: list[str] = []
    for table in _named_ports(text).split("COMMIT\n"):
        if not table:
            continue
        head, *rest = table.splitlines()
        chains = [line for line in rest if line.startswith(":")]
        rules: dict[str, list[str]] = {chain[1:].split(" ")[0]: [] for chain in chains}
        for line in rest[len(chains) :]:
            rules[line.split(" ")[1]].append(line)
        lines += [head, *chains]
        for chain, block in rules.items():
            shared = (head[1:], chain) in _SHARED
            lines += _ordered(block) if shared else block
        lines.append("COMMIT")
    return lines


def _ordered(rules: list[str]) -> list[str]:
    last = sorted(rule for rule in rules if _LAST in rule)
    return sorted((rule for rule in rules if _LAST not in rule), key=_service_port) + last


def _service_port(rule: str) -> str:
    found = _COMMENT.search(rule)
    assert found, rule
    return found[1]


def _named_ports(text: str) -> str:
    for name, port in _PROXY_PORT.findall(text):
        text = re.sub(
            rf"(--to-ports |--to-destination \S+:){port}$",
            rf"\1R({name})",
            text,
            flags=re.MULTILINE,
        )
        text = re.sub(rf"(-A KUBE-NODEPORT-NON-LOCAL .*--dport ){port} ", rf"\1R({name}) ", text)
    return text
