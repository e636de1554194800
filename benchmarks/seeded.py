"""Mistakes planted in real manifests: how many does `k8stui check` find, on the line of each?

python benchmarks/seeded.py [--each N] [--seed S] [--show KIND] [FOLDER...]

Every folder is taken as one input; without any those of `OWN`, which every clone has. In a copy of
it one mistake at a time is written into one line, of a kind and at a place where what is beside it
shows that it is one: a selector that matched, a reference whose object is there, a port that the
pods declare. N places of each kind (default 1) are drawn by S (default 1). Found: a new error or
warning on that very line (for a line taken out or moved: on the lines beside it too). Prints the
share of each kind, and with `--show` what was missed.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from k8stui.check import Finding, Severity, check, unreadable
from k8stui.check.ground import Ground
from k8stui.check.ports import Match
from k8stui.manifests import Manifest
from k8stui.walk.world import build_world

Data = Mapping[str, Any]
Path_ = tuple[str | int, ...]
TOLD = (Severity.ERROR, Severity.WARNING)
TEMPLATE: Mapping[str, Path_] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
ROOT = Path(__file__).resolve().parents[1]
OWN = (
    *(f"samples/{name}" for name in ("guestbook", "webapp", "policies")),
    *(
        f"tests/recordings/{name}"
        for name in (
            "affinity",
            "external-policy",
            "guestbook",
            "loadbalancer",
            "traffic-distribution",
            "webapp-mysql",
        )
    ),
    *(
        f"tests/recordings-cluster/{name}/input"
        for name in ("kubeadm-like", "ports", "service-types", "statefulset", "webapp-mysql")
    ),
)
"""Sets that work, of this repository."""
MOST_FILES = 60
"""A folder with more is no set that somebody would check at once."""


class Spot(NamedTuple):
    """A line to write a mistake into."""

    kind: str
    manifest: Manifest
    path: Path_
    edit: Callable[[str], str | None]
    """The line with the mistake; None: it cannot be written there."""
    around: int = 0
    """So many lines beside it are the right place too."""


# What a line becomes


def swapped(text: str) -> str:
    """Two letters in the middle change places; where they are alike, one is left out."""
    middle = max(len(text) // 2, 1)
    if len(text) > 2 and text[middle - 1] != text[middle]:
        return text[: middle - 1] + text[middle] + text[middle - 1] + text[middle + 1 :]
    return text[:middle] + text[middle + 1 :] if len(text) > 1 else text + "x"


def _in_value(change: Callable[[str], str]) -> Callable[[str], str | None]:
    """Changes the plain value behind the last ``key: `` of a line."""

    def edit(line: str) -> str | None:
        found = re.fullmatch(r"(?P<head>.*?[\w.\"'/-]+: +)(?P<value>[^\s#{\[&*!|>][^#{}\[\],]*?)"
                             r"(?P<tail>\s*(?:#.*)?)", line)  # fmt: skip
        if found is None:
            return None
        value = found["value"]
        quote = value[0] if value[0] in "'\"" and value[-1] == value[0] and len(value) > 1 else ""
        bare = value.strip(quote) if quote else value
        mended = change(bare)
        return None if mended == bare else f"{found['head']}{quote}{mended}{quote}{found['tail']}"

    return edit


def _in_key(line: str) -> str | None:
    found = re.fullmatch(r"(?P<head>\s*(?:- )?)(?P<key>[A-Za-z]{5,})(?P<tail>:.*)", line)
    return f"{found['head']}{swapped(found['key'])}{found['tail']}" if found else None


def _swap_value(line: str) -> str | None:
    return _in_value(swapped)(line)


def _to(value: str) -> Callable[[str], str | None]:
    return _in_value(lambda _: value)


def _quoted(line: str) -> str | None:
    found = re.fullmatch(r"(.*: +)(\d+)(\s*)", line)
    return f'{found[1]}"{found[2]}"{found[3]}' if found else None


def _as_word(line: str) -> str | None:
    return _in_value(lambda text: "eighty" if text.isdigit() else text)(line)


def _no_space(line: str) -> str | None:
    found = re.fullmatch(r"(\s*(?:- )?[A-Za-z]+:) +(\S.*)", line)
    return f"{found[1]}{found[2]}" if found else None


def _deeper(line: str) -> str | None:
    return f" {line}" if line.strip() and not line.lstrip().startswith(("- ", "#")) else None


def _gone(line: str) -> str | None:
    is_plain = re.fullmatch(r"\s*[A-Za-z]+: +[^|>{\[&].*", line)
    return f"{line[: len(line) - len(line.lstrip())]}#" if is_plain else None


# Where


def _at(data: object, *path: str | int) -> Any:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _items(data: object, *path: str | int) -> list[tuple[Path_, Data]]:
    found = _at(data, *path)
    rows = found if isinstance(found, list) else []
    return [((*path, n), row) for n, row in enumerate(rows) if isinstance(row, dict)]


class Set:
    """One input, and the places in it where a mistake can be known to be one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = build_world([str(folder)])
        self.ground = Ground(self.world)
        self.before = Counter(_mark(one) for one in found_in(folder))
        objects = self.world.manifests.objects
        times = Counter((m.kind, m.namespace, m.name) for m in objects)
        # Of an object that stands twice the last counts: a mistake in the other does nothing.
        self.objects = [
            m for m in objects if not m.observed and times[m.kind, m.namespace, m.name] == 1
        ]

    def named(self, kind: str, manifest: Manifest, name: object) -> bool:
        key = f"{manifest.namespace or 'default'}/{name}"
        return key in self.ground.of_kind(kind)

    def spots(self) -> Iterator[Spot]:
        for manifest in self.objects:
            yield from self._of_any(manifest)
            if manifest.kind == "Service":
                yield from self._of_service(manifest)
            elif manifest.kind in TEMPLATE:
                yield from self._of_workload(manifest)
            elif manifest.kind == "Ingress":
                yield from self._of_ingress(manifest)
            elif manifest.kind == "HorizontalPodAutoscaler":
                target = _at(manifest.data, "spec", "scaleTargetRef") or {}
                if self.named(str(target.get("kind")), manifest, target.get("name")):
                    where = ("spec", "scaleTargetRef", "name")
                    yield Spot("autoscaler's target", manifest, where, _swap_value)

    def _of_any(self, manifest: Manifest) -> Iterator[Spot]:
        if manifest.kind in {*TEMPLATE, "Service", "ConfigMap", "Ingress"}:
            yield Spot("kind", manifest, ("kind",), _swap_value)
            yield Spot("apiVersion", manifest, ("apiVersion",), _in_value(lambda t: f"{t}x"))
            yield Spot("metadata misspelt", manifest, ("metadata",), _in_key)
            yield Spot(
                "name in capitals", manifest, ("metadata", "name"), _in_value(str.capitalize)
            )
            if len(manifest.data.get("metadata") or {}) > 1:
                yield Spot("indented more", manifest, ("metadata", "name"), _deeper, 1)
                yield Spot("no space", manifest, ("metadata", "name"), _no_space, 1)

    def _of_service(self, manifest: Manifest) -> Iterator[Spot]:
        key = f"{manifest.namespace or 'default'}/{manifest.name}"
        service = self.ground.cluster.services.get(key)
        if service is None:
            return
        pods = self.ground.selected(service)
        if pods and not self.ground.is_kustomized:
            for label, value in (service.selector or {}).items():
                if len(value) > 3:
                    where = ("spec", "selector", label)
                    yield Spot("selector's value", manifest, where, _swap_value)
                if len(label) > 3 and "/" not in label:
                    yield Spot("selector's key", manifest, ("spec", "selector", label), _in_key)
            if manifest.namespace:
                yield Spot("namespace", manifest, ("metadata", "namespace"), _in_value(swapped))
        yield Spot("field", manifest, ("spec", "ports"), _in_key)
        yield Spot("field", manifest, ("spec", "selector"), _in_key)
        yield Spot("type", manifest, ("spec", "type"), _swap_value)
        targets = [t for t in self.ground.targets if t.service is service]
        for (path, row), port in zip(
            _items(manifest.data, "spec", "ports"), service.ports, strict=False
        ):
            yield Spot("port quoted", manifest, (*path, "port"), _quoted)
            yield Spot("port as a word", manifest, (*path, "port"), _as_word)
            yield Spot("port too large", manifest, (*path, "port"), _to("80800"))
            yield Spot("port gone", manifest, (*path, "port"), _gone, 2)
            yield Spot("protocol's word", manifest, (*path, "protocol"), _in_value(str.lower))
            yield Spot("node port out of range", manifest, (*path, "nodePort"), _to("3080"))
            target = next((t for t in targets if t.port is port), None)
            declared = list(target.pods(Match.DECLARED)) if target is not None else []
            if declared and len(declared) == len(pods):
                if isinstance(row.get("targetPort"), str):
                    yield Spot("target port's name", manifest, (*path, "targetPort"), _swap_value)
                else:
                    yield Spot("target port's number", manifest, (*path, "targetPort"), _digit)
                yield Spot("protocol", manifest, (*path, "protocol"), _other_protocol)

    def _of_workload(self, manifest: Manifest) -> Iterator[Spot]:
        base = TEMPLATE[manifest.kind]
        spec = (*base, "spec")
        selector = _at(manifest.data, "spec", "selector", "matchLabels")
        if isinstance(selector, dict) and manifest.kind != "CronJob":
            for label in selector:
                yield Spot("workload's selector", manifest,
                           ("spec", "selector", "matchLabels", label), _swap_value)  # fmt: skip
        yield Spot("replicas quoted", manifest, ("spec", "replicas"), _quoted)
        yield Spot("field", manifest, (*spec, "containers"), _in_key)
        if manifest.kind in ("Deployment", "StatefulSet", "DaemonSet"):
            yield Spot("field", manifest, ("spec", "selector"), _in_key)
            yield Spot("field", manifest, ("spec", "template"), _in_key)
        if self.named("ServiceAccount", manifest, _at(manifest.data, *spec, "serviceAccountName")):
            yield Spot("ServiceAccount", manifest, (*spec, "serviceAccountName"), _swap_value)
        if self.named("Service", manifest, _at(manifest.data, "spec", "serviceName")):
            yield Spot("serviceName", manifest, ("spec", "serviceName"), _swap_value)
        for path, volume in _items(manifest.data, *spec, "volumes"):
            for field, kind, name in (("configMap", "ConfigMap", "name"),
                                      ("secret", "Secret", "secretName"),
                                      ("persistentVolumeClaim", "PersistentVolumeClaim",
                                       "claimName")):  # fmt: skip
                if self.named(kind, manifest, _at(volume, field, name)):
                    yield Spot(f"{kind} of a volume", manifest, (*path, field, name), _swap_value)
        for path, container in _items(manifest.data, *spec, "containers"):
            yield from self._of_container(manifest, path, container)

    def _of_container(self, manifest: Manifest, path: Path_, container: Data) -> Iterator[Spot]:
        yield Spot("image gone", manifest, (*path, "image"), _gone, 3)
        yield Spot("field", manifest, (*path, "image"), _in_key)
        yield Spot("pull policy", manifest, (*path, "imagePullPolicy"), _swap_value)
        for side in ("limits", "requests"):
            where = (*path, "resources", side)
            for name in _at(container, "resources", side) or {}:
                yield Spot("quantity", manifest, (*where, name), _in_value(lambda t: f"{t}x"))
        for where, row in _items(container, "ports"):
            yield Spot("containerPort as a word", manifest, (*path, *where, "containerPort"),
                       _as_word)  # fmt: skip
            yield Spot("field", manifest, (*path, *where, "containerPort"), _in_key)
            del row
        names = {p.get("name") for _, p in _items(container, "ports")}
        for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
            for how in ("httpGet", "tcpSocket"):
                port = _at(container, probe, how, "port")
                if port in names and isinstance(port, str):
                    yield Spot("probe's port", manifest, (*path, probe, how, "port"), _swap_value)
                yield Spot("field", manifest, (*path, probe, how), _in_key)
        for where, mount in _items(container, "volumeMounts"):
            yield Spot("volume that is mounted", manifest, (*path, *where, "name"), _swap_value)
            yield Spot("field", manifest, (*path, *where, "mountPath"), _in_key)
            del mount
        for where, entry in _items(container, "env"):
            yield from self._of_env(manifest, (*path, *where), entry)

    def _of_env(self, manifest: Manifest, path: Path_, entry: Data) -> Iterator[Spot]:
        value = entry.get("value")
        for service in self.ground.services:
            if service.namespace != (manifest.namespace or "default") or len(service.name) < 5:
                continue
            pattern = rf"(?<![\w.-]){re.escape(service.name)}(?=[:/]|$)(?![\w-])"
            if isinstance(value, str) and re.fullmatch(rf"(?:\w+://)?{pattern}.*", value):

                def edit(line: str, name: str = service.name) -> str | None:
                    at = line.rfind(name)
                    return line[:at] + swapped(name) + line[at + len(name) :] if at > 0 else None

                yield Spot("host in env", manifest, (*path, "value"), edit)
                break
        if isinstance(value, str) and value.isdigit():
            yield Spot("number in env", manifest, (*path, "value"), _unquoted)
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            name = _at(entry, "valueFrom", field, "name")
            if self.named(kind, manifest, name):
                where = (*path, "valueFrom", field)
                yield Spot(kind, manifest, (*where, "name"), _swap_value)
                yield Spot(f"key of a {kind}", manifest, (*where, "key"), _swap_value)

    def _of_ingress(self, manifest: Manifest) -> Iterator[Spot]:
        for rule, row in _items(manifest.data, "spec", "rules"):
            for path, one in _items(row, "http", "paths"):
                where = (*rule, *path, "backend", "service")
                name = _at(one, "backend", "service", "name")
                if self.named("Service", manifest, name):
                    yield Spot("Ingress' Service", manifest, (*where, "name"), _swap_value)
                    yield Spot("Ingress' port", manifest, (*where, "port", "number"), _digit)
                    yield Spot("Ingress' port's name", manifest, (*where, "port", "name"),
                               _swap_value)  # fmt: skip
                yield Spot("pathType", manifest, (*rule, *path, "pathType"), _swap_value)


