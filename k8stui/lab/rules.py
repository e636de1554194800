"""Rules into a namespace; where the kernel has not got something, without it, and that is said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.lab.namespaces import Space, run

_judged: dict[tuple[str, str, str], bool] = {}
"""Whether this kernel takes rules of a kind: (restore, table, shape). Nodes are alike."""

_MATCH = re.compile(r"(?<= )(?:-m|-j) (\S+)")


def load(restore: str, text: str) -> list[str]:
    """Load rules into the namespace that this process is in; gives what had to be left out.

    A ruleset is all or nothing. When it fails, each combination of matches and target is tried
    by itself, in a namespace that is thrown away.
    """
    if run([restore, "-w", "5"], text) is None:
        return []
    _judge(restore, text)
    kept, left_out = [], []
    for table, line in _lines(text):
        if line.startswith("-A ") and not _judged[restore, table, _shape(line)]:
            left_out.append(line)
        else:
            kept.append(line)
    complaint = run([restore, "-w", "5"], "".join(f"{line}\n" for line in kept))
    return left_out if complaint is None else [f"all rules: {complaint.splitlines()[0]}"]


def _judge(restore: str, text: str) -> None:
    here = Space.current()
    scratch = Space.new()
    for (table, shape), rule in _examples(text).items():
        key = (restore, table, shape)
        if key not in _judged:
            complaint = run([restore, "-w", "5", "-n"], _alone(text, table, rule))
            _judged[key] = complaint is None
    here.enter()
    here.close()
    scratch.close()


def _lines(text: str) -> Iterator[tuple[str, str]]:
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        yield table, line


def _shape(rule: str) -> str:
    """What the rule needs of the kernel: its matches, and its target where that is no chain."""
    return " ".join(name for name in _MATCH.findall(rule) if not name.startswith(("KUBE-", "CNI-")))


def _examples(text: str) -> dict[tuple[str, str], str]:
    """One rule of each kind: (table, shape) → rule."""
    found: dict[tuple[str, str], str] = {}
    for table, line in _lines(text):
        if line.startswith("-A "):
            found.setdefault((table, _shape(line)), line)
    return found


def _alone(text: str, table: str, rule: str) -> str:
    """The table with its chains and one rule."""
    chains = [line for name, line in _lines(text) if name == table and line.startswith(":")]
    return "\n".join([f"*{table}", *chains, rule, "COMMIT", ""])
