"""Files broken as files break, and objects that are right by their types and by nothing else.

Every mutant is made of a seed alone, so a soak run names the one that failed.
"""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable
from pathlib import Path

from k8stui.cluster import build
from k8stui.cluster.proxy_configuration import ProxyConfigurationError
from k8stui.export.topology import topology_lines
from k8stui.manifests import Manifests, load
from k8stui.manifests.schema import (
    KINDS,
    Choice,
    ListOf,
    MapOf,
    Record,
    Scalar,
    Type,
)

ROOT = Path(__file__).parents[2]
_MOST = 60_000
"""Bytes of a file that is worth breaking: larger ones only cost time."""


def sources() -> list[bytes]:
    """Real files: the samples, the recorded inputs, and other projects' where they are here."""
    folders = (
        ROOT / "samples",
        ROOT / "tests/recordings-cluster",
        ROOT.parent / "shared/manifests",
    )
    return [
        path.read_bytes()
        for folder in folders
        for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.json")])
        if "stable" not in path.name and "rejected" not in path.parts
        if 0 < path.stat().st_size <= _MOST
    ]


_ODD = [
    "null",
    "~",
    "true",
    "yes",
    "0",
    "-1",
    "1e999",
    ".inf",
    ".nan",
    "0x1F",
    "0o17",
    "1_000",
    "2001-01-01",
    "12:30:45",
    "''",
    '""',
    "[]",
    "{}",
    "[[]]",
    "[null]",
    "{a:",
    "null}",
    "!!binary\xa0x",
    "!!int\xa0x",
    "!!str",
    "!x",
    "&a",
    "*a",
    "<<:",
    "---",
    "...",
    "%YAML",
    "|",
    ">",
    "|-",
    ">+",
    "?",
    ":",
    "-",
    "99999999999999999999",
    "65536",
    "30000",
    "10.96.0.1",
    "::1",
    "fd00::/8",
    "10.244.0.0/33",
    "None",
    "\u202e",
    "\u2028",
    "\ufeff",
    "\x00",
    "\x1b[31m",
    "\x85",
    "💩",
    "\ud7ff",
    "á",
    "\xa0",
    "＂",
    "：",
    "{{\xa0.x\xa0}}",
    '"\\ud800"',
    '"\\x00"',
    '"\\N"',
    "'\\'",
    "\t",
]
_SCALAR = re.compile(r"(?<=: )[^\s{\[][^\n]*")
_KEY = re.compile(r"[A-Za-z]\w*(?=:)")


def _lines(rng: random.Random, text: str, change: Callable[[list[str], int], None]) -> str:
    lines = text.split("\n")
    change(lines, rng.randrange(len(lines)))
    return "\n".join(lines)


def _delete(rng: random.Random, text: str) -> str:
    def change(lines: list[str], at: int) -> None:
        del lines[at : at + rng.choice((1, 1, 1, 3, 20))]

    return _lines(rng, text, change)


def _duplicate(rng: random.Random, text: str) -> str:
    def change(lines: list[str], at: int) -> None:
        piece = lines[at : at + rng.choice((1, 1, 4, 20))]
        to = rng.choice((at, rng.randrange(len(lines))))
        lines[to:to] = piece * rng.choice((1, 1, 2, 50))

    return _lines(rng, text, change)


def _indent(rng: random.Random, text: str) -> str:
    def change(lines: list[str], at: int) -> None:
        for index in range(at, min(len(lines), at + rng.choice((1, 1, 3, 10)))):
            line = lines[index]
            lead = len(line) - len(line.lstrip())
            wanted = rng.choice((0, max(0, lead - 1), lead + 1, lead + 2, max(0, lead - 2)))
            lines[index] = rng.choice((" " * wanted, "\t" + " " * lead)) + line.lstrip()

    return _lines(rng, text, change)


