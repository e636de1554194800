"""What if: one setting of the world turned, all else as it was. Pure functions, no Textual."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from k8stui.cluster.model import ProxyConfiguration, Service
from k8stui.manifests.origin import assumed
from k8stui.nodes.cni import CHOICES
from k8stui.nodes.network import build_network
from k8stui.walk.trace import Trace
from k8stui.walk.world import World


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A setting that can be turned."""

    words: str
    """What it would be: ``hairpin off``."""
    now: str
    """What it is."""
    apply: Callable[[], World]
    """Build the world in which it is so; cheap, for nodes are built when a packet gets there."""


def what_ifs(world: World, service_key: str | None) -> tuple[WhatIf, ...]:
    """Everything that can be turned; `service_key`: the Service asked for, where it is one."""
    found = list(_nodes(world))
    found += _proxy(world)
    service = world.cluster.services.get(service_key or "")
    if service is not None:
        found += _policies(world, service)
    found += _plugins(world)
    return tuple(found)


def first_difference(before: Trace, after: Trace) -> int | None:
    """0-based step of `after` from which two walks differ; None: they are the same."""
    old = [(hop.namespace, s.kind, s.text) for hop in before.hops for s in hop.steps]
    new = [(hop.namespace, s.kind, s.text) for hop in after.hops for s in hop.steps]
    if old == new:
        return None
    at = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None)
    return at if at is not None else max(0, min(len(old), len(new)) - 1)


def _nodes(world: World) -> Iterator[WhatIf]:
    options = world.options
    hairpin = options.cni != "docker0" if options.hairpin is None else options.hairpin
    yield WhatIf(
        f"hairpin {_on(not hairpin)}",
        _on(hairpin),
        lambda: _with_options(world, hairpin=not hairpin),
    )
    calls = options.bridge_nf_call_iptables
    yield WhatIf(
        f"bridge-nf-call-iptables {int(not calls)}",
        str(int(calls)),
        lambda: _with_options(world, bridge_nf_call_iptables=not calls),
    )


def _proxy(world: World) -> Iterator[WhatIf]:
    proxy = world.cluster.proxy
    every = not proxy.masquerade_all
    yield WhatIf(
        f"masqueradeAll {str(every).lower()}",
        str(proxy.masquerade_all).lower(),
        lambda: _with_proxy(world, replace(proxy, masquerade_all=every)),
    )
    mode = "userspace" if proxy.mode == "iptables" else "iptables"
    yield WhatIf(
        f"proxy mode {mode}",
        proxy.mode,
        lambda: _with_proxy(world, replace(proxy, mode=mode)),
    )


def _policies(world: World, service: Service) -> Iterator[WhatIf]:
    external, internal = service.external_traffic_policy, service.internal_traffic_policy
    if external is not None:
        other = _other(external)
        yield WhatIf(
            f"externalTrafficPolicy {other}",
            external,
            lambda: _with_service(world, replace(service, external_traffic_policy=other)),
        )
    if internal is not None and service.cluster_ips:
        inner = _other(internal)
        yield WhatIf(
            f"internalTrafficPolicy {inner}",
            internal,
            lambda: _with_service(world, replace(service, internal_traffic_policy=inner)),
        )


def _plugins(world: World) -> Iterator[WhatIf]:
    for name in CHOICES:
        if name != world.options.cni:
            yield WhatIf(f"cni {name}", world.options.cni, partial(_with_cni, world, name))


def _with_options(world: World, **changed: bool) -> World:
    options = replace(world.options, **changed)  # type: ignore[arg-type]  # only flags are given
    return replace(world, options=options, network=build_network(world.cluster, options))


def _with_cni(world: World, cni: str) -> World:
    options = replace(world.options, cni=cni)
    return replace(world, options=options, network=build_network(world.cluster, options))


def _with_proxy(world: World, proxy: ProxyConfiguration) -> World:
    cluster = replace(world.cluster, proxy=replace(proxy, origin=assumed("what if")))
    return replace(world, cluster=cluster, network=build_network(cluster, world.options))


def _with_service(world: World, service: Service) -> World:
    origins = dict(service.origins)
    for name in ("external_traffic_policy", "internal_traffic_policy"):
        if getattr(service, name) != getattr(world.cluster.services[service.key], name):
            origins[name] = assumed("what if")
    services = {**world.cluster.services, service.key: replace(service, origins=origins)}
    cluster = replace(world.cluster, services=services)
    return replace(world, cluster=cluster, network=build_network(cluster, world.options))


def _on(value: bool) -> str:
    return "on" if value else "off"


def _other(policy: str) -> str:
    return "Local" if policy == "Cluster" else "Cluster"
