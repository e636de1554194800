"""What a dump does not show, or not so that it can be used: told to the user, never dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.kernel import ipset, save
from k8stui.manifests import folders
from k8stui.neutralise import neutralise
from k8stui.nodes.state.parsing import wrong_macs
from k8stui.record import record


@record()
class DumpRemark:
    """A line of a dump that limits what can be concluded from it."""

    file: str
    line: int
    """1-based."""
    text: str
    """What it says, and what follows."""

    def render(self) -> str:
        """One line, that begins with where it stands."""
        return neutralise(f"{self.file}:{self.line}: {self.text}")


def dump_remarks(
    rules: Mapping[str, str], sets: Mapping[str, str], addresses: Mapping[str, str]
) -> Iterator[DumpRemark]:
    """The remarks in dumps of rules, of sets and of devices (node name → path), in their order.

    Dumps are read before (`k8stui.nodes.observed`), so that what cannot be read has been said.
    """
    for node, file in rules.items():
        if not any(line.strip() and not line.startswith("#") for line in _text(file).splitlines()):
            # What iptables-save prints where no table is loaded, and a shell where it failed.
            yield DumpRemark(file, 1, f"holds no table: {node} is taken to have no rule")
        for line, text in save.remarks(_text(file)):
            follows = f"such rules of {node} are not in the dump and not walked"
            yield DumpRemark(file, line, f"iptables-save says: {text}; {follows}")
    for file in sets.values():
        doubts: list[tuple[int, str]] = []
        ipset.parse(_text(file), lambda *one: doubts.append(one))  # noqa: B023
        yield from (DumpRemark(file, line, text) for line, text in doubts)
    for file in addresses.values():
        for line, text in wrong_macs(_text(file)):
            yield DumpRemark(file, line, f"{text}; another one is assumed")


def _text(file: str) -> str:
    return folders.read(file).decode("utf-8")
