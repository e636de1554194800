"""What of a text may be shown: values of Secrets never, what people write freely when asked for.

Whatever quotes a line of an input quotes it through a `Veil`. Where the text can be parsed, the
table of fields tells what is a Secret's (`secret`) and what is private (`private`); where it is
broken, what may be a value is taken for one (`unparsed`). Keys stay, values become ``…``. Nothing
here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property

from k8stui.manifests import tree
from k8stui.manifests.events import YamlFault
from k8stui.manifests.private import Private
from k8stui.manifests.secret import INNER, Secrets, guessed, is_key, is_secret_list, may_hold
from k8stui.manifests.spans import merged, overlapping
from k8stui.manifests.unparsed import HIDDEN, private_comments, private_lines, secret_lines
from k8stui.record import record

__all__ = ["HIDDEN", "ShownLine", "Veil", "hush", "is_key", "is_secret_list", "without_credentials"]

_LONGEST = 400_000
"""Characters of a stretch that is parsed to be shown; a longer one with a Secret is not shown."""

_CREDENTIALS = re.compile(
    # What stands before ``://`` is not looked at: a long word would cost its square.
    r"(?P<url>://[^\s:/@\"']*:)(?P<in_url>[^\s/\"']+)(?=@)"
    r"|(?P<name>(?:password|passwd|passphrase|[_-]pwd|token|api[_-]?key|secret[_-]?key"
    r"|access[_-]?key|private[_-]?key)[\"']?\s*[=:]\s*[\"']?)"
    r"(?P<value>(?!(?:true|false|null)\b|[\"']?\s*[|>{\[]|\s|\$)[^\s\"',}]+)",
    re.IGNORECASE,
)


def without_credentials(text: str) -> str:
    """Hide what stands where passwords stand: ``postgres://user:…@host``, ``password=…``."""
    return _CREDENTIALS.sub(_uncredited, text) if ":" in text or "=" in text else text


def _uncredited(match: re.Match[str]) -> str:
    return f"{match['url'] or match['name']}{HIDDEN}"


@record(frozen=False, eq=False)
class ShownLine:
    """One line as it may be shown."""

    line: str
    column: int
    """1-based, of the place that was asked for; in `line`, so good for a caret."""
    hidden: bool
    """A value of a Secret stands here: no message may quote from this line."""

    def shifted(self, by: int) -> ShownLine:
        """Give the same line with `by` blanks before it."""
        return ShownLine(" " * by + self.line, by + self.column, self.hidden)


_UNSHOWN = "this line of a Secret cannot be read (its text is not shown)"


