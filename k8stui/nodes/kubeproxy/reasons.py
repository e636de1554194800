"""Why kube-proxy wrote a rule, in words."""

from __future__ import annotations

from k8stui.because import Because
from k8stui.nodes.kubeproxy.endpoints import Backend
from k8stui.nodes.kubeproxy.ports import Port
from k8stui.nodes.kubeproxy.settings import ProxySettings
from k8stui.origin import Origin

OWNER = "kube-proxy"


def for_service(port: Port, fact: str, text: str, setting: str | None = None) -> Because:
    """A rule caused by a fact of the Service: `fact` is the attribute, such as ``cluster_ips``."""
    service = port.service
    return Because(
        text=text,
        origin=service.origins.get(fact, service.origin),
        owner=OWNER,
        service=port.service_key,
        service_port=port.name,
        setting=setting,
    )


def for_port(port: Port, fact: str, text: str) -> Because:
    """A rule caused by a fact of one of the Service's ports."""
    declared = port.service_port
    return Because(
        text=text,
        origin=declared.origins.get(fact, declared.origin),
        owner=OWNER,
        service=port.service_key,
        service_port=port.name,
    )


def for_endpoint(port: Port, backend: Backend, text: str) -> Because:
    """A rule caused by one endpoint."""
    return Because(
        text=text,
        origin=backend.endpoint.origin,
        owner=OWNER,
        service=port.service_key,
        service_port=port.name,
        endpoint=backend.text,
        pod=backend.endpoint.pod,
    )


def for_setting(settings: ProxySettings, text: str, setting: str | None = None) -> Because:
    """A rule caused by kube-proxy's configuration, or by kube-proxy itself."""
    return Because(text=text, origin=settings.origin, owner=OWNER, setting=setting)


def for_port_setting(port: Port, origin: Origin, text: str, setting: str) -> Because:
    """A rule of one service port that a setting of kube-proxy causes."""
    return Because(
        text=text,
        origin=origin,
        owner=OWNER,
        service=port.service_key,
        service_port=port.name,
        setting=setting,
    )
