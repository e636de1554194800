"""The command line as a program: output, streams and exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from k8stui.cli import cli, run
from k8stui.cli.failure import failed
from k8stui.cli.options import Seconds, WholeNumber

ROOT = Path(__file__).parent.parent
GUESTBOOK = str(ROOT / "samples" / "guestbook")
WRONG_SELECTOR = str(ROOT / "samples" / "broken" / "webapp-wrong-selector")


def k8stui(
    *args: str, stdin: str = "", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "PYTHONIOENCODING")}
    return subprocess.run(
        [sys.executable, "-m", "k8stui", *args],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**env, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment},
        cwd=cwd,
        check=False,
        timeout=60,
    )


def test_version_imports_nothing() -> None:
    code = (
        "import sys; sys.argv = ['k8stui', '--version']\n"
        "from k8stui.__main__ import main; main()\n"
        "assert not {'click', 'importlib.metadata', 're', 'k8stui.cli'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("k8stui 0.")


@pytest.mark.parametrize("more", [(), ("--compare", "hairpin=off"), ("--against", WRONG_SELECTOR)])
def test_gone_belongs_to_again(more: tuple[str, ...]) -> None:
    asked = ("walk", GUESTBOOK, "--from", "pod/client", "--to", "svc/frontend:80")
    done = k8stui(*asked, "--gone", "pod/frontend-1", *more)
    assert done.returncode == 2
    assert "--gone is between the first request and those of --again" in done.stderr


@pytest.mark.parametrize("args", [("--help",), ("walk", "--help"), ("rules", "-h")])
def test_help(args: tuple[str, ...]) -> None:
    done = k8stui(*args)
    assert done.returncode == 0
    assert "Usage: k8stui" in done.stdout


def test_help_says_how_to_get_completion_and_the_exit_status() -> None:
    text = k8stui("--help").stdout
    assert "_K8STUI_COMPLETE=bash_source" in text
    assert "Exit status" in text
    assert "show" not in text.split("Commands:")[1].split("Exit status")[0]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    done = k8stui(_K8STUI_COMPLETE=f"{shell}_source")
    assert "_K8STUI_COMPLETE" in done.stdout


def test_walk_as_text() -> None:
    done = k8stui("walk", GUESTBOOK, "--from", "outside", "--to", "node/node-1:30080")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "outside 203.0.113.10:40000 ─▶ node-1:30080   Service default/frontend   TCP"
    )
    assert lines[1].startswith("branch 1, p = 1/3: endpoint frontend-")
    assert all(len(line) <= 80 for line in lines)
    assert "\x1b" not in done.stdout


def test_walk_as_json_all_branches() -> None:
    done = k8stui(
        "walk", GUESTBOOK, "--from", "pod/client", "--to", "svc/frontend", "--all",
        "--format", "json",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["version"] == 1
    assert [b["probability"] for b in document["branches"]] == ["1/3"] * 3


def test_so_many_branches_and_no_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from k8stui.cli import walk

    monkeypatch.setattr(walk, "MOST_BRANCHES", 2)
    assert run(["walk", GUESTBOOK, "--from", "pod/client", "--to", "svc/frontend", "--all"]) == 2
    assert "more than 2 branches" in capsys.readouterr().err


def test_same_input_same_bytes() -> None:
    args = ("walk", GUESTBOOK, "--from", "pod/client", "--to", "svc/frontend", "--all", "-v")
    first = k8stui(*args, PYTHONHASHSEED="1").stdout
    assert first == k8stui(*args, PYTHONHASHSEED="2").stdout


def test_not_delivered_is_1_and_says_why() -> None:
    done = k8stui("walk", WRONG_SELECTOR, "--from", "outside", "--to", "node/node-1:30001")
    assert (done.returncode, done.stderr) == (1, "")
    assert "refused (ECONNREFUSED)" in done.stdout
    assert "declare 3306, not 8080" in " ".join(done.stdout.split())
    assert "selects the wrong pods" in " ".join(done.stdout.split())


def test_standard_input() -> None:
    text = Path(GUESTBOOK, "client.yaml").read_text(encoding="utf-8")
    done = k8stui("walk", "-", "--from", "pod/client", "--to", "localhost:80", stdin=text)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("walk", GUESTBOOK, "--from", "pod/clinet", "--to", "svc/frontend"),
         "did you mean pod/client?"),
        (("walk", GUESTBOOK, "--from", "pod/client", "--to", "svc/frontned"),
         "did you mean svc/frontend?"),
        (("walk", GUESTBOOK, "--from", "pod/client"), "Missing option '--to'"),
        (("walk", GUESTBOOK, "--form", "x", "--to", "y"), "No such option"),
        (("rules", GUESTBOOK, "--node", "node-9"), "no node node-9"),
        (("topology", "--cni", "flanel", GUESTBOOK), "did you mean 'flannel'"),
        (("topology", "--iptables", "x", GUESTBOOK), "NODE=FILE"),
        (("topology", "--iptables", "node-9=x", GUESTBOOK), "there is no 'node-9'"),
        (("topology", "--iptables", "node-1=/does/not/exist", GUESTBOOK), "/does/not/exist"),
        (("topology", "/does/not/exist"), "/does/not/exist"),
        (("walk", GUESTBOOK, "--from", "pod/clinet", "--to", "svc/frontend"), "k8stui: --from: "),
        (("walk", GUESTBOOK, "--from", "outside", "--to", "svc/x\n::error::"), "k8stui: --to: "),
        (("walk", GUESTBOOK, "--from", "pod/a\nb", "--to", "svc/frontend"), "no pod a␊b in"),
        (("rules", GUESTBOOK, "--node", "n\x1b[1m\nm"), "--node: there is no node n␛[1m␊m"),
        (("present", "row-1", "--format", "text", "--", "\x1b[31m"), "argument (␛[31m)"),
        (("topology", "--nodes", "٣", GUESTBOOK), "'٣' is not a whole number"),
        (("topology", "--nodes", "1_0", GUESTBOOK), "'1_0' is not a whole number"),
    ],
)  # fmt: skip
def test_bad_usage_is_2_without_traceback(args: tuple[str, ...], said: str) -> None:
    done = k8stui(*args)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_every_whole_number_is_read_in_one_way() -> None:
    """``٣`` and ``1_0`` are numbers to Python, and to nobody who reads a command line."""
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    numbers = {
        (name, param.name): type(param.type)
        for name, command in commands.items()
        if command is not None
        for param in command.params
        if isinstance(param.type, click.types.IntParamType)
    }
    assert len(numbers) > 10
    assert set(numbers.values()) == {WholeNumber}


def test_a_time_that_is_no_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--from", "outside", "--to", "node/node-1:30080"]
    assert run(["walk", "samples/guestbook", *asked, "--again", "1", "--pause=nan"]) == 2
    assert "--pause" in capsys.readouterr().err
    context = click.Context(cli)
    times = [
        param.type
        for name in cli.list_commands(context)
        if (command := cli.get_command(context, name)) is not None
        for param in command.params
        if isinstance(param.type, click.types.FloatParamType)
    ]
    assert len(times) > 1
    assert all(isinstance(each, Seconds) for each in times)


def test_problems_go_to_stderr_with_a_count_and_the_rest_is_used(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: Service\n  oops: [\n", encoding="utf-8")
    (tmp_path / "good.yaml").write_text(
        Path(GUESTBOOK, "client.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    done = k8stui("topology", str(tmp_path))
    assert done.returncode == 2
    assert f"{tmp_path}/bad.yaml:" in done.stderr
    assert "^" in done.stderr
    assert "problems in the input; the rest is used" in done.stderr
    assert "default/client" in done.stdout


def test_the_manifests_as_they_were_printed(shared: Path) -> None:
    done = k8stui("topology", str(shared / "webapp-as-printed"))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "problems in the input" in done.stderr


@pytest.fixture
def shared() -> Path:
    folder = ROOT.parent / "shared"
    if not (folder / "webapp-as-printed").is_dir():
        pytest.skip("webapp-as-printed is not on this machine")
    return folder


def test_default_without_a_terminal_is_topology_and_one_walk() -> None:
    done = k8stui()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nodes (2)\n")
    assert "outside 203.0.113.10:40000 ─▶ node-1:30080" in done.stdout


def test_a_folder_named_like_a_command(tmp_path: Path) -> None:
    folder = tmp_path / "walk"
    folder.mkdir()
    (folder / "client.yaml").write_text(
        Path(GUESTBOOK, "client.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    done = k8stui("./walk", cwd=tmp_path)
    assert done.returncode == 0
    assert "default/client" in done.stdout
    assert k8stui("walk", cwd=tmp_path).returncode == 2


def test_ascii_where_the_encoding_has_no_arrows() -> None:
    done = k8stui(
        "walk", GUESTBOOK, "--from", "pod/client", "--to", "svc/frontend", "-v",
        PYTHONUTF8="0", PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "->" in done.stdout


@pytest.mark.parametrize(
    ("environment", "is_ascii"),
    [
        ({"LC_ALL": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "C.UTF-8"}, True),
        ({"LANG": "C"}, True),
        ({"LC_CTYPE": "C", "LANG": "C.UTF-8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LANG": "C.UTF-8", "K8STUI_ASCII": "1"}, True),
        ({"LANG": "C.UTF-8"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, False),
        ({"LC_ALL": "C", "PYTHONUTF8": "1"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_the_locale_decides_what_is_drawn(environment: dict[str, str], is_ascii: bool) -> None:
    """Python writes UTF-8 in the locale C (PEP 538, PEP 540): what the user has set decides."""
    done = said("walk", GUESTBOOK, "--from", "pod/client", "--to", "svc/frontend", **environment)
    assert done.isascii() is is_ascii


@pytest.mark.parametrize(
    "asked",
    [
        ("walk", GUESTBOOK, "--from", "pod/client", "--to", "svc/frontend", "--format", "drawing"),
        ("ways", GUESTBOOK, "svc/frontend"),
        ("walk", "--help"),
    ],
    ids=("drawing", "ways", "help"),
)
def test_all_that_is_drawn_has_its_ascii(asked: tuple[str, ...]) -> None:
    drawn, plain = said(*asked, LANG="C.UTF-8"), said(*asked, LANG="C")
    assert not drawn.isascii()
    assert plain.isascii()
    assert b"\\u" not in plain


def said(*args: str, **environment: str) -> bytes:
    """Give what the program prints where nothing but `environment` tells of characters."""
    unset = ("LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8", "PYTHONIOENCODING", "K8STUI_ASCII")
    env = {name: value for name, value in os.environ.items() if name not in unset}
    command = [sys.executable, "-m", "k8stui", *args]
    done = subprocess.run(
        command, capture_output=True, cwd=ROOT, env=env | environment, check=False, timeout=60
    )
    return done.stdout


def test_rules_save_and_json_agree() -> None:
    saved = k8stui("rules", GUESTBOOK, "--node", "node-1", "--table", "nat")
    assert (saved.returncode, saved.stderr) == (0, "")
    assert saved.stdout.startswith("*nat\n:PREROUTING ACCEPT [0:0]\n")
    assert saved.stdout.endswith("COMMIT\n")
    asked = k8stui("rules", GUESTBOOK, "--node", "node-1", "--table", "nat", "--format", "json")
    document = json.loads(asked.stdout)
    texts = [r["text"] for c in document["tables"][0]["chains"] for r in c["rules"]]
    assert texts == [line for line in saved.stdout.splitlines() if line.startswith("-A")]
    reasons = [r["because"] for c in document["tables"][0]["chains"] for r in c["rules"]]
    assert any(r and r["service"] == "default/frontend" for r in reasons)


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("owner", ["all", "kube-proxy", "cni", "kubelet"])
def test_rules_of_one_owner(owner: str, family: str) -> None:
    done = k8stui("rules", GUESTBOOK, "--node", "node-1", "--owner", owner, "--family", family)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("KUBE-SERVICES" in done.stdout) == (owner in ("all", "kube-proxy"))


def test_rules_of_mode_nftables() -> None:
    asked = ("rules", GUESTBOOK, "--node", "node-1", "--proxy-mode", "nftables")
    listed = k8stui(*asked)
    assert listed.returncode == 0
    assert listed.stdout.startswith("table ip kube-proxy {\n\tcomment")
    assert "table ip6 kube-proxy {" in listed.stdout
    one = k8stui(*asked, "--family", "ipv6")
    assert one.stdout.startswith("table ip6 kube-proxy {")
    document = json.loads(k8stui(*asked, "--family", "ipv4", "--format", "json").stdout)
    (table,) = document["nftables"]
    texts = [row["text"] for part in table["sets"] for row in part["elements"]]
    texts += [row["text"] for chain in table["chains"] for row in chain["rules"]]
    assert len(texts) > 40
    assert all(text in listed.stdout for text in texts)
    assert "KUBE-SERVICES" not in k8stui(*asked, "--format", "save").stdout


def test_rules_of_a_node_of_which_nft_alone_was_seen(tmp_path: Path) -> None:
    listing = tmp_path / "node-1.nft"
    listing.write_text("table ip nat {\n}\ntable ip filter {\n}\n")
    done = k8stui("rules", GUESTBOOK, "--node", "node-1", "--nft", f"node-1={listing}")
    assert done.stdout.split() == listing.read_text().split()


@pytest.mark.parametrize("form", ["text", "json", "dot", "mermaid", "svg"])
def test_topology(form: str) -> None:
    done = k8stui("topology", GUESTBOOK, "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    assert "frontend" in done.stdout


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("rules {sample} --node node-1 | head -1 >/dev/null; exit ${{PIPESTATUS[0]}}", 0),
        ("check {broken} | true; exit ${{PIPESTATUS[0]}}", 0),
        ("{sample} | true; exit ${{PIPESTATUS[0]}}", 0),
        ("--version | true; exit ${{PIPESTATUS[0]}}", 0),
        ("--version >&-", 0),
        ("topology {sample} >&-", 0),
        ("topology {sample} <&- >&- 2>&-", 0),
        ("check {broken} >&- 2>&-", 1),
        ("check {sample} --assert nonsense 2>/dev/full", 2),
        ("--version >/dev/full", 2),
        ("topology {sample} >/dev/full", 2),
        ("topology - <&-", 2),
    ],
)
def test_streams_that_nobody_reads_or_writes(line: str, status: int) -> None:
    command = line.format(sample=GUESTBOOK, broken="samples/broken/webapp-wrong-selector")
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m k8stui {command}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "this is a bug" not in done.stderr
    assert len(done.stderr.splitlines()) <= 3


def test_a_report_says_where_and_quotes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    password = "hunter2 'or \"what"  # noqa: S105 - what must not get out

    def looked_up() -> int:
        try:
            return int(password)
        except ValueError as error:
            raise KeyError(password) from error

    with pytest.raises(KeyError) as raised:
        looked_up()
    assert failed(raised.value) == 2
    (report,) = tmp_path.glob("k8stui-crash-*")
    assert "KeyError" in capsys.readouterr().err
    text = report.read_text()
    assert "hunter2" not in text
    assert "what" not in text
    for said in ("ValueError: invalid literal for int() with base 10: …", "KeyError: …"):
        assert said in text
    assert text.index("ValueError") < text.index("KeyError")
    assert "in looked_up" in text


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("no route to postgres://app:s3cret@db:5432/x (port 5432)", "no route to … (port 5432)"),
        ("element 3 of Tr0ub4dor&3 is missing:", "element 3 of … is missing:"),
        ("cannot decode aHVudGVyMg==, line 7", "cannot decode … line 7"),
    ],
)
def test_a_report_tells_no_value_without_quotes_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, told: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert failed(ZeroDivisionError(message)) == 2
    (report,) = tmp_path.glob("k8stui-crash-*")
    assert report.read_text().rstrip().endswith(f"ZeroDivisionError: {told}")


def test_a_crash_is_one_line_and_a_report(tmp_path: Path) -> None:
    code = (
        "import k8stui.walk.world as w, sys\n"
        "def broken(*a, **k): secret = 'hunter2'; raise ZeroDivisionError('x')\n"
        "w.build_world = broken\n"
        "from k8stui.cli import run\n"
        "sys.exit(run(['topology']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "this is a bug: ZeroDivisionError" in done.stderr
    (report,) = tmp_path.glob("k8stui-crash-*.txt")
    text = report.read_text(encoding="utf-8")
    assert "ZeroDivisionError" in text
    assert text.count("hunter2") <= 1  # the source line may be shown, values are not


def loaded_by(args: tuple[str, ...]) -> tuple[set[str], str]:
    """Names of the modules that a command loads, and its exit status."""
    code = (
        "import sys\n"
        "from k8stui.cli import run\n"
        f"status = run({list(args)!r})\n"
        "print(status, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    status, *modules = done.stderr.split()
    return set(modules), status


COMMANDS = [
    ("walk", GUESTBOOK, "--from", "pod/client", "--to", "svc/frontend"),
    ("rules", GUESTBOOK, "--node", "node-1"),
    ("topology", GUESTBOOK),
    ("--help",),
]


@pytest.mark.parametrize("args", COMMANDS, ids=lambda args: args[0])
def test_no_screen_and_no_graph_library_is_loaded(args: tuple[str, ...]) -> None:
    modules, status = loaded_by(args)
    assert status == "0"
    assert not modules & {"textual", "networkx", "rich", "asyncio", "importlib.metadata"}


def test_a_walk_without_nftables_does_not_load_its_language() -> None:
    modules, status = loaded_by(COMMANDS[0])
    assert status == "0"
    assert not modules & {"k8stui.kernel.nft.words", "pathlib"}


@pytest.mark.parametrize("args", COMMANDS, ids=lambda args: args[0])
def test_what_only_mistakes_need_is_not_loaded(args: tuple[str, ...]) -> None:
    modules, _ = loaded_by(args)
    assert not modules & {"difflib", "traceback", "tempfile"}


def test_help_reads_no_manifests() -> None:
    modules, _ = loaded_by(("--help",))
    assert not {name for name in modules if name.startswith(("yaml", "k8stui.manifests"))}


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
    ids=["terminal", "NO_COLOR", "dumb"],
)
def test_colour_is_for_terminals_that_want_it(environment: dict[str, str], coloured: bool) -> None:
    ours, theirs = os.openpty()
    inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    process = subprocess.Popen(
        [sys.executable, "-m", "k8stui", "walk", GUESTBOOK, "--from", "pod/client",
         "--to", "svc/frontend"],
        stdout=theirs,
        stdin=subprocess.DEVNULL,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    assert process.wait() == 0
    assert b"connected." in shown
    assert (b"\x1b[" in shown) is coloured


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # EIO: the other end is closed
        return b""


def test_ctrl_c_while_modules_are_loaded_is_quiet() -> None:
    """The signal comes at the import of the command line, whenever that is."""
    code = """
import os, signal, sys
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == "k8stui.cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
from k8stui.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr, done.stdout) == (-signal.SIGINT, "", "")


_DROPS = """
import sys, time, weakref
from k8stui import __main__, cli

class Thing:
    pass

def run(arguments):
    thing = Thing()
    kept = weakref.ref(thing, lambda _: (print("now", flush=True), time.sleep(20)))
    del thing
    time.sleep(20)

cli.run = run
__main__.main()
"""


def test_an_interrupt_that_python_drops_comes_again() -> None:
    """Nothing that is raised in a weak reference's callback gets out; imports have them, too."""
    with subprocess.Popen([sys.executable, "-c", _DROPS], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
