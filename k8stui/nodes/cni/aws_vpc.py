"""Amazon's VPC CNI: pods have addresses of the node's own network interface; no bridge, no overlay.

The pod sends everything to 169.254.1.1, whose MAC address it is given. What leaves the VPC leaves
with the node's address; what came in by the primary interface is marked, so that its answers go
out there. Pods are taken to be on the primary interface: which of them is on which one, only
the cloud and a node's dump know. Source: amazon-vpc-cni-k8s cmd/routed-eni-cni-plugin/driver
(SetupPodNetwork), pkg/networkutils/network.go (buildIptablesSNATRules, buildIptablesConnmarkRules,
SetupHostNetwork); compared with shared states of real nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial, reduce
from operator import add

from k8stui.because import Because
from k8stui.cluster.model import Container, Node, Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import Interface, LinkKind, Neighbour, PolicyRule, Route
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.cni.between import fabric
from k8stui.nodes.cni.cable import node_end, pod_end, usual
from k8stui.nodes.cni.conflist import assumed_list
from k8stui.nodes.cni.daemon import listed
from k8stui.nodes.cni.portmap import portmap
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.lan import covering
from k8stui.nodes.names import host_mac
from k8stui.nodes.part import DEFAULT_ROUTE, Part
from k8stui.nodes.site import Site
from k8stui.origin import Origin, assumed
from k8stui.record import record

_OWNER = "aws-node"
_GATEWAY = Address.parse("169.254.1.1")
_TO_PODS, _MARKED = 512, 1024
"""Priorities of its rules (pkg/networkutils: toContainerRulePriority, hostRulePriority)."""
_CONNMARK, _SNAT = "AWS-CONNMARK-CHAIN-0", "AWS-SNAT-CHAIN-0"
_LOOSE = 2
_VPC_BITS = 16
_RANDOM = {"prng": " --random-fully", "hashrandom": " --random", "none": ""}
_because = partial(usual, owner=_OWNER, set_up_by="the VPC CNI plug-in")
_LIST = assumed_list({}, "10-aws.conflist calls portmap with snat")


@record(kw_only=True)
class _Settings:
    """aws-node's environment (README of amazon-vpc-cni-k8s), with its defaults."""

    external_snat: bool = False
    excluded: tuple[Prefix, ...] = ()
    random: str = " --random-fully"
    node_ports: bool = True
    mark: int = 0x80
    prefix: str = "eni"
    origin: Origin


