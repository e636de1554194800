"""Files broken as files break: real ones, dumps, and objects that are right by their types only.

Every mutant is made of a seed alone, so a soak run names the one that failed.
"""

from __future__ import annotations

import json
import lzma
import random
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import yaml
from fuzz.any_objects import an_object, written

from k8stui.record import record

ROOT = Path(__file__).parents[2]
_MOST = 60_000
"""Bytes of a file that is worth breaking: larger ones only cost time."""


@record()
class Pool:
    """What mutants are made of."""

    files: tuple[bytes, ...]
    """The samples, the recorded inputs, and other projects' manifests where they are here."""
    dumps: tuple[str, ...]
    """What ``kubectl get -o yaml`` printed of real clusters."""


def sources() -> Pool:
    recorded = ROOT / "tests/recordings-cluster"
    folders = (ROOT / "samples", recorded, ROOT.parent / "shared/manifests")
    files = [
        path.read_bytes()
        for folder in folders
        for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.json")])
        if "stable" not in path.name and "rejected" not in path.parts
        if 0 < path.stat().st_size <= _MOST
    ]
    dumps = [
        lzma.decompress(path.read_bytes()).decode()
        for path in sorted(recorded.glob("*/dump.yaml.xz"))
    ]
    return Pool(tuple(files), tuple(dumps))


def _dump(rng: random.Random, pool: Pool) -> str:
    """A dump of some objects of one cluster, several of a shape; as YAML or JSON."""
    first, *items = re.split(r"(?m)^(?=- )", rng.choice(pool.dumps))
    cut = re.search(r"(?m)^[a-z]", items[-1])  # the List's own keys behind the last item
    assert cut is not None
    items[-1], last = items[-1][: cut.start()], items[-1][cut.start() :]
    at = rng.randrange(len(items))
    chosen = items[at : at + rng.choice((1, 3, 8, 20))]
    chosen += [rng.choice(chosen) for _ in range(rng.choice((0, 0, 2, 8)))]
    text = first + "".join(chosen) + last
    if rng.random() < 0.3:
        data = yaml.load(text, yaml.CSafeLoader)
        return json.dumps(data, indent=rng.choice((4, 4, None)))
    return text


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
_HUGE = ("x" * 300_000, "[" * 300, "{a: " * 150 + "1" + "}" * 150, '"\\u0000"')
_SIGNS = (*"{}[]:,-#&*!|>'\"%@`?\n \\", "<<: ", "---\n", "...\n", "- - ", "? ", "!!int ", "&a ")
_SCALAR = re.compile(r"(?<=: )[^\s{\[][^\n]*")
_KEY = re.compile(r"\b[A-Za-z]\w{0,40}(?=:)")


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
    what: str = rng.choice((*_ODD, *_SIGNS))
    return text[:at] + what * rng.choice((1, 1, 1, 30)) + text[at:]


def _cut(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + text[at + rng.randrange(1, 40) :]


def _colons(rng: random.Random, text: str) -> str:
    """``port:80``, and a list's ``-port: 80``."""

    def change(lines: list[str], at: int) -> None:
        lines[at] = lines[at].replace(*rng.choice(((": ", ":"), ("- ", "-"))))

    return _lines(rng, text, change)


def _one_match(rng: random.Random, text: str, what: re.Pattern[str], to: str) -> str:
    spans = [match.span() for match in what.finditer(text)]
    if not spans:
        return text + to
    start, end = rng.choice(spans)
    return text[:start] + to + text[end:]


def _value(rng: random.Random, text: str) -> str:
    return _one_match(rng, text, _SCALAR, rng.choice((*_ODD, *_HUGE)))


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
    if rng.random() < 0.2:  # in an object that may hold anything
        lines = ["apiVersion: v1", "kind: ConfigMap", "metadata: {name: b}", "data:"]
        lines += [f"  a: &a [{', '.join('x' * width)}]"]
        lines += [
            f"  {b}: &{b} [{', '.join([f'*{a}'] * width)}]" for a, b in pairwise("abcdefghij")
        ]
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
    *(_insert, _cut, _colons) * 2,
    *(_truncate, _nested, _bomb, _huge, _join),
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


def mutant(seed: int, pool: Pool) -> bytes:
    """The one mutant of `seed`: a file, a dump, or objects, with up to six things wrong."""
    rng = random.Random(seed)  # noqa: S311
    kind = rng.random()
    if kind < 0.15:
        return written(rng, an_object(rng)).encode(errors="replace")
    if kind < 0.3:
        text = _dump(rng, pool)
    else:
        text = rng.choice(pool.files).decode(errors="replace")
        if rng.random() < 0.2:
            text += rng.choice(("", "\n", "\n---\n")) + rng.choice(pool.files).decode(
                errors="replace"
            )
    return broken(rng, text)


def broken(rng: random.Random, text: str) -> bytes:
    """The text with up to six things wrong."""
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 6))):
        text = rng.choice(_TEXT)(rng, text)
    raw = text.encode(errors="replace")
    return _bytes(rng, raw) if rng.random() < 0.15 else raw
