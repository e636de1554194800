"""The same request under another setting: where the two walks part, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from k8stui.cluster.model import Cluster, Service
from k8stui.manifests.origin import Origin, assumed
from k8stui.nodes.network import build_network
from k8stui.walk.breakage import Answer, answer_of, answers
from k8stui.walk.error import RequestError, nearest
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Hop, Request, Step, Trace
from k8stui.walk.walk import walks

if TYPE_CHECKING:
    from k8stui.walk.world import World

_T = TypeVar("_T")
_SWITCH = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
_POLICIES = {"cluster": "Cluster", "local": "Local"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One request under two settings. `before` is the input as it is.

    The traces are the first two branches that come to different answers; where there are none,
    the first two that part; else the first.
    """

    setting: str
    value_before: str
    value_after: str
    """Values as they would be written."""
    before: Trace
    after: Trace
    common: int
    """How many steps both begin with."""
    answers_before: Mapping[Answer, Fraction]
    answers_after: Mapping[Answer, Fraction]
    """Over all branches: each answer with its probability."""
    observed_nodes: tuple[str, ...] = ()
    """Nodes whose rules are a dump's: no setting changes those."""

    @property
    def is_same(self) -> bool:
        """Whether the setting changes nothing about this walk."""
        return self.common == len(self.before.steps) == len(self.after.steps)


@dataclass(frozen=True, slots=True)
class Variation:
    """A world with one setting changed."""

    world: World
    setting: str
    value_before: str
    value_after: str


def compare(
    world: World, source: str, destination: str, assignment: str, namespace: str = "default"
) -> Comparison:
    """Walk as it is and with `assignment` (``SETTING=VALUE``, see `SETTINGS`).

    A Service's own setting is changed on the Service asked for, others everywhere.

    Raises:
        RequestError: of the request, or the assignment is not one, or nothing here has it.
        NodeOptionError: a CNI or a proxy mode that does not exist.

    """
    request = parse_request(world, source, destination, namespace)
    other = vary(world, request, assignment)
    asked = parse_request(other.world, source, destination, namespace)
    befores, afters = list(walks(world, request)), list(walks(other.world, asked))
    before, after = _pair(befores, afters)
    return Comparison(
        setting=other.setting,
        value_before=other.value_before,
        value_after=other.value_after,
        before=before,
        after=after,
        common=common_steps(before, after),
        answers_before=answers(befores),
        answers_after=answers(afters),
        observed_nodes=tuple(world.options.iptables),
    )


def _pair(befores: list[Trace], afters: list[Trace]) -> tuple[Trace, Trace]:
    """The two branches to show side by side; see `Comparison`."""
    if len(befores) != len(afters):
        wanted = answers(afters)
        telling = next((each for each in befores if answer_of(each) not in wanted), befores[0])
        told = answers(befores)
        return telling, next((each for each in afters if answer_of(each) not in told), afters[0])
    pairs = list(zip(befores, afters, strict=True))
    unlike = (pair for pair in pairs if answer_of(pair[0]) != answer_of(pair[1]))
    parting = (pair for pair in pairs if _decisions(pair[0]) != _decisions(pair[1]))
    return next(unlike, None) or next(parting, None) or pairs[0]


