"""The options that every command has, and what they mean to the rooms below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from k8stui.cluster.options import ClusterOptions
    from k8stui.nodes.options import NodeOptions

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


def common_options(command: _Command) -> _Command:
    """Add the options that every command has."""
    options = (
        click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path()),
        click.option("--context", metavar="NAME", callback=_context_name,
                     help="A live cluster, by its name in the kubeconfig: read with your kubectl, "
                     "before the PATHs."),
        click.option("--nodes", type=click.IntRange(1, 5000), metavar="N",
                     help="Nodes to assume where the input declares none (2, or as many as pods "
                     "that may not share one need)."),
        click.option("--proxy-mode", metavar="MODE",
                     help="kube-proxy's mode, whatever the input says."),
        click.option("--proxy-config", metavar="FILE", type=click.Path(),
                     help="The KubeProxyConfiguration to use where the input holds several."),
        click.option("--cni", default="flannel", metavar="NAME", show_default=True,
                     help="Network plug-in of the nodes: flannel, ptp, docker0 …"),
        click.option("--hairpin/--no-hairpin", default=None,
                     help="What if the bridge ports' hairpin mode were on, or off?"),
        click.option("--bridge-nf/--no-bridge-nf", default=True,
                     help="What if bridge-nf-call-iptables were 1, or 0?"),
        click.option("--iptables", multiple=True, metavar="NODE=FILE",
                     help="A real node's iptables-save or ip6tables-save, instead of its rules."),
        click.option("--ipset", multiple=True, metavar="NODE=FILE",
                     help="A real node's `ipset save`, for rules that ask sets."),
        click.option("--ip-addr", multiple=True, metavar="NODE=FILE",
                     help="A real node's `ip -j addr`, instead of its devices."),
        click.option("--ip-route", multiple=True, metavar="NODE=FILE",
                     help="A real node's `ip -j route`, instead of its routes."),
        click.option("--host", multiple=True, metavar="NAME=ADDRESS[:PORT]",
                     help="A host outside the cluster: its name resolves, and it listens on PORT "
                     "(given again: on several) or on every port."),
        click.option("-n", "--namespace", default="default", metavar="NAMESPACE",
                     show_default=True, help="Namespace of names without one."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def room_options(
    *,
    nodes: int | None,
    proxy_mode: str | None,
    proxy_config: str | None,
    cni: str,
    hairpin: bool | None,
    bridge_nf: bool,
    iptables: Sequence[str],
    ipset: Sequence[str],
    ip_addr: Sequence[str],
    ip_route: Sequence[str],
    host: Sequence[str] = (),
    **_other: Any,
) -> tuple[ClusterOptions, NodeOptions]:
    from k8stui.cluster.hosts import read_hosts  # noqa: PLC0415
    from k8stui.cluster.options import ClusterOptions  # noqa: PLC0415
    from k8stui.nodes.options import NodeOptions  # noqa: PLC0415

    return (
        ClusterOptions(
            nodes=nodes,
            proxy_config=proxy_config,
            proxy_mode=proxy_mode,
            hosts=read_hosts(host),
        ),
        NodeOptions(
            cni=cni,
            hairpin=hairpin,
            bridge_nf_call_iptables=bridge_nf,
            iptables=by_node("--iptables", iptables),
            ipset=by_node("--ipset", ipset),
            ip_addr=by_node("--ip-addr", ip_addr),
            ip_route=by_node("--ip-route", ip_route),
        ),
    )


def by_node(option: str, values: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        node, equals, file = value.partition("=")
        if not (node and equals and file):
            raise click.UsageError(f"{option} takes NODE=FILE, not {value!r}")
        if node in found:
            raise click.UsageError(f"{option} is given twice for {node}")
        found[node] = file
    return found
