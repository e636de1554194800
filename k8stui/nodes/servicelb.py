"""k3s' ServiceLB: what klipper-lb's script programs in the namespace of each of its pods.

A pod of its DaemonSet has the Service's port as hostPort and passes what comes there on to the
Service's own address, with its own as the source. Source: klipper-lb ``entry``; k3s
pkg/cloudprovider/servicelb.go (newDaemonSet: env, sysctls); recorded in
recordings-agents/servicelb.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.because import Because
from k8stui.cluster.fields import addresses, prefixes
from k8stui.cluster.model import Container, Node, Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.rules import Rule, Ruleset
from k8stui.nodes.cni.daemon import port
from k8stui.nodes.contribution import Contribution, Jump, TablePart, compose
from k8stui.record import record

_IMAGE = "klipper-lb"
_PROTOCOLS = frozenset(("tcp", "udp", "sctp"))


def servicelb(node: Node, pod: Pod) -> Mapping[int, Ruleset]:
    """The rules in such a pod by IP version; empty for every other pod."""
    scripts = [
        (one, told)
        for one in pod.containers
        if _IMAGE in one.image and not one.init and (told := _told(dict(one.env)))
    ]
    if not scripts:
        return {}
    return {
        version: compose([_script(node, pod, one, told, version) for one, told in scripts])
        for version in sorted({address.version for address in pod.addresses})
    }


@record()
class _Told:
    """What the script is to do."""

    protocol: str
    from_port: int
    to_port: int


def _script(node: Node, pod: Pod, container: Container, told: _Told, version: int) -> Contribution:
    """One container: one port of the Service."""
    env, protocol = dict(container.env), told.protocol
    to_port = f"-p {protocol} -m {protocol} --dport {told.to_port}"
    from_port = f"-p {protocol} -m {protocol} --dport {told.from_port}"

    def rule(text: str, why: str) -> Rule:
        because = Because(text=why, origin=container.origin, owner="servicelb", pod=pod.key)
        return Rule(text, because)

    filtering = [
        Jump(
            "FORWARD",
            rule(
                f"-A FORWARD {f'-s {prefix} ' if prefix.length else ''}{to_port} -j ACCEPT",
                "loadBalancerSourceRanges let it in",
            ),
            insert=True,
        )
        for prefix in _ranges(env.get("SRC_RANGES", ""), version)
    ]
    translating = []
    for address in _destinations(env, node, version):
        host = f"-d {address}/{address.bits}"
        filtering.append(
            Jump("FORWARD", rule(f"-A FORWARD {host} {to_port} -j DROP", "all others are kept out"))
        )
        there = address.with_port(told.to_port)
        translating += [
            Jump(
                "PREROUTING",
                rule(
                    f"-A PREROUTING {from_port} -j DNAT --to-destination {there}",
                    "the load balancer's port leads to the Service",
                ),
                insert=True,
            ),
            Jump(
                "POSTROUTING",
                rule(
                    f"-A POSTROUTING {host} -p {protocol} -j MASQUERADE",
                    "the answer is to come back here",
                ),
                insert=True,
            ),
        ]
    tables = {"filter": TablePart(jumps=tuple(filtering))}
    if translating:
        tables["nat"] = TablePart(jumps=tuple(translating))
    return Contribution("servicelb", tables)


def _told(env: Mapping[str, str]) -> _Told | None:
    """None: the script has not what it needs, and fails at its first rule."""
    protocol = env.get("DEST_PROTO", "TCP").lower()
    from_port, to_port = port(env.get("SRC_PORT", "")), port(env.get("DEST_PORT", ""))
    if protocol not in _PROTOCOLS or from_port is None or to_port is None:
        return None
    return _Told(protocol, from_port, to_port)


def _ranges(written: str, version: int) -> Iterator[Prefix]:
    found = prefixes(written.replace(",", " ").split())
    yield from (one for one in found if one.address.version == version)


def _destinations(env: Mapping[str, str], node: Node, version: int) -> Iterator[Address]:
    """DEST_IPS; with externalTrafficPolicy Local the node's own addresses, by reference."""
    found = addresses(tuple(env.get("DEST_IPS", "").replace(",", " ").split()))
    yield from (one for one in found or node.addresses if one.version == version)
