"""What kubectl says when it does not get everything, and what that means for what is shown.

The sentences are those that kubectl 1.27 to 1.33 print (k8s.io/kubectl pkg/cmd/util/helpers.go
StandardErrorMessage, client-go rest and exec plugins, klog headers).
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from k8stui.manifests.problem import Note, Problem
from k8stui.neutralise import neutralise

PROMPT = b"Please enter Username:"
"""What stands on standard output when neither context nor plug-in gives credentials (client-go
tools/clientcmd/auth_loaders.go)."""

_LOG = re.compile(r"[EWIF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\] ")
"""Head of a klog line."""
_UNHANDLED = re.compile(r"\"Unhandled Error\" err=\"(.*)\"$")
"""The rest of one from kubectl 1.31 on; before, what is in brackets here stands alone."""
_LOGGED = "kubectl logs: "
_CANNED = re.compile(
    r"It looks like you are trying to use a client-go|To learn more about this feature, consult"
    r"|https://kubernetes\.io/docs/reference/access-authn|Warning: "
)
"""Lines that help nobody here; also ``Warning: v1 Endpoints is deprecated in v1.33+``."""
_FORBIDDEN = re.compile(
    r"Error from server \(Forbidden\): ([a-z]+)[^ ]*(?: \"[^\"]*\")? is forbidden"
)
_MISSING = re.compile(r"error: the server doesn't have a resource type \"([^\"]+)\"")
_UNKNOWN = re.compile(
    r"context was not found for specified context|context \"[^\"]*\" does not exist"
)

_MEANINGS = (
    (("nodes",), "nodes are known through the pods on them only"),
    (("namespaces",), "what chooses namespaces by their labels finds none"),
    (("endpoints",), "endpoints that somebody wrote by hand are not known"),
    (("endpointslices",), "endpoints are derived from pods and Services"),
    (
        ("replicationcontrollers", "deployments", "replicasets", "statefulsets", "daemonsets",
         "jobs", "cronjobs"),
        "their pods are known, they themselves are not",
    ),
    (("ingresses", "networkpolicies"), "nothing is checked against them"),
    (
        ("limitranges", "resourcequotas", "priorityclasses", "runtimeclasses"),
        "pods that are only in files are let in without them",
    ),
    (("configmaps",), "kube-proxy's and flannel's usual settings are assumed"),
    (
        ("adminnetworkpolicies", "baselineadminnetworkpolicies", "clusternetworkpolicies"),
        "whether the whole cluster has policies is not known",
    ),
    (
        (
            *("ippools", "felixconfigurations", "globalnetworkpolicies", "hostendpoints"),
            *("globalnetworksets", "networksets", "tiers"),
        ),
        "Calico's usual settings are assumed, and no policies of its own",
    ),
    (("servicecidrs",), "the range of Service addresses is kubeadm's, or assumed"),
)  # fmt: skip
"""Resources whose lack can be lived with, and what it means (`k8stui.cluster`)."""

_MOST = 5
"""Lines of kubectl that are passed on."""

# A pattern, what to say ({0} is the pattern's group), what helps.
_EXPLAINED = (
    (
        r"Client\.Timeout exceeded|context deadline exceeded|i/o timeout|TLS handshake timeout",
        "the server does not answer",
        "is it reachable from here (VPN, proxy, firewall)?",
    ),
    (
        r"The connection to the server (\S+) was refused",
        "{0} refuses the connection",
        "is the cluster running?",
    ),
    (
        r"lookup (\S+?)(?: on \S+)?: no such host",
        "there is no host {0}",
        "has the cluster moved, or is a VPN needed?",
    ),
    (
        r"executable (\S+) not found",
        "the context logs in with {0}, which is not in PATH",
        "install it, or put its folder into PATH",
    ),
    (
        r"executable (\S+) failed",
        "{0}, which logs in for the context, failed",
        "log in as it wants it, then try: kubectl get nodes",
    ),
    (
        r"exec plugin cannot support interactive mode",
        "logging in needs a terminal",
        "log in first: kubectl get nodes",
    ),
    (
        r"You must be logged in to the server|the server has asked for the client to provide cred",
        "the server does not accept the credentials",
        "they may have expired: log in again",
    ),
    (
        r"\(Expired\)|continue parameter is too old",
        "the list changed while it was read",
        "try again",
    ),
    (r"serializer for text/html", "a web page came instead", "a proxy, or a page to log in?"),
)


def lines(text: str) -> list[str]:
    """Give the lines of standard error that a person should see, each once, safe for a terminal.

    klog's are the same error again and again while kubectl tries (client-go
    discovery/cached/memory/memcache.go): without time they are one. From kubectl 1.31 on those of
    several lines stand between ``err=<`` and `` >``, each behind a tab.
    """
    found: dict[str, None] = {}
    opened = False
    for line in text.splitlines():
        if head := _LOG.match(line):
            logged = line[head.end() :]
            opened = logged.endswith("err=<")
            if wrapped := _UNHANDLED.match(logged):
                logged = wrapped[1].replace('\\"', '"')
        elif opened:
            logged, opened = line.strip(), False
        else:
            logged = ""
        if logged:
            if not opened:
                found.setdefault(neutralise(_LOGGED + logged))
        elif line.strip() not in ("", ">") and not _CANNED.match(line.strip()):
            found.setdefault(neutralise(line.strip()))
    return list(found)


def not_started(name: str, error: OSError) -> Problem:
    """Say why kubectl could not be run at all."""
    if isinstance(error, FileNotFoundError):
        message = "there is no kubectl in PATH"
    else:
        message = f"kubectl cannot be run: {error.strerror or error}"
    hint = "or read what another machine's kubectl printed: kubectl get … -A -o json > dump.json"
    return Problem(file=name, message=message, hint=f"install it\n{hint}")


def no_credentials(name: str) -> Problem:
    """The context has none: kubectl would ask for a user name."""
    return Problem(
        file=name,
        message="the context has no credentials: kubectl asks for a user name",
        hint="log in, or give the context's user in the kubeconfig a token, certificate or plug-in",
    )


def is_unknown_context(said: Sequence[str]) -> bool:
    """Whether kubectl says that it knows no such context."""
    return any(map(_UNKNOWN.search, said))


def no_context(name: str, context: str, known: Sequence[str]) -> Problem:
    """There is no context of that name; `known` are those of the kubeconfig."""
    from k8stui.suggest import nearest  # noqa: PLC0415 - difflib, for mistakes only

    if near := nearest(context, known):
        hint = f"did you mean:\n--context {near}"
    elif known:
        more = f" and {len(known) - 10} more" if len(known) > 10 else ""
        hint = f"there is: {', '.join(known[:10])}{more}"
    else:
        hint = "the kubeconfig has no context: is KUBECONFIG right?"
    return Problem(file=name, message="there is no context of this name", hint=hint)


def missing_kind(said: Sequence[str]) -> str | None:
    """Name the resource that the server does not have; kubectl then gets nothing at all."""
    return next((found[1] for line in said if (found := _MISSING.match(line))), None)


def not_served(name: str, kind: str) -> Note:
    """A kind that the server does not have, and what that means for what is shown."""
    resource = kind.partition(".")[0]
    why = f"the server has no {resource}"
    meaning = next((said for those, said in _MEANINGS if resource in those), "")
    return Note(file=name, message=f"{why}: {meaning}" if meaning else why)


def failure(name: str, said: Sequence[str], status: int) -> Problem:
    """Explain a kubectl that ended without a byte of output."""
    told = [line for line in said if not line.startswith(_LOGGED)] or list(said)
    why = next(filter(_known, told), told[-1] if told else _ended(status))
    message, hint = _explained(why)
    others = [line for line in told if line != why][:_MOST]
    return Problem(file=name, message=message, hint="\n".join([*hint, *others]))


def parts(
    name: str, said: Sequence[str], status: int, narrower: str
) -> tuple[list[Problem], list[Note]]:
    """Judge what is missing where something came.

    `narrower`: the command that works with rights in one namespace.
    """
    problems: list[Problem] = []
    forbidden: dict[str, str] = {}
    others: dict[str, list[str]] = {}
    for line in said:
        if found := _FORBIDDEN.match(line):
            forbidden.setdefault(found[1], line)
        elif not (line.startswith(_LOGGED) or _MISSING.match(line)):
            message, hint = _explained(line)
            others.setdefault(message, hint)
    if not said:
        others[_ended(status)] = []
    needed = [kind for kind in ("pods", "services") if kind in forbidden]
    if needed:
        problems.append(
            Problem(
                file=name,
                message=f"no permission to list {' and '.join(needed)} of all namespaces",
                hint=f"with rights in one namespace:\n{narrower}\n{forbidden[needed[0]]}",
            )
        )
    for message, hint in list(others.items())[:_MOST]:
        what = "a part is missing, what came is used"
        problems.append(Problem(file=name, message=f"{what}: {message}", hint="\n".join(hint)))
    notes = []
    for those, meaning in _MEANINGS:
        refused = [kind for kind in those if kind in forbidden]
        # Where neither is allowed, hardly anything is: that is said already.
        if refused and len(needed) < 2:
            message = f"no permission to read {', '.join(refused)}: {meaning}"
            notes.append(Note(file=name, message=message, count=len(refused)))
    return problems, notes


def _known(line: str) -> tuple[str, str] | None:
    """Find what there is to say of a line and what helps, where it is known."""
    for pattern, message, hint in _EXPLAINED:
        if found := re.search(pattern, line):
            return message.format(*found.groups()), hint
    return None


def _explained(line: str) -> tuple[str, list[str]]:
    """Say in a few words what a line of kubectl means; what helps, the line itself last."""
    known = _known(line)
    return (known[0], [known[1], f"kubectl: {line}"]) if known else (line, [])


def _ended(status: int) -> str:
    if status < 0:
        return f"kubectl was ended by {signal.Signals(-status).name}"
    return f"kubectl ended with status {status} and said nothing"
