"""Calico with iptables: Felix's chains and sets, made for a cluster."""

from __future__ import annotations

from k8stui.late import Late

CALICO = Late("k8stui.nodes.policy.calico.engine", "Calico")
