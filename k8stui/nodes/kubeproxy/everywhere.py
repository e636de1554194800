"""What kube-proxy finds alike on every node: worked out once, however many nodes are looked at.

Service ports, their endpoints and the names of the endpoints' chains come from the API alone. So
do most plans, and the rules of single endpoints with them; what looks at the node (its own
endpoints, topology hints, its podCIDR) does not.
"""

from __future__ import annotations

from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from functools import cached_property
from typing import TypeVar
from weakref import WeakValueDictionary, ref

from k8stui.cluster.memory import others
from k8stui.cluster.model import Cluster, Service, ServicePort
from k8stui.kernel.address import Address
from k8stui.kernel.rules import Chain
from k8stui.nodes.contribution import Contribution, TablePart
from k8stui.nodes.kubeproxy.endpoints import Backend, Held, backends, choose, held
from k8stui.nodes.kubeproxy.names import EndpointNames, chain_suffix
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.ports import TRANSPORTS, known_ports, port_of
from k8stui.nodes.kubeproxy.settings import ProxySettings

Kept = TypeVar("Kept")
Key = TypeVar("Key")
_Known = tuple[Service, ServicePort, str]
LARGE_CLUSTER_ENDPOINTS = 1000
"""More endpoints than this, and the rules of single endpoints lose their comments
(kube-proxy largeClusterEndpointsThreshold)."""


