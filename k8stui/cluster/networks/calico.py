"""What the input says to Calico: its pools of addresses, Felix's settings, what is about hosts.

An environment variable of calico-node outweighs a FelixConfiguration (felix/config/config_params.go
SourcePriority); pools that nobody wrote are made of its CALICO_IPV4POOL_ variables, or by the
operator of its Installation (node/pkg/lifecycle/startup/startup.go configureIPPools). Source:
Calico v3.30 api/pkg/apis/projectcalico/v3, manifests/calico.yaml; tigera/operator
installation_types.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, at, flag, number, records, table, text
from k8stui.cluster.memory import NO_MEMORY, Memory
from k8stui.cluster.model import CalicoPool, CalicoSettings, Lack, Node, Remark
from k8stui.cluster.policy import CALICO_POLICY_KINDS
from k8stui.kernel.address import Prefix
from k8stui.origin import Origin, OriginKind

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

_GROUPS = ("projectcalico.org", "crd.projectcalico.org")
_DAEMONS = frozenset({"calico-node", "canal", "rke2-canal"})
_ENDPOINT_TO_HOST = "defaultEndpointToHostAction"
_OF_RULES = {
    "allowIPIPPacketsFromWorkloads": False,
    "allowVXLANPacketsFromWorkloads": False,
    "bpfEnabled": False,
    "externalNodesList": None,
    "interfacePrefix": "cali",
    "logPrefix": "calico-packet",
    "iptablesBackend": "Auto",
    "iptablesFilterAllowAction": "Accept",
    "iptablesFilterDenyAction": "Drop",
    "iptablesMangleAllowAction": "Accept",
    "iptablesMarkMask": 0xFFFF0000,
    "iptablesNATOutgoingInterfaceFilter": "",
    "natOutgoingAddress": "",
    "natPortRange": None,
    "nftablesMode": "Disabled",
    "serviceLoopPrevention": "Drop",
    "wireguardEnabled": False,
    "wireguardEnabledV6": False,
    "workloadSourceSpoofing": "Disabled",
}
"""Settings of Felix that change its rules and are not modelled, with their usual values."""
_ENCAPSULATIONS = {
    "IPIP": ("IPIP", "Always"),
    "IPIPCrossSubnet": ("IPIP", "CrossSubnet"),
    "VXLAN": ("VXLAN", "Always"),
    "VXLANCrossSubnet": ("VXLAN", "CrossSubnet"),
}
"""``encapsulation`` of an Installation's pools."""


def calico_settings(
    objects: Sequence[Manifest], memory: Memory = NO_MEMORY
) -> CalicoSettings | None:
    """All that is said; None where nothing is."""
    its = memory.each("calico", objects, _tells)
    told = [one for one, is_its in zip(objects, its, strict=True) if is_its]
    found = {(one.kind, one.name): one for one in told}
    hosts = [one for (kind, _), one in found.items() if kind == "HostEndpoint"]
    daemon = next((one for (kind, _), one in found.items() if kind == "DaemonSet"), None)
    felix = found.get(("FelixConfiguration", "default"))
    if not found:
        return None
    has_accounts = any(one.kind == "ServiceAccount" for one in objects)
    pools = tuple(_pools(found, daemon))
    to_host, origin = _to_host(felix, daemon)
    spec = table(felix.data, "spec") if felix is not None else {}
    return CalicoSettings(
        pools=pools,
        to_host=to_host,
        to_host_origin=origin,
        appends=text(spec, "chainInsertMode").lower() == "append",
        policies=tuple(
            remark
            for one in told
            if one.kind in CALICO_POLICY_KINDS
            for remark in _of_policy(one, has_hosts=bool(hosts), has_accounts=has_accounts)
        ),
        hosts=tuple(Remark(text=f"HostEndpoint {one.name}", origin=one.origin()) for one in hosts),
        remarks=(*(_unmodelled(felix, spec) if felix is not None else ()),),
    )


def _of_policy(policy: Manifest, *, has_hosts: bool, has_accounts: bool) -> Iterator[Remark]:
    """What of a policy is about hosts or HTTP, or asks for labels that the input does not hold."""
    for field in ("doNotTrack", "preDNAT", "applyOnForward"):
        if flag(policy.data, "spec", field) and (has_hosts or field != "applyOnForward"):
            yield Remark(
                text=f"{policy.kind} {policy.name} ({field}: for host endpoints)",
                origin=policy.origin("spec", field),
            )
    if text(policy.data, "spec", "serviceAccountSelector") and not has_accounts:
        yield _no_accounts(policy, ("spec", "serviceAccountSelector"))
    for way in ("ingress", "egress"):
        for path, rule in records(table(policy.data, "spec"), way, ("spec",)):
            for end in ("source", "destination"):
                if text(rule, end, "serviceAccounts", "selector") and not has_accounts:
                    yield _no_accounts(policy, (*path, end, "serviceAccounts", "selector"))
            if rule.get("http") is not None:
                yield Remark(
                    text=f"http of {way}[{path[-1]}] of {policy.kind} {policy.name}",
                    origin=policy.origin(*path, "http"),
                )


