"""The conformance tests of ClusterNetworkPolicy, walked: the share that ends as they expect.

python benchmarks/conformance.py CHECKOUT [ENGINE]

CHECKOUT: of github.com/kubernetes-sigs/network-policy-api, whose ``conformance/`` holds a cluster,
policies, and tests written in Go. Nothing of it is kept here. Of each test are read: which
manifests it applies, whose pod is asked, how it changes policies (rules that swap places, a
priority, an action, a namespace's labels), and every poke with what it expects. A change that is
not understood (it writes a rule in Go) leaves out the rest of its ``t.Run``: that is counted apart.

ENGINE: ``api`` (default) or ``calico``: by its chains.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.record import record
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

_MANIFESTS = re.compile(r"Manifests:\s*\[\]string\{([^}]*)\}")
_RUN = re.compile(r't\.Run\("((?:[^"\\]|\\.)*)"')
_POD = re.compile(r'(\w+) :?= kubernetes\.GetPod\(t, s\.Client, "([^"]+)", "([^"]+)"')
_POKE = re.compile(
    r'PokeServer\(t, s\.ClientSet, &s\.KubeConfig, "([^"]+)", "([^"]+)", "(\w+)",\s*'
    r"(\w+)\.Status\.PodIP, int32\((?:s\.HostNetworkPorts\[)?(\d+)\]?\), "
    r"s\.TimeoutConfig, (true|false)\)"
)
_GET = re.compile(
    r'(\w+) :?= kubernetes\.Get(ClusterNetworkPolicy|Namespace)\(t, s\.Client, "([^"]+)"'
)
_COPY = re.compile(r"(\w+) :?= (\w+)\.DeepCopy\(\)")
_TAKE = re.compile(r"(\w+) := (\w+)(?:\.DeepCopy\(\))?\.Spec\.(\w+)\[(\d+)\]$")
_PUT = re.compile(r"(\w+)\.Spec\.(\w+)\[(\d+)\] = (?:(\w+)\.Spec\.(\w+)\[(\d+)\]|(\w+))$")
_PRIORITY = re.compile(r"(\w+)\.Spec\.Priority = (\d+)$")
_ACTION = re.compile(r"(\w+)\.Spec\.(\w+)\[(\d+)\]\.Action = api\.\w+RuleAction(\w+)$")
_LABELS = re.compile(r'(\w+)\.SetLabels\(map\[string\]string\{"([^"]+)": "([^"]+)"\}\)')
_PATCH = re.compile(r"Patch(?:ClusterNetworkPolicy|Namespace)\(t, s\.Client, (\w+), (\w+),")
_STRING = re.compile(r'(\w+) := "(\w+)"$')
_PROTOCOLS = re.compile(r"(\w+)\.Protocols = ")
_NAMED = re.compile(r"DestinationNamedPort: (\w+)")
_DELETE = re.compile(r"s\.Client\.Delete\(ctx, np\)")
_IGNORED = re.compile(
    r"[{})\s,]*|var CNP.*|ctx, cancel := .*|defer cancel\(\)|np := .*|"
    r"err := s\.Client\.Get.*|require\..*"
)

_FIRST_HOST_PORT = "3434"
_HOST_PORT = re.compile(r"\{\{ index \.HostNetworkPorts (\d) \}\}")

Manifest = dict[str, Any]


_NODES: list[Manifest] = [
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{n}", "labels": {"kubernetes.io/os": "linux"}},
        "spec": {"podCIDR": f"10.244.{n}.0/24"},
        "status": {"addresses": [{"type": "InternalIP", "address": f"192.168.0.{10 + n}"}]},
    }
    for n in (1, 2, 3)
]
"""Labelled as kubelet does it; a pod and its own node always meet, so there are some."""


@record()
class Poke:
    """One connection that a test tries."""

    run: str
    source: str
    target: str
    port: int
    protocol: str
    is_open: bool
    objects: Sequence[Manifest]


class _Test:
    """One test, read line by line: what the cluster holds at each poke."""

    def __init__(self, objects: Sequence[Manifest]) -> None:
        self.objects = deepcopy(list(objects))
        self.names: dict[str, Any] = {}
        self.left_out: list[str] = []

    def pokes(self, body: str) -> Iterator[Poke]:
        run, lost = "", False
        for line in _statements(body):
            if (found := _RUN.search(line)) is not None:
                run, lost = found[1], False
            elif lost:
                continue
            elif (found := _POKE.search(line)) is not None:
                space, pod, protocol, var, port, expected = found.groups()
                yield Poke(
                    run, f"pod/{space}/{pod}", self.names[var],
                    int(port) if "HostNetwork" not in line else int(_FIRST_HOST_PORT + port),
                    protocol,
                    expected == "true", deepcopy(self.objects),
                )  # fmt: skip
            elif not self._does(line):
                lost = True
                self.left_out.append(f"{run}: {line}")

    def _does(self, line: str) -> bool:
        names = self.names
        if (found := _POD.search(line)) is not None:
            names[found[1]] = f"pod/{found[2]}/{found[3]}"
        elif (found := _GET.search(line)) is not None:
            names[found[1]] = self._object(found[2], found[3])
        elif (found := _TAKE.search(line)) is not None:
            names[found[1]] = deepcopy(names[found[2]]["spec"][found[3].lower()][int(found[4])])
        elif (found := _COPY.search(line)) is not None:
            names[found[1]] = deepcopy(names[found[2]])
        elif (found := _PUT.search(line)) is not None:
            target, way, place, other, other_way, other_place, name = found.groups()
            value = (
                names[name] if name else names[other]["spec"][other_way.lower()][int(other_place)]
            )
            names[target]["spec"][way.lower()][int(place)] = deepcopy(value)
        elif (found := _STRING.match(line)) is not None:
            names[found[1]] = found[2]
        elif (found := _PROTOCOLS.match(line)) is not None:
            names["protocols"] = names[found[1]]["protocols"] = []
        elif (found := _NAMED.match(line)) is not None:
            names["protocols"].append({"destinationNamedPort": names[found[1]]})
        elif _DELETE.search(line) is not None:
            self.objects = [one for one in self.objects if one["kind"] != "NetworkPolicy"]
        elif (found := _PRIORITY.search(line)) is not None:
            names[found[1]]["spec"]["priority"] = int(found[2])
        elif (found := _ACTION.search(line)) is not None:
            names[found[1]]["spec"][found[2].lower()][int(found[3])]["action"] = found[4]
        elif (found := _LABELS.search(line)) is not None:
            names[found[1]]["metadata"]["labels"] = {found[2]: found[3]}
        elif (found := _PATCH.search(line)) is not None:
            before, after = names[found[1]], names[found[2]]
            place = next(n for n, one in enumerate(self.objects) if _id(one) == _id(before))
            self.objects[place] = deepcopy(after)
        else:
            return _IGNORED.fullmatch(line) is not None
        return True

    def _object(self, kind: str, name: str) -> Manifest:
        return next(one for one in self.objects if _id(one)[:2] == (kind, name))


def _id(one: Manifest) -> tuple[str, str, str]:
    metadata = one["metadata"]
    return one["kind"], metadata["name"], metadata.get("namespace", "")


def _statements(body: str) -> Iterator[str]:
    """Lines, with calls that go on over several as one."""
    held = ""
    for line in body.splitlines():
        text = re.sub(r"//.*|/\*.*?\*/", "", line).strip()
        held = f"{held} {text}".strip()
        if held.count("(") <= held.count(")") or _RUN.search(held):
            yield held
            held = ""


def _read(folder: Path, names: Sequence[str]) -> list[Manifest]:
    texts = (_HOST_PORT.sub(r"3434\1", (folder / name).read_text()) for name in names)
    documents = [one for text in texts for one in yaml.safe_load_all(text)]
    return [one for one in documents if isinstance(one, dict)]


def _world(objects: Sequence[Manifest], engine: str) -> World:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "all.yaml"
        file.write_text(yaml.safe_dump_all(objects))
        cni = "calico" if engine == "calico" else "bridge"
        options = NodeOptions(cni=cni, policy_engine=engine)
        return build_world([str(file)], ClusterOptions(), options)


def main() -> None:
    folder, engine = Path(sys.argv[1]) / "conformance", (sys.argv[2:] or ["api"])[0]
    base = [*_NODES, *_read(folder, ["base/manifests.yaml"])]
    right = count = 0
    left_out: list[str] = []
    for file in sorted((folder / "tests").glob("*.go")):
        for text in file.read_text().split("suite.ConformanceTest{")[1:]:
            manifests = _MANIFESTS.search(text)
            assert manifests is not None
            test = _Test([*base, *_read(folder, re.findall(r'"([^"]+)"', manifests[1]))])
            body = text[text.index("Test: func") :].partition("\n")[2]
            world, known = None, None
            for poke in test.pokes(body):
                if world is None or poke.objects != known:
                    world, known = _world(poke.objects, engine), poke.objects
                    for problem in world.problems:
                        print(f"{file.stem}: {problem.message}")
                suffix = "" if poke.protocol == "tcp" else f"/{poke.protocol}"
                request = parse_request(world, poke.source, f"{poke.target}:{poke.port}{suffix}")
                results = {one.outcome.result for one in walks(world, request)}
                count += 1
                right += (results == {Result.CONNECTED}) is poke.is_open
                if (results == {Result.CONNECTED}) is not poke.is_open:
                    wanted = "open" if poke.is_open else "closed"
                    asked = f"{request.source} -> {request.destination}"
                    found = ", ".join(sorted(map(str, results)))
                    print(f"{file.stem}: {poke.run}: {asked}: {found}, not {wanted}")
            left_out += [f"{file.stem}: {one}" for one in test.left_out]
    print(f"{right} of {count} pokes end as expected ({engine}), {len(left_out)} runs not read:")
    for one in left_out:
        print(f"    {one}")


if __name__ == "__main__":
    main()
