"""``comment "…"``: what somebody wrote about a rule; nft prints it last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Spoken
from k8stui.kernel.nft.words import Words


class Comment(NamedTuple):
    """It does nothing."""

    text: str

    def do(self, _: Passage, /) -> None:
        pass

    def __str__(self) -> str:
        return f'comment "{self.text}"'


def _read(words: Words) -> Comment:
    words.expect("comment")
    return Comment(words.name())


GRAMMAR = {"comment": _read}
JSON: Mapping[str, Spoken] = {}
