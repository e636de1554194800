"""The command line: arguments → one call → output and exit status.

Exit status: 0 fine, 1 findings or not delivered, 2 bad input or usage. Each command is a module of
its own, imported when it is asked for; what it reads and computes with is imported inside it, so
that ``--help`` and mistakes answer at once.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from k8stui import __version__
from k8stui.cli.status import BAD, FINE

_SHOW = "show"
"""Name of the default command; never typed."""
_COMMANDS = (
    "check",
    "clients",
    "collect",
    "explain",
    "lab",
    "present",
    "reach",
    "record",
    "replay",
    "rules",
    "serve",
    "topology",
    "walk",
    "ways",
)


class _ReaderGoneError(Exception):
    """Standard output was closed from the other end: ``| head``."""


class _Help(click.HelpFormatter):
    """Help for the terminal that it is asked on."""

    def getvalue(self) -> str:
        from k8stui.export.terminal import shown  # noqa: PLC0415 - for help only

        return shown(super().getvalue(), sys.stdout)


class _Context(click.Context):
    formatter_class = _Help


class _Group(click.Group):
    """Commands by the names of their modules; the default one takes paths: ``k8stui PATH…``."""

    context_class = _Context

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = args[:1] in (["--help"], ["-h"], ["--version"])
        if not own and (not args or args[0] not in _COMMANDS):
            args = [_SHOW, *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would end the process with status 1: findings
            raise _ReaderGoneError from None

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in (*_COMMANDS, _SHOW):
            return None
        command = import_module(f"k8stui.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        command.context_class = _Context
        return command

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] [PATH]...")
        formatter.write_usage(ctx.command_path, "COMMAND [OPTIONS] [PATH]...")


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""
\b
The screen takes --ascii, --no-mouse and --presentation (story mode, for a stage) too.
Exit status: 0 fine; 1 findings, or the request is not delivered; 2 bad input or usage.
A folder whose name is also a command is written ./walk.
Completion for bash, zsh and fish, in the shell's start-up file:
  bash  eval "$(_K8STUI_COMPLETE=bash_source k8stui)"
  zsh   eval "$(_K8STUI_COMPLETE=zsh_source k8stui)"
  fish  _K8STUI_COMPLETE=fish_source k8stui | source
""",
)
@click.version_option(__version__, message="k8stui %(version)s")
def cli() -> None:
    """See the packet: walk any request through every veth, bridge, route and kube-proxy rule.

    PATHs are Kubernetes manifests or a kubectl dump: files, folders, or - for standard input.
    --context NAME reads a live cluster with your own kubectl, before the PATHs.
    Without either the bundled guestbook is shown. Without a COMMAND the screen opens; where
    there is no terminal, the topology and one walk are printed as text.
    """


class _AsWritten(io.StringIO):
    """Keeps what a terminal would obey, for it to be shown: click drops it elsewhere, unsaid."""

    def isatty(self) -> bool:
        return True


def run(args: Sequence[str]) -> int:
    """Run one command line. Gives the exit status; nothing but `SystemExit` gets out."""
    gc.disable()  # a process that lives for 0.1 s: 5 % of it were looking for garbage
    try:
        result = cli.main(list(args), prog_name="k8stui", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        from k8stui.export.terminal import complain  # noqa: PLC0415 - for mistakes only

        said = _AsWritten()
        error.show(said)
        complain(said.getvalue().rstrip("\n"))
        return BAD
    except (click.Abort, KeyboardInterrupt):
        return 130
    except (BrokenPipeError, _ReaderGoneError):
        # The reader has gone (`| head`): nobody is left to tell. Else Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except Exception as error:  # noqa: BLE001 - the one place that answers for everything
        from k8stui.cli.failure import failed  # noqa: PLC0415 - for mistakes only

        return failed(error)
    return int(result or FINE)
