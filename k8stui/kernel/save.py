"""iptables-save and ip6tables-save text: read and print. Rules stay text; nothing is evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from k8stui.because import Because
from k8stui.errors import K8sTuiError
from k8stui.kernel import words
from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Rule, Ruleset, Table

_CHAIN = re.compile(r":(\S+) (\S+)(?: \[\d+:\d+\])?\s*")
_TABLE_NAME = re.compile(r"[a-z]{1,31}")
"""XT_TABLE_MAXNAMELEN (include/uapi/linux/netfilter/x_tables.h)."""
_CHAIN_CHARACTERS = 28
"""XT_EXTENSION_MAXNAMELEN less the closing NUL (iptables/xshared.c parse_chain)."""
_BY_USE = ("filter", "nat", "mangle", "raw")
_TYPED = re.compile(r"\bip6?tables\S*(?=.* -S\b)(?:.* -t (\w+))?")
"""``$ sudo iptables -t nat -S``, as people post it."""
_COUNTERS = re.compile(r"\[\d+:\d+\] ")


Why = Callable[[str, int], Because]
"""What is the reason of a rule or chain: its line without counters, and the line's number."""


class SaveError(K8sTuiError, ValueError):
    """A line that is not iptables-save's."""

    def __init__(self, line_number: int, line: str, message: str, file: str = "") -> None:
        super().__init__(f"{file}:{line_number}: {message}: {line}")
        self.line_number = line_number
        """1-based."""
        self.line = line
        self.message = message
        self.file = file


def parse(text: str, *, file: str = "", why: Why | None = None) -> Ruleset:
    """Read what iptables-save or ip6tables-save prints, either backend, with or without counters.

    Also ``iptables -S`` of tables one after the other: of each the one that the command as it was
    typed names, else the usual one that has such built-in chains.

    Comment lines and counters are left out. Each rule and chain gets the reason that `why` gives.

    Raises:
        SaveError: the first line that cannot stand in such a text.

    """
    lines = text.split("\n")
    reader = _Reader(file, why, _listed_tables(lines))
    for number, line in enumerate(lines, start=1):
        if line:  # a section of a state stands behind tens of thousands that are empty
            reader.read(number, line.rstrip("\r"))
    return reader.ruleset()


def _listed_tables(lines: Iterable[str]) -> dict[int, str]:
    """Line at which a table begins in ``iptables -S`` → the table; none: it is no such listing."""
    found: list[tuple[int, set[str]]] = []
    for number, chains in _policies(lines):
        before = found[-1][1] if found else chains
        if chains.isdisjoint(before) and _table_with(chains | before):
            before |= chains  # one chain after the other was asked for
        else:
            found.append((number, chains))
    tables: dict[int, str] = {}
    for number, chains in found:
        tables[number] = _table_with(chains, tables.values()) or "filter"
    return tables


def _policies(lines: Iterable[str]) -> Iterator[tuple[int, set[str]]]:
    """The policies that stand together, as they do before a table's rules: (line, chains)."""
    chains: set[str] = set()
    for number, line in enumerate((*lines, ""), start=1):
        if line.startswith("-P ") and " " in line[3:]:
            chains.add(line.split()[1])
        elif chains:
            yield number - len(chains), chains
            chains = set()


def _table_with(chains: set[str], known: Collection[str] = ()) -> str | None:
    """The table that has these chains, else the usual one that has more, beside the `known`."""
    fitting = [one for one in _BY_USE if one not in known and chains.issubset(BUILTIN_CHAINS[one])]
    same = (one for one in fitting if chains.issuperset(BUILTIN_CHAINS[one]))
    return next(same, next(iter(fitting), None))


