"""What the command line says about the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from k8stui.record import record
from k8stui.settings import BRIDGE_NF, CNI, HAIRPIN, POLICY_ENGINE, SYNC_VERSION


@record(kw_only=True)
class NodeOptions:
    """What the user says of the nodes; all else is the input's or assumed."""

    cni: str = CNI.default
    """One of `k8stui.nodes.cni.CHOICES`. ``flannel``: with the backend of the input's
    net-conf.json, else host-gw."""
    policy_engine: str | None = POLICY_ENGINE.default
    """One of `k8stui.nodes.policy.CHOICES`; None: what the input shows."""
    sync_version: int | None = SYNC_VERSION.default
    """The number in the names of kube-router's chains; None: a stable one."""
    hairpin: bool | None = HAIRPIN.default
    """Hairpin mode of the bridge ports; None: as the plug-in sets it (docker0: off, flannel: its
    cni-conf.json, else on)."""
    bridge_nf_call_iptables: bool | None = BRIDGE_NF.default
    """None: as a pod of the cluster sets it on its node, else on."""
    iptables: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of an iptables-save or ip6tables-save dump that replaces its rules."""
    ipset: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of an ``ipset save`` dump, for rules that ask sets."""
    ip_addr: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of the output of ``ip -j addr``, which replaces its devices."""
    ip_route: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of the output of ``ip -j route [show table all]``."""
    ip_rule: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of the output of ``ip -j rule``."""
    ip_neigh: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of the output of ``ip -j neigh``."""
    fdb: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of the output of ``bridge [-j] fdb show``."""
    sysctl: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of the output of ``sysctl -a``."""
    conntrack: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of the output of ``conntrack -L``."""
    nft: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of the output of ``nft list ruleset``, or of ``nft -j``."""
    state: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of what ``k8stui collect`` wrote of it."""
