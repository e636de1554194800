"""Programs that serve Ingresses and routes, by their images, and what they do of their own.

Sources: as for `walk.ingress`, which follows their connections.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from k8stui.cluster.ingress.routes import ROUTES_WITH_HOSTS
from k8stui.cluster.programs.images import bare_image, is_ingress_controller
from k8stui.cluster.programs.listening import declared
from k8stui.kernel.exchange import Result
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.cluster.model import Pod

_STATUS = {
    Result.REFUSED: 502,
    Result.UNREACHABLE: 502,
    Result.TIMEOUT: 504,
    Result.DENIED: 403,
    Result.NOT_SERVED: 502,
}
_OF_ENVOY = {**dict.fromkeys(_STATUS, 503), Result.DENIED: 403}
_INGRESS = ("Ingress",)
_ASIDE = re.compile(r"metric|prom|health|admin|webhook|status|stat|traefik|dashboard|controller")
"""Ports that a controller has for its owner alone, by their names,"""
_OWN = frozenset({1024, 8001, 8100, 8444, 9000, 9100, 9113, 10254, 15000, 15020, 15021, 15090})
"""and by their numbers."""


@record()
class Controller:
    """A program that serves Ingresses or routes, and how it is with connections of its own."""

    name: str
    patience_seconds: float
    """For a connection."""
    tries: int
    """Of one request, each to another endpoint."""
    unbacked: str = "503"
    """The status where nobody is behind a path."""
    by_letters: bool = False
    """Whether ``/web`` takes ``/website`` too, though it is a Prefix."""
    kinds: Sequence[str] = _INGRESS
    """Of objects that it serves."""
    of: str = ""
    """``spec.controller`` of the IngressClasses that are its own; empty: several are."""
    falls_through: bool = False
    """Whether what no path of the host's own takes may be another's, of a wildcard or any host."""
    statuses: Mapping[Result, int] = _STATUS
    """Where its own connection fails."""


NGINX = Controller("ingress-nginx", 5.0, 3, of="k8s.io/ingress-nginx")
_TRAEFIK = Controller(
    "Traefik", 30.0, 1, "404 (503 with allowEmptyServices)", by_letters=True,
    kinds=(*_INGRESS, "IngressRoute", *ROUTES_WITH_HOSTS), falls_through=True,
    of="traefik.io/ingress-controller",
)  # fmt: skip
_KONG = Controller(
    "Kong", 60.0, 6, kinds=(*_INGRESS, *ROUTES_WITH_HOSTS), falls_through=True,
    of="ingress-controllers.konghq.com/kong",
)  # fmt: skip
_NGINX_ORG = Controller(
    "NGINX Ingress Controller", 60.0, 1 << 16, of="nginx.org/ingress-controller"
)
_CONTROLLERS = (
    ("traefik", _TRAEFIK),
    ("haproxy", Controller("HAProxy", 5.0, 4)),
    ("kong", _KONG),
    ("nginx/nginx-ingress", _NGINX_ORG),
    ("nginx", NGINX),
)
"""By what the image's name holds, without the registry: dialTimeout of Traefik (and its providers'
allowEmptyServices, strictPrefixMatching, both off), timeout connect and retries of HAProxy's,
connect_timeout and retries of Kong's Service, proxy-connect-timeout of NGINX's, which tries all."""
GATEWAY = Controller(
    "Istio's gateway", 10.0, 3, kinds=("VirtualService", *ROUTES_WITH_HOSTS), statuses=_OF_ENVOY
)


def is_aside(pod: Pod, number: int) -> bool:
    """Whether a port is for the controller's owner alone: metrics, health, its own interface."""
    names = [port.name for port in declared(pod) if port.number == number]
    return number in _OWN or any(map(_ASIDE.search, names))


def controller_of(pod: Pod) -> Controller:
    """What a pod that serves Ingresses or routes runs."""
    for one in pod.containers:
        if is_ingress_controller(one.image):
            name = "/".join(bare_image(one.image).split("/")[-2:])
            return next((known for part, known in _CONTROLLERS if part in name), NGINX)
    return GATEWAY


def class_of(pod: Pod, by: Controller) -> str:
    """``spec.controller`` of the IngressClasses that it serves; empty: not known."""
    words = (word for one in pod.containers for word in one.spoken) if by is NGINX else ()
    told = (word.partition("=")[2] for word in words if word.startswith("--controller-class="))
    return next(told, by.of)
