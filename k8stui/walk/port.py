"""The ``:PORT/PROTOCOL`` behind a destination: numbers, names, and what is left out."""

from __future__ import annotations

import re
from dataclasses import replace

from k8stui.cluster.model import ContainerPort, Pod, Service, ServicePort
from k8stui.kernel.packet import Protocol
from k8stui.record import record
from k8stui.walk.error import RequestError, unknown
from k8stui.walk.kinds import kind_of
from k8stui.whole import whole

_PROTOCOLS = {
    "tcp": Protocol.TCP,
    "udp": Protocol.UDP,
    "sctp": Protocol.SCTP,
    "icmp": Protocol.ICMP,
}
_PING = Protocol.ICMP
"""Of both families: which of the two is sent, the address decides."""
_URL = re.compile(
    r"(https?)://(?:[^@/]*@)?(\[[^]]*\]|[^/?#:]+)(:\d+)?(/[^?#]*)?(?:[?#].*)?", re.IGNORECASE
)
_USUAL = {"http": ":80", "https": ":443"}


@record(kw_only=True)
class Written:
    """A destination cut into host, port and protocol, as typed."""

    host: str
    """Without brackets."""
    port: str
    """Number or name; empty when left out."""
    protocol: Protocol | None
    """None: not typed."""
    scheme: str = ""
    """``http`` or ``https`` of a URL; empty: none was typed."""
    path: str = "/"
    """Of a URL, without its query."""


def cut(text: str) -> Written:
    """Cut ``HOST:PORT/PROTOCOL`` or a URL; an IPv6 address stands in brackets when a port follows.

    Raises:
        RequestError: the brackets or the address cannot be read.

    """
    if (url := _URL.fullmatch(text.strip())) is not None:
        scheme = url[1].lower()
        written = cut(url[2] + (url[3] or _USUAL[scheme]))
        return replace(written, scheme=scheme, path=url[4] or "/")
    protocol, text = _protocol(text.strip())
    if text.startswith("["):
        host, bracket, behind = text[1:].partition("]")
        if not bracket or (behind and not behind.startswith(":")):
            raise RequestError(f"not [ADDRESS]:PORT: {text!r}")
        return Written(host=host, port=behind[1:], protocol=protocol)
    if text.count(":") > 1:
        raise RequestError(
            f"cannot tell address from port: {text!r}",
            hint=f"write an IPv6 address in brackets: [{text}]:PORT",
        )
    host, _, port = text.partition(":")
    return Written(host=host, port=port, protocol=protocol)


def _protocol(text: str) -> tuple[Protocol | None, str]:
    rest, slash, word = text.rpartition("/")
    found = _PROTOCOLS.get(word.lower())
    # svc/tcp is a Service called tcp; svc/dns/udp leaves only the port out.
    has_host = ":" in rest or "/" in rest or (found is _PING and kind_of(rest) is None)
    if not slash or found is None or not has_host:
        return None, text
    return found, rest


def number(text: str) -> int | None:
    """The port number, None where it is a name.

    Raises:
        RequestError: a number that is no port.

    """
    if not (text.isascii() and text.isdigit()):
        return None
    value = whole(text)
    if value is None or not 0 < value < 65536:
        raise RequestError(f"not a port: {text} (1 to 65535)")
    return value


def _portless(written: Written) -> bool:
    """Whether this is a ping.

    Raises:
        RequestError: one to a port.

    """
    if written.protocol is not _PING:
        return False
    if written.port:
        raise RequestError(
            f"a ping asks no port: {written.host}:{written.port}/icmp",
            hint=f"write {written.host}/icmp",
        )
    return True


def canonical_url(written: Written, number: int) -> str:
    """``http://HOST:PORT/PATH``, for whom the path matters to."""
    return f"{written.scheme}://{canonical(written.host, number)}{written.path}"


def canonical(host: str, number: int) -> str:
    """``HOST:PORT``, or ``HOST/icmp`` for a ping."""
    if number:
        return f"{host}:{number}"
    return f"[{host}]/icmp" if host.count(":") > 1 else f"{host}/icmp"


def required(written: Written, what: str) -> int:
    """Give the port of a destination that has no names for ports; 0 for a ping.

    Raises:
        RequestError: it is missing or not a number.

    """
    if _portless(written):
        return 0
    if not written.port:
        raise RequestError(f"which port of {what}?", hint=f"write {what}:PORT")
    value = number(written.port)
    if value is None:
        raise RequestError(f"not a port number: {written.port!r}")
    return value


def service_port(service: Service, written: Written) -> tuple[int, Protocol, ServicePort | None]:
    """Port, protocol and the Service's port entry; None where the Service has no such port.

    A number that the Service does not have is walked all the same: that is what a client would do.

    Raises:
        RequestError: no such port name, or left out where the Service has several.

    """
    if _portless(written):
        return 0, _PING, None
    ports = [p for p in service.ports if written.protocol in (None, p.protocol)]
    if not written.port:
        if len(ports) == 1:
            return ports[0].port, ports[0].protocol, ports[0]
        raise RequestError(
            f"Service {service.key} has {len(ports) or 'no'} ports: which one?"
            if ports or not service.ports
            else f"Service {service.key} has no {_name(written.protocol)} port",
            hint=f"write svc/{service.name}:PORT",
            choices=_choices(service),
        )
    wanted = number(written.port)
    if wanted is None:
        for each in ports:
            if each.name == written.port:
                return each.port, each.protocol, each
        raise unknown(
            f"Service {service.key} has no port named {written.port}",
            f"svc/{service.name}:{written.port}",
            _choices(service),
        )
    for each in ports:
        if each.port == wanted:
            return wanted, each.protocol, each
    return wanted, written.protocol or Protocol.TCP, None


def pod_port(pod: Pod, written: Written) -> tuple[int, Protocol]:
    """Port and protocol of a pod's container port, by number or name.

    Raises:
        RequestError: no such name, or left out where the pod does not declare exactly one.

    """
    if _portless(written):
        return 0, _PING
    ports: list[ContainerPort] = [
        p
        for c in pod.containers
        for p in c.ports
        if written.protocol in (None, p.protocol) and (c.restartable_init or not c.init)
    ]
    choices = tuple(f"pod/{pod.name}:{p.name or p.number}" for p in ports)
    if not written.port:
        if len(ports) == 1:
            return ports[0].number, ports[0].protocol
        declares = f"declares {len(ports)} ports" if ports else "declares no port"
        raise RequestError(
            f"pod {pod.key} {declares}: which one?",
            hint=f"write pod/{pod.name}:PORT",
            choices=choices,
        )
    wanted = number(written.port)
    if wanted is None:
        for each in ports:
            if each.name == written.port:
                return each.number, each.protocol
        raise unknown(
            f"pod {pod.key} declares no port named {written.port}",
            f"pod/{pod.name}:{written.port}",
            choices,
        )
    declared = next((p.protocol for p in ports if p.number == wanted), Protocol.TCP)
    return wanted, written.protocol or declared


def _choices(service: Service) -> tuple[str, ...]:
    return tuple(
        f"svc/{service.name}:{p.name or p.port}"
        + ("" if p.protocol is Protocol.TCP else f"/{p.protocol.name.lower()}")
        for p in service.ports
    )


def _name(protocol: Protocol | None) -> str:
    return protocol.name if protocol else ""
