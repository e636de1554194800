"""Ports that ingress-nginx opens beside HTTP's: those of a ConfigMap that an argument names.

``--tcp-services-configmap=NAMESPACE/NAME`` (and udp): each key is a port, each value
``NAMESPACE/SERVICE:PORT``. Without the argument nobody reads such a ConfigMap. Source:
ingress-nginx docs/user-guide/exposing-tcp-udp-services, pkg/flags/flags.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.model import Lack, Pod
from k8stui.kernel.packet import Protocol
from k8stui.whole import whole

_CONTROLLER = re.compile(r"ingress-nginx/controller|nginx-ingress-controller")
_OWN = frozenset({80, 443, 8181, 8443, 10245, 10246, 10247, 10254, 18080})
"""Those of HTTP, the webhook, health, status and profiling."""
_LEADS_TO = re.compile(r"[a-z0-9-]+/[a-z0-9-]+:[a-z0-9-]+(?::\w*){0,2}")


def is_controller(pod: Pod) -> bool:
    return any(_CONTROLLER.search(one.image) and not one.init for one in pod.containers)


def streamed(
    config_maps: Mapping[str, ConfigMap], pod: Pod, protocol: Protocol
) -> Mapping[int, str]:
    """The ports that its ConfigMap opens, each with the ConfigMap's ``namespace/name``."""
    name = _told(pod, protocol) if is_controller(pod) else ""
    held = config_maps.get(name)
    return dict.fromkeys(_ports(held), name) if held is not None else {}


def closed(
    config_maps: Mapping[str, ConfigMap], pod: Pod, number: int, protocol: Protocol
) -> Lack | None:
    """Why an ingress-nginx does not open a port; None: it may, or is none."""
    if not is_controller(pod) or number in _OWN or number in streamed(config_maps, pod, protocol):
        return None
    option = f"--{protocol.name.lower()}-services-configmap"
    told = _told(pod, protocol)
    others = (
        (name, held)
        for name, held in config_maps.items()
        if name != told and number in _ports(held)
    )
    found = next(others, None)
    said = f"ingress-nginx ({pod.key}) opens port {number} for nobody"
    if found is None:
        origin = config_maps[told].manifest.origin("data") if told in config_maps else pod.origin
        where = told or f"NAMESPACE/NAME, and start it with {option}=NAMESPACE/NAME"
        return Lack(
            f"{said}: beside 80 and 443 it opens what {option} says"
            + (f" (ConfigMap {told}, which has no {number})" if told else ", which it has not"),
            f'write "{number}": NAMESPACE/SERVICE:PORT into ConfigMap {where}',
            origin,
        )
    name, held = found
    why = (
        f"it reads ConfigMap {told} ({option})"
        + ("" if told in config_maps else ", which is not there")
        if told
        else f"it is started without {option}"
    )
    return Lack(
        f"{said}: {why}, and {number} stands in ConfigMap {name}",
        f"start it with {option}={name}",
        held.origin(str(number), 0),
    )


def _told(pod: Pod, protocol: Protocol) -> str:
    option = f"--{protocol.name.lower()}-services-configmap="
    words = (word for one in pod.containers for word in one.spoken)
    told = next((word.removeprefix(option) for word in words if word.startswith(option)), "")
    return told.replace("$(POD_NAMESPACE)", pod.namespace)


def _ports(held: ConfigMap) -> Iterator[int]:
    for key, value in held.data.items():
        number = whole(key)
        if number and isinstance(value, str) and _LEADS_TO.fullmatch(value.strip()):
            yield number
