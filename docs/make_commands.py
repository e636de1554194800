"""Make docs/commands.md of what each command says with --help.

    python -m docs.make_commands

From the checkout's folder; tests/test_docs.py holds that it was done.
"""

# ruff: noqa: INP001 - a script, no package

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from k8stui.cli import cli

FILE = Path(__file__).parent / "commands.md"

_HEAD = """\
# The commands

Made by `python -m docs.make_commands` from what each command says with `--help`. What goes with
every command is in [options.md](options.md), what they print as JSON in [json.md](json.md).
"""
_WIDTH = 100


def lines() -> Iterator[str]:
    """The page, line by line."""
    assert isinstance(cli, click.Group)
    yield from _HEAD.splitlines()
    top = click.Context(
        cli, info_name="k8stui", terminal_width=_WIDTH, help_option_names=["-h", "--help"]
    )
    yield from _section("k8stui", top)
    for name in cli.list_commands(top):
        command = cli.get_command(top, name)
        assert command is not None
        inner = click.Context(command, top, info_name=name, terminal_width=_WIDTH)
        yield from _section(f"k8stui {name}", inner)


def _section(title: str, context: click.Context) -> Iterator[str]:
    yield from ("", f"## {title}", "", "```")
    yield from (line.rstrip() for line in context.get_help().splitlines())
    yield "```"


if __name__ == "__main__":
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
