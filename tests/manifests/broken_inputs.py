"""Manifests with one to four things broken, the same ones for the same number."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path.read_bytes() for path in (ROOT / "samples").rglob("*.yaml"))
_ODD = ["\0", "\t", "\ufeff", "\u2028", "\x85", "\x1b[31m", "\\x41", "😀", "\ud7ff", "!!binary "]
_SIGNS = [
    *"{}[]:,-#&*!|>'\"%@`?\n \\",
    "<<: ",
    "---\n",
    "...\n",
    "- - ",
    "? ",
    "!!int ",
    "&a ",
]

Mutation = Callable[[random.Random, bytes], bytes]


def _flip(dice: random.Random, raw: bytes) -> bytes:
    at = dice.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ 1 << dice.randrange(8)]) + raw[at + 1 :]


def _insert(dice: random.Random, raw: bytes) -> bytes:
    at = dice.randrange(len(raw) + 1)
    return raw[:at] + dice.choice((*_ODD, *_SIGNS)).encode() + raw[at:]


def _cut(dice: random.Random, raw: bytes) -> bytes:
    at = dice.randrange(len(raw))
    return raw[:at] + raw[at + dice.randrange(1, 40) :]


def _line(dice: random.Random, raw: bytes) -> bytes:
    lines = raw.split(b"\n")
    at = dice.randrange(len(lines))
    lines[at : at + 1] = dice.choice(
        (
            [],
            [lines[at], lines[at]],
            [b"  " + lines[at]],
            [lines[at][1:]],
            [lines[at].replace(b": ", b":")],
            [lines[at].partition(b":")[0] + b": " + dice.choice(_VALUES)],
        )
    )
    return b"\n".join(lines)


_VALUES = (
    b"null",
    b"-1",
    b"99999999999999999999999",
    b"1e999",
    b"0x1F",
    b"[]",
    b"{}",
    b"[[1]]",
    b'"\\u0000"',
    b"*nobody",
    b"~",
    b"2001-01-01",
    b"'\xc2\x85'",
    b"x" * 300_000,
    b"[" * 300,
    b"{a: " * 150 + b"1" + b"}" * 150,
)


def _bomb(_: random.Random, raw: bytes) -> bytes:
    names = "abcdefghij"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise(names)]
    bomb = "\n".join(f"  {line}" for line in lines)
    return (
        raw
        + f"\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: b}}\ndata:\n{bomb}\n".encode()
    )


def _joined(dice: random.Random, raw: bytes) -> bytes:
    return raw + dice.choice((b"", b"\n", b"\n---\n")) + dice.choice(SAMPLES)


MUTATIONS: tuple[tuple[Mutation, int], ...] = (
    (_flip, 4),
    (_insert, 5),
    (_cut, 3),
    (_line, 8),
    (_joined, 1),
    (_bomb, 1),
)


def mutant(number: int) -> bytes:
    dice = random.Random(number)  # noqa: S311
    raw = dice.choice(SAMPLES)
    kinds, weights = zip(*MUTATIONS, strict=True)
    for mutation in dice.choices(kinds, weights, k=dice.randrange(1, 5)):
        raw = mutation(dice, raw) if raw else b"\n"
    return raw
