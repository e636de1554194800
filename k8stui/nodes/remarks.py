"""What iptables-save itself says that a dump does not show: told to the user, never dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.kernel import ipset, save
from k8stui.manifests import packed
from k8stui.neutralise import neutralise
from k8stui.record import record


@record()
class DumpRemark:
    """A comment line of a dump that limits what can be concluded from it."""

    node: str
    file: str
    line: int
    """1-based."""
    text: str
    """What it says, and what follows."""

    def render(self) -> str:
        """One line, with where it stands."""
        return neutralise(f"{self.file}:{self.line}: {self.text}")


def dump_remarks(dumps: Mapping[str, str], ipsets: Mapping[str, str]) -> Iterator[DumpRemark]:
    """The remarks in dumps of rules and of sets (node name → path), in their order.

    Dumps are read before (`k8stui.nodes.observed`), so that what cannot be read has been said.
    """
    for node, file in dumps.items():
        for line, text in save.remarks(packed.read(file).decode("utf-8")):
            follows = f"such rules of {node} are not in the dump and not walked"
            yield DumpRemark(node, file, line, f"iptables-save says: {text}; {follows}")
    for node, file in ipsets.items():
        doubts: list[tuple[int, str]] = []
        ipset.parse(packed.read(file).decode("utf-8"), lambda *one: doubts.append(one))  # noqa: B023
        for line, text in doubts:
            yield DumpRemark(node, file, line, text)
