"""Sets where rules use them: written on the spot, or by their name."""

from __future__ import annotations

from k8stui.kernel.nft import index
from k8stui.kernel.nft.chance import Draw, numbers_of, outcome
from k8stui.kernel.nft.datatypes import Value, fields_of
from k8stui.kernel.nft.element import Held
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.index import Index
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.times import seconds


class AnonymousSet:
    """``{ 80, 443 }``, ``{ 0 : goto a, 1 : goto b }``."""

    __slots__ = ("_draws", "_index", "elements")

    def __init__(self, elements: tuple[Held, ...]) -> None:
        self.elements = elements
        self._index: Index[Held] | None = None
        self._draws: dict[range, Draw[Held | None]] = {}

    def find(self, _: Passage, value: Value) -> Held | None:
        """The element that holds the value."""
        return self.at(value)

    def draw(self, numbers: range) -> Draw[Held | None]:
        """The elements that hold these numbers, which are as likely."""
        found = self._draws.get(numbers)
        if found is None:
            found = self._draws[numbers] = Draw(numbers, self.at)
        return found

    def at(self, value: Value) -> Held | None:
        """As `find`: nothing of the packet counts."""
        if self._index is None:
            self._index = index.of(([part.spans for part in one.key], one) for one in self.elements)
        return self._index.find(fields_of(value))

    def __str__(self) -> str:
        return f"{{ {', '.join(map(str, self.elements))} }}"


class NamedSet:
    """``@service-ips``; also what rules put into a dynamic one (nft_dynset.c)."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, passage: Passage, value: Value) -> Held | None:
        """The element that holds the value.

        Raises:
            UnknownError: the table has no such set, or an element that may hold it is not
                understood.

        """
        _, elements = passage.named(self.name)
        is_put = self._was_put(passage, value)
        try:
            found = elements.find(fields_of(value))
        except UnknownError:
            if not is_put:
                raise
            found = None
        if found is not None:
            passage.meet(self.name, found)
            return found.held
        return _PUT if is_put else None

    def _was_put(self, passage: Passage, value: Value) -> bool:
        said, _ = passage.named(self.name)
        kept = seconds(said.timeout) if said.timeout else None
        return passage.context.recent.seen(self.key(passage), value, kept, None)

    def put(self, passage: Passage, value: Value, *, again: bool) -> None:
        """A rule puts a value in; `again`: what is there already is young again."""
        passage.named(self.name)
        if again or not self._was_put(passage, value):
            passage.context.recent.keep(self.key(passage), value)

    def take_out(self, passage: Passage, value: Value) -> None:
        passage.context.recent.forget(self.key(passage), value)

    def key(self, passage: Passage) -> str:
        """By which the namespace knows what rules put in."""
        return f"{passage.table.called} {self.name}"

    def __str__(self) -> str:
        return f"@{self.name}"


Among = AnonymousSet | NamedSet


def looked_up(key: Expression, among: Among, passage: Passage) -> Held | None:
    """The element that holds the key's value; where that is drawn, a fork decides.

    Raises:
        UnknownError: see `NamedSet.find`, `chance.outcome`.

    """
    numbers = numbers_of(key)
    if numbers is not None and isinstance(among, AnonymousSet):
        return among.draw(numbers).taken(passage)
    return outcome(key, passage, lambda value: among.find(passage, value))


_PUT = Held(())
"""What stands in a dynamic set for all that rules put in."""
