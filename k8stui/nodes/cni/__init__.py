"""Network plug-ins: what each puts on a node, one file per plug-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8stui.nodes.cni.bridge import Bridge
from k8stui.nodes.cni.docker0 import Docker0
from k8stui.nodes.cni.flannel import Flannel, from_configuration, overlay
from k8stui.nodes.cni.plugin import BridgeStyle, Plugin
from k8stui.nodes.errors import NodeOptionError

_BRIDGE = BridgeStyle(owner="bridge plug-in")
_PLUGINS: Mapping[str, Callable[[Mapping[str, object] | None], Plugin]] = {
    "flannel": from_configuration,
    "flannel-host-gw": lambda _: Flannel(),
    "flannel-vxlan": overlay,
    "bridge": lambda _: Bridge(style=_BRIDGE),
    "bridge-ipmasq": lambda _: Bridge(style=_BRIDGE, ip_masq=True),
    "docker0": lambda _: Docker0(),
}

CHOICES = tuple(_PLUGINS)
"""Values of ``--cni``."""


def plugin(name: str, flannel: Mapping[str, object] | None = None) -> Plugin:
    """The plug-in of that name; `flannel` is the input's net-conf.json.

    Raises:
        NodeOptionError: there is no such plug-in.

    """
    make = _PLUGINS.get(name)
    if make is None:
        raise NodeOptionError("--cni", name, CHOICES)
    return make(flannel)
