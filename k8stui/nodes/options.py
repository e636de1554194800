"""What the command line says about the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from k8stui.record import record


@record(kw_only=True)
class NodeOptions:
    cni: str = "flannel"
    """One of `k8stui.nodes.cni.CHOICES`. ``flannel``: with the backend of the input's
    net-conf.json, else host-gw."""
    hairpin: bool | None = None
    """Hairpin mode of the bridge ports; None: as the plug-in sets it (docker0: off, else on)."""
    bridge_nf_call_iptables: bool = True
    iptables: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of an iptables-save or ip6tables-save dump that replaces its rules."""
    ipset: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of an ``ipset save`` dump, for rules that ask sets."""
    ip_addr: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of the output of ``ip -j addr``, which replaces its devices."""
    ip_route: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of the output of ``ip -j route [show table all]``."""
