"""The objects of a live cluster, got by the user's own kubectl: nothing here speaks to a server.

``kubectl get KINDS -A -o json`` is one input, two small ones hold what configures the network. No
shell takes part, Secrets are never asked for, and what kubectl does not get is told
(`kubectl_words`).
"""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from typing import IO, Self

from k8stui.manifests import kubectl_words as words
from k8stui.manifests.embedded import CONFIGURATIONS
from k8stui.manifests.files import InputFile
from k8stui.manifests.problem import Note, Problem
from k8stui.origin import LIVE
from k8stui.record import record

_OF_CLUSTER = (
    "nodes",
    "namespaces",
    "priorityclasses.scheduling.k8s.io",
    "runtimeclasses.node.k8s.io",
)
_OF_NAMESPACE = (
    "pods",
    "services",
    "endpoints",
    "endpointslices.discovery.k8s.io",
    "replicationcontrollers",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "ingresses.networking.k8s.io",
    "networkpolicies.networking.k8s.io",
    "limitranges",
    "resourcequotas",
)
KINDS = (*_OF_CLUSTER, *_OF_NAMESPACE)
"""What the rooms above read, with its API group: a custom resource may have the same plural."""

_EVERYWHERE = ("-A",)
_ADMIN = ("adminnetworkpolicies", "baselineadminnetworkpolicies")
_CONFIGURATION = (
    # Of kubeadm, EKS (kube-proxy-config) and flannel's manifest before 0.20.
    (
        *(f"configmaps/{name}" for name in (*CONFIGURATIONS, "kube-proxy-config")),
        "--namespace=kube-system",
    ),
    # flannel's manifest from 0.20 on.
    ("configmaps/kube-flannel-cfg", "--namespace=kube-flannel"),
    # Since Kubernetes 1.33 (beta 1.31): too few servers have it to ask all for it.
    ("servicecidrs.networking.k8s.io",),
    # Of definitions of their own (network-policy-api, Calico): most servers have none, and kubectl
    # gives nothing at all where one of several is missing.
    (",".join(f"{kind}.policy.networking.k8s.io" for kind in _ADMIN),),
    ("clusternetworkpolicies.policy.networking.k8s.io",),
    (
        "--all-namespaces",
        ",".join(
            f"{kind}.crd.projectcalico.org"
            for kind in (
                "ippools",
                "felixconfigurations",
                "globalnetworkpolicies",
                "hostendpoints",
                "networkpolicies",
                "globalnetworksets",
                "networksets",
            )
        ),
    ),
    # Since Calico 3.29.
    ("tiers.crd.projectcalico.org",),
)

REQUEST_SECONDS = 15
"""What one answer of the server may take. kubectl asks for 500 objects at a time; finding out what
the server has it tries six times over."""
_PATIENCE_SECONDS = 1.0
"""After so long what kubectl has said is passed on: it may be waiting for the user to log in."""
_MOST_WORDS = 1 << 20
"""Bytes of its messages that are looked at, the last ones."""


_running: set[subprocess.Popen[bytes]] = set()
"""Every kubectl that has not been waited for."""


def end_all() -> None:
    """End every kubectl, from any thread: for a process that leaves without `Kubectl.__exit__`."""
    for process in list(_running):
        process.kill()


def command(context: str, *arguments: str) -> list[str]:
    """Write a kubectl command line; `context` cannot be taken for an option."""
    return ["kubectl", f"--context={context}", *arguments]


