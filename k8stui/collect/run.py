"""Running the script on nodes: by ``kubectl debug node/…``, or by ssh.

kubectl pkg/cmd/debug/debug.go (visitNode, generateNodeDebugPod): the node's root stands at /host,
its network and processes are the pod's own; the pod stays until somebody deletes it.
"""

from __future__ import annotations

import gzip
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from k8stui.errors import K8sTuiError
from k8stui.manifests.kubectl import command
from k8stui.neutralise import neutralise
from k8stui.record import record

_AT_ONCE = 8
_CREATED = rb"Creating debugging pod (node-debugger-%s-[a-z0-9]+) "
"""What kubectl says of a node's pod; what the node prints may say the same of somebody else's."""
_WAITS = re.compile(rb"^Warning: (container .*)", re.MULTILINE)
"""Why it does not start: an image that cannot be had (waitForContainer)."""
_NODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:%-]*")
"""A node, or what ssh calls it: a word that is a file's name as well."""
_BEGINS = re.compile(rb"^@ \S+ ", re.MULTILINE)
_ENDS = b"\n@ node end\n"
"""What the script prints last."""
_SAID = 200
"""Characters of what a command said that are passed on."""
_DELETE_SECONDS = 30


class CollectError(K8sTuiError):
    """Nothing can be collected at all."""


def checked(nodes: Iterable[str]) -> list[str]:
    """Each node once.

    Raises:
        CollectError: one is called as no node is.

    """
    names = list(dict.fromkeys(nodes))
    for name in names:
        if not _NODE.fullmatch(name):
            raise CollectError(f"no name of a node: {neutralise(name)[:_SAID]!r}")
    return names


@record(kw_only=True)
class NodeAccess:
    """How the nodes are reached."""

    context: str = ""
    """Of the user's kubeconfig."""
    ssh: bool = False
    image: str = "busybox"
    """What the debugging pod is made of: only its chroot(1) is used."""
    patience_seconds: int = 120
    """For one node."""

    def words(self, node: str) -> list[str]:
        """The command line that reads the script from its standard input."""
        if self.ssh:
            return ["ssh", "-o", "BatchMode=yes", "--", node, "sudo", "-n", "sh", "-s"]
        options = ["--profile=sysadmin", "--stdin", f"--image={self.image}"]
        debug = ("debug", f"node/{node}", *options, "--", "chroot", "/host", "sh", "-s")
        return command(self.context, *debug)


@record(kw_only=True)
class Collected:
    """What came of one node."""

    node: str
    text: bytes = b""
    failure: str = ""
    """Why there is nothing; empty: there is."""
    left: str = ""
    """What stayed behind, and how to take it away."""


def nodes_of(context: str) -> list[str]:
    """The names of the cluster's nodes.

    Raises:
        CollectError: kubectl does not say, or they are not names of nodes.

    """
    words = command(context, "get", "nodes", "--output=name", "--request-timeout=15s")
    try:
        done = subprocess.run(words, capture_output=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - a list
    except OSError as error:
        raise CollectError(f"kubectl cannot be started: {error.strerror}") from error
    if done.returncode:
        raise CollectError(f"kubectl get nodes: {_last_words(done.stderr)}")
    lines = done.stdout.decode(errors="replace").split()
    return checked(line.partition("/")[2] for line in lines)


def collect(nodes: Sequence[str], script: str, way: NodeAccess) -> Iterator[Collected]:
    """Run `script` on all nodes, some at once; what comes of each, as it comes."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda node: _one(node, script.encode(), way), nodes)


def write(found: Collected, folder: Path) -> Path:
    """Put a node's text into the folder, packed, whole or not at all.

    Raises:
        OSError: it cannot be written.

    """
    file = folder / "nodes" / f"{found.node}.txt.gz"
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_suffix(".part")
    half.write_bytes(gzip.compress(found.text, mtime=0))
    half.replace(file)
    return file


def _one(node: str, script: bytes, way: NodeAccess) -> Collected:
    try:
        process = subprocess.Popen(  # noqa: S603 - a list
            way.words(node),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        tool = "ssh" if way.ssh else "kubectl"
        return Collected(node=node, failure=f"{tool} cannot be started: {error.strerror}")
    late = False
    with process:
        try:
            out, said = process.communicate(script, way.patience_seconds)
        except subprocess.TimeoutExpired as error:
            # Its pipes are not read to their end: what it has started may hold them longer.
            process.kill()
            out, said = error.output or b"", error.stderr or b""
            late = True
    created = re.search(_CREATED % re.escape(node.encode()), out + said)
    left = "" if way.ssh else _delete(created, way)
    begins = _BEGINS.search(out)
    ends = out.find(_ENDS)
    text = out[begins.start() : ends + 1] if begins else b""
    if late:
        waits = _WAITS.findall(said)
        why = f": {_last_words(waits[-1])}" if waits else ""
        failure = f"no end after {way.patience_seconds} s (--patience){why}"
    elif not text or ends < 0:
        # What was written is worth nothing when its end is missing.
        failure = _last_words(said) or f"status {process.returncode}, and no end was written"
    else:
        failure = ""
    return Collected(node=node, text=b"" if failure else text, failure=failure, left=left)


def _delete(created: re.Match[bytes] | None, way: NodeAccess) -> str:
    """Take the debugging pod away; what stays, in words."""
    if created is None:
        return ""
    pod = created[1].decode()
    words = command(way.context, "delete", "pod", pod)
    try:
        done = subprocess.run(  # noqa: S603 - a list
            [*words, "--now", "--wait=false"],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_DELETE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        why = f"no answer in {_DELETE_SECONDS} s"
    except OSError as error:
        why = error.strerror or str(error)
    else:
        if not done.returncode:
            return ""
        why = _last_words(done.stderr)
    return f"pod {pod} is still there ({why}): {shlex.join(words)}"


def _last_words(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return neutralise(lines[-1].strip())[:_SAID] if lines else ""
