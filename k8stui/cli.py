"""The command line: arguments → one call → output and exit status.

Exit status: 0 fine, 1 findings or not delivered, 2 bad input or usage. What is read and
computed is imported inside the commands, so that ``--help`` and mistakes answer at once.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from k8stui import __version__
from k8stui.export.terminal import complain, write, write_walks

if TYPE_CHECKING:
    from k8stui.check import Assertion
    from k8stui.cluster.options import ClusterOptions
    from k8stui.manifests.progress import Progress
    from k8stui.nodes.options import NodeOptions
    from k8stui.walk.world import World

_SHOW = "show"
"""Name of the default command; never typed."""
_FINE, _UNDELIVERED, _FOUND, _BAD = 0, 1, 1, 2
_ASKED = 20
"""Nodes that ``clients`` asks; a table of more is not read."""
_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Group(click.Group):
    """A group whose default command takes paths: ``k8stui PATH…`` opens the screen."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = args[:1] in (["--help"], ["-h"], ["--version"])
        if not own and (not args or args[0] not in self.commands):
            args = [_SHOW, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in super().list_commands(ctx) if name != _SHOW]

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] [PATH]...")
        formatter.write_usage(ctx.command_path, "COMMAND [OPTIONS] [PATH]...")


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""
\b
The screen takes --ascii, --no-mouse and --presentation (large and quiet, for a stage) too.
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
    --context NAME reads a live cluster.
    Without a PATH the bundled guestbook is shown. Without a COMMAND the screen opens; where
    there is no terminal, the topology and one walk are printed as text.
    """


def _format(*choices: str) -> Callable[[_Command], _Command]:
    """The option ``--format``; the first choice is the default."""
    return click.option(
        "--format", "form", type=click.Choice(choices), default=choices[0], show_default=True
    )


def _context_name(_ctx: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name == "":  # kubectl would take the current one
        raise click.BadParameter("empty; the current one is $(kubectl config current-context)")
    return name


def _common(command: _Command) -> _Command:
    """Add the options that every command has."""
    options = (
        click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path()),
        click.option("--context", metavar="NAME", callback=_context_name,
                     help="A live cluster, by its name in the kubeconfig: read with your kubectl, "
                     "before the PATHs."),
        click.option("--nodes", type=click.IntRange(1, 5000), metavar="N",
                     help="Nodes to assume where the input declares none (2)."),
        click.option("--proxy-mode", metavar="MODE",
                     help="kube-proxy's mode, whatever the input says."),
        click.option("--proxy-config", metavar="FILE", type=click.Path(),
                     help="The KubeProxyConfiguration to use where the input holds several."),
        click.option("--cni", default="flannel", metavar="NAME", show_default=True,
                     help="Network plug-in of the nodes: flannel, docker0 …"),
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
        click.option("-n", "--namespace", default="default", metavar="NAMESPACE",
                     show_default=True, help="Namespace of names without one."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@cli.command()
@_common
@click.option(
    "--from",
    "source",
    required=True,
    metavar="SOURCE",
    help="pod/NAME, pod/NAME/CONTAINER, deploy/NAME …, node/NAME, outside, an address.",
)
@click.option(
    "--to",
    "destination",
    required=True,
    metavar="DESTINATION",
    help="svc/NAME:PORT, svc/NAME.NAMESPACE:PORT, pod/NAME:PORT, node/NAME:NODEPORT, "
    "ADDRESS:PORT, DNSNAME:PORT, localhost:PORT; /udp or /sctp behind it.",
)
@click.option("--all", "every", is_flag=True, help="Every branch, not only the first endpoint's.")
@_format("text", "json")
@click.option("-v", "--verbose", is_flag=True, help="The rule's text and origin under each step.")
@click.option(
    "--compare",
    "assignment",
    metavar="SETTING=VALUE",
    help="Walk again with another setting and show where the two part: externalTrafficPolicy, "
    "internalTrafficPolicy, masqueradeAll, bridge-nf-call-iptables, hairpin, proxy-mode, cni.",
)
def walk(
    *,
    source: str,
    destination: str,
    form: str,
    every: bool,
    verbose: bool,
    assignment: str | None,
    **common: Any,
) -> int:
    """Walk one request, there and back, and say what the client feels."""
    if assignment is not None:
        if every or verbose:
            raise click.UsageError("--compare goes with neither --all nor --verbose")
        return _compared(source, destination, assignment, form, common)
    from k8stui.kernel.exchange import Result  # noqa: PLC0415
    from k8stui.walk.request import parse_request  # noqa: PLC0415
    from k8stui.walk.walk import walk as walk_one  # noqa: PLC0415
    from k8stui.walk.walk import walks  # noqa: PLC0415

    world, status = _world(**common)
    request = parse_request(world, source, destination, common["namespace"])
    traces = list(walks(world, request)) if every else [walk_one(world, request)]
    if form == "json":
        from k8stui.export.json import walk_json  # noqa: PLC0415 - 9 ms

        write([walk_json(request, traces)])
    else:
        write_walks(traces, verbose=verbose)
    delivered = all(t.outcome.result is Result.CONNECTED for t in traces)
    return status or (_FINE if delivered else _UNDELIVERED)


def _compared(
    source: str, destination: str, assignment: str, form: str, common: dict[str, Any]
) -> int:
    """``walk --compare``. The status is that of the walk as the input has it, in every branch."""
    from k8stui.export.compare import compare_json, compare_lines, screen_columns  # noqa: PLC0415
    from k8stui.kernel.exchange import Result  # noqa: PLC0415
    from k8stui.walk.compare import compare  # noqa: PLC0415

    world, status = _world(**common)
    found = compare(world, source, destination, assignment, common["namespace"])
    if form == "json":
        write([compare_json(found)])
    else:
        write(f"{line}\n" for line in compare_lines(found, screen_columns()))
    delivered = all(answer.result is Result.CONNECTED for answer in found.answers_before)
    return status or (_FINE if delivered else _UNDELIVERED)


@cli.command()
@_common
@click.option("--node", metavar="NODE", help="Whose rules. Needed, unless --diff names it.")
@click.option("--family", type=click.Choice(["ipv4", "ipv6"]), default="ipv4", show_default=True)
@click.option("--table", type=click.Choice(["nat", "filter", "mangle", "raw"]))
@click.option(
    "--owner",
    type=click.Choice(["all", "kube-proxy", "cni", "kubelet"]),
    default="all",
    show_default=True,
    help="Only what that one would have programmed.",
)
@_format("save", "json")
@click.option(
    "--diff",
    "dump",
    metavar="NODE=FILE",
    help="What is missing, extra or out of order in a real node's iptables-save, and which "
    "requests that breaks.",
)
def rules(
    *,
    node: str | None,
    family: str,
    table: str | None,
    owner: str,
    form: str,
    dump: str | None,
    **common: Any,
) -> int:
    """Print a node's rules as iptables-save does, or compare a real node's with them."""
    if dump is not None:
        if table is not None:
            raise click.UsageError("--diff compares all tables")
        return _differences(node, family, dump, owner=owner, form=form, common=common)
    if node is None:
        raise click.UsageError("Missing option '--node'.")
    from k8stui.export.rules import rules_json, save_lines  # noqa: PLC0415
    from k8stui.walk.lookup import find_node  # noqa: PLC0415

    world, status = _world(**common)
    found = find_node(world.cluster, node.removeprefix("node/"))
    ruleset = world.network.ruleset(found, 6 if family == "ipv6" else 4, owner)
    if form == "json":
        write([rules_json(ruleset, found.name, family, table)])
    else:
        write(f"{line}\n" for line in save_lines(ruleset, table))
    return status


def _differences(
    node: str | None, family: str, dump: str, *, owner: str, form: str, common: dict[str, Any]
) -> int:
    """``rules --diff``: differences are findings."""
    from k8stui.export.difference import difference_json, difference_lines  # noqa: PLC0415
    from k8stui.walk.breakage import rules_report  # noqa: PLC0415
    from k8stui.walk.lookup import find_node  # noqa: PLC0415

    ((name, file),) = _by_node("--diff", [dump]).items()
    if node is not None and node.removeprefix("node/") != name:
        raise click.UsageError(f"--node is {node}, but --diff names {name}")
    common["iptables"] = [given for given in common["iptables"] if given.partition("=")[0] != name]
    world, status = _world(**common)
    found = find_node(world.cluster, name)
    report = rules_report(world, found, 6 if family == "ipv6" else 4, file, owner=owner)
    _remark({name: file})
    if form == "json":
        write([difference_json(report)])
    else:
        write(f"{line}\n" for line in difference_lines(report))
    return status or (_FOUND if report.differences else _FINE)


@cli.command()
@_common
@click.argument("service", metavar="svc/NAME")
@_format("text", "json")
def clients(service: str, form: str, **common: Any) -> int:
    """Show which address a pod takes for its client: entry node by externalTrafficPolicy."""
    from k8stui.export.clients import clients_json, clients_lines  # noqa: PLC0415
    from k8stui.walk.clients import arrivals, service_named  # noqa: PLC0415

    world, status = _world(**common)
    key = service_named(world.cluster, service, common["namespace"]).key
    found = list(arrivals(world, key, nodes=_ASKED))
    not_asked = max(0, len(world.cluster.nodes) - _ASKED)
    if form == "json":
        write([clients_json(key, found, not_asked=not_asked)])
    else:
        write(f"{line}\n" for line in clients_lines(key, found, not_asked=not_asked))
    return status


@cli.command()
@_common
@_format("text", "json", "dot", "mermaid")
def topology(form: str, **common: Any) -> int:
    """Print nodes, pods, Services and endpoints."""
    world, status = _world(**common)
    if form == "json":
        from k8stui.export.topology_json import topology_json  # noqa: PLC0415

        write(topology_json(world.cluster))
    elif form == "text":
        from k8stui.export.topology import topology_lines  # noqa: PLC0415

        write(f"{line}\n" for line in topology_lines(world.cluster))
    else:
        from k8stui.export import diagram  # noqa: PLC0415

        draw = diagram.dot_lines if form == "dot" else diagram.mermaid_lines
        write(f"{line}\n" for line in draw(world.cluster))
    return status


@cli.command()
@_common
@_format("text", "json", "sarif", "github")
@click.option(
    "--assert",
    "asserted",
    multiple=True,
    metavar="TEXT",
    help='A reachability test: "pod/a -> svc/b:80 connected".',
)
@click.option(
    "--assert-file",
    "assert_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Reachability tests, one a line; # starts a comment.",
)
@click.option("--ignore", multiple=True, metavar="RULE", help="A rule that stays silent.")
def check(
    form: str,
    asserted: Sequence[str],
    assert_files: Sequence[str],
    ignore: Sequence[str],
    **common: Any,
) -> int:
    """Find what keeps packets from arriving, and what the API server refuses.

    Each finding names the line, the hop at which the packet dies, the walk that shows it, and what
    mends it. Only errors (and assertions that do not hold) make the exit status 1.
    """
    from k8stui.check import AssertionSyntaxError, Severity, unreadable, worst  # noqa: PLC0415
    from k8stui.check import check as check_world  # noqa: PLC0415
    from k8stui.export import findings as export  # noqa: PLC0415

    try:
        assertions = _assertions(asserted, assert_files)
    except AssertionSyntaxError as error:
        complain(str(error))
        return _BAD
    _known_rules(ignore)
    paths = common["paths"]
    world, status = _world(doubts=False, **common)
    found = check_world(
        world, paths, assertions=assertions, ignore=ignore, namespace=common["namespace"]
    )
    if form == "text":
        write(f"{line}\n" for line in export.findings_lines(found))
    else:
        write(export.encoded(form, (*unreadable(world.problems), *found)))
    return status or (_FOUND if worst(found) is Severity.ERROR else _FINE)


def _assertions(texts: Sequence[str], files: Sequence[str]) -> list[Assertion]:
    from k8stui.check.assertion import parse, read  # noqa: PLC0415

    found = [parse(text) for text in texts]
    for file in files:
        with open(file, encoding="utf-8", errors="replace") as opened:  # noqa: PTH123
            found += read(file, opened.read())
    return found


def _known_rules(names: Sequence[str]) -> None:
    from k8stui.check.table import BY_ID  # noqa: PLC0415

    for name in names:
        if name not in BY_ID:
            raise click.UsageError(f"there is no rule {name!r}; there is: {', '.join(BY_ID)}")


@cli.command(_SHOW, hidden=True)
@_common
@click.option(
    "--ascii", "is_ascii", is_flag=True, default=None, help="Draw with ASCII characters only."
)
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.option("--presentation", is_flag=True, help="Large and quiet, for a stage (key p).")
def show(*, is_ascii: bool | None, no_mouse: bool, presentation: bool, **common: Any) -> int:
    """Open the screen; without a terminal print topology and one walk."""
    on_terminal = sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    if not (on_terminal and _has_keyboard()):
        return _print_all(common)
    gc.enable()
    from k8stui.tui.app import run as run_screen  # noqa: PLC0415 - the only way to Textual

    cluster_options, node_options = _options(**common)
    return run_screen(
        common["paths"],
        context=common["context"],
        cluster_options=cluster_options,
        node_options=node_options,
        namespace=common["namespace"],
        ascii=is_ascii,
        mouse=not no_mouse,
        presentation=presentation,
    )


def _has_keyboard() -> bool:
    """Whether keys can be read. What is piped in is `sys.stdin` still; fd 0 is the terminal.

    Textual reads keys from file descriptor 0, whatever `sys.stdin` is (drivers/linux_driver.py).
    """
    if sys.stdin.isatty():
        return True
    try:
        keyboard = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    piped = os.dup(0)
    os.dup2(keyboard, 0)
    os.close(keyboard)
    sys.stdin = open(piped, encoding="utf-8")  # noqa: SIM115, PTH123 - as long as the process
    return True


def _print_all(common: dict[str, Any]) -> int:
    from k8stui.export.topology import topology_lines  # noqa: PLC0415
    from k8stui.walk.offers import first_offer  # noqa: PLC0415
    from k8stui.walk.walk import walk as walk_one  # noqa: PLC0415

    world, status = _world(**common)
    write(f"{line}\n" for line in topology_lines(world.cluster))
    offer = first_offer(world)
    if offer is not None:
        write(["\n"])
        write_walks([walk_one(world, offer.request)], verbose=False)
    return status


def _options(
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
    **_other: Any,
) -> tuple[ClusterOptions, NodeOptions]:
    from k8stui.cluster.options import ClusterOptions  # noqa: PLC0415
    from k8stui.nodes.options import NodeOptions  # noqa: PLC0415

    return (
        ClusterOptions(nodes=nodes, proxy_config=proxy_config, proxy_mode=proxy_mode),
        NodeOptions(
            cni=cni,
            hairpin=hairpin,
            bridge_nf_call_iptables=bridge_nf,
            iptables=_by_node("--iptables", iptables),
            ipset=_by_node("--ipset", ipset),
            ip_addr=_by_node("--ip-addr", ip_addr),
            ip_route=_by_node("--ip-route", ip_route),
        ),
    )


def _by_node(option: str, values: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        node, equals, file = value.partition("=")
        if not (node and equals and file):
            raise click.UsageError(f"{option} takes NODE=FILE, not {value!r}")
        if node in found:
            raise click.UsageError(f"{option} is given twice for {node}")
        found[node] = file
    return found


def _world(
    paths: Sequence[str], *, context: str | None, doubts: bool = True, **common: Any
) -> tuple[World, int]:
    """Build the world; what is wrong with the input goes to stderr. Also the status so far.

    `doubts`: also what is only very likely a mistake.
    """
    from k8stui.walk.world import build_world  # noqa: PLC0415

    cluster_options, node_options = _options(**common)
    world = build_world(
        paths,
        cluster_options,
        node_options,
        context=context,
        stdin=sys.stdin.buffer,
        watch=_relay if context is not None else None,
    )
    for note in world.notes:
        if doubts or note.doubt is None:
            complain(f"note: {note.render()}")
    _remark(node_options.iptables)
    for problem in world.problems:
        complain(problem.render())
    if not world.problems:
        return world, _FINE
    count = len(world.problems)
    complain(f"{count} problem{'' if count == 1 else 's'} in the input; the rest is used")
    return world, _BAD


def _relay(progress: Progress) -> None:
    """Pass on what kubectl says while it waits: it may want the user to log in."""
    if progress.waiting:
        complain(progress.waiting)


def _remark(dumps: Mapping[str, str]) -> None:
    """Pass on what iptables-save itself says that a dump does not show."""
    if dumps:
        from k8stui.nodes.remarks import dump_remarks  # noqa: PLC0415

        for remark in dump_remarks(dumps):
            complain(f"note: {remark.render()}")


def run(args: Sequence[str]) -> int:
    """Run one command line. Gives the exit status; nothing but `SystemExit` gets out."""
    gc.disable()  # a process that lives for 0.1 s: 5 % of it were looking for garbage
    try:
        result = cli.main(list(args), prog_name="k8stui", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return _BAD
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # The reader has gone (`| head`): nobody is left to tell. Else Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FINE
    except Exception as error:  # noqa: BLE001 - the one place that answers for everything
        return _failed(error)
    return int(result or _FINE)


def _failed(error: Exception) -> int:
    """Say what is wrong: the user's mistakes as they are, our own in one line and a file."""
    from k8stui.walk.mistakes import explain_mistake  # noqa: PLC0415

    said = explain_mistake(error)
    if said is not None:
        complain(f"k8stui: {said}")
        return _BAD
    complain(f"k8stui: this is a bug: {type(error).__name__}; report: {_report(error)}")
    return _BAD


def _report(error: Exception) -> str:
    """Write the traceback to a file of its own (readable for the user only) and give its path."""
    import platform  # noqa: PLC0415 - only a crash needs them
    import tempfile  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", errors="backslashreplace", prefix="k8stui-crash-", suffix=".txt",
        delete=False,
    ) as file:  # fmt: skip
        file.write(f"k8stui {__version__}, Python {platform.python_version()}, {sys.platform}\n")
        # Without locals: they hold what the manifests say.
        file.writelines(traceback.format_exception(error))
    return file.name