class Veil:
    """Hides values in one stretch of text: a document, or an element of a list."""

    def __init__(self, stretch: str, *, secret: bool = False, values: bool = False) -> None:
        """`secret`: it is known to be a Secret. `values`: private values may be shown."""
        self.stretch = stretch
        self.is_secret = self.is_closed = False
        """Whether a Secret's values are in it; whether nothing of it may be shown."""
        self._values = values
        self._spans: list[tuple[int, int]] = []
        self._private: list[tuple[int, int]] = []
        self._texts: list[str] = []
        """What the private values say."""
        self._kept: dict[int, str] | None = None
        """Where it cannot be parsed: lines by their start, as far as they may be shown."""
        self._unread: Iterator[tuple[int, str]] = iter(())
        """And those behind them: a long text is looked at as far as it is asked for."""
        self._shown: str | None = None
        doubtful = secret or may_hold(stretch)
        if doubtful or not values:
            self._look(secret=secret, doubtful=doubtful)

    def _look(self, *, secret: bool, doubtful: bool) -> None:
        root = self._parsed()
        if root is not None and doubtful:
            found = Secrets(self.stretch, root)
            found.look(root, secret=secret, top=True)
            self._spans = found.spans()
            self.is_secret = bool(self._spans)
            if not self._spans and INNER.search(self.stretch):
                root = None  # it says that it is one, in a way that YAML reads otherwise
        if root is not None:
            if not self._values:
                private = Private(self.stretch, root)
                comments = private_comments(self.stretch)
                self._private = merged((*private.found, *comments))
                self._texts = private.texts
        elif doubtful and (secret or guessed(self.stretch)):
            self.is_secret = True
            self.is_closed = len(self.stretch) > _LONGEST
            self._kept, self._unread = {}, secret_lines(self.stretch)
        elif not self._values:
            self._kept, self._unread = {}, private_lines(self.stretch)

    def _parsed(self) -> tree.TreeNode | None:
        """The tree of all of it; else it cannot be parsed, or not at once."""
        if len(self.stretch) > _LONGEST:
            return None
        try:
            root = tree.tree(self.stretch)
        except (YamlFault, RecursionError):
            return None
        return root if root is not None and _is_whole(self.stretch, root) else None

    def line(self, offset: int, column: int = 1) -> ShownLine:
        """Give the line that starts at `offset`, as it may be shown. `column`: 1-based, in it."""
        end = self.stretch.find("\n", offset)
        end = end if end >= 0 else len(self.stretch)
        text = self.stretch[offset:end]
        if self.is_closed:
            return ShownLine("", 1, True)
        if self._kept is not None:
            while offset not in self._kept and (read := next(self._unread, None)):
                self._kept[read[0]] = read[1]
            shown = self._kept.get(offset, HIDDEN)
            hidden = self.is_secret and shown != text
            return ShownLine(self._calm(shown), min(column, len(shown) + 1), hidden)
        secret = overlapping(self._spans, offset, end)
        private = overlapping(self._private, offset, end)
        parts, at, caret = [], offset, column
        for start, stop in merged(secret + private):
            parts += [self.stretch[at : max(start, offset)], HIDDEN]
            before = len("".join(parts))
            at = min(stop, end)
            if column - 1 + offset >= at:
                caret = before + column - (at - offset)
            elif column - 1 + offset >= start:
                caret = before
        shown = self._calm("".join([*parts, self.stretch[at:end]]))
        return ShownLine(shown, max(1, min(caret, len(shown) + 1)), bool(secret))

    def lines(self) -> Iterator[str]:
        """Give all lines, as they may be shown."""
        offset = 0
        for text in self.stretch.split("\n"):
            yield self.line(offset).line
            offset += len(text) + 1

    def mended(self, text: str, shown: ShownLine) -> str:
        """Give a line as it was meant, as far as it may be shown; empty of a Secret's."""
        if self.is_secret or shown.hidden or self.is_closed:
            return ""
        return self._calm(self._without(text, self._hiding(shown)(text)))

    def said(self, message: str, shown: ShownLine, instead: str = _UNSHOWN) -> str:
        """Give a message about a line without what it quotes, where that may be a value.

        `instead`: what is said where nothing of it can be.
        """
        if self.is_secret or shown.hidden or self.is_closed:
            said = hush(message)
            return instead if self._quotes(said) else said
        if not (self._private or self._kept is not None):
            return without_credentials(message)
        parts = _QUOTED.split(message)
        hides = self._hiding(shown)
        parts[1::2] = (self._without(part, hides(part)) for part in parts[1::2])
        if HIDDEN in shown.line:
            head, mark, tail = "".join(parts).partition("this is the number ")
            parts = [head, mark, _NUMBER.sub(HIDDEN, tail)]  # 0x1F is called 31
        return without_credentials("".join(parts))

    @staticmethod
    def _without(text: str, words: list[str]) -> str:
        for word in sorted(words, key=len, reverse=True):
            text = text.replace(word, HIDDEN)
        return text

    def _hiding(self, shown: ShownLine) -> Callable[[str], list[str]]:
        """What finds the words of a text that are private, and stand nowhere else."""
        if not (self._private or self._kept is not None):
            return lambda _: []
        if len(self.stretch) > _LONGEST:
            here = set(_WORD.findall(shown.line))
            return lambda text: [word for word in _WORD.findall(text) if word not in here]
        open_words, private, all_private = self._words

        def is_private(word: str) -> bool:
            # A long value is cut in messages.
            return word in private or (
                word not in open_words and len(word) >= _PART and word in all_private
            )

        return lambda text: [word for word in _WORD.findall(text) if is_private(word)]

    @cached_property
    def _words(self) -> tuple[set[str], set[str], str]:
        """Those that may be shown, the others, and these in one text."""
        open_words = set(_WORD.findall(self._all_shown()))
        private = set(_WORD.findall("\n".join([self.stretch, *self._texts]))) - open_words
        return open_words, private, "\n".join(private)

    def _quotes(self, message: str) -> bool:
        """Whether a word of the message stands where a Secret's values are, and nowhere else."""
        shown = self._all_shown() if len(self.stretch) <= _LONGEST else ""
        return any(word in self.stretch and word not in shown for word in _WORD.findall(message))

    def _all_shown(self) -> str:
        if self._shown is None:
            self._shown = "\n".join(self.lines())
        return self._shown

    def _calm(self, text: str) -> str:
        return text if self._values else without_credentials(text)


def _is_whole(stretch: str, root: tree.TreeNode) -> bool:
    """Whether nothing but comments stands behind the tree: else it is of a part, or broken."""
    rest = stretch[root.end :].splitlines()
    return all(not line.strip() or line.lstrip().startswith("#") for line in rest)


def hush(message: str) -> str:
    """Cut a message about a line of a Secret before it quotes a value."""
    said = _QUOTES.split(message, maxsplit=1)[0].rstrip(" :,;")
    return f"{said or 'is wrong'} (a Secret's text is not shown)" if said != message else message


_WORD = re.compile(r"[^\s'\"`,;:()*&…={}\[\]\\]{3,}")
_PART = 5
"""Letters from which a part of a value is worth hiding."""
_QUOTED = re.compile(r"""('[^']*'?|"[^"]*"?|`[^`]*`?|(?<![^\s'"`])[^\s'"`\d]*\d[^\s'"`]*)""")
"""What messages quote, or what is no plain word: that is looked at from its beginning only, for
a long one without a digit would cost its square."""
_NUMBER = re.compile(r"[-+]?\d[\w.+-]*")
_QUOTES = re.compile(
    r"['\"`]|: |; without quotes|, this is (?!a list$|a mapping$)|, not | is the (?:text|number)\b"
    r"|(?<=byte) "
)