class AwsVpcCni:
    """``aws-node`` on every node."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def recognises(self, node: Node) -> bool:
        """By its cables: ``eni`` and eleven digits."""
        prefix = self._settings.prefix
        return any(
            interface.kind is LinkKind.VETH
            and interface.master is None
            and interface.name.startswith(prefix)
            and len(interface.name) == len(prefix) + 11
            for interface in self._site.observed(node).interfaces or ()
        )

    def addresses(self, node: Node) -> Sequence[Address]:
        del node
        return ()

    def node_part(self, node: Node) -> Part:
        site, settings = self._site, self._settings
        cables = (self._cable(node, pod) for pod in site.pods(node.name))
        rules = [
            PolicyRule(priority=_TO_PODS, table="main", destination=Prefix(one, one.bits))
            for pod in site.pods(node.name)
            for one in pod.addresses
            if one.version == 4
        ]
        part = reduce(add, cables, Part()) + fabric(site, node, "the VPC")
        if settings.node_ports:
            mark = PolicyRule(
                priority=_MARKED, table="main", mark=settings.mark, mark_mask=settings.mark
            )
            rules.append(mark)
            part += Part(rp_filter={site.uplink(node).device: _LOOSE})
        return part + Part(policy_rules=tuple(rules))

    def pod_part(self, node: Node, pod: Pod) -> Part:
        """One address, one way out, and the MAC address behind it (driver.go:createVethPair)."""
        device = self._device(node, pod)
        addresses = ((one, one.bits) for one in pod.addresses)
        eth0 = pod_end(node, pod, device, addresses, _because)
        routes = (
            Route(
                destination=DEFAULT_ROUTE[4],
                gateway=_GATEWAY,
                device="eth0",
                reason=_because(pod, "everything goes to the node"),
            ),
            Route(
                destination=Prefix(_GATEWAY, 32),
                device="eth0",
                scope="link",
                reason=_because(pod, "the node's end of the cable stands for it"),
            ),
        )
        known = Neighbour(address=_GATEWAY, device="eth0", mac=self._mac(node, pod))
        return Part(interfaces=(eth0,), routes=routes, neighbours=(known,))

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        made = [portmap(self._site, node, version, _LIST)]
        if version == 4 and node.address(4) is not None:
            made.append(self._rules(node))
        return [one for one in made if one]

    def _rules(self, node: Node) -> Contribution:
        settings, tables = self._settings, {}
        mark = f"{settings.mark:#x}/{settings.mark:#x}"
        masks = f"--nfmask {settings.mark:#x} --ctmask {settings.mark:#x}"
        veths = f"-i {settings.prefix}+"

        def rule(text: str, why: str) -> Rule:
            return Rule(text, Because(text=why, origin=settings.origin, owner=_OWNER))

        inside = [(prefix, "VPC CIDR") for prefix in self._vpc]
        inside += [(prefix, "EXCLUDED CIDR") for prefix in settings.excluded]
        if not settings.external_snat:
            restore = f"-j CONNMARK --restore-mark {masks}"
            away = "what goes there keeps the pod's address"
            marks = [
                rule(
                    f'-A {_CONNMARK} -d {prefix} -m comment --comment "AWS CONNMARK CHAIN, {what}" '
                    "-j RETURN",
                    away,
                )
                for prefix, what in inside
            ]
            marks.append(
                rule(
                    f'-A {_CONNMARK} -m comment --comment "AWS, CONNMARK" -j CONNMARK '
                    f"--set-xmark {mark}",
                    "what leaves the VPC is to leave by the primary interface",
                )
            )
            snat = [
                rule(
                    f'-A {_SNAT} -d {prefix} -m comment --comment "AWS SNAT CHAIN'
                    f'{"" if what == "VPC CIDR" else " " + what}" -j RETURN',
                    away,
                )
                for prefix, what in inside
            ]
            snat.append(
                rule(
                    f'-A {_SNAT} ! -o vlan+ -m comment --comment "AWS, SNAT" -m addrtype '
                    f"! --dst-type LOCAL -j SNAT --to-source {node.address(4)}{settings.random}",
                    "what leaves the VPC leaves with the node's address, unless "
                    "AWS_VPC_K8S_CNI_EXTERNALSNAT is true or AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS "
                    f"holds it{f' ({settings.origin.where})' if settings.origin.where else ''}",
                )
            )
            tables["nat"] = TablePart(
                chains={
                    _CONNMARK: Chain(_CONNMARK, tuple(marks)),
                    _SNAT: Chain(_SNAT, tuple(snat)),
                },
                jumps=(
                    Jump(
                        "POSTROUTING",
                        rule(
                            f'-A POSTROUTING -m comment --comment "AWS SNAT CHAIN" -j {_SNAT}',
                            "aws-node rewrites what leaves the VPC",
                        ),
                    ),
                    Jump(
                        "PREROUTING",
                        rule(
                            f'-A PREROUTING {veths} -m comment --comment "AWS, outbound '
                            f'connections" -j {_CONNMARK}',
                            "what pods send is looked at",
                        ),
                    ),
                    Jump(
                        "PREROUTING",
                        rule(
                            f'-A PREROUTING -m comment --comment "AWS, CONNMARK" {restore}',
                            "the connection's mark decides about the way out",
                        ),
                    ),
                ),
            )
        if settings.node_ports:
            uplink = self._site.uplink(node).device
            primary = '-m comment --comment "AWS, primary ENI"'
            lines = (
                (
                    f"-A PREROUTING -i {uplink} {primary} -m addrtype --dst-type LOCAL "
                    f"--limit-iface-in -j CONNMARK --set-xmark {mark}"
                ),
                f"-A PREROUTING {veths} {primary} -j CONNMARK --restore-mark {masks}",
            )
            why = "what came in by the primary interface is answered by it"
            jumps = tuple(Jump("PREROUTING", rule(line, why)) for line in lines)
            tables["mangle"] = TablePart(jumps=jumps)
        return Contribution(_OWNER, tables)

    def _cable(self, node: Node, pod: Pod) -> Part:
        device = self._device(node, pod)
        end = Interface(
            name=device,
            kind=LinkKind.VETH,
            mac=self._mac(node, pod),
            peer=(pod.key, "eth0"),
            reason=_because(pod, f"host end of the cable to pod {pod.key}"),
        )
        return node_end(end, pod, (one for one in pod.addresses if one.version == 4), _because)

    def _device(self, node: Node, pod: Pod) -> str:
        """As a dump's route names it; else ``eni`` and a hash (driver: generateHostVethName)."""
        return self._site.cable_of(node, pod, self._settings.prefix)

    def _mac(self, node: Node, pod: Pod) -> str:
        seen = self._site.seen_mac(node, self._device(node, pod))
        return seen or host_mac(pod.addresses[0])

    @cached_property
    def _vpc(self) -> Sequence[Prefix]:
        """The VPC's range is the cloud's to know: what holds nodes and pods, in 16 bits at most."""
        cluster = self._site.cluster
        found = [a for node in cluster.nodes.values() for a in node.addresses if a.version == 4]
        found += [a for pod in cluster.pods.values() for a in pod.addresses if a.version == 4]
        wide = dict.fromkeys(Prefix.of(address, _VPC_BITS) for address in found)
        whole = covering(wide, _VPC_BITS) if wide else None
        return (whole,) if whole is not None and whole.length == _VPC_BITS else sorted(wide)

    @cached_property
    def _settings(self) -> _Settings:
        daemon = self._site.running(_is_its)
        if daemon is not None:
            return _told(dict(daemon.env), daemon.origin)
        return _Settings(origin=assumed("as aws-node's own manifest sets it; the VPC's range too"))


def _is_its(pod: Pod, container: Container) -> bool:
    del pod
    return container.name == _OWNER or "AWS_VPC_K8S_CNI_EXTERNALSNAT" in dict(container.env)


def _told(env: Mapping[str, str], origin: Origin) -> _Settings:
    mark = env.get("AWS_VPC_K8S_CNI_CONNMARK", "")
    prefix = env.get("AWS_VPC_K8S_CNI_VETHPREFIX", "eni")
    return _Settings(
        external_snat=env.get("AWS_VPC_K8S_CNI_EXTERNALSNAT") == "true",
        excluded=listed(env.get("AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS", "")),
        random=_RANDOM.get(env.get("AWS_VPC_K8S_CNI_RANDOMIZESNAT", "prng"), _RANDOM["prng"]),
        node_ports=env.get("AWS_VPC_CNI_NODE_PORT_SUPPORT", "true") != "false",
        mark=int(mark, 0) if _is_number(mark) else 0x80,
        prefix=prefix if prefix.isascii() and prefix.isalnum() and len(prefix) < 5 else "eni",
        origin=origin,
    )


def _is_number(written: str) -> bool:
    try:
        return 0 < int(written, 0) <= 0xFFFFFFFF
    except ValueError:
        return False
