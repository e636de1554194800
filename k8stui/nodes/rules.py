"""All rules of one node: every program's contribution, in the order in which they started.

kubelet, then kube-proxy, then the network plug-in: so POSTROUTING reads CNI-HOSTPORT-MASQ,
KUBE-POSTROUTING, FLANNEL-POSTRTG and Services win over hostPorts (docs/facts/cni.md section 3).
Then node-local DNS. Last the policy engine, which moves its own rules to their places at every
sync.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from k8stui.cluster.model import Node
from k8stui.cluster.versions import minor
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Judge
from k8stui.kernel.nft_ruleset import NftRuleset, NftTable
from k8stui.kernel.rules import Rule, Ruleset
from k8stui.nodes import nodelocaldns
from k8stui.nodes.cni.plugin import Plugin
from k8stui.nodes.contribution import Contribution, TablePart, compose
from k8stui.nodes.errors import NodeOptionError, UnmodelledModeError
from k8stui.nodes.kubelet import kubelet
from k8stui.nodes.kubeproxy import (
    is_modelled,
    mode_origin,
    mode_title,
    proxy_contribution,
)
from k8stui.nodes.kubeproxy.settings import node_port_addresses
from k8stui.nodes.policy import CALICO, KUBE_ROUTER
from k8stui.nodes.policy.engine import Engine
from k8stui.nodes.site import Site
from k8stui.record import record


@record()
class Programs:
    """What is not the same on every node."""

    plugin: Plugin
    engine: Engine | None
    """What enforces policies by rules."""
    judges: tuple[Judge, ...] = ()
    """What does so otherwise."""


def _kubelet(site: Site, programs: Programs, node: Node, version: int) -> Sequence[Contribution]:
    del site, programs
    return (kubelet(version, minor(node.kubelet_version)),)


def _kube_proxy(site: Site, programs: Programs, node: Node, version: int) -> Sequence[Contribution]:
    if not is_modelled(site.cluster):
        return ()
    return (
        proxy_contribution(
            site.cluster,
            node,
            version,
            nfacct=_counts(site, node, version),
            local_addresses=_local_addresses(site, programs.plugin, node)
            if node_port_addresses(site.cluster.proxy)
            else (),
            everywhere=site.proxied(version),
        ),
    )


def _counts(site: Site, node: Node, version: int) -> bool:
    """Whether its kernel has nfacct for kube-proxy to count with.

    That it lacks it a dump shows: the rule that drops what conntrack calls invalid then stands
    there without it.
    """
    seen = site.observed(node).rulesets.get(version)
    rules = _chain(seen, "filter", "KUBE-FORWARD") if seen is not None else ()
    invalid = [rule for rule in rules if " INVALID " in rule.text]
    return not invalid or any("nfacct" in rule.text for rule in invalid)


def _cni(site: Site, programs: Programs, node: Node, version: int) -> Sequence[Contribution]:
    make = partial(programs.plugin.contributions, node, version)
    return site.plugin_rules(node, version, make)


def _node_local_dns(
    site: Site, programs: Programs, node: Node, version: int
) -> Sequence[Contribution]:
    del programs
    return nodelocaldns.contributions(site, node, version)


def _policies(
    owner: str, site: Site, programs: Programs, node: Node, version: int
) -> Sequence[Contribution]:
    del site
    engine = programs.engine
    made = engine.contribution(node, version) if engine and engine.owner == owner else None
    return () if made is None else (made,)


_OWNERS: Mapping[str, Callable[[Site, Programs, Node, int], Sequence[Contribution]]] = {
    "kubelet": _kubelet,
    "kube-proxy": _kube_proxy,
    "cni": _cni,
    nodelocaldns.OWNER: _node_local_dns,
    KUBE_ROUTER: partial(_policies, KUBE_ROUTER),
    CALICO: partial(_policies, CALICO),
}
"""In the order in which they write."""

OWNERS = ("all", *_OWNERS)
"""Values of ``--owner``."""


def generated_ruleset(
    site: Site, programs: Programs, node: Node, version: int, owner: str = "all"
) -> Ruleset:
    """What iptables-save (`version` 4) or ip6tables-save (6) prints; or one owner's part of it.

    Raises:
        NodeOptionError: there is no such owner.
        UnmodelledModeError: kube-proxy's rules are asked for, and its mode is not modelled.

    """
    if owner != "all":
        return compose(list(_written(site, programs, node, version, owner)))
    return site.composed(node, version, _everything(site, programs, node, version))


def generated_nft(site: Site, programs: Programs, node: Node, owner: str = "all") -> NftRuleset:
    """What ``nft list ruleset`` prints of the programs that write nftables' own tables.

    A program's tables stand one behind the other, as it makes them for both families at once.

    Raises:
        NodeOptionError: there is no such owner.
        UnmodelledModeError: kube-proxy's tables are asked for, and its mode is not modelled.

    """
    by_owner: dict[str, list[NftTable]] = {}
    for version in (4, 6):
        made = (
            _everything(site, programs, node, version)
            if owner == "all"
            else _written(site, programs, node, version, owner)
        )
        for one in made:
            by_owner.setdefault(one.owner, []).extend(one.nft)
    return NftRuleset(tuple(table for tables in by_owner.values() for table in tables))


def _everything(site: Site, programs: Programs, node: Node, version: int) -> Sequence[Contribution]:
    """What all of them write: once for iptables and for nftables."""
    return site.written(node, version, lambda: list(_written(site, programs, node, version, "all")))


def _written(
    site: Site, programs: Programs, node: Node, version: int, owner: str
) -> Iterator[Contribution]:
    if owner not in OWNERS:
        raise NodeOptionError("--owner", owner, OWNERS)
    if owner == "kube-proxy" and not is_modelled(site.cluster):
        raise UnmodelledModeError(mode_title(site.cluster), mode_origin(site.cluster).place)
    for name, write in _OWNERS.items():
        if owner in ("all", name):
            yield from write(site, programs, node, version)


def nft_ruleset(site: Site, programs: Programs, node: Node) -> NftRuleset | None:
    """The tables that stand on the node: a dump's, where one shows what is there. None: none."""
    observed = site.observed(node)
    if observed.nft is not None or observed.is_whole:
        return observed.nft
    made = generated_nft(site, programs, node)
    return made if made.tables else None