def _truncate(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _insert(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(_ODD) * rng.choice((1, 1, 1, 30)) + text[at:]


def _one_match(rng: random.Random, text: str, what: re.Pattern[str], to: str) -> str:
    spans = [match.span() for match in what.finditer(text)]
    if not spans:
        return text + to
    start, end = rng.choice(spans)
    return text[:start] + to + text[end:]


def _value(rng: random.Random, text: str) -> str:
    return _one_match(rng, text, _SCALAR, rng.choice(_ODD))


def _key(rng: random.Random, text: str) -> str:
    keys = _KEY.findall(text) or ["kind"]
    return _one_match(rng, text, _KEY, rng.choice([rng.choice(keys), "status", "uid", "items"]))


def _character(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(":-{}[]'\"\t\n &*!|>%@`,#?x") + text[at + rng.randrange(2) :]


def _nested(rng: random.Random, text: str) -> str:
    depth = rng.choice((10, 100, 151, 3000))
    opening, closing = rng.choice((("[", "]"), ("{a: ", "}"), ('{"a":', "}"), ("- ", "")))
    deep = opening * depth + "x" + closing * rng.choice((depth, depth - 1))
    return _one_match(rng, text, _SCALAR, deep)


def _bomb(rng: random.Random, text: str) -> str:
    width, depth = rng.choice(((9, 9), (2, 40), (100, 3)))
    lines = [f"b0: &b0 [{', '.join('x' * width)}]"]
    lines += [f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * width)}]" for n in range(1, depth)]
    if rng.random() < 0.5:  # merged, which copies
        lines = ["m0: &m0 {x: 1}"]
        lines += [f"m{n}: &m{n} {{<<: *m{n - 1}, y{n}: *m{n - 1}}}" for n in range(1, depth)]
    bomb = "\n".join(lines)
    return rng.choice((f"{bomb}\n{text}", f"{text}\n{bomb}\n", f"{text}\n---\n{bomb}\nkind: Pod\n"))


def _huge(rng: random.Random, text: str) -> str:
    what = rng.choice(("x", "9", "a: ", "é", "\\n", "- ", '"', "-", "0.", "a.", "{{ .x }} "))
    return _one_match(rng, text, _SCALAR, what * rng.choice((300, 5000, 40_000)))


def _join(rng: random.Random, text: str) -> str:
    """Lines of the file, or the file as a list's item."""
    mark = rng.choice(("", "---\n", "apiVersion: v1\nkind: List\nitems:\n- "))
    return mark + text.replace("\n", rng.choice(("\n", "\r\n", "\r", "\n\n", "\n  ")))


_TEXT = (
    *(_delete, _duplicate, _indent, _value, _key, _character) * 3,
    *(_truncate, _insert, _nested, _bomb, _huge, _join),
)


def _bytes(rng: random.Random, raw: bytes) -> bytes:
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 4, 40))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(3):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at : at + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
            case _:
                data[at:at] = rng.choice(
                    (b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"\xc3", b"\x1f\x8b")
                )
    return bytes(data)


def mutant(seed: int, pool: list[bytes]) -> bytes:
    """The one mutant of `seed`: a real file, or two, with one to six things wrong."""
    rng = random.Random(seed)  # noqa: S311
    if rng.random() < 0.2:
        return json.dumps(an_object(rng), ensure_ascii=rng.random() < 0.5).encode()
    text = rng.choice(pool).decode(errors="replace")
    if rng.random() < 0.2:
        text += "\n---\n" + rng.choice(pool).decode(errors="replace")
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        text = rng.choice(_TEXT)(rng, text)
    raw = text.encode(errors="replace")
    return _bytes(rng, raw) if rng.random() < 0.15 else raw


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
        case Record():
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
        case Choice():
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


def journey(raw: bytes) -> Manifests:
    """All that is done with an input before a packet moves; everything is said and placed."""
    found = load(["-"], stdin=io.BytesIO(raw))
    for problem in found.problems:
        assert problem.render()
        assert problem.message
    for note in found.notes:
        assert note.render()
    for one in found.objects:
        assert one.place("spec", "ports", 0).line >= 1
        assert one.place("metadata", "name").column >= 1
    try:
        cluster = build(found)
    except ProxyConfigurationError:
        return found  # two configurations: the user has to choose
    for line in topology_lines(cluster):
        assert "\x1b" not in line
    return found
