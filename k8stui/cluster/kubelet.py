"""What a kubelet reports of a pod: that stands in no manifest, so it is said from outside.

Every pod that got a node is taken to run and to be ready, unless a `PodState` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from k8stui.cluster.draft import Draft
from k8stui.cluster.model import PodPhase
from k8stui.cluster.programs.starting import Unready
from k8stui.cluster.programs.unready import by_own_words
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


def state_of(draft: Draft, states: Iterable[PodState]) -> PodState:
    """The state of a pod that has a node."""
    return next((state for state in states if state.fits(draft)), _RUNS)


OwnWords = dict[int, Unready | None]
"""What `by_own_words` says, by the spec's id: that of a template's pods is one."""


def is_ready(draft: Draft, states: Iterable[PodState], said: OwnWords) -> bool:
    """Whether the pod becomes ready.

    Readiness gates are conditions that somebody else must set; nobody does here.
    """
    state = state_of(draft, states)
    is_up = state.phase is PodPhase.RUNNING and state.ready
    return is_up and lack_of(draft, states, said) is None


def lack_of(draft: Draft, states: Iterable[PodState], said: OwnWords) -> Unready | None:
    """What keeps it from being ready by its own words; a state refutes what is not sure.

    `said` is filled; it is good while the drafts are.
    """
    spec = id(draft.spec)
    if spec not in said:
        said[spec] = by_own_words(draft.spec)
    lack = said[spec]
    if lack is None or lack.sure:
        return lack
    return None if any(state.fits(draft) for state in states) else lack


def job_ends(name: str, states: Iterable[PodState]) -> bool:
    """Whether the pods of the Job `name` end well: then all of them were made, one by one."""
    for state in states:
        if state.owner in (None, name) and state.owner_kind in (None, "Job"):
            return state.ends_all_well
    return False
