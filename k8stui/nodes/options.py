"""What the command line says about the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOptions:
    cni: str = "flannel"
    """``flannel`` (host-gw backend) or ``docker0``."""
    hairpin: bool = True
    bridge_nf_call_iptables: bool = True
    iptables: Mapping[str, str] = field(default_factory=dict)
    """Node name → path of an iptables-save or ip6tables-save dump that replaces its rules."""
    ip_addr: Mapping[str, str] = field(default_factory=dict)
    ip_route: Mapping[str, str] = field(default_factory=dict)