def remarks(text: str) -> Iterator[tuple[int, str]]:
    """Comment lines in which iptables-save says that it does not show everything: (line, text).

    ``# Warning: iptables-legacy tables present …``, ``# Table `x' is incompatible …`` (rules that
    only nft or the other backend can show); the walk then knows only half of the node.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(("# Warning", "# Table")):
            yield number, line[2:].rstrip()


def dump(ruleset: Ruleset) -> str:
    """What iptables-save prints, with counters [0:0] and without its comment lines."""
    return "".join(f"{line}\n" for line in dump_lines(ruleset))


def dump_lines(ruleset: Ruleset) -> Iterator[str]:
    """As `dump`, line by line, so that a ruleset that is built lazily can stream.

    A chain's rules come after all chain lines, chain by chain (iptables/iptables-save.c).
    """
    for table in ruleset:
        yield f"*{table.name}"
        for chain in table.chains.values():
            yield f":{chain.name} {chain.policy or '-'} [0:0]"
        for chain in table.chains.values():
            for rule in chain.rules:
                yield rule.text
        yield "COMMIT"


class _Reader:
    """State between lines."""

    def __init__(self, file: str, why: Why | None, listed: Mapping[int, str]) -> None:
        self._file = file
        self._listed = listed
        self._typed = ""
        """Table that the command names whose output comes next."""
        self._why = why
        self._tables: dict[str, Table] = {}
        self._name: str | None = None
        """Table that is open: after its ``*`` line, before COMMIT."""
        self._policies: dict[str, str | None] = {}
        self._rules: dict[str, list[Rule]] = {}
        self._reasons: dict[str, Because | None] = {}
        self._number = 0
        self._line = ""

    def read(self, number: int, line: str) -> None:
        if not line or line.startswith("#"):
            return
        self._number, self._line = number, line
        if line.startswith(("-A ", "[")):
            self._rule(line)
        elif line[0] == ":":
            self._chain(line)
        elif line[0] == "*":
            self._open(line[1:].strip())
        elif self._listed and line.startswith(("-P ", "-N ")):
            self._list(line)
        elif self._listed and (typed := _TYPED.search(line)):
            self._end_listing()
            self._typed = typed[1] or "filter"
        elif line.strip() == "COMMIT":
            self._commit()
        elif line.strip():
            raise self._error("not a line of iptables-save")

    def _list(self, line: str) -> None:
        """A policy or a chain, as ``iptables -S`` has it."""
        if self._number in self._listed:
            self._end_listing()
        if self._name is None:
            self._open(self._typed or self._listed.get(self._number, "filter"))
            self._typed = ""
        words = line.split()
        policy = words[2] if words[0] == "-P" and len(words) > 2 else "-"
        self._chain(f":{words[1] if len(words) > 1 else ''} {policy}")

    def _end_listing(self) -> None:
        if self._name is not None:
            self._commit()

    def ruleset(self) -> Ruleset:
        if self._listed:
            self._end_listing()
        if self._name is not None:
            raise self._error(f"the text ends inside table {self._name}: COMMIT is missing")
        return Ruleset(self._tables)

    def _error(self, message: str) -> SaveError:
        return SaveError(self._number, self._line, message, self._file)

    def _open(self, name: str) -> None:
        if self._name is not None:
            raise self._error(f"table {self._name} is still open: COMMIT is missing")
        if not _TABLE_NAME.fullmatch(name):
            raise self._error("not a table name")
        if name in self._tables:
            raise self._error(f"table {name} was there already")
        self._name = name
        self._policies, self._rules, self._reasons = {}, {}, {}

    def _commit(self) -> None:
        if self._name is None:
            raise self._error("COMMIT without a table")
        self._tables[self._name] = Table(
            self._name,
            {
                name: Chain(name, tuple(self._rules[name]), policy, self._reasons[name])
                for name, policy in self._policies.items()
            },
        )
        self._name = None

    def _chain(self, line: str) -> None:
        if self._name is None:
            raise self._error("a chain outside a table")
        found = _CHAIN.fullmatch(line)
        if not found:
            raise self._error("not a chain line (:NAME POLICY [packets:bytes])")
        name, policy = found.groups()
        if name[0] in "-!" or not name.isprintable() or len(name) > _CHAIN_CHARACTERS:
            raise self._error(f"no name of a chain (1 to {_CHAIN_CHARACTERS} characters)")
        if policy not in {"-", "ACCEPT", "DROP"}:
            raise self._error(f"{policy} is not a policy (ACCEPT, DROP, or - for an own chain)")
        if policy != "-" and name not in BUILTIN_CHAINS.get(self._name, (name,)):
            raise self._error(f"{name} is not a built-in chain of {self._name}: it has no policy")
        if name in self._policies:
            raise self._error(f"chain {name} was there already")
        self._policies[name] = None if policy == "-" else policy
        self._rules[name] = []
        self._reasons[name] = self._why(line, self._number) if self._why else None

    def _rule(self, line: str) -> None:
        if self._name is None:
            raise self._error("a rule outside a table")
        if line[0] == "[":
            counters = _COUNTERS.match(line)
            if not counters or not line.startswith("-A ", counters.end()):
                raise self._error("not a rule line ([packets:bytes] -A CHAIN …)")
            line = line[counters.end() :]
        name = line[3:].split(" ", 1)[0]
        rules = self._rules.get(name)
        if rules is None:
            raise self._error(f"there is no chain line for {name} above")
        if line.count('"') % 2 or "\\" in line:
            try:
                words.split(line)
            except ValueError as error:
                raise self._error(str(error)) from None
        rules.append(Rule(line, self._why(line, self._number) if self._why else None))
