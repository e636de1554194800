"""What of a text is a Secret's: exactly where it can be parsed, else by what it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from k8stui.manifests import tree
from k8stui.manifests.schema import KINDS, WITHOUT_PART
from k8stui.manifests.spans import lines, merged, runs

_MAYBE = re.compile(
    # The word as a value, a field that only Secrets have, or a kind that is not plainly written.
    r"secret|stringdata|kind[\"']?\s*:\s*(?:[!&*|>?]|\"[^\"\n]*\\)|<<|^[^\S\n]*\?|\\\n"
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
INNER = re.compile(r"kind\W{1,8}(?:\w\W{1,8})?secret|stringdata", re.IGNORECASE)
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
_OPEN = frozenset({"apiVersion", "kind", "type"})
"""Fields of a Secret whose values are none."""
_BOOLEANS = frozenset({"true", "false"})
"""What else may be shown: the value of `immutable`, where it is one."""
_OPEN_META = frozenset({"name", "namespace", "generateName", "creationTimestamp", "uid"})
COLON = re.compile(r"\s*:(?=[\s\"'{\[]|$)")


def may_hold(stretch: str) -> bool:
    """Whether it is worth a look: false for nearly all texts, and cheap."""
    return _MAYBE.search(stretch) is not None or is_unclear(stretch)


def is_key(text: str) -> bool:
    """Whether it looks as a key does; what else stands before a colon may be a value."""
    return _KEY.fullmatch(text) is not None


_KEY_WORDS = re.compile(
    r"(?:api|app|auth|aws|azure|ca|cert|certificate|client|cloud|cluster|config|connection|cookie"
    r"|credentials?|crt|data|database|db|default|docker|dockercfg|dockerconfigjson|dsn|email|env"
    r"|file|gcp|git|host|htpasswd|http|https|id|ingress|json|jwt|key|keys|keystore|kubeconfig|ldap"
    r"|login|mail|mongo|mongodb|my|mysql|name|namespace|oauth|oidc|pass|passphrase|passwd|password"
    r"|pem|pg|pgp|port|postgres|postgresql|prod|properties|proxy|public|private|pwd|rabbitmq|redis"
    r"|refresh|region|registry|root|rsa|s3|salt|sasl|secret|secrets|server|service|session|sha256"
    r"|signing|smtp|sql|ssh|ssl|staging|string|test|tls|token|toml|txt|uri|url|user|username|users"
    r"|value|vault|web|webhook|yaml|yml"
    r"|apiversion|kind|meta|metadata|labels|annotations|type|immutable|items|binary|managed|fields|uid"
    r"|creation|timestamp|generate|owner|references|finalizers|spec|template)",
    re.IGNORECASE,
)
"""Of what keys of Secrets are made. Where the syntax is broken, or a key has no value, another word
in its place may be the value itself, and is hidden."""
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+|[^A-Za-z0-9._/-]+")


def is_key_name(text: str) -> bool:
    """Whether it is surely a key: made of words of which keys are made."""
    parts = _PART.findall(text)
    return (
        is_key(text)
        and (len(text) <= 1 or bool(parts))
        and all(_KEY_WORDS.fullmatch(part) for part in parts if len(text) > 1)
    )


def is_secret_list(content: str, start: int) -> bool:
    """Whether the document that begins at `start` says in its first lines that it is one."""
    return _LIST_HEAD.search(content, start, start + 400) is not None


def guessed(stretch: str) -> bool:
    """Whether a text that cannot be parsed may be a Secret, or hold one."""
    return _GUESS.search(stretch) is not None or is_unclear(stretch)


def _nameless(stretch: str) -> bool:
    """No kind is written, and it is an object, or has data: an element of a SecretList."""
    return (
        _KIND.search(stretch) is None
        and _MAY_HOLD.search(stretch) is not None
        and _SPEC.search(stretch) is None
    )


def is_unclear(stretch: str) -> bool:
    """Whether the kind may be a misspelt Secret: it is like one, or there is data and no kind."""
    kinds = _KINDS.findall(stretch)
    if any(map(_is_like_secret, kinds)):
        return True
    if kinds and _DATA.search(stretch) is None:
        return False
    return _nameless(stretch) if not kinds else not all(map(is_known, kinds))


def _is_like_secret(kind: str) -> bool:
    if is_known(kind):
        return False
    return SequenceMatcher(None, kind.lower(), "secret").ratio() >= _ALIKE


def is_known(kind: str) -> bool:
    """Whether a kind is one of Kubernetes' own."""
    one = kind.removesuffix("List") or "List"
    return one in KINDS or one in WITHOUT_PART or kind == "List"


_PARTS = (
    {"apiversion", "fieldpath"},
    {"apiversion", "fieldstype", "fieldsv1", "manager", "operation", "subresource", "time"},
)
"""Fields of what names an API version and is no object: a fieldRef, an entry of managedFields."""