def common_steps(one: Trace, other: Trace) -> int:
    """How many steps, from the first on, are the same decision about the same packet."""
    pairs = zip(_decisions(one), _decisions(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _decisions(trace: Trace) -> list[tuple[object, ...]]:
    return [_decision(hop, step) for hop in trace.hops for step in hop.steps]


def _decision(hop: Hop, step: Step) -> tuple[object, ...]:
    """The proof tells more than the sentence, which may speak of the setting itself."""
    return (
        hop.namespace,
        hop.direction,
        step.kind,
        step.device,
        step.hook,
        step.detail or step.text,
        step.before,
        step.after,
    )


def vary(world: World, request: Request, assignment: str) -> Variation:
    """The world in which a setting has another value.

    Raises:
        RequestError: as `compare`.

    """
    name, equals, value = assignment.partition("=")
    known = {each.lower(): each for each in SETTINGS}
    setting = known.get(name.strip().lower())
    if setting is None or not equals:
        near = nearest(name, SETTINGS)
        raise RequestError(
            f"not a setting that can be compared: {assignment!r}",
            hint=f"did you mean {near}=VALUE?" if near else "write SETTING=VALUE",
            choices=tuple(SETTINGS),
        )
    return SETTINGS[setting](world, request, setting, value.strip())


def _external(world: World, request: Request, setting: str, value: str) -> Variation:
    service = _service(world, request, setting)
    policy = _one_of(setting, value, _POLICIES)
    other = replace(
        service, external_traffic_policy=policy, origins=_origins(service, setting, policy)
    )
    now = service.external_traffic_policy or "not set (not reachable from outside)"
    return Variation(_with_service(world, other), setting, now, policy)


def _internal(world: World, request: Request, setting: str, value: str) -> Variation:
    service = _service(world, request, setting)
    policy = _one_of(setting, value, _POLICIES)
    other = replace(
        service, internal_traffic_policy=policy, origins=_origins(service, setting, policy)
    )
    now = service.internal_traffic_policy or "Cluster"
    return Variation(_with_service(world, other), setting, now, policy)


_FIELDS = {
    "externalTrafficPolicy": "external_traffic_policy",
    "internalTrafficPolicy": "internal_traffic_policy",
}


def _origins(service: Service, setting: str, value: str) -> Mapping[str, Origin]:
    asked = assumed(f"--compare {setting}={value}", service.origin.place)
    return {**service.origins, _FIELDS[setting]: asked}


def _masquerade_all(world: World, request: Request, setting: str, value: str) -> Variation:
    del request
    proxy = world.cluster.proxy
    wanted = _one_of(setting, value, _SWITCH)
    cluster = replace(world.cluster, proxy=replace(proxy, masquerade_all=wanted))
    return Variation(
        _with_cluster(world, cluster), setting, _word(proxy.masquerade_all), _word(wanted)
    )


def _proxy_mode(world: World, request: Request, setting: str, value: str) -> Variation:
    del request
    proxy = world.cluster.proxy
    cluster = replace(world.cluster, proxy=replace(proxy, mode=value))
    return Variation(_with_cluster(world, cluster), setting, proxy.mode or "iptables", value)


def _bridge_nf(world: World, request: Request, setting: str, value: str) -> Variation:
    del request
    wanted = _one_of(setting, value, _SWITCH)
    now = world.options.bridge_nf_call_iptables
    other = _with_options(world, bridge_nf_call_iptables=wanted)
    return Variation(other, setting, str(int(now)), str(int(wanted)))


def _hairpin(world: World, request: Request, setting: str, value: str) -> Variation:
    del request
    wanted = _one_of(setting, value, _SWITCH)
    now = world.options.hairpin
    said = "as the plug-in sets it" if now is None else _on(now)
    return Variation(_with_options(world, hairpin=wanted), setting, said, _on(wanted))


def _cni(world: World, request: Request, setting: str, value: str) -> Variation:
    del request
    return Variation(_with_options(world, cni=value), setting, world.options.cni, value)


SETTINGS: Mapping[str, Callable[[World, Request, str, str], Variation]] = {
    "externalTrafficPolicy": _external,
    "internalTrafficPolicy": _internal,
    "masqueradeAll": _masquerade_all,
    "bridge-nf-call-iptables": _bridge_nf,
    "hairpin": _hairpin,
    "proxy-mode": _proxy_mode,
    "cni": _cni,
}
"""What can be compared, as it is spelled; capitals do not matter."""


def _service(world: World, request: Request, setting: str) -> Service:
    service = world.cluster.services.get(request.service or "")
    if service is None:
        raise RequestError(
            f"{setting} is a Service's, and {request.destination} is no Service",
            hint="ask svc/NAME, or node/NAME with a Service's node port",
        )
    return service


def _one_of(setting: str, value: str, choices: Mapping[str, _T]) -> _T:
    found = choices.get(value.lower())
    if found is None:
        raise RequestError(f"{setting} cannot be {value!r}", choices=tuple(choices))
    return found


def _with_service(world: World, service: Service) -> World:
    services = {**world.cluster.services, service.key: service}
    return _with_cluster(world, replace(world.cluster, services=services))


def _with_cluster(world: World, cluster: Cluster) -> World:
    return replace(world, cluster=cluster, network=build_network(cluster, world.options))


def _with_options(world: World, **changes: Any) -> World:
    options = replace(world.options, **changes)
    return replace(world, options=options, network=build_network(world.cluster, options))


def _word(value: bool) -> str:
    return "true" if value else "false"


def _on(value: bool) -> str:
    return "on" if value else "off"
