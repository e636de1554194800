"""Connections that another analyser of policies expects, beside what `reach` says of them.

python benchmarks/analyser.py CHECKOUT [FOLDER]...

CHECKOUT: of github.com/np-guard/netpol-analyzer, whose ``tests/`` are folders of manifests and
whose ``test_outputs/connlist/`` say who may connect to whom. Nothing of it is kept here. Each
folder is read with ``--policy-engine api``; of each workload the first pod is taken, and of the
ports one of every range that the folder's policies, containers or expected connections tell apart,
for TCP, UDP and SCTP. Pods are compared by `reach`: a connection is allowed unless the policies
stop it (nobody need listen). Addresses outside are compared by the judgement behind `explain`, for
no client is there to be walked.

An API server would refuse some of these objects (a peer without podSelector, an owner without uid):
then there is no policy, and no pod. They are mended as they were meant, and the folders counted
apart; pods on their node's network are counted apart as well, for no policy is about them.

Left out, because it is no matter of policies between pods: what comes by Ingresses and Routes
(``{ingress-controller}``), virtual machines, and other networks than the pods' own (UDN, NAD).
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from k8stui.cluster.judgement import Ask, Judgement
from k8stui.cluster.model import Pod
from k8stui.cluster.policy import Direction
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import Asked, Asker
from k8stui.reach.graph import deniers
from k8stui.reach.reach import reach
from k8stui.record import record
from k8stui.walk.world import World, build_world

_ENDING = "_connlist_output.txt"
_PROTOCOLS = (Protocol.TCP, Protocol.UDP, Protocol.SCTP)
_LAST = 65535
_PEER = re.compile(r"(?P<key>[^\[]+)\[(?P<kind>\w+)\]")
_RANGE = re.compile(r"([0-9.]+)-([0-9.]+)")

Port = tuple[Protocol, int]
Ports = frozenset[tuple[Protocol, int, int]]
"""Protocol, first and last."""


@record()
class Expected:
    """A line: who may connect to whom."""

    source: str
    """``namespace/name`` of a workload, or a range of addresses; so is `target`."""
    target: str
    ports: Ports

    def allows(self, port: Port) -> bool:
        return any(one[0] is port[0] and one[1] <= port[1] <= one[2] for one in self.ports)


@record(kw_only=True)
class Compared:
    """What became of one folder."""

    pairs: int = 0
    differences: Sequence[str] = ()
    on_nodes: int = 0
    """Further differences: one of the two is on its node's network."""
    is_mended: bool = False
    refused: Sequence[str] = ()
    """What an API server refuses although it was mended."""
    why: str = ""
    """Why it was not compared."""


def expected(text: str) -> tuple[list[Expected], str]:
    """Lines that are understood; why they are not to be compared, where that is so."""
    found: list[Expected] = []
    for line in text.splitlines():
        if "Permitted connectivity analyzed in primary" in line or "secondary" in line:
            return [], "other networks than the pods' own"
        source, arrow, rest = line.partition(" => ")
        target, colon, ports = rest.partition(" : ")
        if not arrow or not colon or "{ingress-controller}" in line:
            continue
        if "[VirtualMachine]" in line:
            return [], "virtual machines"
        found.append(Expected(_peer(source), _peer(target), _ports(ports)))
    return found, ""


def _peer(text: str) -> str:
    known = _PEER.fullmatch(text.strip())
    assert known is not None, text
    return known["key"]


def _ports(text: str) -> Ports:
    """``All Connections`` or ``SCTP 1-9002,TCP 80,443``."""
    if text.strip() == "All Connections":
        return frozenset((one, 1, _LAST) for one in _PROTOCOLS)
    found, protocol = set(), Protocol.TCP
    for part in text.replace(",", " ").split():
        if part in Protocol.__members__:
            protocol = Protocol[part]
            if f"{part} All" in text:
                found.add((protocol, 1, _LAST))
            continue
        first, _, last = part.partition("-")
        if first.isdigit():
            found.add((protocol, int(first), int(last or first)))
    return frozenset(found)


