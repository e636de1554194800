"""From a rule's text to what it asks and does, and back to the text that iptables-save prints.

Accepts what iptables-save prints and, beyond that, what iptables-restore takes: any order of
options, long and short spellings, the module that ``-p`` brings with it. What is not understood is
kept as text and never raises; `k8stui.kernel.traverse` then says that it cannot evaluate it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import lru_cache

from k8stui.kernel import words
from k8stui.kernel.matches import MODULES
from k8stui.kernel.matches.base import Always, Comment, Grammar, Module, Opaque, Option, Test
from k8stui.kernel.matches.chance import Chance
from k8stui.kernel.matches.header import AddressTest, DeviceTest, FragmentTest, ProtocolTest
from k8stui.kernel.matches.lists import RecentTest
from k8stui.kernel.targets import TARGETS
from k8stui.kernel.targets.base import Jump, Target, UnknownTarget
from k8stui.record import record

_HEADER: Mapping[str, Callable[[Option], Test]] = {
    "-s": AddressTest.build,
    "-d": AddressTest.build,
    "-i": DeviceTest.build,
    "-o": DeviceTest.build,
    "-p": ProtocolTest.build,
    "-f": FragmentTest.build,
}
"""In printed order."""
_SPELLINGS = {
    "--source": "-s",
    "--src": "-s",
    "--destination": "-d",
    "--dst": "-d",
    "--in-interface": "-i",
    "--out-interface": "-o",
    "--protocol": "-p",
    "--proto": "-p",
    "--fragment": "-f",
    "--match": "-m",
    "--jump": "-j",
    "--goto": "-g",
    "--append": "-A",
}
_PROTOCOL_MODULES = {"ipv6-icmp": "icmp6", "icmpv6": "icmp6"}
"""Module that ``-p NAME`` brings, where it is not called like the protocol."""


@record()
class CompiledRule:
    """What a rule asks, in printed order, and what it does."""

    matches: tuple[Test | Module, ...]
    target: Target | None
    """None: the rule only counts."""
    goto: bool = False
    tests: tuple[Test, ...] = field(init=False, repr=False, compare=False)
    """Every condition but the random ones, flat."""
    chances: tuple[Chance, ...] = field(init=False, repr=False, compare=False)
    writes: tuple[RecentTest, ...] = field(init=False, repr=False, compare=False)
    """The ``-m recent`` of the rule that change a list."""
    assumptions: tuple[Always, ...] = field(init=False, repr=False, compare=False)
    """Conditions that hold only by assumption."""
    comment: str = field(init=False, repr=False, compare=False)
    """What stands behind the first ``--comment``; empty without one."""

    def __post_init__(self) -> None:
        flat = [
            test
            for match in self.matches
            for test in (match.tests if isinstance(match, Module) else (match,))
        ]
        chances = tuple(test for test in flat if isinstance(test, Chance))
        tests = tuple(test for test in flat if not isinstance(test, Chance))
        writes = tuple(test for test in tests if isinstance(test, RecentTest) and test.writes)
        assumptions = tuple(test for test in tests if isinstance(test, Always) and test.note)
        comments = (test.text for test in tests if isinstance(test, Comment))
        object.__setattr__(self, "comment", next(comments, ""))
        object.__setattr__(self, "tests", tests)
        object.__setattr__(self, "chances", chances)
        object.__setattr__(self, "writes", writes)
        object.__setattr__(self, "assumptions", assumptions)

    @property
    def target_name(self) -> str:
        """What stands behind ``-j`` or ``-g``: a chain or a target; empty where nothing does."""
        return str(self.target).partition(" ")[0] if self.target is not None else ""


def render(chain: str, compiled: CompiledRule) -> str:
    """The rule as iptables-save prints it: ``-A CHAIN …``."""
    parts = ["-A", chain, *map(str, compiled.matches)]
    if compiled.target not in {None, UnknownTarget("")}:
        parts += ["-g" if compiled.goto else "-j", str(compiled.target)]
    return " ".join(parts)


@lru_cache(maxsize=65536)
def compile_rule(text: str) -> CompiledRule:
    """Read one ``-A CHAIN …`` line. Never raises: what is not understood becomes an unknown."""
    try:
        return _Compiler(text).compile()
    except _NotUnderstoodError:
        rest = text.removeprefix("-A ").partition(" ")[2]
        return CompiledRule((Opaque(rest),), UnknownTarget(""))


class _NotUnderstoodError(Exception):
    """Not even the outline of the rule can be read."""


class _Part:
    """A module or target while its options are collected."""

    def __init__(self, name: str, grammar: Grammar | None, start: int, end: int) -> None:
        self.name = name
        self.grammar = grammar
        self.options: list[Option] = []
        self.start = start
        self.end = end

    def source(self, text: str) -> str:
        """The part as it was written."""
        return text[self.start : self.end]


class _Compiler:
    """One pass over the words of one rule."""

    def __init__(self, text: str) -> None:
        self._text = text
        try:
            self._words = words.split(text)
        except ValueError:
            raise _NotUnderstoodError from None
        self._at = 0
        self._header: dict[str, Test] = {}
        self._protocol = ""
        self._modules: list[_Part] = []
        self._target: _Part | None = None
        self._goto = False

    def compile(self) -> CompiledRule:
        bang: words.Word | None = None
        while self._at < len(self._words):
            word = self._words[self._at]
            self._at += 1
            if word.text == "!":
                bang = word
                continue
            start = bang.start if bang else word.start
            self._option(word, negated=bang is not None, start=start)
            bang = None
        if bang:
            raise _NotUnderstoodError
        order = list(_HEADER)
        header = [self._header[name] for name in sorted(self._header, key=order.index)]
        modules = [self._module(part) for part in self._modules]
        return CompiledRule((*header, *modules), self._finish_target(), self._goto)

    def _take(self, count: int) -> tuple[str, ...]:
        taken = self._words[self._at : self._at + count]
        if len(taken) < count:
            raise _NotUnderstoodError
        self._at += count
        return tuple(word.text for word in taken)

    def _option(self, word: words.Word, *, negated: bool, start: int) -> None:
        name = _SPELLINGS.get(word.text, word.text)
        if name == "-A":
            self._take(1)
        elif name == "-m":
            module = self._take(1)[0]
            self._modules.append(
                _Part(module, MODULES.get(module), word.start, self._words[self._at - 1].end)
            )
        elif name in {"-j", "-g"}:
            if self._target:
                raise _NotUnderstoodError
            target = self._take(1)[0]
            self._goto = name == "-g"
            end = self._words[self._at - 1]
            grammar = None if self._goto else TARGETS.get(target)
            self._target = _Part(target, grammar, end.start, end.end)
        elif name in _HEADER:
            self._header_option(name, negated=negated)
        else:
            self._extension_option(word, negated=negated, start=start)

    def _header_option(self, name: str, *, negated: bool) -> None:
        values = self._take(0 if name == "-f" else 1)
        if name in self._header:
            raise _NotUnderstoodError
        if name == "-p":
            self._protocol = values[0].lower()
            if self._protocol in {"all", "0"} and not negated:
                return
        try:
            self._header[name] = _HEADER[name](Option(name, values, negated))
        except ValueError:
            sign = "! " if negated else ""
            self._header[name] = Opaque(f"{sign}{name} {' '.join(values)}")

    def _extension_option(self, word: words.Word, *, negated: bool, start: int) -> None:
        """Give an option to the part that has it, the newest first; `-p` may bring one along."""
        parts = [self._target] if self._target else []
        parts += reversed(self._modules)
        for part in parts:
            if part.grammar is None:
                break
            name = part.grammar.name(word.text)
            if name:
                self._give(part, name, negated=negated)
                return
        implied = _PROTOCOL_MODULES.get(self._protocol, self._protocol)
        grammar = MODULES.get(implied)
        name = grammar.name(word.text) if grammar else None
        if name and all(part.grammar and part.name != implied for part in parts):
            self._modules.append(_Part(implied, grammar, start, start))
            self._give(self._modules[-1], name, negated=negated)
            return
        if not parts:
            raise _NotUnderstoodError
        # nobody knows it: it and its arguments belong to what stands before, which is so unknown
        while self._at < len(self._words) and not self._starts_option(self._words[self._at]):
            self._at += 1
        parts[0].grammar = None
        parts[0].end = self._words[self._at - 1].end

    def _give(self, part: _Part, name: str, *, negated: bool) -> None:
        values = self._take(part.grammar.arity[name] if part.grammar else 0)
        part.options.append(Option(name, values, negated))
        part.end = max(part.end, self._words[self._at - 1].end)

    def _starts_option(self, word: words.Word) -> bool:
        quoted = self._text[word.start] == '"'
        return not quoted and (word.text == "!" or (word.text[0] == "-" and len(word.text) > 1))

    def _module(self, part: _Part) -> Module | Test:
        if part.grammar is None:
            return Opaque(part.source(self._text))
        try:
            return Module(part.name, MODULES[part.name].build(part.options))
        except (ValueError, KeyError, IndexError):
            return Opaque(part.source(self._text))

    def _finish_target(self) -> Target | None:
        part = self._target
        if part is None:
            return None
        if part.grammar is not None:
            try:
                return TARGETS[part.name].build(part.options)
            except ValueError:
                return UnknownTarget(part.source(self._text))
        source = part.source(self._text)
        if self._goto or (source == part.name and part.name not in TARGETS):
            return Jump(part.name)
        return UnknownTarget(source)
