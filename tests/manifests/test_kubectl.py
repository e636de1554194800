"""A live cluster through kubectl: here through a stand-in for kubectl that the test writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from ast import literal_eval
from collections.abc import Callable
from pathlib import Path

import pytest
from manifests.live_objects import shop

from k8stui.apiserver import apply
from k8stui.manifests import Manifests, kubectl, kubectl_words
from k8stui.manifests.progress import Progress

Fake = Callable[[str], Path]

HEAD = """\
#!{python} -SE
import os, signal, sys, time
args = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(repr(args) + "\\n")
verb = args[args.index("get") + 1] if "get" in args else "config"
is_list = "-A" in args
def say(text):
    sys.stderr.write(text)
    sys.stderr.flush()
def give(text):
    sys.stdout.write(text)
    sys.stdout.flush()
"""
EMPTY = '{"apiVersion": "v1", "items": [], "kind": "List", "metadata": {"resourceVersion": ""}}\n'
SHOP = json.dumps({"apiVersion": "v1", "items": shop(), "kind": "List"}, indent=4)
FORBIDDEN = (
    'Error from server (Forbidden): {0} is forbidden: User "jane" cannot list resource "{1}" in '
    'API group "{2}" at the cluster scope\n'
)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Write a kubectl with this body, the only program in PATH; gives the log of its arguments."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    log = tmp_path / "asked"

    def write(body: str) -> Path:
        script = folder / "kubectl"
        head = HEAD.format(python=sys.executable, log=str(log))
        script.write_text(head + textwrap.dedent(body), encoding="utf-8")
        script.chmod(0o755)
        return log

    return write


def refused(*resources: str) -> str:
    """What kubectl says of resources that may not be listed."""
    return "".join(
        FORBIDDEN.format(full, full.partition(".")[0], full.partition(".")[2]) for full in resources
    )


def asked(log: Path) -> list[list[str]]:
    return [literal_eval(line) for line in log.read_text().splitlines()]


def shown(found: Manifests) -> str:
    """All that is said, as it is printed."""
    problems = [one.render() for one in found.problems]
    return "\n".join(problems + [one.render() for one in found.notes])


def test_what_is_asked(fake: Fake) -> None:
    log = fake(f"give({SHOP!r} if is_list else '')")
    found = apply([], context="prod")
    assert not (found.problems)
    assert not (found.notes)
    assert [one.name for one in found.objects] == ["worker", "web", "client", "web", "web-abc"]
    assert {one.file for one in found.objects} == {"kubectl --context prod"}
    assert all(one.observed for one in found.objects)
    assert found.objects[0].place().line == 4
    listing, *small = asked(log)
    kinds = ",".join(kubectl.KINDS)
    timeout = f"--request-timeout={kubectl.REQUEST_SECONDS}s"
    assert listing == ["--context=prod", "get", kinds, "-A", "--output=json", timeout]
    assert len(small) == 7
    for one in small:
        assert one[:2] == ["--context=prod", "get"]
        assert "-A" not in one
        assert one[-3:] == ["--ignore-not-found", "--output=json", timeout]
    assert not any("secret" in word.lower() for one in (listing, *small) for word in one)
    # A list of all ConfigMaps would be large and none of our business: only these, by name.
    maps = {word for one in (listing, *small) for word in one if "configmap" in word}
    assert maps == {
        "configmaps/kube-proxy",
        "configmaps/kube-proxy-config",
        "configmaps/kubeadm-config",
        "configmaps/kube-flannel-cfg",
    }


def test_kinds_of_definitions_that_most_servers_lack(fake: Fake) -> None:
    """That one is there does not hang on another; what is not there is no news."""
    gate = {
        "apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy",
        "metadata": {"name": "gate", "uid": "1"},
        "spec": {"tier": "Admin", "priority": 3, "subject": {"namespaces": {}}},
    }  # fmt: skip
    wool = {
        "apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool",
        "metadata": {"name": "wool", "uid": "2"}, "spec": {"cidr": "172.20.0.0/16"},
    }  # fmt: skip
    kinds = ("clusternetworkpolicies.policy", "ippools.crd")
    lists = [
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [one]}) for one in (gate, wool)
    ]
    fake(
        f"""
        if is_list:
            give({SHOP!r})
        elif any({kinds[0]!r} in word for word in sys.argv):
            give({lists[0]!r})
        elif any({kinds[1]!r} in word for word in sys.argv):
            give({lists[1]!r})
        elif "adminnetworkpolicies" in verb:
            say('error: the server doesn\\'t have a resource type "adminnetworkpolicies"\\n')
            sys.exit(1)
        """
    )
    found = apply([], context="prod")
    assert not found.problems
    assert not found.notes
    assert {"gate", "wool"} <= {one.name for one in found.objects}
    assert all(one.observed for one in found.objects)


@pytest.mark.parametrize(
    "name", ["--help", "-A", "a b; touch $HOME", "$(id)", "\x1b[31m", "prod\n"]
)
def test_a_name_is_one_word_and_no_option(fake: Fake, name: str) -> None:
    log = fake("say('error: no\\n'); sys.exit(1)")
    found = apply([], context=name)
    assert {one[0] for one in asked(log)} == {f"--context={name}"}
    assert "\x1b" not in shown(found)


def test_live_objects_come_before_the_files(fake: Fake, tmp_path: Path) -> None:
    fake(f"give({SHOP!r} if is_list else '')")
    file = tmp_path / "web.yaml"
    file.write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n"
        "spec: {ports: [{port: 81}], selector: {app: web}}\n"
    )
    found = apply([str(file)], context="prod")
    assert found.objects[-1].file == str(file)
    (note,) = found.notes
    assert "Service web is also in kubectl --context prod:" in note.message


def test_no_kubectl(fake: Fake) -> None:
    del fake
    (problem,) = apply([], context="prod").problems
    assert problem.message == "there is no kubectl in PATH"
    assert "-o json" in problem.hint


def test_a_kubectl_that_cannot_run(fake: Fake, tmp_path: Path) -> None:
    fake("")
    (tmp_path / "bin" / "kubectl").write_bytes(b"\x7fELF no program")
    (problem,) = apply([], context="prod").problems
    assert problem.message.startswith("kubectl cannot be run: ")


@pytest.mark.parametrize(
    ("known", "hint"),
    [
        (["staging", "production"], "did you mean:\n--context production"),
        (["kind-a", "kind-b"], "there is: kind-a, kind-b"),
        ([f"c{n}" for n in range(12)], "c9 and 2 more"),
        ([], "the kubeconfig has no context: is KUBECONFIG right?"),
    ],
    ids=["near", "far", "many", "none"],
)
@pytest.mark.parametrize(
    "words",
    [
        "Error in configuration: context was not found for specified context: prduction",
        'error: context "prduction" does not exist',
    ],
    ids=["1.27", "old"],
)
def test_unknown_context(fake: Fake, words: str, known: list[str], hint: str) -> None:
    names = "".join(f"{name}\n" for name in known)
    log = fake(
        f"""
        if verb == "get-contexts" or "get-contexts" in args:
            give({names!r})
        else:
            say({words!r})
            sys.exit(1)
        """
    )
    (problem,) = apply([], context="prduction").problems
    assert problem.message == "there is no context of this name"
    assert hint in problem.hint
    assert len(asked(log)) == 2


def test_what_may_not_be_listed_is_named_with_what_it_means(fake: Fake) -> None:
    words = refused("nodes", "endpointslices.discovery.k8s.io", "deployments.apps", "jobs.batch")
    fake(
        f"""
        if is_list:
            give({SHOP!r})
            say({words!r})
            sys.exit(1)
        """
    )
    found = apply([], context="prod")
    assert not found.problems
    assert [(note.message, note.count) for note in found.notes] == [
        ("no permission to read nodes: nodes are known through the pods on them only", 1),
        ("no permission to read endpointslices: endpoints are derived from pods and Services", 1),
        (
            (
                "no permission to read deployments, jobs: their pods are known, they themselves "
                "are not"
            ),
            2,
        ),
    ]
    assert len(found.objects) == len(shop())


def test_every_kind_that_is_asked_for_has_a_meaning() -> None:
    needed = {"pods", "services"}
    explained = {kind for kinds, _ in kubectl_words._MEANINGS for kind in kinds}
    assert {kind.partition(".")[0] for kind in kubectl.KINDS} <= needed | explained


@pytest.mark.parametrize(
    ("resources", "said", "notes"),
    [
        (("pods", "nodes"), "no permission to list pods of all namespaces", 1),
        (kubectl.KINDS, "no permission to list pods and services of all namespaces", 0),
    ],
    ids=["no pods", "nothing"],
)
def test_rights_in_one_namespace(
    fake: Fake, resources: tuple[str, ...], said: str, notes: int
) -> None:
    fake(
        f"""
        if is_list:
            give({EMPTY!r})
            say({refused(*resources)!r})
            sys.exit(1)
        """
    )
    found = apply([], context="my prod")
    (problem,) = found.problems
    assert problem.message == said
    assert "kubectl --context 'my prod' -n NAMESPACE get pods,services," in problem.hint
    assert problem.hint.splitlines()[1].endswith("-o json | k8stui -")
    assert "nodes" not in problem.hint.splitlines()[1]
    assert 'User "jane" cannot list' in problem.hint
    assert len([note for note in found.notes if "no permission" in note.message]) == notes


def test_configuration_that_may_not_be_read(fake: Fake) -> None:
    words = (
        'Error from server (Forbidden): configmaps "kube-proxy" is forbidden: User "jane" cannot '
        'get resource "configmaps" in API group "" in the namespace "kube-system"\n'
    )
    fake(
        f"""
        if is_list:
            give({SHOP!r})
        elif "servicecidrs" in verb:
            say('error: the server doesn\\'t have a resource type "servicecidrs"\\n')
            sys.exit(1)
        else:
            say({words!r})
            sys.exit(1)
        """
    )
    found = apply([], context="prod")
    assert not found.problems
    (note,) = found.notes
    assert note.message == (
        "no permission to read configmaps: kube-proxy's and flannel's usual settings are assumed"
    )


def test_a_kind_that_the_server_does_not_have_is_left_out(fake: Fake) -> None:
    log = fake(
        f"""
        if is_list:
            for missing in ("endpointslices.discovery.k8s.io", "cronjobs.batch"):
                if missing in verb:
                    name = missing.partition(".")[0]
                    say(f'error: the server doesn\\'t have a resource type "{{name}}"\\n')
                    sys.exit(1)
            give({SHOP!r})
        """
    )
    found = apply([], context="old")
    assert not found.problems
    assert len(found.objects) == len(shop())
    assert [note.message for note in found.notes] == [
        "the server has no endpointslices: endpoints are derived from pods and Services",
        "the server has no cronjobs: their pods are known, they themselves are not",
    ]
    lists = [one[2].split(",") for one in asked(log) if "-A" in one]
    assert [len(kubectl.KINDS) - len(one) for one in lists] == [0, 1, 2]


def test_a_server_without_anything_ends(fake: Fake) -> None:
    fake(
        """
        name = verb.partition(",")[0].partition(".")[0]
        say(f'error: the server doesn\\'t have a resource type "{name}"\\n')
        sys.exit(1)
        """
    )
    (problem,) = apply([], context="odd").problems
    assert "resource type" in problem.message


LOG = "E1124 13:47:38.602789    8334 memcache.go:265] "
TIMEOUT = "Client.Timeout exceeded while awaiting headers"
PLUGIN_HELP = """
It looks like you are trying to use a client-go credential plugin that is not installed.

To learn more about this feature, consult the documentation available at:
      https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential

install it with brew
"""
FAILURES = {
    "time-out, 1.27": (
        (
            f'{LOG}couldn\'t get current server API group list: Get "https://10.0.0.1/api?timeout=15s"'
            f": net/http: request canceled ({TIMEOUT})\n"
            f"Unable to connect to the server: net/http: request canceled ({TIMEOUT})\n"
        ),
        "the server does not answer",
        ["VPN", TIMEOUT],
    ),
    "time-out, 1.33": (
        (
            f'{LOG}"Unhandled Error" err="couldn\'t get current server API group list: Get '
            f'\\"https://10.0.0.1/api?timeout=15s\\": context deadline exceeded"\n'
            "Unable to connect to the server: context deadline exceeded\n"
        ),
        "the server does not answer",
        ["VPN"],
    ),
    "refused": (
        f"{LOG}couldn't get current server API group list: dial tcp: connection refused\n"
        * 5
        + "The connection to the server 127.0.0.1:6443 was refused - did you specify the right "
        "host or port?\n",
        "127.0.0.1:6443 refuses the connection",
        ["is the cluster running?"],
    ),
    "no host": (
        (
            "Unable to connect to the server: dial tcp: lookup api.example.test on 10.0.0.2:53: no "
            "such host\n"
        ),
        "there is no host api.example.test",
        ["VPN"],
    ),
    "credentials": (
        (
            "error: You must be logged in to the server (the server has asked for the client to "
            "provide credentials)\n"
        ),
        "the server does not accept the credentials",
        ["log in again"],
    ),
    "no plug-in, 1.27": (
        f"{LOG}couldn't get current server API group list: getting credentials: exec: executable "
        f"aws not found\n{PLUGIN_HELP}"
        "Unable to connect to the server: getting credentials: exec: executable aws not found\n"
        + PLUGIN_HELP,
        "the context logs in with aws, which is not in PATH",
        ["into PATH", "install it with brew"],
    ),
    "no plug-in, 1.33": (
        f'{LOG}"Unhandled Error" err=<\n\tcouldn\'t get current server API group list: getting '
        f"credentials: exec: executable aws not found\n\t\n\tinstall it with brew\n >\n"
        "Unable to connect to the server: getting credentials: exec: executable aws not found\n"
        + PLUGIN_HELP,
        "the context logs in with aws, which is not in PATH",
        ["into PATH", "install it with brew"],
    ),
    "plug-in fails": (
        (
            "session expired\n"
            "Unable to connect to the server: getting credentials: exec: executable kubelogin "
            "failed with exit code 3\n"
        ),
        "kubelogin, which logs in for the context, failed",
        ["session expired", "log in as it wants it"],
    ),
    "plug-in needs a terminal": (
        (
            "Unable to connect to the server: getting credentials: exec plugin cannot support "
            "interactive mode: standard input is not a terminal\n"
        ),
        "logging in needs a terminal",
        ["log in first"],
    ),
    "certificate": (
        (
            "Unable to connect to the server: tls: failed to verify certificate: x509: certificate "
            "has expired\n"
        ),
        (
            "Unable to connect to the server: tls: failed to verify certificate: x509: certificate "
            "has expired"
        ),
        [],
    ),
    "only a log": (
        f"{LOG}something odd\n",
        "kubectl logs: something odd",
        [],
    ),
    "silent": ("", "kubectl ended with status 1 and said nothing", []),
}


@pytest.mark.parametrize(("words", "message", "hints"), FAILURES.values(), ids=FAILURES)
def test_nothing_came(fake: Fake, words: str, message: str, hints: list[str]) -> None:
    fake(f"say({words!r}); sys.exit(1)")
    found = apply([], context="prod")
    (problem,) = found.problems
    assert (problem.file, problem.message) == ("kubectl --context prod", message)
    for hint in hints:
        assert hint in problem.hint
    assert "client-go" not in problem.hint
    assert LOG not in problem.hint
    assert not (found.notes)
    assert not (found.objects)


PARTS = {
    "time-out": (
        f"Unable to connect to the server: net/http: request canceled ({TIMEOUT})\n",
        "the server does not answer",
    ),
    "expired": (
        (
            "Error from server (Expired): The provided continue parameter is too old to display a "
            "consistent list result\n"
        ),
        "the list changed while it was read",
    ),
    "web page": ("serializer for text/html doesn't exist\n" * 9, "a web page came instead"),
    "server error": (
        "Error from server (InternalError): an error on the server\n",
        "Error from server (InternalError): an error on the server",
    ),
}


@pytest.mark.parametrize(("words", "why"), PARTS.values(), ids=PARTS)
def test_a_part_is_missing(fake: Fake, words: str, why: str) -> None:
    fake(
        f"""
        if is_list:
            give({SHOP!r})
            say({words!r})
            sys.exit(1)
        """
    )
    found = apply([], context="prod")
    (problem,) = found.problems
    assert problem.message == f"a part is missing, what came is used: {why}"
    assert len(found.objects) == len(shop())


def test_warnings_of_a_good_answer_are_not_passed_on(fake: Fake) -> None:
    words = "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n"
    fake(f"say({words!r} + {LOG!r} + 'metrics.k8s.io is down\\n'); give({SHOP!r} * is_list)")
    found = apply([], context="prod")
    assert not (found.problems)
    assert not (found.notes)


def test_a_context_without_credentials(fake: Fake) -> None:
    fake("give('Please enter Username: '); sys.exit(1)")
    (problem,) = apply([], context="prod").problems
    assert problem.message == "the context has no credentials: kubectl asks for a user name"


def test_standard_input_is_not_lent(fake: Fake) -> None:
    fake(f"assert sys.stdin.read() == ''; give({SHOP!r} * is_list)")
    assert len(apply([], context="prod").objects) == len(shop())


def test_killed_in_the_middle(fake: Fake) -> None:
    fake(
        f"""
        if is_list:
            give({SHOP[:900]!r})
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    broken, ended = apply([], context="prod").problems
    assert "breaks off" in broken.message
    assert ended.message.endswith("kubectl was ended by SIGKILL")


def test_terminal_escapes_are_shown_not_obeyed(fake: Fake) -> None:
    fake("say('\\x1b]0;title\\x07Unable \\x1b[2J\\u202egnp.exe\\n'); sys.exit(1)")
    found = apply([], context="p\x1b[31m")
    assert shown(found).isprintable() or not set(shown(found)) & set("\x1b\x07\u202e")
    assert "␛[2J" in found.problems[0].message


def test_much_on_both_pipes(fake: Fake) -> None:
    fake(
        f"""
        if is_list:
            say("noise\\n" * 100_000)
            give({SHOP!r} + " " * 1_000_000)
        """
    )
    found = apply([], context="prod")
    assert not found.problems
    assert len(found.objects) == len(shop())


def test_what_it_says_while_it_waits_is_passed_on(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubectl, "_PATIENCE_SECONDS", 0.01)
    go = tmp_path / "go"
    fake(
        f"""
        if is_list:
            say("To sign in, use code \\x1b[1mABC\\n")
            while not os.path.exists({str(go)!r}):
                time.sleep(0.01)
            give({SHOP!r})
        """
    )
    heard: list[str] = []

    def watch(progress: Progress) -> None:
        if progress.waiting:
            heard.append(progress.waiting)
            go.touch()

    found = apply([], context="prod", watch=watch)
    assert set(heard) == {"To sign in, use code ␛[1mABC"}
    assert len(found.objects) == len(shop())


class LeftError(Exception):
    pass


def test_calling_off_ends_kubectl(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubectl, "_PATIENCE_SECONDS", 0.01)
    number = tmp_path / "pid"
    fake(
        f"""
        open({str(number)!r} + "x", "w").write(str(os.getpid()))
        os.rename({str(number)!r} + "x", {str(number)!r})
        time.sleep(600)
        """
    )

    def watch(_: Progress) -> None:
        if number.exists():
            raise LeftError

    with pytest.raises(LeftError):
        apply([], context="prod", watch=watch)
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_a_process_that_leaves_ends_kubectl(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubectl, "_PATIENCE_SECONDS", 0.01)
    started = tmp_path / "started"
    fake(f"open({str(started)!r}, 'w').close(); time.sleep(600)")

    def watch(_: Progress) -> None:
        if started.exists():
            kubectl.end_all()

    (problem,) = apply([], context="prod", watch=watch).problems
    assert problem.message == "kubectl was ended by SIGKILL"


def test_a_file_is_read_without_all_this() -> None:
    code = (
        "import sys; from k8stui.apiserver import apply; apply(['samples/guestbook'])\n"
        "assert not {'subprocess', 'tempfile', 'k8stui.manifests.kubectl'} & set(sys.modules)"
    )
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