def _digit(line: str) -> str | None:
    return _in_value(lambda t: str((int(t) + 1) % 65535) if t.isdigit() else t)(line)


def _other_protocol(line: str) -> str | None:
    return _in_value(lambda t: {"TCP": "UDP", "UDP": "TCP"}.get(t, t))(line)


def _unquoted(line: str) -> str | None:
    found = re.fullmatch(r"(.*value: +)[\"'](\d+)[\"']\s*", line)
    return f"{found[1]}{found[2]}" if found else None


# Looking


def found_in(folder: Path) -> list[Finding]:
    """What is told as an error or a warning."""
    world = build_world([str(folder)])
    found = (*unreadable(world.problems), *check(world, [str(folder)]))
    return [one for one in found if one.severity in TOLD]


def _mark(finding: Finding) -> tuple[str, str, str]:
    place = finding.place
    return finding.rule, finding.why, place.file if place is not None else ""


class Tried(NamedTuple):
    """One mistake, and what became of it."""

    spot: Spot
    found: bool
    elsewhere: bool
    line: int
    text: str
    told: list[Finding]


def tried(these: Set, spot: Spot) -> Tried | None:
    """Write the mistake, look, and write the line back; None: it cannot be written."""
    with suppress(KeyError, IndexError, ValueError):
        place = spot.manifest.place(*spot.path)
        file = Path(place.file)
        text = file.read_text(encoding="utf-8")
        lines = text.split("\n")
        before = lines[place.line - 1]
        key = str(spot.path[-1])
        if f"{key}:" not in before.replace('"', "").replace("'", ""):
            return None
        after = spot.edit(before)
        if after is None or after == before:
            return None
        lines[place.line - 1] = after
        file.write_text("\n".join(lines), encoding="utf-8")
        try:
            told = [one for one in found_in(these.folder) if not these.before[_mark(one)]]
        finally:
            file.write_text(text, encoding="utf-8")
        # What is taken out is missed in the object that had it.
        parent = spot.manifest.place(*spot.path[:-1]).line if spot.around > 1 else place.line
        near = [
            one
            for one in told
            if one.place is not None
            and one.place.file == place.file
            and (abs(one.place.line - place.line) <= spot.around or one.place.line == parent)
        ]
        return Tried(spot, bool(near), bool(told), place.line, after.strip(), told)
    return None