def _no_accounts(policy: Manifest, path: _Path) -> Remark:
    return Remark(
        text=f"{policy.kind} {policy.name} (the input holds no ServiceAccount with its labels)",
        origin=policy.origin(*path),
    )


def _tells(manifest: Manifest) -> bool:
    """Whether an object says something of Calico."""
    is_daemon = manifest.kind == "DaemonSet" and manifest.name in _DAEMONS
    return manifest.group in _GROUPS or is_daemon or manifest.kind == "Installation"


def _pools(
    found: Mapping[tuple[str, str], Manifest], daemon: Manifest | None
) -> Iterator[CalicoPool]:
    """Those that are written; else those that would be made."""
    written = [one for (kind, _), one in found.items() if kind == "IPPool"]
    for one in written:
        yield from _written(one)
    for (kind, _), one in found.items():
        if kind == "Installation" and not written:
            yield from _installed(one)
            return
    if not written and daemon is not None:
        yield from _made(daemon)


def _written(one: Manifest) -> Iterator[CalicoPool]:
    spec = table(one.data, "spec")
    for how in ("IPIP", "VXLAN"):
        field = f"{how.lower()}Mode"
        mode = text(spec, field)
        if mode not in ("", "Never"):
            break
    else:
        how, field, mode = "", "cidr", ""
    yield from _pool(
        one.name,
        text(spec, "cidr"),
        (how, mode),
        nat_outgoing=flag(spec, "natOutgoing") is True,
        origin=one.origin("spec", field),
        nat_origin=one.origin("spec", *(("natOutgoing",) if "natOutgoing" in spec else ())),
        given=_given(one, ("spec",)),
    )


def _given(one: Manifest, path: _Path) -> tuple[str, str, Origin | None]:
    """What closes a pool for pods, which nodes it is for, and where that stands."""
    pool = table(one.data, *path)
    uses = array(pool, "allowedUses")
    if flag(pool, "disabled") is True:
        return "disabled: true", "", one.origin(*path, "disabled")
    if text(pool, "assignmentMode") == "Manual":
        return "assignmentMode: Manual", "", one.origin(*path, "assignmentMode")
    if uses and "Workload" not in uses:
        return "allowedUses without Workload", "", one.origin(*path, "allowedUses")
    chosen = text(pool, "nodeSelector")
    return "", chosen, one.origin(*path, "nodeSelector") if chosen else None


def _installed(one: Manifest) -> Iterator[CalicoPool]:
    network = table(one.data, "spec", "calicoNetwork")
    for index, pool in enumerate(array(network, "ipPools")):
        cidr = text(pool, "cidr")
        # What the operator fills in: IPIP with BGP (pkg/controller/installation fillDefaults).
        told = text(pool, "encapsulation") or ("" if ":" in cidr else "IPIP")
        yield from _pool(
            text(pool, "name") or f"default-ipv{6 if ':' in cidr else 4}-ippool",
            cidr,
            _ENCAPSULATIONS.get(told, ("", "")),
            nat_outgoing=text(pool, "natOutgoing") != "Disabled",
            origin=one.origin("spec", "calicoNetwork", "ipPools", index),
            nat_origin=one.origin("spec", "calicoNetwork", "ipPools", index, "natOutgoing"),
            given=_given(one, ("spec", "calicoNetwork", "ipPools", index)),
        )


def _made(daemon: Manifest) -> Iterator[CalicoPool]:
    told = {name: (value, path) for name, value, path in _environment(daemon)}
    for version in (4, 6):
        cidr, path = told.get(f"CALICO_IPV{version}POOL_CIDR", ("", ()))
        how, mode = "", ""
        for tunnel in ("IPIP", "VXLAN"):
            value, where = told.get(f"CALICO_IPV{version}POOL_{tunnel}", ("", ()))
            if value not in ("", "Never", "Off", "off"):
                how, mode, path = tunnel, value, where
        natted, nat_path = told.get(f"CALICO_IPV{version}POOL_NAT_OUTGOING", ("", ()))
        usual = "true" if version == 4 else "false"
        if path:
            yield from _pool(
                f"default-ipv{version}-ippool",
                cidr,
                (how, mode),
                nat_outgoing=(natted or usual) == "true",
                origin=daemon.origin(*path),
                nat_origin=daemon.origin(*(nat_path or path)),
            )