class Secrets:
    """Finds what is to be hidden in a tree: all that is neither structure nor known harmless."""

    def __init__(self, stretch: str, root: tree.TreeNode) -> None:
        self.stretch, self.root = stretch, root
        self.shut: list[tuple[int, int]] = []
        """Of Secrets, from end to end."""
        self.open: list[tuple[int, int]] = []
        """What of them may be shown."""
        self.scalars: list[tuple[int, int]] = []
        """Values elsewhere that hold a Secret's manifest."""
        self.seen: set[int] = set()

    def look(self, node: tree.TreeNode, *, secret: bool = False, top: bool = False) -> None:
        """Look at a node and below. `secret`: it is one, or a list of them; `top`: an object."""
        if id(node) in self.seen:
            return
        self.seen.add(id(node))
        if node.text is not None:
            if INNER.search(node.text):
                self.scalars.append((node.start, node.end))
            return
        kind = _text(node, "kind") if node.mapping else ""
        folded = kind.lower()
        keys = (
            {(entry.key or "").strip("\"'").lower() for entry in node.entries}
            if node.mapping
            else set()
        )
        is_list = "items" in keys and "secret" in folded
        misspelt = bool(kind) and (_is_like_secret(kind) or ("data" in keys and not is_known(kind)))
        looks = top or keys & {"apiversion", "metadata"}
        if looks and not keys & {"kind", "spec", "items"} and not any(keys <= p for p in _PARTS):
            text = self.stretch[node.start : node.end]
            misspelt = _SPEC.search(text) is None and _MAY_HOLD.search(text) is not None
        is_secret = secret or "secret" in folded or "stringdata" in keys or misspelt
        if is_secret and node.mapping and not is_list:
            self.secret(node)
            return
        for entry in (*node.entries, *(tree.TreeEntry(None, 0, 0, one) for one in node.merged)):
            below = is_list and entry.key == "items"
            if below and not entry.node.mapping:
                for item in entry.node.entries:
                    self.look(item.node, secret=True)
            elif node.mapping:
                self.look(entry.node, top=top and not entry.node.mapping)
            else:
                self.look(entry.node, secret=secret, top=top)

    def secret(self, node: tree.TreeNode) -> None:
        self.shut.append((node.start, node.end))
        self._keys(node)
        for entry in node.entries:
            is_open = entry.key in _OPEN and entry.node.text is not None
            if is_open or (entry.key == "immutable" and entry.node.text in _BOOLEANS):
                self._show(entry.node)
            elif entry.key == "metadata" and entry.node.mapping:
                for one in entry.node.entries:
                    if one.key in _OPEN_META and one.node.text is not None:
                        self._show(one.node)
                    elif one.key == "labels":
                        for label in one.node.entries:
                            if label.node.text is not None:
                                self._show(label.node)

    def _show(self, node: tree.TreeNode) -> None:
        if "\n" not in self.stretch[node.start : node.end] and not INNER.search(node.text or ""):
            self.open.append((node.start, node.end))

    def _keys(self, node: tree.TreeNode) -> None:
        self.seen.add(id(node))
        for entry in node.entries:
            written = self.stretch[entry.start : entry.end]
            named = COLON.match(self.stretch, entry.end) is not None
            name = written.strip("\"'")
            has_value = bool(entry.node.text) and entry.node.style not in ("|", ">")
            if (
                named
                and entry.key is not None
                and (is_key_name(name) or (has_value and is_key(name)))
            ):
                self.open.append((entry.start, entry.end))
            if entry.node.text is None and id(entry.node) not in self.seen:
                self._keys(entry.node)

    def spans(self) -> list[tuple[int, int]]:
        """Start and end of every run of characters that is hidden; none holds a line break."""
        found = [span for start, end in self.scalars for span in runs(self.stretch, start, end)]
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
            found += (span for one in self._scalars() for span in runs(self.stretch, *one))
        return merged(found)

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
    for line_start, line_end in lines(stretch, start, end):
        text = stretch[line_start:line_end]
        lead = _lead(text)
        trail = len(text) - len(text.rstrip(" \t,}]"))
        if lead < len(text) - trail:
            yield line_start + lead, line_end - trail


def _lead(text: str) -> int:
    """Characters of structure at the begin: blanks, brackets, the colon behind a key, a dash."""
    match = re.match(r"[ \t]*(?:(?:[:,{\[}\]]|-(?=[ \t])|\?(?=[ \t]))[ \t]*)*", text)
    return match.end() if match else 0


def _text(node: tree.TreeNode, key: str) -> str:
    entry = node.child(key)
    return (entry.node.text or "").strip() if entry is not None else ""