class Everywhere:
    """One cluster for IP `version` 4 or 6, as each of its kube-proxies sees it.

    `earlier`: the same cluster a moment ago. What was worked out there of Services and endpoints
    that are the very same objects still is taken over.
    """

    def __init__(self, cluster: Cluster, version: int, earlier: Everywhere | None = None) -> None:
        self._cluster = cluster
        self.version = version
        self._candidates: dict[str, list[Backend]] = {}
        self._same: dict[Hashable, tuple[Sequence[Held], list[Backend]]] = {}
        """By identity of what slices hold, which is kept: Services of the same pods share it."""
        self._names: dict[str, EndpointNames] = {}
        self._plans: dict[str, PortPlan] = {}
        self._owners: dict[str, str] = {}
        """KUBE-SEP chain names made so far → service port name, be it one of an earlier moment."""
        self._all_owners = False
        self.chains: MutableMapping[object, Chain] = WeakValueDictionary()
        """Chains that are the same on every node; each lives for as long as a node keeps it."""
        self.fixed: dict[ProxySettings, Mapping[str, TablePart]] = {}
        """By table what is written whatever the Services are; of iptables alone."""
        self._written: dict[Hashable, Contribution] = {}
        self._known: Mapping[str, _Known] = {}
        self._known_services: Mapping[str, Service] = {}
        self._apart: tuple[ref[Everywhere], Collection[str]] | None = None
        if earlier is not None and earlier.version == version:
            self._take_over(earlier)

    def _take_over(self, earlier: Everywhere) -> None:
        self._owners = earlier._owners
        self._known, self._known_services = earlier.service_ports, earlier._cluster.services
        self.fixed = earlier.fixed
        apart = frozenset(self._other_than(earlier))
        self._plans = _without(earlier._plans, apart)
        self._candidates = _without(earlier._candidates, apart)
        self._names = _without(earlier._names, apart)
        self._known, self._known_services = {}, {}
        self._move_index("asked_at", Everywhere._asked, earlier, apart)
        self._move_index("ports_to", Everywhere._led_to, earlier, apart)
        if self.is_large_cluster is earlier.is_large_cluster:
            self._apart = ref(earlier), apart

    def _move_index(
        self,
        index: str,
        keys: Callable[[Everywhere, str], Iterable[Hashable]],
        earlier: Everywhere,
        apart: Collection[str],
    ) -> None:
        """Take over an index that was made, with what the service ports `apart` change in it."""
        if index not in earlier.__dict__:
            return
        found: dict[Hashable, Sequence[str]] = dict(earlier.__dict__[index])
        for name in apart:
            for key in keys(earlier, name) if name in earlier.service_ports else ():
                left = [one for one in found.pop(key, ()) if one != name]
                if left:
                    found[key] = left
        for name in apart:
            for key in keys(self, name) if name in self.service_ports else ():
                found[key] = sorted((*found.get(key, ()), name))
        self.__dict__[index] = found

    def written(self, of: Hashable, make: Callable[[], Contribution]) -> Contribution:
        """What a kube-proxy writes, by all that it looks at beside this."""
        found = self._written.get(of)
        if found is None:
            found = self._written[of] = make()
        return found

    def still(self, cluster: Cluster) -> bool:
        """Whether all that is known here is so in `cluster`, too, a moment later."""
        then = self._cluster
        apart = others(then.services, cluster.services)
        apart |= others(then.endpoint_slices, cluster.endpoint_slices)
        if any(self._is_served(each, key) for key in apart for each in (then, cluster)):
            return False
        self._cluster = cluster
        return True

    def _is_served(self, cluster: Cluster, key: str) -> bool:
        """Whether a Service has ports in this family."""
        service = cluster.services.get(key)
        return service is not None and any(True for _ in known_ports([service], self.version))

    def ports_apart(self, earlier: Everywhere) -> Collection[str]:
        """Names of the service ports that may not have the same rules as a moment ago."""
        if earlier is self:
            return ()
        if self._apart is not None and self._apart[0]() is earlier:
            return self._apart[1]
        if self.is_large_cluster is not earlier.is_large_cluster:
            return self.service_ports.keys() | earlier.service_ports.keys()
        return frozenset(self._other_than(earlier))

    def _other_than(self, earlier: Everywhere) -> Iterator[str]:
        """Service ports that came, went, or have another Service or other endpoints than before."""
        now, then = self.service_ports, earlier.service_ports
        yield from others(then, now)
        services = self._cluster.services
        apart = others(earlier._cluster.endpoint_slices, self._cluster.endpoint_slices)
        touched = [services[key] for key in apart if key in services]
        yield from (name for name, _, _ in known_ports(touched, self.version))

    @cached_property
    def service_ports(self) -> Mapping[str, _Known]:
        """What is proxied in this family, by service port name, in order of it.

        The third is the hash that the names of the port's chains end in.
        """
        then, now = self._known_services, self._cluster.services
        apart = others(then, now)
        if self._known and not apart:
            return self._known
        gone = {id(then.get(key)) for key in apart}
        found = {name: known for name, known in self._known.items() if id(known[0]) not in gone}
        came = [service for key, service in now.items() if key in apart]
        for name, service, port in known_ports(came, self.version):
            found[name] = (service, port, chain_suffix(name + TRANSPORTS[port.protocol]))
        return {name: found[name] for name in sorted(found)}

    @cached_property
    def suffixes(self) -> Mapping[str, str]:
        """Hash at the end of a service port's chain names → service port name."""
        return {suffix: name for name, (_, _, suffix) in self.service_ports.items()}

    @cached_property
    def asked_at(self) -> Mapping[Hashable, Sequence[str]]:
        """What packets are sent to → names of the service ports that may answer there.

        Address, protocol and port; protocol and node port; cluster IP alone.
        """
        return _index((key, name) for name in self.service_ports for key in self._asked(name))

    def _asked(self, name: str) -> Iterator[Hashable]:
        service, port, _ = self.service_ports[name]
        protocol = int(port.protocol)
        vips = (one.ip for one in service.load_balancer_ingress if one.ip is not None)
        for address in (*service.cluster_ips, *service.external_ips, *vips):
            yield address, protocol, port.port
        for address in service.cluster_ips:
            yield (address,)
        if port.node_port:
            yield protocol, port.node_port

    @cached_property
    def asked_by(self) -> Mapping[Address, Sequence[str]]:
        """By address that packets are sent to names of the service ports that may answer there."""
        found: dict[Address, dict[str, None]] = {}
        for key, names in self.asked_at.items():
            first = key[0] if isinstance(key, tuple) else None
            if isinstance(first, Address):
                found.setdefault(first, {}).update(dict.fromkeys(names))
        return {address: tuple(names) for address, names in found.items()}

    @cached_property
    def ports_to(self) -> Mapping[Address, Sequence[str]]:
        """By address of an endpoint names of the service ports that have it."""
        return _index((key, name) for name in self.service_ports for key in self._led_to(name))

    def _led_to(self, name: str) -> Collection[Address]:
        key = self.service_ports[name][0].key
        slices = self._cluster.endpoint_slices.get(key, ())
        return {one.addresses[0] for part in slices for one in part.endpoints if one.addresses}

    @cached_property
    def is_large_cluster(self) -> bool:
        """Counts every endpoint of every service port, ready or not, and stops when it knows."""
        count = 0
        known = self._candidates
        for name in self.service_ports:
            count += len(known[name] if name in known else self._backends(name))
            if count > LARGE_CLUSTER_ENDPOINTS:
                return True
        return False

    def plan(self, name: str, node: str, zone: str | None) -> PortPlan:
        """What becomes of the service port `name` on `node` in `zone`; the same where it can be.

        Raises:
            KeyError: there is no such service port in this family.

        """
        shared = self._plans.get(name)
        if shared is not None:
            return shared
        service, service_port, suffix = self.service_ports[name]
        port = port_of(name, service, service_port, self.version)
        candidates = self._backends(name)
        choice = choose(
            candidates,
            node=node,
            zone=zone,
            uses_cluster=port.uses_cluster,
            uses_local=port.uses_local,
        )
        plan = PortPlan(port, suffix, choice, self._endpoint_names(name, port.protocol))
        looks_at_node = port.uses_local or any(each.endpoint.has_hints for each in candidates)
        if not looks_at_node:
            self._plans[name] = plan
        return plan

    def is_shared(self, plan: PortPlan) -> bool:
        """Whether the plan is every node's."""
        return self._plans.get(plan.port.name) is plan

    def owner(self, chain: str) -> str | None:
        """The service port that the KUBE-SEP `chain` is of.

        One of a Service somebody looked at is known; else all names must be made.
        """
        if chain not in self._owners and not self._all_owners:
            for name, (_, port, _) in self.service_ports.items():
                names = self._endpoint_names(name, TRANSPORTS[port.protocol])
                for backend in self._backends(name):
                    names[backend.text]
            self._all_owners = True
        found = self._owners.get(chain)
        return found if found in self.service_ports else None

    def _endpoint_names(self, name: str, protocol: str) -> EndpointNames:
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = EndpointNames(name, protocol, self._owners)
        return found

    def _backends(self, name: str) -> list[Backend]:
        found = self._candidates.get(name)
        if found is None:
            service, port, _ = self.service_ports[name]
            slices = self._cluster.endpoint_slices.get(service.key, ())
            parts = tuple(held(slices, port.name, port.protocol, self.version))
            same = tuple((id(endpoints), number) for endpoints, number in parts)
            if same not in self._same:
                self._same[same] = parts, backends(parts, self.version)
            found = self._candidates[name] = self._same[same][1]
        return found


def _index(pairs: Iterable[tuple[Key, str]]) -> dict[Key, list[str]]:
    found: dict[Key, list[str]] = {}
    for key, name in pairs:
        found.setdefault(key, []).append(name)
    return found


def _without(known: Mapping[str, Kept], apart: Collection[str]) -> dict[str, Kept]:
    """A copy of what is known, but for those service ports."""
    found = dict(known)
    for name in apart:
        found.pop(name, None)
    return found
