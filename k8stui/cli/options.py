"""The options that every command has, and what they mean to the rooms below."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from k8stui.settings import CNI, CONTEXT, OPTIONS, POLICY_ENGINE, PROXY_MODE, Form, Holder, Setting

if TYPE_CHECKING:
    from k8stui.cluster.options import ClusterOptions
    from k8stui.nodes.options import NodeOptions


class WholeNumber(click.IntRange):
    """A whole number in ASCII digits: what `int` reads besides, ``1_0`` or ``٣``, is a mistake."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, str) and not (value.isascii() and value.lstrip("+-").isdecimal()):
            self.fail(f"{value!r} is not a whole number", param, ctx)
        return super().convert(value, param, ctx)


class Seconds(click.FloatRange):
    """A time within a range. What is no number is in no range, though click's lets it pass."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        found: float = super().convert(value, param, ctx)
        if math.isnan(found):
            self.fail(f"{value!r} is not a time", param, ctx)
        return found


_Command = TypeVar("_Command", bound=Callable[..., Any])


def output_format(*choices: str) -> Callable[[_Command], _Command]:
    """The option ``--format``; the first choice is the default."""
    return click.option(
        "--format", "form", type=click.Choice(choices), default=choices[0], show_default=True
    )


def _context_name(_ctx: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name == "":  # kubectl would take the current one
        raise click.BadParameter("empty; the current one is $(kubectl config current-context)")
    return name


def screen_options(command: _Command) -> _Command:
    """Add the options of every command that opens the screen."""
    no_mouse = click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
    with_ascii = click.option(
        "--ascii", "is_ascii", is_flag=True, default=None, help="Draw with ASCII characters only."
    )
    return with_ascii(no_mouse(command))


def common_options(command: _Command) -> _Command:
    """Add the options that every command has: those of `k8stui.settings`."""
    for setting in reversed(OPTIONS):
        command = _option(setting)(command)
    return click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())(command)


def _option(setting: Setting[object]) -> Callable[[_Command], _Command]:
    flags = setting.flags
    if setting.form is Form.SWITCH:
        flags = (f"{setting.flag}/{setting.off}",)
    kind: Any = None
    if setting.form is Form.FILE:
        kind = click.Path()
    elif setting.limits is not None:
        kind = WholeNumber(*setting.limits)
    elif setting.form is Form.TEXT and setting.values:
        kind = click.Choice(setting.values)
    many = setting.form in _MANY
    return click.option(
        setting.name,
        *flags,
        type=kind,
        default=None if many else setting.default,
        show_default=setting.form is Form.TEXT and setting.default is not None,
        multiple=many,
        metavar=setting.metavar,
        help=setting.help,
        callback=_context_name if setting is CONTEXT else None,
        shell_complete=_names(setting) if setting in {CNI, PROXY_MODE, POLICY_ENGINE} else None,
    )


_MANY = {Form.NODE_FILES, Form.HOSTS}


def _names(setting: Setting[object]) -> Callable[..., list[str]]:
    """Completion by what the nodes can imitate."""

    def complete(_ctx: click.Context, _option: click.Parameter, begun: str) -> list[str]:
        from k8stui.nodes import cni, kubeproxy, policy  # noqa: PLC0415 - for completion only

        names = {
            CNI.name: cni.CHOICES,
            PROXY_MODE.name: kubeproxy.MODES,
            POLICY_ENGINE.name: policy.CHOICES,
        }
        return [one for one in names[setting.name] if one.startswith(begun)]

    return complete


def room_options(**given: Any) -> tuple[ClusterOptions, NodeOptions]:
    """What the rooms are told, of everything that was given.

    Raises:
        click.UsageError: what stands behind a flag is not of its form.
        HostOptionError: likewise, a host.

    """
    from k8stui.cluster.options import ClusterOptions  # noqa: PLC0415
    from k8stui.nodes.options import NodeOptions  # noqa: PLC0415

    def told(holder: Holder) -> dict[str, Any]:
        own = (setting for setting in OPTIONS if setting.holder is holder)
        return {setting.name: _read(setting, given[setting.name]) for setting in own}

    return ClusterOptions(**told(Holder.CLUSTER)), NodeOptions(**told(Holder.NODES))


def _read(setting: Setting[object], value: Any) -> object:
    match setting.form:
        case Form.NODE_FILES:
            return by_node(setting.flag, value)
        case Form.HOSTS if value:
            from k8stui.cluster.hosts import read_hosts  # noqa: PLC0415

            return read_hosts(value)
        case Form.HOSTS:
            return {}
        case _:
            return value


def by_node(option: str, values: Sequence[str]) -> dict[str, str]:
    """Take ``NODE=FILE`` apart, one file a node.

    Raises:
        click.UsageError: not of that form, or a node twice.

    """
    found: dict[str, str] = {}
    for value in values:
        node, equals, file = value.partition("=")
        if not (node and equals and file):
            raise click.UsageError(f"{option} takes NODE=FILE, not {value!r}")
        if node in found:
            raise click.UsageError(f"{option} is given twice for {node}")
        found[node] = file
    return found