def measured(folder: Path, each: int, chance: random.Random) -> Iterator[Tried]:
    """`each` mistakes of every kind in a copy of the folder."""
    copy = Path(tempfile.mkdtemp(prefix="seeded-")) / folder.name
    shutil.copytree(folder, copy)
    try:
        these = Set(copy)
        by_kind: dict[str, list[Spot]] = {}
        for spot in these.spots():
            by_kind.setdefault(spot.kind, []).append(spot)
        for kind in sorted(by_kind):
            spots = by_kind[kind]
            chance.shuffle(spots)
            done = 0
            for spot in spots:
                one = tried(these, spot)
                if one is not None:
                    yield one
                    done += 1
                if done == each:
                    break
    finally:
        shutil.rmtree(copy.parent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", help="what was missed of this kind; all: of every kind")
    parser.add_argument("folders", nargs="*", default=OWN)
    given = parser.parse_args()
    right: Counter[str] = Counter()
    elsewhere: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for named in given.folders:
        folder = ROOT / named if given.folders is OWN else Path(named)
        if sum(1 for _ in folder.rglob("*.y*ml")) > MOST_FILES:
            continue
        chance = random.Random(f"{given.seed} {named}")  # noqa: S311 - the same each time
        for one in measured(folder, given.each, chance):
            total[one.spot.kind] += 1
            right[one.spot.kind] += one.found
            elsewhere[one.spot.kind] += one.elsewhere and not one.found
            if not one.found and given.show in {one.spot.kind, "all"}:
                where = Path(*Path(one.spot.manifest.file).parts[3:])
                print(f"{one.spot.kind}: {folder} {where}:{one.line}: {one.text}")
                for other in one.told[:3]:
                    line = other.place.line if other.place is not None else 0
                    said = f"{other.severity.value} {other.rule}: {other.why[:150]}"
                    print(f"    told: {line} {said}")
                sys.stdout.flush()
    for kind in sorted(total, key=lambda k: (right[k] / total[k], k)):
        share = 100 * right[kind] / total[kind]
        print(f"{share:5.1f} %  {right[kind]:5d} of {total[kind]:5d}  {kind}"
              + (f"  ({elsewhere[kind]} on another line)" if elsewhere[kind] else ""))  # fmt: skip
    whole, all_ = sum(right.values()), sum(total.values())
    if all_:
        print(f"{100 * whole / all_:5.1f} %  {whole:5d} of {all_:5d}  all")


if __name__ == "__main__":
    main()
