"""Sets and rules into a namespace; what the kernel has not got is left out, and that is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8stui.lab.errors import LabError
from k8stui.lab.inside.commands import set_lines
from k8stui.lab.inside.namespaces import HeldNamespace, run

_refused: set[tuple[str, str, str]] = set()
"""Kinds of rules that this kernel does not take: (restore, table, shape). Nodes are alike."""

_MATCH = re.compile(r"(?<= )(?:-m |--match-set |-j (?!KUBE-|CNI-))(\S+)")
"""Matches, sets, and targets that are no chains of Kubernetes' own."""
_FAILED = re.compile(r"^(?:line |Error occurred at line: )(\d+)", re.MULTILINE)
_NFT_FAILED = re.compile(r"^(?:/dev/stdin|-):(\d+):", re.MULTILINE)
_NFT_NO_RULES = ("type ", "typeof ", "flags ", "size ", "timeout ", "elements ")
_WAIT = ("-w", "5")


def load_sets(ipset: str, sets: Mapping[str, str]) -> list[str]:
    """Make sets in the namespace that this process is in; gives what had to be left out.

    A kernel need not have every type of set (CONFIG_IP_SET_HASH_…).

    Raises:
        LabError: what is to be read is no set.

    """
    texts = {name: set_lines(text) for name, text in sets.items()}
    if not texts or run([ipset, "restore"], "".join(texts.values())) is None:
        return []
    run([ipset, "destroy"], "")
    complaints = {name: run([ipset, "restore"], text) for name, text in texts.items()}
    return [
        f"ipset {name}: {complaint.splitlines()[-1]}"
        for name, complaint in complaints.items()
        if complaint is not None
    ]


def load(restore: str, text: str) -> list[str]:
    """Load rules into the namespace that this process is in; gives what had to be left out.

    A ruleset is all or nothing. iptables-nft says at which rule it fails; its kind is left out.
    iptables-legacy does not: each kind is tried by itself, in a namespace that is thrown away.

    Raises:
        LabError: not even what is left can be loaded, so that there is nothing to compare with.

    """
    while True:
        kept, left_out = _sorted_out(restore, text)
        complaint = run([restore, *_WAIT], "".join(f"{line}\n" for _, line in kept))
        if complaint is None:
            return left_out
        known = len(_refused)
        failed = _FAILED.search(complaint)
        table, line = kept[int(failed[1]) - 1] if failed else ("", "")
        if line.startswith("-A "):
            _refused.add((restore, table, _shape(line)))
        else:
            _judge(restore, text)
        if len(_refused) == known:
            raise LabError(f"no rule can be loaded: {complaint.splitlines()[-1]}")


def load_nft(nft: str, text: str) -> list[str]:
    """Make nftables' own tables in the namespace that this process is in; gives what was left out.

    A file is all or nothing; nft says which lines it cannot do, or the kernel has not got.

    Raises:
        LabError: what fails is not a rule.

    """
    left_out: list[str] = []
    lines = text.splitlines()
    while any(lines) and (complaint := run([nft, "-f", "-"], "\n".join([*lines, ""]))) is not None:
        failed = {int(number) - 1 for number in _NFT_FAILED.findall(complaint)}
        rules = {at for at in failed if at < len(lines) and lines[at].startswith("\t\t")}
        rules = {at for at in rules if not lines[at].lstrip().startswith(_NFT_NO_RULES)}
        if not rules:
            raise LabError(f"nft: {complaint.splitlines()[0]}")
        for at in sorted(rules):
            left_out.append(lines[at].strip())
            lines[at] = ""
    return left_out


def _sorted_out(restore: str, text: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Lines with their tables, without the rules that are known to be refused; and those."""
    kept, left_out = [], []
    for table, line in _lines(text):
        if line.startswith("-A ") and (restore, table, _shape(line)) in _refused:
            left_out.append(line)
        else:
            kept.append((table, line))
    return kept, left_out


def _judge(restore: str, text: str) -> None:
    here = HeldNamespace.current()
    scratch = HeldNamespace.new()
    for (table, shape), rule in _examples(text).items():
        if run([restore, *_WAIT, "-n"], _alone(text, table, rule)) is not None:
            _refused.add((restore, table, shape))
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
    """What the rule needs of the kernel: its matches, its sets, its target that is no chain."""
    return " ".join(_MATCH.findall(rule))


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
