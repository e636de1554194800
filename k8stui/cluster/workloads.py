"""Workloads to pods: how many, what they are called, whose they are.

Sources: pkg/controller/{deployment,replicaset,statefulset,daemon,job}; docs/facts/control-plane.md
section 4. Random suffixes are replaced by numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from k8stui.apiserver import defaults
from k8stui.apiserver.admission import Admission
from k8stui.apiserver.fields import Object, labels, number, table, text
from k8stui.apiserver.inventory import WORKLOADS, Inventory, key_of, namespace_of
from k8stui.apiserver.validation.unfinished import is_filled_in
from k8stui.apiserver.validation.workload import refused_pod
from k8stui.cluster.autoscalers import Autoscalers
from k8stui.cluster.controller_marks import is_indexed, mark, ordinals, stand_in_hash
from k8stui.cluster.daemons import daemon_nodes, daemon_spec
from k8stui.cluster.decode.pod import decode_containers, decode_pod
from k8stui.cluster.draft import Draft
from k8stui.cluster.kubelet import PodState, job_ends
from k8stui.cluster.memory import NO_MEMORY, Memory
from k8stui.cluster.mentions import template_path
from k8stui.cluster.model import Container, Lack, Node, Remark, Workload
from k8stui.cluster.ownership import controller, top_owner
from k8stui.cluster.selectors import matches
from k8stui.manifests.manifest import field_name
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

_SHORT = {
    "Deployment": "deploy",
    "ReplicaSet": "rs",
    "ReplicationController": "rc",
    "StatefulSet": "sts",
    "DaemonSet": "ds",
    "Job": "job",
}
_LONGEST_SET = 54
"""The label controller-revision-hash holds the name, '-' and at least 8 characters: 63 in all."""
_ADOPTING = frozenset({"ReplicaSet", "ReplicationController"})

PAUSED = "it is paused (spec.paused), and makes no new pods"
"""deployment_controller.go syncDeployment: a paused one is only scaled."""
Owner = tuple[str, str, str]
"""(kind, namespace, name)."""


@record(frozen=False)
class Expansion:
    """The pods of every workload, and what was not made."""

    drafts: list[Draft] = field(default_factory=list)
    workloads: list[Workload] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def remark(self, text: str, manifest: Manifest, *field: str | int) -> None:
        """Note what is not as an object wants it; `field`: the one that wants it."""
        self.remarks.append(Remark(text=text, origin=manifest.origin(*field)))

    def evict(self) -> None:
        """Take out pods that had to leave and that nobody makes anew."""
        gone = [draft for draft in self.drafts if draft.evicted]
        if gone:
            self.drafts = [draft for draft in self.drafts if not draft.evicted]
        for draft in gone:
            self.remark(f"pod {draft.key}: {draft.pending_reason}", draft.manifest)

    def drop(self, drafts: AbstractSet[Draft]) -> None:
        """Take out pods that a StatefulSet does not make, because an earlier one is not ready."""
        keys = {draft.key for draft in drafts}
        self.drafts = [draft for draft in self.drafts if draft not in drafts]
        self.workloads = [
            replace(workload, pods=tuple(pod for pod in workload.pods if pod not in keys))
            if workload.kind == "StatefulSet" and not keys.isdisjoint(workload.pods)
            else workload
            for workload in self.workloads
        ]
        held: dict[tuple[str, str], list[Draft]] = {}
        for draft in drafts:
            held.setdefault((draft.namespace, draft.manifest.name), []).append(draft)
        for first, *more in held.values():
            if first.after is not None:
                which = (
                    f"pods {first.key} and {len(more)} more are" if more else f"pod {first.key} is"
                )
                said = f"{which} not made before {first.after.name} is running and ready"
                self.remark(said, first.manifest)


class Expander:
    """Makes every pod that is admitted, in the order of the input.

    Pods that a dump holds win over the templates that own them, and a workload of a dump that
    holds pods has exactly those that it owns there. More pod makers can come later.
    """

    def __init__(
        self,
        inventory: Inventory,
        nodes: Mapping[str, Node],
        admission: Admission,
        states: Sequence[PodState] = (),
        memory: Memory = NO_MEMORY,
    ) -> None:
        self._memory = memory
        self._inventory = inventory
        self._nodes = nodes
        self._admission = admission
        self._states = states
        self._result = Expansion()
        self._done = 0
        """How many pod makers have made theirs."""
        self._dump_has_pods = inventory.has_observed("Pod")
        self._seen: dict[Owner, list[Draft]] = {}
        self._orphans: dict[str, list[Draft]] = {}
        """Declared pods without owner by namespace, in their order so far."""
        self._full: dict[str, list[tuple[Owner, Object]]] = {}
        """ReplicaSets that have all their pods, by namespace, with their selectors."""
        self._taken: set[str] = set()
        self._lacks: dict[Owner, str] = {}
        """What keeps pods of a workload away."""
        self._refused: dict[Owner, Lack] = {}
        self._autoscalers = Autoscalers(inventory)
        self._lacks_parent = False
        """A ReplicaSet names an owner that is not there: if it comes, that one makes the pods."""

    def is_done(self, inventory: Inventory) -> bool:
        """Whether no pod maker has come since."""
        return len(inventory.pod_makers) == self._done

    def can_take(self, inventory: Inventory) -> bool:
        """Whether the pod makers that have come since change nothing of what was made before."""
        more = inventory.pod_makers[self._done :]
        return not (
            self._lacks_parent
            or any(one.observed for one in more)
            or any(one.kind in _ADOPTING and self._orphans.get(namespace_of(one)) for one in more)
            or not self._taken.isdisjoint(self._fixed_names(more))
        )

    def take(self, inventory: Inventory) -> Expansion:
        """All that was made so far, with the pods of the makers that have come since."""
        self._inventory = inventory
        more = inventory.pod_makers[self._done :]
        written = {key_of(one): decode_pod(one) for one in more if one.kind == "Pod"}
        for draft in written.values():
            owner = top_owner(draft.manifest, self._inventory)
            if draft.observed and owner is not None:
                draft.owner = owner
                self._seen.setdefault((owner[0], draft.namespace, owner[1]), []).append(draft)
        self._admission.seen(
            (draft.namespace, draft.spec)
            for draft in written.values()
            if draft.observed and not draft.finished
        )
        self._taken.update(self._fixed_names(more))
        for place, manifest in enumerate(more, self._done):
            self._admission.turn(place)
            if manifest.kind in WORKLOADS:
                self._workload(self._scaled(manifest))
            else:
                self._pod(written[key_of(manifest)])
        self._done += len(more)
        workloads = [*self._result.workloads, *self._cron_jobs()]
        if self._seen:
            workloads += self._unwritten_owners(workloads)
        return Expansion([*self._result.drafts], workloads, [*self._result.remarks])

    def _fixed_names(self, makers: Iterable[Manifest]) -> Iterator[str]:
        """Keys of pods whose names are no choice, so that nobody else may have them."""
        for one in makers:
            if one.kind == "Pod":
                yield key_of(one)
            elif one.kind == "StatefulSet":
                scaled = self._autoscalers.scaled(one)
                first, count = ordinals(table(scaled.data, "spec"))
                yield from (f"{key_of(one)}-{first + n}" for n in range(count))

    def _scaled(self, manifest: Manifest) -> Manifest:
        """The workload as its autoscaler wants it, which is said."""
        found = self._autoscalers.of(manifest)
        if found is None:
            return manifest
        scaled = self._autoscalers.scaled(manifest)
        count = defaults.replicas(scaled.kind, table(scaled.data, "spec"))
        said = f"HorizontalPodAutoscaler {found.name} gives {manifest.kind} {manifest.name} {count}"
        self._result.remark(f"{said} replicas", found, "spec", "minReplicas")
        return scaled

    def _pod(self, draft: Draft) -> None:
        if not draft.observed:
            for (kind, _, name), selector in self._full.get(draft.namespace, ()):
                if matches(selector, draft.labels):
                    self._result.remark(
                        f"pod {draft.key} is one too many for {kind} {name}, which "
                        "selects it and has all its pods: it is deleted at once",
                        draft.manifest,
                    )
                    return
            draft.spec = self._admission.completed(draft.namespace, draft.spec)
            if refusal := self._admission.refuse(draft.namespace, draft.spec):
                said = f"pod {draft.key} is forbidden: {refusal}"
                self._result.remark(said, draft.manifest)
                return
            self._orphans.setdefault(draft.namespace, []).append(draft)
        self._result.drafts.append(draft)

    def _workload(self, manifest: Manifest) -> None:
        kind, namespace, name = manifest.kind, namespace_of(manifest), manifest.name
        parent = controller(manifest)
        if kind == "ReplicaSet" and parent is not None:
            if f"{namespace}/{parent[1]}" in self._inventory.of(parent[0]):
                return
            self._lacks_parent = True
            kind, name = parent
        owner = (kind, namespace, name)
        if owner in self._seen:
            if parent is None:
                self._record(manifest, owner, [draft.key for draft in self._seen[owner]])
            return
        if manifest.observed and self._dump_has_pods:
            if parent is None:
                self._record(manifest, owner, [])
            return
        drafts = self._make(manifest, owner)
        if parent is None or drafts:
            self._record(manifest, owner, [draft.key for draft in drafts])

    def _cron_jobs(self) -> Iterator[Workload]:
        """What makes pods at its own times: here it has those that a dump shows."""
        for manifest in self._inventory.of("CronJob").values():
            owner = ("CronJob", namespace_of(manifest), manifest.name)
            seen = self._seen.get(owner, ())
            yield self._workload_of(manifest, owner, [draft.key for draft in seen])

    def _record(self, manifest: Manifest, owner: Owner, pods: list[str]) -> None:
        self._result.workloads.append(self._workload_of(manifest, owner, pods))

    def _workload_of(self, manifest: Manifest, owner: Owner, pods: list[str]) -> Workload:
        return Workload(
            kind=owner[0],
            namespace=owner[1],
            name=owner[2],
            replicas=None
            if owner[0] == "CronJob"
            else defaults.replicas(manifest.kind, table(manifest.data, "spec")),
            pods=tuple(pods),
            labels=_own_labels(manifest),
            pod_labels=labels(manifest.data, *template_path(manifest.kind), "metadata", "labels"),
            lack=self._lacks.get(owner, ""),
            refused=self._refused.get(owner),
            is_ordered=_is_ordered(manifest),
            origin=manifest.origin(),
        )

    def _unwritten_owners(self, written: Iterable[Workload]) -> Iterator[Workload]:
        """Owners that only their pods know: a dump of pods alone."""
        have = {(w.kind, w.namespace, w.name) for w in written}
        for owner, drafts in self._seen.items():
            if owner not in have:
                yield Workload(
                    kind=owner[0],
                    namespace=owner[1],
                    name=owner[2],
                    replicas=None if owner[0] == "DaemonSet" else len(drafts),
                    pods=tuple(draft.key for draft in drafts),
                    origin=drafts[0].manifest.origin("metadata", "ownerReferences"),
                )

    def _make(self, manifest: Manifest, owner: Owner) -> list[Draft]:
        spec = table(manifest.data, "spec")
        template = table(spec, "template")
        pod_spec = self._admission.completed(owner[1], table(template, "spec"))
        if manifest.kind == "DaemonSet":
            nodes = daemon_nodes(pod_spec, self._nodes.values())
            return self._replicas(
                manifest, owner, len(nodes), lambda n: daemon_spec(pod_spec, nodes[n].name)
            )
        count = defaults.made_replicas(manifest.kind, spec)
        if manifest.kind == "Job" and count and job_ends(owner[2], self._states):
            count = min(number(spec, "completions") or count, defaults.MOST_PODS)
        wanted = defaults.replicas(manifest.kind, spec) or 0
        paused = not count and spec.get("paused") is True
        if wanted > count:
            fewer = "it is paused, none is made" if paused else f"the first {count} are made"
            if paused:
                self._lacks[owner] = PAUSED
            said = f"{owner[0]} {owner[2]} wants {wanted} pods: {fewer}"
            self._result.remark(said, manifest, "spec", "replicas")
        adopted = self._adopt(manifest, owner, spec, count)
        made = self._replicas(manifest, owner, count - len(adopted), lambda _: pod_spec)
        if _is_ordered(manifest):
            for earlier, later in pairwise(made):
                later.after = earlier
        return adopted + made

    def _adopt(self, manifest: Manifest, owner: Owner, spec: Object, count: int) -> list[Draft]:
        """Take over declared pods that were there first and that the selector matches."""
        if manifest.kind not in _ADOPTING:
            return []
        selector = defaults.selector(manifest.kind, spec)
        found = [
            draft
            for draft in self._orphans.get(owner[1], ())
            if draft.owner is None and matches(selector, draft.labels)
        ]
        for draft in found[count:]:
            self._result.drafts.remove(draft)
            self._orphans[owner[1]].remove(draft)
            self._result.remark(
                f"pod {draft.key} is one too many for {owner[0]} {owner[2]}, which "
                "adopts and deletes it",
                draft.manifest,
            )
        for draft in found[:count]:
            draft.owner = owner[0], owner[2]
        self._full.setdefault(owner[1], []).append((owner, selector))
        return found[:count]

    def _replicas(
        self, manifest: Manifest, owner: Owner, count: int, spec_of: Callable[[int], Object]
    ) -> list[Draft]:
        if count <= 0:
            return []
        kind, namespace, name = owner
        spec = table(manifest.data, "spec")
        template = table(spec, "template")
        containers, digest = self._memory.kept(
            ("template", owner), (manifest,), partial(_read_template, manifest)
        )
        names = self._names(manifest, owner, count)
        made: list[Draft] = []
        if kind == "StatefulSet" and len(name) > _LONGEST_SET:
            said = f"StatefulSet {name} gets no pods: its name with a hash behind it is no label"
            self._result.remark(said, manifest)
            return made
        if kind == "StatefulSet" and not manifest.observed and (wrong := refused_pod(manifest)):
            said = f"{field_name(wrong.path)} {wrong.message}"
            if not is_filled_in(manifest, wrong):
                said = f"the API server refuses each of them: {said}"
                advice = f"write {wrong.mended}" if wrong.mended else wrong.hint
                self._lacks[owner] = said
                at = manifest.origin(*(wrong.at or wrong.path))
                self._refused[owner] = Lack(said, advice, at)
                said = f"StatefulSet {name} gets no pods: {said}"
                self._result.remark(said, manifest, *wrong.path)
                return made
            said += " (to be filled in; its pods are kept here)"
            self._result.remark(f"StatefulSet {name}: {said}", manifest, *wrong.path)
        for index, pod_name in enumerate(names):
            pod_spec = spec_of(index)
            draft = Draft(
                namespace=namespace,
                name=pod_name,
                labels={**labels(template, "metadata", "labels")},
                spec=pod_spec,
                containers=containers,
                manifest=manifest,
                spec_path=("spec", "template", "spec"),
                owner=(kind, name),
                replica=index,
                node_name=text(pod_spec, "nodeName") or None,
                hostname=text(pod_spec, "hostname") or None,
                subdomain=text(pod_spec, "subdomain") or None,
            )
            mark(draft, manifest, index, digest)
            if refusal := self._admission.refuse(draft.namespace, draft.spec):
                self._lacks[owner] = refusal
                said = f"{kind} {name} gets {index} of {count} pods: {refusal}"
                self._result.remark(said, manifest)
                break
            made.append(draft)
        self._result.drafts += made
        return made

    def _names(self, manifest: Manifest, owner: Owner, count: int) -> list[str]:
        """``frontend-1`` and on; with the kind in between where somebody else is called so."""
        spec = table(manifest.data, "spec")
        name = owner[2]
        if manifest.kind == "StatefulSet":
            first, _ = ordinals(spec)
            return [f"{name}-{first + n}" for n in range(count)]
        first = 0 if is_indexed(spec) else 1
        for base in (
            name,
            f"{name}-{_SHORT[manifest.kind]}",
            f"{name}-{_SHORT[manifest.kind]}-pod",
        ):
            names = [f"{base}-{first + n}" for n in range(count)]
            keys = {f"{owner[1]}/{pod}" for pod in names}
            if keys.isdisjoint(self._taken):
                break
        self._taken |= keys
        return names


def _read_template(manifest: Manifest) -> tuple[tuple[Container, ...], str]:
    """The containers of a workload's template, and what stands for its hash."""
    template = table(manifest.data, "spec", "template")
    path = ("spec", "template", "spec")
    return decode_containers(manifest, table(template, "spec"), path), stand_in_hash(template)


def _own_labels(manifest: Manifest) -> dict[str, str]:
    """A ReplicationController and a Job without labels get those of their template.

    Source: SetDefaults_ReplicationController, batch SetDefaults_Job.
    """
    own = labels(manifest.data, "metadata", "labels")
    if own or manifest.kind not in ("ReplicationController", "Job"):
        return own
    return labels(manifest.data, "spec", "template", "metadata", "labels")


def _is_ordered(manifest: Manifest) -> bool:
    """Whether each pod is made when the one before it is ready (podManagementPolicy)."""
    policy = text(manifest.data, "spec", "podManagementPolicy")
    return manifest.kind == "StatefulSet" and policy != "Parallel"