def ruleset(site: Site, programs: Programs, node: Node, version: int) -> Ruleset:
    """The rules that stand on the node: a dump's where there is one for this family.

    A policy engine that was asked for and that the dump does not show is set to work on the dump's
    rules.
    """
    observed = site.observed(node).rulesets.get(version)
    if observed is None:
        return generated_ruleset(site, programs, node, version)
    engine = programs.engine if site.options.policy_engine is not None else None
    made = engine.contribution(node, version) if engine is not None else None
    if made is None or _stands(made, observed):
        return observed
    there = {table.name: TablePart(chains=table.chains) for table in observed}
    return compose([Contribution("", there), made])


def _stands(made: Contribution, observed: Ruleset) -> bool:
    """Whether a program that writes this has been at work: the chains that it hangs up."""
    return any(
        any(jump.rule == rule for rule in _chain(observed, table, jump.builtin))
        for table, part in made.tables.items()
        for jump in part.jumps
    )


def _chain(ruleset: Ruleset, table: str, name: str) -> Sequence[Rule]:
    found = ruleset.chain(table, name)
    return found.rules if found is not None else ()


def _local_addresses(site: Site, plugin: Plugin, node: Node) -> tuple[Address, ...]:
    """All addresses on the node's devices, as kube-proxy asks the kernel for them."""
    interfaces = site.observed(node).interfaces
    if interfaces is not None:
        return tuple(entry.address for interface in interfaces for entry in interface.addresses)
    own = tuple(a for version in (4, 6) if (a := node.address(version)))
    loopback = (Address.parse("127.0.0.1"), Address.parse("::1"))
    return (*loopback, *own, *plugin.addresses(node))
