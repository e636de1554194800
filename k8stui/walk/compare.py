"""The same request under another setting: where the two walks part, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from k8stui.cluster.model import Cluster, ProxyConfiguration, Service
from k8stui.errors import value_of
from k8stui.nodes.cni import CHOICES
from k8stui.nodes.kubeproxy import MODES
from k8stui.nodes.network import build_network
from k8stui.nodes.options import NodeOptions
from k8stui.origin import assumed
from k8stui.record import record
from k8stui.settings import BRIDGE_NF, WHAT_IFS, Form, Holder, Setting
from k8stui.suggest import nearest
from k8stui.walk.breakage import BranchEnd, answer_of, answers
from k8stui.walk.error import RequestError, unknown
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Hop, Request, Trace, TraceStep
from k8stui.walk.walk import walks

if TYPE_CHECKING:
    from k8stui.walk.world import World

_NAMES = {"cni": CHOICES, "mode": MODES}
SETTINGS: Mapping[str, tuple[str, ...]] = {
    setting.what_if: setting.values or _NAMES[setting.name] for setting in WHAT_IFS
}
"""What can be compared, as it is spelled, and the values it can have; capitals do not matter."""
_BY_WORD = {setting.what_if: setting for setting in WHAT_IFS}
_SWITCH = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
"""Spellings of a switch, whichever of them its setting prefers."""
MOST_BRANCHES = 100
"""Branches of each side that are walked: a Service can have thousands of endpoints."""


@record(kw_only=True)
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
    answers_before: Mapping[BranchEnd, Fraction]
    answers_after: Mapping[BranchEnd, Fraction]
    """Over the branches walked: each answer with its probability."""
    observed_nodes: tuple[str, ...] = ()
    """Nodes whose rules are a dump's: no setting changes those."""

    @property
    def is_same(self) -> bool:
        """Whether the setting changes nothing about this walk."""
        return self.common == len(self.before.steps) == len(self.after.steps)


def not_walked(answers: Mapping[BranchEnd, Fraction]) -> Fraction:
    """Probability of the branches of one side beyond the first `MOST_BRANCHES`."""
    return 1 - sum(answers.values(), Fraction(0))


@record()
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

    """
    request = parse_request(world, source, destination, namespace)
    with value_of("--compare"):
        other = vary(world, request, assignment)
    asked = parse_request(other.world, source, destination, namespace)
    befores = list(islice(walks(world, request), MOST_BRANCHES))
    afters = list(islice(walks(other.world, asked), MOST_BRANCHES))
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
        observed_nodes=tuple({**world.options.iptables, **world.options.state}),
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
    return [decision(hop, step) for hop, step in trace.placed]


def decision(hop: Hop, step: TraceStep) -> tuple[object, ...]:
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


def apply_setting(world: World, request: Request, setting: str, value: str) -> World:
    """The world in which `setting` (of `SETTINGS`) has another value.

    A Service's own setting is changed on the Service that `request` asks for, others everywhere.
    Cheap: nodes are built when a packet gets there.

    Raises:
        RequestError: no such setting or value, or `request` asks for no Service.

    """
    return _varied(world, request, _named(setting), value).world


def vary(world: World, request: Request, assignment: str) -> Variation:
    """As `apply_setting`, for ``SETTING=VALUE``; with both values as they would be written.

    Raises:
        RequestError: as `compare`.

    """
    name, equals, value = assignment.partition("=")
    if not equals:
        raise _not_a_setting(name)
    return _varied(world, request, _named(name), value)


def _named(name: str) -> str:
    """The setting as it is spelled."""
    found = next((each for each in SETTINGS if each.lower() == name.strip().lower()), None)
    if found is None:
        raise _not_a_setting(name)
    return found


def _not_a_setting(name: str) -> RequestError:
    near = nearest(name, SETTINGS)
    return RequestError(
        f"not a setting that can be compared: {name!r}",
        hint=f"did you mean {near}=VALUE?" if near else "write SETTING=VALUE",
        choices=tuple(SETTINGS),
    )


def _varied(world: World, request: Request, setting: str, value: str) -> Variation:
    allowed = SETTINGS[setting]
    written = value.strip().lower()
    spellings = _SWITCH if allowed[0] in _SWITCH else allowed
    if written not in {each.lower() for each in spellings}:
        raise unknown(f"{setting} cannot be {value!r}", value, allowed)
    if spellings is _SWITCH:
        said = allowed[0] if _SWITCH[written] else allowed[1]
    else:
        said = next(each for each in allowed if each.lower() == written)
    other = _changed(world, request, setting, said)
    now = current(world, request, setting) or "not set (not reachable from outside)"
    return Variation(other, setting, now, said)


def current(world: World, request: Request, setting: str) -> str | None:
    """The value of `setting` now, as it would be written; None where it is not one of `request`'s.

    A policy for the outside is none of a Service that is not reachable from there.
    """
    row = _BY_WORD[setting]
    holder = _holder(world, request, row)
    value = getattr(holder, row.name, None)
    if row is BRIDGE_NF and value is None:
        value = world.network.bridge_nf()
    return row.say(value) if holder is not None else None


def _holder(
    world: World, request: Request, row: Setting[object]
) -> Service | ProxyConfiguration | NodeOptions | None:
    """Whose field it is; None: a Service's, and `request` asks for none."""
    match row.holder:
        case Holder.SERVICE:
            return world.cluster.services.get(request.service or "")
        case Holder.PROXY:
            return world.cluster.proxy
        case _:
            return world.options


def _changed(world: World, request: Request, setting: str, value: str) -> World:
    """`value`: one that `SETTINGS` allows, spelled as there."""
    row = _BY_WORD[setting]
    holder = _holder(world, request, row)
    if holder is None:
        raise RequestError(
            f"{setting} is a Service's, and {request.destination} is no Service",
            hint="ask svc/NAME, or node/NAME with a Service's node port",
        )
    changes: dict[str, Any] = {row.name: _SWITCH[value] if row.form is Form.SWITCH else value}
    if isinstance(holder, NodeOptions):
        options = replace(holder, **changes)
        return replace(world, options=options, network=build_network(world.cluster, options))
    asked = assumed(f"what if {setting} were {value}", holder.origin.place)
    other = replace(holder, origins={**holder.origins, row.name: asked}, **changes)
    if isinstance(other, ProxyConfiguration):
        return _with_cluster(world, replace(world.cluster, proxy=other))
    services = {**world.cluster.services, other.key: other}
    return _with_cluster(world, replace(world.cluster, services=services))


def _with_cluster(world: World, cluster: Cluster) -> World:
    return replace(world, cluster=cluster, network=build_network(cluster, world.options))