class Kubectl:
    """What there is to read of one cluster. Leaving it ends every kubectl that still runs."""

    def __init__(self, context: str, tell: Callable[[str], object]) -> None:
        """`tell` gets what kubectl says while it waits; an exception out of it ends all."""
        self.context, self.tell = context, tell
        self.name = LIVE + context
        self.problems: list[Problem] = []
        self.notes: list[Note] = []
        self._runs: list[_Run] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for run in self._runs:
            run.end()

    def answers(self) -> Iterator[InputFile]:
        """Yield each input; what was wrong with it is in `problems` and `notes` afterwards."""
        try:
            listing = self._listing()
        except OSError as error:
            self.problems.append(words.not_started(self.name, error))
            return
        if listing is None:
            return
        small = [self._get(*question, "--ignore-not-found") for question in _CONFIGURATION]
        yield InputFile(self.name, named=True, stream=listing.out)
        status = listing.wait()
        said = listing.said() if status != 0 else []
        for run, question in zip(small, _CONFIGURATION, strict=True):
            if run.answers(self.tell):
                asked = question[-1].partition(",")[0]
                yield InputFile(f"{self.name} {asked}", named=True, stream=run.out)
            if run.wait() != 0:
                said += run.said()
        if said or status != 0:
            problems, notes = words.parts(self.name, said, status, self._narrower())
            self.problems += problems
            self.notes += notes

    def _listing(self) -> _Run | None:
        """Ask for all kinds, without those that the server does not have."""
        kinds = list(KINDS)
        while True:
            run = self._get(",".join(kinds), *_EVERYWHERE)
            if run.answers(self.tell):
                return run
            status, said = run.wait(), run.said()
            missing = words.missing_kind(said)
            known = next((kind for kind in kinds if kind.partition(".")[0] == missing), None)
            if known is None or len(kinds) == 1:
                self.problems.append(self._failure(run, said, status))
                return None
            kinds.remove(known)
            self.notes.append(words.not_served(self.name, known))

    def _failure(self, run: _Run, said: Sequence[str], status: int) -> Problem:
        if run.prompted:
            return words.no_credentials(self.name)
        if words.is_unknown_context(said):
            return words.no_context(self.name, self.context, self._contexts())
        return words.failure(self.name, said, status)

    def _get(self, *arguments: str) -> _Run:
        timeout = f"--request-timeout={REQUEST_SECONDS}s"
        run = _Run.start(command(self.context, "get", *arguments, "--output=json", timeout))
        self._runs.append(run)
        return run

    def _contexts(self) -> list[str]:
        """Names of the contexts in the user's kubeconfig."""
        run = _Run.start(["kubectl", "config", "get-contexts", "--output=name"])
        self._runs.append(run)
        listed = run.out.read().decode(errors="replace").splitlines()
        run.wait()
        return listed

    def _narrower(self) -> str:
        """Give the command for those whose rights end at one namespace."""
        kinds = ",".join(_OF_NAMESPACE)
        got = ["kubectl", "--context", self.context, "-n", "NAMESPACE", "get", kinds]
        return f"{shlex.join(got)} -o json | k8stui -"


@record(frozen=False, eq=False)
class _Run:
    """One kubectl. Its messages go to a file: nobody needs to empty a pipe meanwhile."""

    process: subprocess.Popen[bytes]
    out: BufferedReader
    messages: IO[bytes]
    prompted: bool = False
    """It has asked for a user name."""

    @classmethod
    def start(cls, arguments: Sequence[str]) -> _Run:
        """Start it, without standard input: it would ask for a password there.

        Raises:
            OSError: it cannot be started.

        """
        messages = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        try:
            process = subprocess.Popen(  # noqa: S603 - a list, and the name of a context in one word
                arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages
            )
        except OSError:
            messages.close()
            raise
        _running.add(process)
        assert isinstance(process.stdout, BufferedReader)
        return cls(process, process.stdout, messages)

    def answers(self, tell: Callable[[str], object]) -> bool:
        """Wait for the first byte; False when it ends without one.

        Meanwhile all that it has said is told again and again: what is heard may have gone by.
        """
        while not select.select([self.out], [], [], _PATIENCE_SECONDS)[0]:
            tell("\n".join(self.said()))
        first = self.out.peek(1)
        self.prompted = first.startswith(words.PROMPT)
        return bool(first) and not self.prompted

    def said(self) -> list[str]:
        """Lines that it has written to standard error (see `words.lines`)."""
        file = self.messages.fileno()
        raw = os.pread(file, _MOST_WORDS, max(0, os.fstat(file).st_size - _MOST_WORDS))
        return words.lines(raw.decode(errors="replace"))

    def wait(self) -> int:
        """Give its exit status; a negative one is a signal."""
        status = self.process.wait()
        _running.discard(self.process)
        return status

    def end(self) -> None:
        """End it, should it still run."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        self.out.close()
        self.messages.close()
