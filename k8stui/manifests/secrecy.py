"""What of a text may be shown: values of Secrets never, values of ``env`` only when asked for.

Whatever quotes a line of an input quotes it through a `Veil`. Where the text can be parsed, a
Secret is known exactly; where it is broken its kind can only be guessed, and what may be a value
is taken for one. Keys stay, values become ``…``. Nothing here raises.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from k8stui.manifests import tree
from k8stui.manifests.events import YamlFault
from k8stui.record import record

HIDDEN = "…"
_LONGEST = 400_000
"""Characters of a stretch that is parsed to be shown; a longer one with a Secret is not shown."""
_LONG_LINE = 20_000

_MAYBE = re.compile(
    # The word as a value, a field that only Secrets have, or a kind that is not plainly written.
    r"secret|stringdata|kind[\"']?\s*:\s*(?:[!&*|>?]|\"[^\"\n]*\\)|<<|^\s*\?|\\\n"
    # An escaped letter may be one of these words: "S\x65cret".
    r"|\\(?:x[4-7]|u00[4-7]|U000000[4-7])",
    re.IGNORECASE | re.MULTILINE,
)
_KINDS = re.compile(r"""(?<![\w.-])["']?kind["']?\s*:\s*["']?(\w*)""")
_LIST_HEAD = re.compile(r"^[\"']?kind[\"']?\s*:\s*[\"']?Secret", re.MULTILINE)
_ALIKE = 0.7
_KIND = re.compile(r"""(?<![\w.-])["']?kind["']?\s*:""", re.IGNORECASE)
_DATA = re.compile(r"""(?<![\w.-])["']?(?:binary|string)?-?data["']?\s*[:{]""", re.IGNORECASE)
_MAY_HOLD = re.compile(
    r"""(?<![\w.-])["']?(?:(?:binary|string)?-?data|apiVersion|metadata)["']?\s*[:{]|\bsecret\b""",
    re.IGNORECASE,
)
"""Of something without a kind: it is meant as an object, and may be a Secret."""
_SPEC = re.compile(
    r"""(?<![\w.-])["']?(?:spec|status|subsets|endpoints|rules|roleRef|parameters)["']?\s*:"""
)
_INNER = re.compile(r"kind\W{1,8}(?:\w\W{1,8})?secret|stringdata", re.IGNORECASE)
"""In a value: a manifest of a Secret (last-applied-configuration, a ConfigMap of manifests)."""
_GUESS = re.compile(
    r"kind\W{0,12}s\W?e?\W?c?\W?r?\W?e?\W?t|(?<![\w.-])stringdata|\bsecret(?:list)?[\"']?\s*(?:[,}#]|$)"
    r"|kind[\"']?\s*:\s*(?:[!&*|>?]|\"[^\"\n]*\\)|\\(?:x[4-7]|u00[4-7]|U000000[4-7])",
    re.IGNORECASE | re.MULTILINE,
)
"""In a text that cannot be parsed: it may be a Secret."""

_ALIAS = re.compile(r"(?:^|[\s,\[{:])\*[^\s]", re.MULTILINE)
_KEY = re.compile(r"[A-Za-z0-9_][\w./-]{0,252}", re.ASCII)
"""As keys of Secrets, labels and fields look; what else stands before a colon may be a value."""
_OPEN = frozenset({"apiVersion", "kind", "type", "immutable"})
"""Fields of a Secret whose values are none."""
_OPEN_META = frozenset({"name", "namespace", "generateName", "creationTimestamp", "uid"})
_WORDS = frozenset({"v1", "Secret", "SecretList", "List", "Opaque"})
"""Values that are shown even where the text is broken."""

_CREDENTIALS = re.compile(
    # What stands before ``://`` is not looked at: a long word would cost its square.
    r"(?P<url>://[^\s:/@\"']*:)(?P<in_url>[^\s/\"']+)(?=@)"
    r"|(?P<name>(?:password|passwd|passphrase|[_-]pwd|token|api[_-]?key|secret[_-]?key"
    r"|access[_-]?key|private[_-]?key)[\"']?\s*[=:]\s*[\"']?)"
    r"(?P<value>(?!(?:true|false|null)\b|[\"']?\s*[|>{\[]|\s|\$)[^\s\"',}]+)",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"""["']?(?:true|false|yes|no|on|off|null|[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3})["']?\s*""",
    re.IGNORECASE,
)
"""Values of ``env`` that are no secrets: switches and port numbers."""
_ENV_KEY = re.compile(r"""(?<![\w.-])["']?env["']?\s*:""")
_VALUE = re.compile(
    r"""(?P<head>(?:^\s*(?:- *)?|[{,]\s*)["']?value["']?(?:\s*[:=]|\s))(?P<rest>.*)"""
)
"""A line of ``env`` with a value, also one with a mistake: ``value:"a"``, ``value a``."""


def without_credentials(text: str) -> str:
    """Hide what stands where passwords stand: ``postgres://user:…@host``, ``password=…``."""
    return _CREDENTIALS.sub(_uncredited, text) if ":" in text or "=" in text else text


def _uncredited(match: re.Match[str]) -> str:
    return f"{match['url'] or match['name']}{HIDDEN}"


@record(frozen=False, eq=False)
class Shown:
    """One line as it may be shown."""

    line: str
    column: int
    """1-based, of the place that was asked for; in `line`, so good for a caret."""
    hidden: bool
    """A value of a Secret stands here: no message may quote from this line."""

    def shifted(self, by: int) -> Shown:
        """Give the same line with `by` blanks before it."""
        return Shown(" " * by + self.line, by + self.column, self.hidden)


class Veil:
    """Hides values in one stretch of text: a document, or an element of a list."""

    def __init__(self, stretch: str, *, secret: bool = False, values: bool = False) -> None:
        """`secret`: it is known to be a Secret. `values`: values of ``env`` may be shown."""
        self.stretch = stretch
        self.is_secret = self.is_closed = False
        """Whether a Secret's values are in it; whether nothing of it may be shown."""
        self._values = values
        self._spans: list[tuple[int, int]] = []
        self._private: list[tuple[int, int]] = []
        """Of these, values of ``env``."""
        self._kept: dict[int, str] | None = None
        """Where it cannot be parsed: lines by their start, as far as they may be shown."""
        self._shown: str | None = None
        doubtful = secret or _MAYBE.search(stretch) is not None or _is_unclear(stretch)
        has_env = not values and _ENV_KEY.search(stretch) is not None
        if doubtful or has_env:
            self._look(secret=secret, doubtful=doubtful, has_env=has_env)

    def _look(self, *, secret: bool, doubtful: bool, has_env: bool) -> None:
        if len(self.stretch) > _LONGEST:
            self.is_closed = has_env or (
                doubtful and (secret or _GUESS.search(self.stretch) is not None)
            )
            self.is_secret = self.is_closed and not has_env
            return
        try:
            root = tree.tree(self.stretch)
        except (YamlFault, RecursionError):
            root = None
        if root is not None and not _is_whole(self.stretch, root):
            root = None
        if root is not None:
            found = _Secrets(self.stretch, root)
            if doubtful:
                found.walk(root, secret=secret, top=True)
            self._spans = found.spans()
            if not self._spans and _INNER.search(self.stretch):
                root = None  # it says that it is one, in a way that YAML reads otherwise
            self.is_secret = bool(self._spans)
            if has_env:
                self._private = _merged(list(_env_values(self.stretch, found.root)))
        if root is not None:
            return
        if doubtful and (secret or guessed(self.stretch)):
            self.is_secret = True
            self._kept = dict(_guess_lines(self.stretch))
        elif has_env:
            self._kept = dict(_env_lines(self.stretch))

    def line(self, offset: int, column: int = 1) -> Shown:
        """Give the line that starts at `offset`, as it may be shown. `column`: 1-based, in it."""
        end = self.stretch.find("\n", offset)
        end = end if end >= 0 else len(self.stretch)
        text = self.stretch[offset:end]
        if self.is_closed:
            return Shown("", 1, True)
        if self._kept is not None:
            shown = self._kept.get(offset, HIDDEN)
            hidden = self.is_secret and shown != text
            return Shown(self._calm(shown), min(column, len(shown) + 1), hidden)
        secret = _overlapping(self._spans, offset, end)
        private = _overlapping(self._private, offset, end)
        parts, at, caret = [], offset, column
        for start, stop in _merged(secret + private):
            parts += [self.stretch[at : max(start, offset)], HIDDEN]
            before = len("".join(parts))
            at = min(stop, end)
            if column - 1 + offset >= at:
                caret = before + column - (at - offset)
            elif column - 1 + offset >= start:
                caret = before
        shown = self._calm("".join([*parts, self.stretch[at:end]]))
        return Shown(shown, max(1, min(caret, len(shown) + 1)), bool(secret))

    def lines(self) -> Iterator[str]:
        """Give all lines, as they may be shown."""
        offset = 0
        for text in self.stretch.split("\n"):
            yield self.line(offset).line
            offset += len(text) + 1

    def mended(self, text: str, shown: Shown) -> str:
        """Give a line as it was meant, as far as it may be shown; empty of a Secret's."""
        if self.is_secret or shown.hidden or self.is_closed:
            return ""
        if self._values or _ENV_KEY.search(self.stretch) is None:
            return self._calm(text)
        return self._calm(_without_value(text))

    def said(self, message: str, shown: Shown) -> str:
        """Give a message about a line without what it quotes, where that may be a value."""
        if self.is_secret or shown.hidden or self.is_closed:
            said = hush(message)
            return _UNSHOWN if self._quoted(said) else said
        if self._private or self._kept is not None:
            for word in self._quoted(message):
                message = message.replace(word, HIDDEN)
        return without_credentials(message)

    def _quoted(self, message: str) -> list[str]:
        """Words of the message that stand where values are hidden, and nowhere else."""
        if self._shown is None:
            self._shown = "\n".join(self.lines())
        written = [word for word in _WORD.findall(message) if word not in self._shown]
        return [word for word in written if word in self.stretch]

    def _calm(self, text: str) -> str:
        return text if self._values else without_credentials(text)


def _overlapping(spans: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """Those of `spans`, sorted and apart from each other, that reach into ``start..end``."""
    first = bisect_right(spans, start, key=lambda span: span[1])
    return spans[first : bisect_left(spans, end, key=lambda span: span[0])]


def _without_value(text: str) -> str:
    """A line of ``env`` without its value; it may not be readable."""
    match = _VALUE.search(text)
    if match is None:
        return text
    bare = match["rest"].strip().rstrip(",}] ")
    if not bare or _HARMLESS.fullmatch(bare) or bare == HIDDEN:
        return text
    closing = match["rest"][len(match["rest"].rstrip(" ,}]")) :].strip()
    blank = " " if match["rest"][:1] == " " else ""
    return f"{text[: match.end('head')]}{blank}{HIDDEN}{closing}"


def _env_lines(stretch: str) -> Iterator[tuple[int, str]]:
    """Each line's start and what may be shown of it, in a text with ``env`` that is broken."""
    offset, deep = 0, None
    for text in stretch.split("\n"):
        indent = len(text) - len(text.lstrip(" \t"))
        if text.strip() and deep is not None and indent > deep:
            yield offset, text[:indent] + HIDDEN
        else:
            if text.strip():
                shown = _without_value(text)
                dash = 2 if text.lstrip().startswith("- ") else 0
                deep = indent + dash if shown != text else None
            yield offset, shown if text.strip() else text
        offset += len(text) + 1


def _env_values(stretch: str, root: tree.Node) -> Iterator[tuple[int, int]]:
    """The values of containers' variables; switches and port numbers aside."""
    nodes, seen = [root], set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for entry in node.entries:
            nodes.append(entry.node)
            if node.mapping and entry.key == "env":
                for one in entry.node.entries:
                    value = one.node.child("value") if one.node.mapping else None
                    if value is not None and not _HARMLESS.fullmatch(value.node.text or "0"):
                        yield from _runs(stretch, value.node.start, value.node.end)
        nodes += node.merged


def is_key(text: str) -> bool:
    """Whether it looks as a key does; what else stands before a colon may be a value."""
    return _KEY.fullmatch(text) is not None


def is_secret_list(content: str, start: int) -> bool:
    """Whether the document that begins at `start` says in its first lines that it is one."""
    return _LIST_HEAD.search(content, start, start + 400) is not None


def guessed(stretch: str) -> bool:
    """Whether a text that cannot be parsed may be a Secret, or hold one."""
    return _GUESS.search(stretch) is not None or _is_unclear(stretch)


def _nameless(stretch: str) -> bool:
    """No kind is written, and it is an object, or has data: an element of a SecretList."""
    return (
        _KIND.search(stretch) is None
        and _MAY_HOLD.search(stretch) is not None
        and _SPEC.search(stretch) is None
    )


def _is_unclear(stretch: str) -> bool:
    """Whether the kind may be a misspelt Secret: it is like one, or there is data and no kind."""
    kinds = _KINDS.findall(stretch)
    if any(map(_is_like_secret, kinds)):
        return True
    if kinds and _DATA.search(stretch) is None:
        return False
    return _nameless(stretch) if not kinds else not all(map(_is_known, kinds))


def _is_like_secret(kind: str) -> bool:
    if _is_known(kind):
        return False
    from difflib import SequenceMatcher  # noqa: PLC0415 - 3 ms, for odd kinds only

    return SequenceMatcher(None, kind.lower(), "secret").ratio() >= _ALIKE


def _is_known(kind: str) -> bool:
    from k8stui.manifests.schema import KINDS, WITHOUT_PART  # noqa: PLC0415 - mistakes only

    one = kind.removesuffix("List") or "List"
    return one in KINDS or one in WITHOUT_PART or kind == "List"


def _is_whole(stretch: str, root: tree.Node) -> bool:
    """Whether nothing but comments stands behind the tree: else it is of a part, or broken."""
    rest = stretch[root.end :].splitlines()
    return all(not line.strip() or line.lstrip().startswith("#") for line in rest)


class _Secrets:
    """Finds what is to be hidden in a tree: all that is neither structure nor known harmless."""

    def __init__(self, stretch: str, root: tree.Node) -> None:
        self.stretch, self.root = stretch, root
        self.shut: list[tuple[int, int]] = []
        """Of Secrets, from end to end."""
        self.open: list[tuple[int, int]] = []
        """What of them may be shown."""
        self.scalars: list[tuple[int, int]] = []
        """Values elsewhere that hold a Secret's manifest."""
        self.seen: set[int] = set()

    def walk(self, node: tree.Node, *, secret: bool = False, top: bool = False) -> None:
        """Look at a node and below. `secret`: it is one, or a list of them; `top`: an object."""
        if id(node) in self.seen:
            return
        self.seen.add(id(node))
        if node.text is not None:
            if _INNER.search(node.text):
                self.scalars.append((node.start, node.end))
            return
        kind = _text(node, "kind") if node.mapping else ""
        folded = kind.lower()
        keys = (
            {(entry.key or "").strip("\"'").lower() for entry in node.entries}
            if node.mapping
            else set()
        )
        is_list = "items" in keys and folded.startswith("secret")
        misspelt = bool(kind) and (
            _is_like_secret(kind) or ("data" in keys and not _is_known(kind))
        )
        looks = top or keys & {"apiversion", "metadata"}
        if looks and not keys & {"kind", "spec", "items"}:
            text = self.stretch[node.start : node.end]
            misspelt = _SPEC.search(text) is None and _MAY_HOLD.search(text) is not None
        is_secret = secret or folded.startswith("secret") or "stringdata" in keys or misspelt
        if is_secret and node.mapping and not is_list:
            self.secret(node)
            return
        for entry in (*node.entries, *(tree.Entry(None, 0, 0, one) for one in node.merged)):
            below = is_list and entry.key == "items"
            if below and not entry.node.mapping:
                for item in entry.node.entries:
                    self.walk(item.node, secret=True)
            elif node.mapping:
                self.walk(entry.node, top=top and not entry.node.mapping)
            else:
                self.walk(entry.node, secret=secret, top=top)

    def secret(self, node: tree.Node) -> None:
        self.shut.append((node.start, node.end))
        self._keys(node)
        for entry in node.entries:
            if entry.key in _OPEN and entry.node.text is not None:
                self._show(entry.node)
            elif entry.key == "metadata" and entry.node.mapping:
                for one in entry.node.entries:
                    if one.key in _OPEN_META and one.node.text is not None:
                        self._show(one.node)
                    elif one.key == "labels":
                        for label in one.node.entries:
                            if label.node.text is not None:
                                self._show(label.node)

    def _show(self, node: tree.Node) -> None:
        if "\n" not in self.stretch[node.start : node.end] and not _INNER.search(node.text or ""):
            self.open.append((node.start, node.end))

    def _keys(self, node: tree.Node) -> None:
        self.seen.add(id(node))
        for entry in node.entries:
            written = self.stretch[entry.start : entry.end]
            named = _COLON.match(self.stretch, entry.end) is not None
            if named and entry.key is not None and is_key(written.strip("\"'")):
                self.open.append((entry.start, entry.end))
            if entry.node.text is None and id(entry.node) not in self.seen:
                self._keys(entry.node)

    def spans(self) -> list[tuple[int, int]]:
        """Start and end of every run of characters that is hidden; none holds a line break."""
        found = [span for start, end in self.scalars for span in _runs(self.stretch, start, end)]
        opened = sorted(set(self.open))
        for start, end in self.shut:
            at = start
            for first, last in opened:
                if last <= at or first >= end:
                    continue
                found += _closed(self.stretch, at, first)
                at = last
            found += _closed(self.stretch, at, end)
        if self.shut and _ALIAS.search(self.stretch):
            # What a Secret's value stands for may be written anywhere in the document.
            found += (span for one in self._scalars() for span in _runs(self.stretch, *one))
        return _merged(found)

    def _scalars(self) -> Iterator[tuple[int, int]]:
        """Give every value of the document that is not shown of a Secret."""
        shown = set(self.open)
        nodes, seen = [self.root], set()
        while nodes:
            node = nodes.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if node.text is not None and (node.start, node.end) not in shown:
                yield node.start, node.end
            nodes += [entry.node for entry in node.entries] + node.merged


def _closed(stretch: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The runs between `start` and `end` that are no structure; a run keeps its inner marks."""
    for line_start, line_end in _lines(stretch, start, end):
        text = stretch[line_start:line_end]
        lead = _lead(text)
        trail = len(text) - len(text.rstrip(" \t,}]"))
        if lead < len(text) - trail:
            yield line_start + lead, line_end - trail


def _lead(text: str) -> int:
    """Characters of structure at the begin: blanks, brackets, the colon behind a key, a dash."""
    match = re.match(r"[ \t]*(?:(?:[:,{\[}\]]|-(?=[ \t])|\?(?=[ \t]))[ \t]*)*", text)
    return match.end() if match else 0


def _runs(stretch: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for line_start, line_end in _lines(stretch, start, end):
        text = stretch[line_start:line_end]
        lead, trail = len(text) - len(text.lstrip()), len(text) - len(text.rstrip())
        if lead + trail < len(text):
            yield line_start + lead, line_end - trail


def _lines(stretch: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = stretch.find("\n", start, end)
        stop = stop if stop >= 0 else end
        yield start, stop
        start = stop + 1


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _text(node: tree.Node, key: str) -> str:
    entry = node.child(key)
    return (entry.node.text or "").strip() if entry is not None else ""


_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+)|(?P<mark>[{}\[\],])|(?P<quoted>"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?)"""
    r"""|(?P<colon>:(?=[\s"'{\[]|$))|(?P<word>[^\s"'{}\[\],:](?:[^\s":]|:(?![\s"'{\[]|$))*|:)"""
)


_COLON = re.compile(r"\s*:(?=[\s\"'{\[]|$)")


def _guess_lines(stretch: str) -> Iterator[tuple[int, str]]:
    """Each line's start, and what of it may be shown when nobody knows where values end."""
    offset = 0
    deep: int | None = None
    """Lines deeper than this go on with the value of one above."""
    for text in stretch.split("\n"):
        indent = len(text) - len(text.lstrip(" \t"))
        if text.strip() and deep is not None and indent > deep:
            yield offset, text[:indent] + HIDDEN
        elif not text.strip() or len(text) > _LONG_LINE:
            yield offset, HIDDEN if text.strip() else ""
        else:
            shown, goes_on = _guess_line(text)
            if text.strip():
                deep = indent + (2 if re.match(r"\s*- ", text) else 0) if goes_on else None
            yield offset, shown
        offset += len(text) + 1


def _guess_line(text: str) -> tuple[str, bool]:
    """What may be shown of a line, and whether deeper ones would go on with its value."""
    parts: list[str] = []
    before, colons = "start", 0
    flow = has_value = False
    for match in _TOKEN.finditer(text):
        kind, written = match.lastgroup or "", match[0]
        names = (
            kind in ("quoted", "word")
            and before in ("start", "dash", "open")
            and _COLON.match(text, match.end()) is not None
            and is_key(written.strip("\"'"))
        )
        if kind == "blank":
            parts.append(written)
        elif kind == "mark":
            flow = flow or written == "{"
            parts.append(written)
            before = "open" if written in ("{", "[") or (flow and written == ",") else "closed"
        elif kind == "colon":
            colons += 1
            parts.append(written)
            before = "colon" if before == "key" else "value"
        elif written == "-" and before == "start":
            parts.append(written)
            before = "dash"
        elif names:
            parts.append(written)
            before = "key"
        else:
            shown = written if before == "colon" and written.strip("\"'") in _WORDS else HIDDEN
            if not (shown == HIDDEN and "".join(parts).rstrip().endswith(HIDDEN)):
                parts.append(shown)
            has_value, before = True, "value"
    if colons > 1 and not flow:
        # Of two keys on one line one is none, and nobody knows which.
        return text[: len(text) - len(text.lstrip())] + HIDDEN, True
    return "".join(parts), has_value and not flow


def hush(message: str) -> str:
    """Cut a message about a line of a Secret before it quotes a value."""
    said = _QUOTES.split(message, maxsplit=1)[0].rstrip(" :,;")
    return f"{said} (a Secret's text is not shown)" if said != message else message


_UNSHOWN = "this line of a Secret cannot be read (its text is not shown)"
_WORD = re.compile(r"[^\s'\"`,;:()*&]{3,}")
_QUOTES = re.compile(
    r"['\"`]|: |; without quotes|, this is (?!a list$|a mapping$)|, not | is the (?:text|number)\b"
    r"|(?<=byte) "
)
