"""What a kubelet reports of a pod: that stands in no manifest, so it is said from outside.

Every pod that got a node is taken to run and to be ready, unless a `PodState` says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field

from k8stui.apiserver import quantity
from k8stui.apiserver.fields import array, at, text
from k8stui.cluster.draft import Draft
from k8stui.cluster.model import PodPhase
from k8stui.record import record


@record(kw_only=True)
class PodState:
    """The state of the pods that fit all that is said here; nothing said: of every pod."""

    pod: str | None = None
    """The pod's name."""
    owner: str | None = None
    """Name of its workload."""
    owner_kind: str | None = None
    node: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    phase: PodPhase = PodPhase.RUNNING
    ready: bool = True
    """Means something in phase Running only."""

    def fits(self, draft: Draft) -> bool:
        kind, owner = draft.owner or ("Pod", draft.name)
        return (
            self.pod in (None, draft.name)
            and self.owner in (None, owner)
            and self.owner_kind in (None, kind)
            and self.node in (None, draft.node_name)
            and self.labels.items() <= draft.labels.items()
        )

    @property
    def ends_all_well(self) -> bool:
        """Whether every pod of the workload comes to a good end."""
        single = self.pod is not None or self.node is not None or bool(self.labels)
        return self.phase is PodPhase.SUCCEEDED and not single


_RUNS = PodState()
_LEAST_MEMORY = quantity.parse("1Mi")
"""Below this no container starts: the runtime's own process needs more."""
_PLAIN = re.compile(r"[\w/.][\w/.-]*", re.ASCII)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def state_of(draft: Draft, states: Iterable[PodState]) -> PodState:
    """The state of a pod that has a node."""
    return next((state for state in states if state.fits(draft)), _RUNS)


def is_ready(draft: Draft, states: Iterable[PodState]) -> bool:
    """Whether the pod becomes ready.

    Readiness gates are conditions that somebody else must set; nobody does here.
    """
    state = state_of(draft, states)
    return state.phase is PodPhase.RUNNING and state.ready and not why_unready(draft)[0]


def why_unready(draft: Draft) -> tuple[str, tuple[str | int, ...]]:
    """What in the pod's own words keeps it from ever being ready, and which field; else empty.

    A probe's port may be a name, and then of a port of that container (pkg/probe/util.go
    ResolveContainerPort): without it a readiness or startup probe always fails.
    """
    if array(draft.spec, "readinessGates"):
        return "its readinessGates are conditions that nobody has set yet", ("readinessGates",)
    for index, container in enumerate(array(draft.spec, "containers")):
        first = next(iter(array(container, "command")), "")
        if (
            isinstance(first, str)
            and " " in first.strip()
            and len(array(container, "command")) == 1
        ):
            begins = _begun(first)
            said = f"the command of container {text(container, 'name')} is the one word {begins!r}"
            return f"{said}: no file is called so", ("containers", index, "command")
        limit = at(container, "resources", "limits", "memory")
        if limit is not None and quantity.parse(limit) < _LEAST_MEMORY:
            unit = ", where m is a thousandth of a byte" if str(limit).endswith("m") else " bytes"
            said = f"the memory limit of container {text(container, 'name')} is {limit}{unit}"
            where = ("containers", index, "resources", "limits", "memory")
            return f"{said}: no process starts in that", where
        for probe in ("startupProbe", "readinessProbe"):
            for handler in ("httpGet", "tcpSocket"):
                host = text(container, probe, handler, "host")
                if host in LOOPBACK and at(draft.spec, "hostNetwork") is not True:
                    name = text(container, "name")
                    said = f"the {probe} of container {name} asks host {host}, which is the node "
                    where = ("containers", index, probe, handler, "host")
                    return f"{said}itself: the kubelet asks from there", where
                port = at(container, probe, handler, "port")
                if not isinstance(port, str) or port.isdecimal():
                    continue
                if all(text(entry, "name") != port for entry in array(container, "ports")):
                    name = text(container, "name")
                    return (
                        (
                            f"the {probe} of container {name} asks port {port}, and no port of "
                            "that container is called so"
                        ),
                        ("containers", index, probe, handler, "port"),
                    )
    return "", ()


def _begun(line: str) -> str:
    """How a command line begins: what comes after its program and one word may be a password."""
    plain = []
    for word in line.split()[:2]:
        if not _PLAIN.fullmatch(word):
            break
        plain.append(word)
    begun = " ".join(plain)
    return begun if begun == line else f"{begun} …".lstrip()


def job_ends(name: str, states: Iterable[PodState]) -> bool:
    """Whether the pods of the Job `name` end well: then all of them were made, one by one."""
    for state in states:
        if state.owner in (None, name) and state.owner_kind in (None, "Job"):
            return state.ends_all_well
    return False