def compare(folder: Path, text: str) -> Compared:
    """Read a folder, and compare what it expects."""
    lines, why = expected(text)
    if why:
        return Compared(why=why)
    world = build_world([str(folder)], node_options=NodeOptions(policy_engine="api"))
    is_mended = bool(world.problems)
    if is_mended:
        with TemporaryDirectory() as mended:
            file = Path(mended) / "mended.yaml"
            file.write_text(yaml.safe_dump_all(_mended(_documents(folder))))
            world = build_world([str(file)], node_options=NodeOptions(policy_engine="api"))
    workloads = _workloads(world, _documents(folder))
    named = {one for line in lines for one in (line.source, line.target) if "/" in one}
    differences = [f"no pod of {one} that can ask" for one in sorted(named - set(workloads))]
    lines_of: dict[tuple[str, str], list[Expected]] = {}
    for line in lines:
        lines_of.setdefault((line.source, line.target), []).append(line)
    count = on_nodes = 0
    spellings: dict[str, list[str]] = {}
    everybody = {end for ends in lines_of for end in ends}
    for (source, target, port), allowed in _answers(world, workloads, lines):
        for name in (source, target):
            if name not in spellings:  # an address is meant by each range that holds it
                spellings[name] = [end for end in everybody if _is_in(name, end)]
        should = any(
            line.allows(port)
            for one in spellings[source]
            for other in spellings[target]
            for line in lines_of.get((one, other), ())
        )
        count += 1
        if allowed is should:
            continue
        if any(one in workloads and workloads[one].host_network for one in (source, target)):
            on_nodes += 1
            continue
        said = "allowed" if allowed else "denied"
        differences.append(f"{source} -> {target} {port[0].name} {port[1]}: {said} here")
    return Compared(
        pairs=count,
        differences=differences,
        on_nodes=on_nodes,
        is_mended=is_mended,
        refused=[problem.message for problem in world.problems],
    )


def _is_in(name: str, end: str) -> bool:
    found = _RANGE.fullmatch(end)
    if found is None or "/" in name:
        return name == end
    first, last = (Address.parse(each) for each in found.groups())
    return first.value <= Address.parse(name).value <= last.value


def _documents(folder: Path) -> Iterator[Any]:
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".yaml", ".yml", ".json"):
            for document in yaml.safe_load_all(file.read_text()):
                items = document.get("items") if isinstance(document, dict) else None
                if not isinstance(items, list):
                    yield document
                    continue
                for item in items:
                    kind = document.get("kind", "").removesuffix("List")
                    yield {"apiVersion": document.get("apiVersion"), "kind": kind} | item


def _mended(documents: Iterable[Any]) -> Iterator[Any]:
    """What the API server wants to be written, as it was meant."""
    for one in documents:
        if not isinstance(one, dict) or "kind" not in one:
            continue
        kind = one["kind"]
        if kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy"):
            _mend_peers(one.get("spec"))
        metadata = one.setdefault("metadata", {})
        if "Policy" in kind and isinstance(metadata.get("name"), str):
            metadata["name"] = metadata["name"].replace("_", "-").lower()
        for owner in metadata.get("ownerReferences") or ():
            for key, value in (("apiVersion", "apps/v1"), ("kind", "ReplicaSet"), ("uid", "u")):
                owner.setdefault(key, value)
        spec = one.get("spec")
        template = spec.get("template") if isinstance(spec, dict) else None
        if isinstance(spec, dict) and kind == "Deployment" and isinstance(template, dict):
            labels = (template.get("metadata") or {}).get("labels")
            if labels:
                spec["selector"] = {"matchLabels": labels}
        inner = template.get("spec") if isinstance(template, dict) else spec
        containers = inner.get("containers") if isinstance(inner, dict) else None
        for n, each in enumerate(containers or ()):
            each.setdefault("name", f"c{n}")
            each.setdefault("image", "x")
        yield one


