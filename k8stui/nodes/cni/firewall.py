"""The firewall plug-in: what its pods send may be forwarded, and what answers them.

Source: docs/facts/cni.md section 1 (plugins:plugins/meta/firewall/iptables.go, ingresspolicy.go);
recorded in recordings-cni/firewall.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.because import Because
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.cni.conflist import Configuration, named
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.site import Site
from k8stui.origin import defaulted

_FORWARD = "CNI-FORWARD"
_FIRST, _SECOND = "CNI-ISOLATION-STAGE-1", "CNI-ISOLATION-STAGE-2"


def firewall(
    site: Site, node: Node, version: int, configuration: Configuration, bridge: str | None
) -> Contribution | None:
    """What it has written for one family; None where it is not called, or for no pod.

    `bridge`: the pods' one, for ``ingressPolicy: same-bridge``. Its firewalld backend writes none
    of these rules.
    """
    options = configuration.chained.get("firewall")
    if options is None or options.get("backend", "iptables") not in ("", "iptables"):
        return None
    admin = named(options, "iptablesAdminChainName", "CNI-ADMIN")
    because = Because(
        text="the firewall plug-in lets pods out, and answers in",
        origin=configuration.origin,
        owner="firewall plug-in",
    )
    rules = [
        Rule(
            f'-A {_FORWARD} -m comment --comment "CNI firewall plugin admin overrides" -j {admin}',
            because,
        )
    ]
    for pod in site.pods(node.name):
        for address in pod.addresses:
            if address.version == version:
                host = f"{address}/{address.bits}"
                rules += [
                    Rule(
                        f"-A {_FORWARD} -d {host} -m conntrack --ctstate RELATED,ESTABLISHED "
                        "-j ACCEPT",
                        _of(pod, "what answers a pod passes"),
                    ),
                    Rule(f"-A {_FORWARD} -s {host} -j ACCEPT", _of(pod, "what a pod sends passes")),
                ]
    if len(rules) == 1:
        return None
    jumps = [
        Jump(
            "FORWARD",
            Rule(
                f'-A FORWARD -m comment --comment "CNI firewall plugin rules" -j {_FORWARD}',
                because,
            ),
            insert=True,
        )
    ]
    chains = {_FORWARD: Chain(_FORWARD, tuple(rules)), admin: Chain(admin, ())}
    if options.get("ingressPolicy") == "same-bridge" and bridge is not None:
        chains |= _isolation(bridge, because)
        jumps.append(
            Jump("FORWARD", Rule(f"-A FORWARD {_SAME_BRIDGE} -j {_FIRST}", because), insert=True)
        )
    return Contribution("firewall", {"filter": TablePart(chains=chains, jumps=tuple(jumps))})


_SAME_BRIDGE = '-m comment --comment "CNI firewall plugin rules (ingressPolicy: same-bridge)"'


def _isolation(bridge: str, because: Because) -> Mapping[str, Chain]:
    """Docker's way: what comes from one bridge does not go to another one."""
    return {
        _FIRST: Chain(
            _FIRST,
            (
                Rule(f"-A {_FIRST} -i {bridge} ! -o {bridge} {_SAME_BRIDGE} -j {_SECOND}", because),
                Rule(f"-A {_FIRST} {_SAME_BRIDGE} -j RETURN", because),
            ),
        ),
        _SECOND: Chain(
            _SECOND,
            (
                Rule(f"-A {_SECOND} -o {bridge} {_SAME_BRIDGE} -j DROP", because),
                Rule(f"-A {_SECOND} {_SAME_BRIDGE} -j RETURN", because),
            ),
        ),
    }


def _of(pod: Pod, text: str) -> Because:
    return Because(
        text=text,
        origin=defaulted("the firewall plug-in's rules for a pod", pod.origin.place),
        owner="firewall plug-in",
        pod=pod.key,
    )
