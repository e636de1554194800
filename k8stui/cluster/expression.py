"""Calico's selectors: read, asked about labels, and printed as Calico prints what it has read.

Source: Calico v3.30 libcalico-go/lib/selector/tokenizer (AppendTokens), parser/parser.go
(parseOrExpression, parseAndExpression, parseOperation), parser/ast.go (Evaluate, collectFragments).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8stui.record import record

ALL = "all()"
_ABSENT = frozenset({"!=", "not in"})
"""What holds of a label that is not there."""
_OPERATORS = {
    "==": re.compile("=="),
    "!=": re.compile("!="),
    "contains": re.compile(r"contains(?![\w./-])", re.ASCII),
    "starts with": re.compile(r"starts[ \t]*with[ \t]*(?![\w./-])", re.ASCII),
    "ends with": re.compile(r"ends[ \t]*with[ \t]*(?![\w./-])", re.ASCII),
    "not in": re.compile(r"not[ \t]*in[ \t]*(?![\w./-])", re.ASCII),
    "in": re.compile(r"in(?![\w./-])", re.ASCII),
}
_SIGNS = {one: re.compile(re.escape(one)) for one in ("&&", "||", "!", "(", ")", "{", "}", ",")}
_BLANK = re.compile("[ \t]*")
_LABEL = re.compile(r"[\w./-]{1,512}", re.ASCII)
_TEXT = re.compile("\"([^\"]*)\"|'([^']*)'")
_DEEPEST = 50
"""Brackets in brackets: nobody writes more, and what reads them is not endless."""
_EVERYBODY = re.compile(r"(all|global)\([ \t]*\)")
_HAS = re.compile(r"has\([ \t]*([\w./-]{1,512})[ \t]*\)", re.ASCII)


class ExpressionError(ValueError):
    """What is wrong with a selector, and at which of its characters (from 0)."""

    def __init__(self, said: str, at: int) -> None:
        super().__init__(said)
        self.at = at


@record()
class Expression:
    """One term about a label (`how` is its operator), or what joins others: ``&&``, ``||``, ``!``.

    Or ``all()``, ``global()``, ``has``.
    """

    how: str
    key: str = ""
    values: tuple[str, ...] = ()
    parts: tuple[Expression, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether it means what carries these labels."""
        match self.how:
            case "&&":
                return all(one.holds(labels) for one in self.parts)
            case "||":
                return any(one.holds(labels) for one in self.parts)
            case "!":
                return not self.parts[0].holds(labels)
            case "all()" | "global()":
                return True
        found = labels.get(self.key)
        if found is None:
            return self.how in _ABSENT
        return self._of(found)

    def _of(self, value: str) -> bool:
        match self.how:
            case "==" | "in":
                return value in self.values
            case "!=" | "not in":
                return value not in self.values
            case "contains":
                return self.values[0] in value
            case "starts with":
                return value.startswith(self.values[0])
            case "ends with":
                return value.endswith(self.values[0])
            case _:
                return True  # it has the label

    def demanded(self) -> Iterator[tuple[str, str]]:
        """Labels without which it surely does not hold."""
        if self.how == "&&":
            for one in self.parts:
                yield from one.demanded()
        elif self.how == "==":
            yield self.key, self.values[0]

    def prefixed(self, prefix: str) -> Expression:
        """The same, of labels whose names begin with `prefix` (parser.PrefixVisitor)."""
        parts = tuple(one.prefixed(prefix) for one in self.parts)
        return Expression(self.how, prefix + self.key if self.key else "", self.values, parts)

    def __str__(self) -> str:
        match self.how:
            case "&&" | "||":
                return f"({f' {self.how} '.join(map(str, self.parts))})"
            case "!":
                return f"!{self.parts[0]}"
            case "all()" | "global()":
                return self.how
            case "has":
                return f"has({self.key})"
            case "in" | "not in":
                return f"{self.key} {self.how} {{{', '.join(map(_quoted, self.values))}}}"
            case _:
                return f"{self.key} {self.how} {_quoted(self.values[0])}"


def _quoted(value: str) -> str:
    return f"'{value}'" if '"' in value else f'"{value}"'


def parse(written: str) -> Expression:
    """Read a selector; an empty one means all.

    Raises:
        ExpressionError: Calico would refuse it.

    """
    reader = _Reader(written)
    reader.skip(_BLANK)
    if not written[reader.at :]:
        return Expression(ALL)
    found = reader.joined("||")
    if written[reader.at :]:
        raise ExpressionError(
            "this is not expected here: an operator && or ||, or the end", reader.at
        )
    return found


class _Reader:
    def __init__(self, written: str) -> None:
        self._written = written
        self._depth = 0
        self.at = 0

    def skip(self, wanted: re.Pattern[str]) -> re.Match[str] | None:
        """Go behind what is wanted, if it is next, and behind the blanks that follow."""
        found = wanted.match(self._written, self.at)
        if found is not None:
            blank = _BLANK.match(self._written, found.end())
            self.at = blank.end() if blank is not None else found.end()
        return found

    def _sign(self, wanted: str) -> bool:
        return self.skip(_SIGNS[wanted]) is not None

    def joined(self, how: str) -> Expression:
        """Terms with ``||`` between them, of each the parts with ``&&``."""
        parts = [self._part(how)]
        while self._sign(how):
            parts.append(self._part(how))
        return parts[0] if len(parts) == 1 else Expression(how, parts=tuple(parts))

    def _part(self, how: str) -> Expression:
        return self.joined("&&") if how == "||" else self._term()

    def _term(self) -> Expression:
        negated = False
        while self._sign("!"):
            negated = not negated
        found = self._operation()
        return Expression("!", parts=(found,)) if negated else found

    def _operation(self) -> Expression:
        if self._sign("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise ExpressionError(f"more than {_DEEPEST} brackets in each other", self.at)
            found = self.joined("||")
            self._depth -= 1
            if not self._sign(")"):
                raise ExpressionError("a closing ) is missing", self.at)
            return found
        everybody = self.skip(_EVERYBODY)
        if everybody is not None:
            return Expression(f"{everybody[1]}()")
        has = self.skip(_HAS)
        return Expression("has", has[1]) if has is not None else self._about_label()

    def _about_label(self) -> Expression:
        label = self.skip(_LABEL)
        if label is None:
            raise ExpressionError("the name of a label is missing", self.at)
        how = next((one for one, word in _OPERATORS.items() if self.skip(word)), None)
        if how is None:
            known = ", ".join(_OPERATORS)
            raise ExpressionError(
                f"behind label {label[0]} an operator is missing: {known}", self.at
            )
        if how not in ("in", "not in"):
            return Expression(how, label[0], (self._text(),))
        if not self._sign("{"):
            raise ExpressionError('a list of values is missing: {"one", "other"}', self.at)
        values: set[str] = set()
        while not self._sign("}"):
            if values and not self._sign(","):
                raise ExpressionError("a closing } is missing", self.at)
            if self._sign("}"):
                break
            values.add(self._text())
        return Expression(how, label[0], tuple(sorted(values)))

    def _text(self) -> str:
        found = self.skip(_TEXT)
        if found is None:
            raise ExpressionError('a value in quotes is missing: "one"', self.at)
        return found[1] if found[1] is not None else found[2]
