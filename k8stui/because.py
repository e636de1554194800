"""Why something stands on a node: the Service, endpoint, pod or setting that caused it.

Whoever makes a rule, route, address, device or socket sets it as its ``reason``; the kernel room
carries it and never looks inside.
"""

from __future__ import annotations

from k8stui.origin import Origin
from k8stui.record import record


@record(kw_only=True)
class Because:
    """The reason for one rule, route, address, device or socket."""

    text: str
    """In words, as one would say it on stage: ``endpoint 2 of 3 of Service default/frontend``."""
    origin: Origin
    owner: str = ""
    """kube-proxy, kubelet, flannel, portmap, docker, the kernel, a container …"""
    service: str | None = None
    """``namespace/name``."""
    service_port: str | None = None
    """kube-proxy's service port name, ``namespace/name:portname``."""
    endpoint: str | None = None
    """``address:port``."""
    pod: str | None = None
    """``namespace/name``."""
    among: tuple[tuple[str, str | None], ...] = ()
    """Of a rule that chooses by itself: the endpoints, each with its pod, in the order of their
    numbers."""
    setting: str | None = None
    """Name of the setting, such as ``externalTrafficPolicy: Cluster``."""