def _pool(
    name: str,
    cidr: str,
    tunnel: tuple[str, str],
    *,
    nat_outgoing: bool,
    origin: Origin,
    nat_origin: Origin,
    given: tuple[str, str, Origin | None] = ("", "", None),
) -> Iterator[CalicoPool]:
    """Nothing where what should be a range is none; without one it is that of the pods."""
    try:
        prefix = Prefix.parse(cidr) if cidr else None
    except ValueError:
        return
    how, mode = tunnel
    yield CalicoPool(
        name=name,
        cidr=prefix,
        tunnel=how,
        mode=mode,
        nat_outgoing=nat_outgoing,
        origin=origin,
        nat_origin=nat_origin,
        closed=given[0],
        nodes=given[1],
        nodes_origin=given[2],
    )


def out_of_pools(calico: CalicoSettings | None, nodes: Mapping[str, Node]) -> Mapping[str, Node]:
    """The nodes, those marked whose pods no pool gives an address.

    Source: libcalico-go lib/ipam/ipam.go determinePools ("no configured Calico pools").
    """
    pools = calico.pools if calico is not None else ()
    if not any(one.closed or one.nodes for one in pools):
        return nodes
    return {
        name: node
        if any(not one.closed and _chooses(one.nodes, node) for one in pools)
        else replace(node, without_pool=_no_pool(node, pools))
        for name, node in nodes.items()
    }


def _no_pool(node: Node, pools: Sequence[CalicoPool]) -> Lack:
    said = [
        f"{p.name} has {p.closed}" if p.closed else f"{p.name} is for {p.nodes}" for p in pools[:3]
    ]
    first = next((one for one in pools if not one.closed), pools[0])
    return Lack(
        f"no IPPool of Calico gives addresses to pods of {node.name}: {', '.join(said)}",
        f"take {first.closed} out of IPPool {first.name}, or add a pool"
        if first.closed
        else f"label {node.name} so that nodeSelector fits, or add a pool for it",
        first.nodes_origin or first.origin,
    )


_TERM = re.compile(
    r"\s*(?:(?P<all>all\(\))|(?P<no>!?)\s*has\((?P<has>[^)\s]+)\)"
    r"|(?P<key>[\w./-]+)\s*(?P<how>==|!=)\s*(?P<quote>['\"])(?P<value>[^'\"]*)(?P=quote))\s*"
)


def _chooses(selector: str, node: Node) -> bool:
    """Whether a pool is for a node, as far as terms joined by && tell; else it is taken to be.

    Labels of nodes that are assumed nobody knows. Source: libcalico-go lib/selector.
    """
    terms = [_TERM.fullmatch(term) for term in selector.split("&&")]
    if not selector or node.origin.kind is OriginKind.ASSUMED or not all(terms):
        return True
    return all(_holds(term, node.labels) for term in terms if term is not None)


def _holds(term: re.Match[str], labels: Mapping[str, str]) -> bool:
    if term["all"]:
        return True
    if term["has"]:
        return (term["has"] in labels) is not bool(term["no"])
    return (labels.get(term["key"]) == term["value"]) is (term["how"] == "==")


_Path = tuple[str | int, ...]


def _environment(daemon: Manifest) -> Iterator[tuple[str, str, _Path]]:
    """Name and value of the container's variables, and where they stand."""
    base: _Path = ("spec", "template", "spec", "containers")
    for index, container in enumerate(array(daemon.data, *base)):
        for place, variable in enumerate(array(container, "env")):
            value = at(variable, "value")
            if isinstance(value, str):
                yield text(variable, "name"), value, (*base, index, "env", place, "value")


def _to_host(felix: Manifest | None, daemon: Manifest | None) -> tuple[str, Origin | None]:
    """What becomes of what a pod sends to its own node: ``accept``, ``drop`` or ``return``."""
    variables = _environment(daemon) if daemon is not None else ()
    for name, value, path in variables:
        if name == "FELIX_DEFAULTENDPOINTTOHOSTACTION" and daemon is not None:
            return _action(value), daemon.origin(*path)
    told = text(felix.data, "spec", _ENDPOINT_TO_HOST) if felix is not None else ""
    if felix is not None and told:
        return _action(told), felix.origin("spec", _ENDPOINT_TO_HOST)
    if daemon is not None:
        return "drop", daemon.origin()
    return "accept", None


def _action(told: str) -> str:
    return told.lower() if told.lower() in ("accept", "return") else "drop"


def _unmodelled(felix: Manifest, spec: Object) -> Iterator[Remark]:
    for field, usual in _OF_RULES.items():
        value = at(spec, field)
        said = text(spec, field) or number(spec, field) or flag(spec, field)
        if value is None or said == usual or (said in (None, "", 0, False) and not value):
            continue
        yield Remark(
            text=f"FelixConfiguration {felix.name}: {field} is not modelled: Felix's usual rules "
            "are assumed",
            origin=felix.origin("spec", field),
        )
