"""What iptables-save itself says that a dump does not show: told to the user, never dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.kernel import save
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

    def render(self) -> str:
        """One line: where it stands, what it says, what follows."""
        said = neutralise(f"{self.file}:{self.line}: iptables-save says: {self.text}")
        return f"{said}; such rules of {self.node} are not in the dump and not walked"


def dump_remarks(dumps: Mapping[str, str]) -> Iterator[DumpRemark]:
    """The remarks in dumps (node name → path), in their order.

    Dumps are read before (`k8stui.nodes.observed`), so that what cannot be read has been said.
    """
    for node, file in dumps.items():
        for line, text in save.remarks(packed.read(file).decode("utf-8")):
            yield DumpRemark(node, file, line, text)
