"""A plug-in that is taken to be there, or stands for one that is not modelled: all is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from k8stui.cluster.model import CalicoSettings, CniConfiguration, NetworkPlugin, Node, Pod, Remark
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Interface, Route, Socket
from k8stui.neutralise import neutralise
from k8stui.nodes.cni.plugin import Plugin
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.part import Part
from k8stui.origin import Origin, OriginKind, assumed

_T = TypeVar("_T", Interface, Route, Socket)


def stand_in(instead_of: NetworkPlugin, name: str) -> Origin:
    """Why the plug-in `name` is on nodes that have `instead_of` in truth."""
    return assumed(_said(instead_of, name), instead_of.origin.place)


class Assumed:
    """`plugin`, for the reason of `origin`."""

    def __init__(self, plugin: Plugin, origin: Origin) -> None:
        self._plugin = plugin
        self._origin = origin

    def recognises(self, node: Node) -> bool:
        return self._plugin.recognises(node)

    def node_part(self, node: Node) -> Part:
        return self._assumed(self._plugin.node_part(node))

    def pod_part(self, node: Node, pod: Pod) -> Part:
        return self._assumed(self._plugin.pod_part(node, pod))

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._plugin.addresses(node)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        return self._plugin.contributions(node, version)

    def _assumed(self, part: Part) -> Part:
        """`part` with everything that was the plug-in's usual doing marked as assumed."""
        return replace(
            part,
            interfaces=tuple(self._marked(one) for one in part.interfaces),
            routes=tuple(self._marked(one) for one in part.routes),
            sockets=tuple(self._marked(one) for one in part.sockets),
        )

    def _marked(self, thing: _T) -> _T:
        why = thing.reason
        if why is None or why.origin.kind is OriginKind.OBSERVED:
            return thing
        return replace(thing, reason=replace(why, origin=self._origin))


def stand_in_remarks(plugins: Iterable[NetworkPlugin], name: str) -> tuple[Remark, ...]:
    """Say for which of the input's plug-ins the plug-in `name` stands."""
    return tuple(Remark(text=_said(plugin, name), origin=plugin.origin) for plugin in plugins)


def named_by(one: CniConfiguration, name: str) -> Remark:
    """Say with which unknown plug-in a network configuration begins; `name` stands for it."""
    unknown = NetworkPlugin(name=neutralise(str(one.plugins[0]["type"])), origin=one.origin)
    return Remark(text=_said(unknown, name), origin=one.origin)


def without_tunnels(plugin: NetworkPlugin) -> Remark:
    """Of a plug-in that is imitated, but of whose tunnels between nodes nothing is said."""
    return Remark(
        text=f"{plugin.name}, the input's network plug-in, is taken to route between the nodes "
        "without a tunnel: no pool of its is in the input that says otherwise (IPIP, VXLAN)",
        origin=plugin.origin,
    )


_FAILSAFES = (
    ", but for the failsafe ports, which stay open: 22, 179, 2379, 2380, 5473, 6443, 6666, 6667 "
    "and 68/UDP to the host, unless failsafeInboundHostPorts says otherwise"
)
"""Calico v3.30 felix/config/config_params.go."""


def calico_remarks(calico: CalicoSettings) -> tuple[Remark, ...]:
    """What the input says to Calico and is not modelled: policies of its own, settings."""
    of_its_own = (
        Remark(
            text=f"Calico's {one.text}: not modelled; what it allows or denies is not known{but}",
            origin=one.origin,
        )
        for those, but in ((calico.policies, ""), (calico.hosts, _FAILSAFES))
        for one in those
    )
    return (*of_its_own, *calico.remarks)


def _said(plugin: NetworkPlugin, name: str) -> str:
    does = ""
    if plugin.by:
        parts = plugin.replaces
        listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
        does = f" ({plugin.by} does {listed})"
    return (
        f"{plugin.name}, the input's network plug-in, is not modelled{does}: nodes without a dump "
        f"of their own are taken to be as {name} leaves them"
    )
