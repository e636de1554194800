"""Objects that are right by their types and by nothing else, as JSON or in any style of YAML."""

from __future__ import annotations

import json
import random

import yaml

from k8stui.manifests.schema import KINDS
from k8stui.manifests.schema.types import ListOf, MapOf, OneOf, Scalar, Struct, Type

_WORDS = [
    "a",
    "web",
    "web-0",
    "node-1",
    "default",
    "kube-system",
    "app",
    "x/y",
    "a.b",
    "A_b",
    "8080",
    "http",
    "TCP",
    "10.0.0.1",
    "10.96.0.10",
    "fd00::1",
    "10.244.0.0/24",
    "0/0",
    "None",
    "In",
    "Exists",
    "NoSchedule",
    "Always",
    "Local",
    "ClusterIP",
    "NodePort",
    "ExternalName",
    "IPv6",
    "kubernetes.io/service-name",
    "kubernetes.io/hostname",
    "50%",
    "100m",
    "1Gi",
    "999999999999",
    "--",
    "é",
    "\u202e",
]
_NUMBERS = (0, 1, 2, 3, 80, 443, 8080, 30001, 30001, 10250, 65535, 65536, -1, 10**9, 2**63, 2**200)


def an_object(rng: random.Random) -> dict[str, object]:
    """Any kind with any of its fields, of the right types; now and then of a wrong one."""
    kind = rng.choice(list(KINDS.values()))
    made = _typed(rng, kind.fields, 0)
    data: dict[str, object] = made if isinstance(made, dict) else {}
    data |= {"apiVersion": rng.choice(kind.versions), "kind": kind.name}
    meta = data.get("metadata")
    seen = {"uid": "seen"} if rng.random() < 0.4 else {}
    data["metadata"] = (
        (meta if isinstance(meta, dict) else {}) | {"name": rng.choice(_WORDS)} | seen
    )
    if rng.random() < 0.3:
        return {"apiVersion": "v1", "kind": "List", "items": [data, an_object(rng)]}
    return data


def _typed(rng: random.Random, type_: Type, depth: int) -> object:
    if rng.random() < 0.02:
        return rng.choice((None, [], {}, "", [None], [{}], "x", 0, True, 1.5))
    match type_:
        case Struct():
            chance = 0.8 if depth < 2 else 0.45
            return {
                name: _typed(rng, below, depth + 1)
                for name, below in type_.fields.items()
                if name in type_.required or rng.random() < chance
            }
        case ListOf():
            return [_typed(rng, type_.item, depth + 1) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
        case MapOf():
            return {
                rng.choice(_WORDS): _typed(rng, type_.value, depth + 1)
                for _ in range(rng.choice((0, 1, 1, 2)))
            }
        case OneOf():
            return rng.choice(type_.values)
        case Scalar():
            if bool in type_.types:
                return rng.random() < 0.5
            if int in type_.types and (str not in type_.types or rng.random() < 0.5):
                number = rng.choice(_NUMBERS)
                return min(max(number, type_.low), type_.high or number) if type_.low else number
            return rng.choice(_WORDS)
        case _:
            return _anything(rng, 0)


def _anything(rng: random.Random, depth: int) -> object:
    """What stands where no type is known: volumes, probes, resources."""
    if depth > 3 or rng.random() < 0.4:
        return rng.choice((rng.choice(_WORDS), rng.choice(_NUMBERS), None, True, 1.5))
    names = ("name", "requests", "limits", "cpu", "httpGet", "port", "mountPath", "nameservers")
    if rng.random() < 0.5:
        return {rng.choice(names): _anything(rng, depth + 1) for _ in range(3)}
    return [_anything(rng, depth + 1) for _ in range(2)]


def written(rng: random.Random, data: object) -> str:
    """The object as text: JSON as kubectl and as programs write it, or some YAML."""
    if rng.random() < 0.5:
        return json.dumps(data, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, 4)))
    return yaml.dump(
        data,
        Dumper=yaml.CSafeDumper,
        default_flow_style=rng.choice((None, True, False)),
        default_style=rng.choice((None, None, '"', "'", "|", ">")),
        indent=rng.choice((2, 4, 8)),
        width=rng.choice((5, 40, 80, 10_000)),
        allow_unicode=rng.random() < 0.5,
        explicit_start=rng.random() < 0.3,
        sort_keys=rng.random() < 0.5,
        canonical=rng.random() < 0.05,
    )