def _mend_peers(value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            _mend_peers(each)
    elif isinstance(value, dict):
        pods = value.get("pods")
        if isinstance(pods, dict) and ("podSelector" in pods or "namespaceSelector" in pods):
            pods.setdefault("podSelector", {})
            pods.setdefault("namespaceSelector", {})
        for each in value.values():
            _mend_peers(each)


def _workloads(world: World, documents: Iterable[Any]) -> Mapping[str, Pod]:
    """A pod of each that can ask, by the workload's key: none where all have ended."""
    owners: dict[str, str] = {}
    for one in documents:
        if isinstance(one, dict) and one.get("kind") == "Pod":
            metadata = one["metadata"]
            for owner in (metadata.get("ownerReferences") or ())[:1]:
                if owner.get("kind") != "Node":  # a static pod's
                    key = f"{metadata.get('namespace', 'default')}/{metadata['name']}"
                    owners[key] = owner["name"]
    found: dict[str, Pod] = {}
    for pod in world.cluster.pods.values():
        if (pod.node_name if pod.host_network else pod.key) not in world.network:
            continue
        is_made = pod.owner is not None and pod.owner[0] != "Node"
        made = pod.owner[1] if pod.owner is not None and is_made else pod.name
        found.setdefault(f"{pod.namespace}/{owners.get(pod.key, made)}", pod)
    return found


def _chosen(world: World, lines: Sequence[Expected]) -> Sequence[Port]:
    """One port of each range that anybody tells from others."""
    edges = {1, _LAST + 1}
    for line in lines:
        for _, first, last in line.ports:
            edges |= {first, last + 1}
    for policy in world.cluster.all_policies:
        for direction in Direction:
            for rule in policy.rules(direction):
                for one in rule.ports:
                    if isinstance(one.port, int):
                        edges |= {one.port, (one.end_port or one.port) + 1}
    for pod in world.cluster.pods.values():
        for container in pod.containers:
            for port in container.ports:
                edges |= {port.number, port.number + 1}
    firsts = [first for first, after in pairwise(sorted(edges)) if first < after]
    return [(protocol, first) for protocol in _PROTOCOLS for first in firsts if first <= _LAST]


def _answers(
    world: World, workloads: Mapping[str, Pod], lines: Sequence[Expected]
) -> Iterator[tuple[tuple[str, str, Port], bool]]:
    ports = _chosen(world, lines)
    yield from _between_pods(world, workloads, ports)
    judgement = Judgement(world.network.enforced)
    for address in _addresses(lines):
        peer = judgement.peer(None, address, str(address))
        for key, pod in workloads.items():
            for protocol, number in ports:
                port = protocol, number
                ask = Ask(number, protocol, pod)
                ruling = judgement.of(Direction.INGRESS, pod, peer, ask)
                yield (str(address), key, port), bool(ruling.allowed)
                ruling = judgement.of(Direction.EGRESS, pod, peer, Ask(number, protocol, None))
                yield (key, str(address), port), bool(ruling.allowed)


def _addresses(lines: Sequence[Expected]) -> Iterator[Address]:
    """One of each range that the lines tell apart."""
    edges = set()
    for line in lines:
        for end in (line.source, line.target):
            if (found := _RANGE.fullmatch(end)) is not None:
                first, last = (Address.parse(each) for each in found.groups())
                edges |= {first.value, last.value + 1}
    for value in sorted(edges):
        if value < 1 << 32:
            yield Address(4, value)


def _between_pods(
    world: World, workloads: Mapping[str, Pod], ports: Sequence[Port]
) -> Iterator[tuple[tuple[str, str, Port], bool]]:
    rows = [
        Asker(f"pod/{pod.key}", pod.node_name or "" if pod.host_network else pod.key, pod,
              pod.node_name or "")
        for pod in workloads.values()
    ]  # fmt: skip
    columns = [
        Asked(f"pod/{pod.key}:{number}{_suffix(protocol)}", number, protocol, pod)
        for pod in workloads.values()
        for protocol, number in ports
    ]
    found = reach(world, rows, columns)
    names = list(workloads)
    for place, column in enumerate(columns):
        target = names[place // len(ports)]
        for source, cell in zip(names, found.column(place), strict=True):
            if source != target:
                felt = found.classes[cell.number].felt
                stopped = felt.result is Result.TIMEOUT and deniers(world.cluster, felt.reason)
                yield (source, target, (column.protocol, column.port)), not stopped


def _suffix(protocol: Protocol) -> str:
    return "" if protocol is Protocol.TCP else f"/{protocol.name.lower()}"


def _folders(checkout: Path, wanted: Iterable[str]) -> Iterator[tuple[str, str]]:
    chosen = set(wanted)
    for file in sorted((checkout / "test_outputs" / "connlist").glob(f"*{_ENDING}")):
        name = file.name.removesuffix(_ENDING)
        if (checkout / "tests" / name).is_dir() and (not chosen or name in chosen):
            yield name, file.read_text()


def main() -> None:
    checkout, *wanted = sys.argv[1:]
    began = time.process_time()
    done: list[Compared] = []
    for name, text in _folders(Path(checkout), wanted):
        found = compare(Path(checkout) / "tests" / name, text)
        if found.why:
            print(f"{name}: not compared: {found.why}", flush=True)
            continue
        done.append(found)
        if found.differences or found.on_nodes or found.refused or wanted:
            print(
                f"{name}: {len(found.differences)} of {found.pairs} differ, {found.on_nodes} of "
                f"nodes' own pods{', mended' if found.is_mended else ''}",
                flush=True,
            )
            for line in [*found.refused, *found.differences][: None if wanted else 4]:
                print(f"    {line}")
    equal = [one for one in done if not one.differences and not one.on_nodes]
    pairs = sum(one.pairs for one in done)
    other = sum(len(one.differences) for one in done)
    print(
        f"{len(equal)} of {len(done)} folders equal ({sum(one.is_mended for one in equal)} of them "
        f"mended); {pairs - other:,} of {pairs:,} connections, but for "
        f"{sum(one.on_nodes for one in done):,} of pods on nodes' networks; "
        f"{time.process_time() - began:.0f} s CPU"
    )


if __name__ == "__main__":
    main()
