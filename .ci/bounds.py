"""Print what the suite runs with, each in the lowest version that pyproject.toml allows.

What looks at the source alone (linters, type checker, types) takes no part in it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

_BOUND = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)\s*>=\s*(?P<lowest>[0-9][0-9A-Za-z.]*)")
_LOOK_ONLY = ("import-linter", "mypy", "ruff", "types-")


def lowest(requirements: list[str]) -> list[str]:
    """``name==version`` for each of ``name>=version,…``."""
    found = []
    for wanted in requirements:
        if wanted.startswith(_LOOK_ONLY):
            continue
        match = _BOUND.match(wanted)
        if match is None:
            raise SystemExit(f"pyproject.toml: {wanted} has no lower bound")
        found.append(f"{match['name']}=={match['lowest']}")
    return found


def main() -> None:
    """Read the project in the current folder."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    sys.stdout.write("".join(f"{one}\n" for one in lowest(wanted)))


main()
