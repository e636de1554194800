"""Mistakes that are said in a note while their object is kept. Every such choice stands here.

- An API version that newer servers have dropped (rejected 32): the manifest was right for the
  cluster it was written for, and its fields still mean what they meant.
- A namespace that nothing in the input makes (rejected 51): most are made by other means
  (``kubectl create namespace``, a chart's ``--create-namespace``). Without its objects nothing
  would be left to look at, so they are kept, with one note a namespace.
- A ServiceAccount that nothing in the input makes: the server refuses a Pod that names it, and
  controllers make none. It is mostly made by other means, so such Pods are kept, with a note.
- A container without an image (rejected 28): no packet depends on it, and a sketch of a cluster
  leaves it out. Without its pods every walk to them would die of the wrong cause.
- A quantity without any digit: somebody fills it in before it is applied, and no packet depends
  on it.
- The same object twice in manifests, the second changing what may not change (rejected 40-42):
  two folders often hold alternatives, and which of them a cluster has is not known; as everywhere
  the last one counts. After a dump, which says what is there, such a change is refused.
- A workload without selector in a folder whose kustomization gives labels to all: there it is
  left out on purpose. So is the name of a Namespace where the kustomization sets it.
- A range of addresses with bits behind its length, which servers refuse since 1.36 alone: the
  manifest was right for those before, and all of them read the same network.
- A Service name that begins with a digit (rejected 12) is taken since 1.36; servers before refuse
  it. Nothing is said: this one is judged by 1.36.

A key that stands twice, an unknown field and a missing name are said by the reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from k8stui.apiserver.fields import table, text
from k8stui.apiserver.inventory import ALWAYS_THERE
from k8stui.apiserver.validation.kustomized import is_labelled, is_renamed
from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.manifests.manifest import Manifest, Path
from k8stui.manifests.problem import Note
from k8stui.manifests.schema import KINDS

_LABELLED = (("spec", "selector"), ("spec", "template", "metadata", "labels"))
_DROPPED = {
    "extensions/v1beta1": "1.16",
    "apps/v1beta1": "1.16",
    "apps/v1beta2": "1.16",
    "networking.k8s.io/v1beta1": "1.22",
    "batch/v1beta1": "1.25",
    "batch/v2alpha1": "1.21",
    "discovery.k8s.io/v1beta1": "1.25",
    "node.k8s.io/v1beta1": "1.25",
    "admissionregistration.k8s.io/v1beta1": "1.22",
    "apiregistration.k8s.io/v1beta1": "1.22",
    "scheduling.k8s.io/v1beta1": "1.22",
    "storage.k8s.io/v1beta1": "1.22",
}
"""Since which server (deprecation guide of the Kubernetes documentation)."""
_STILL_SERVED = {("ServiceCIDR", "networking.k8s.io/v1beta1")}


def is_kept(mistake: Mistake) -> bool:
    """Whether the object stays in spite of it."""
    if mistake.placeholder or mistake.since:
        return True
    return mistake.wrong is Wrong.REQUIRED and mistake.path[-1:] == ("image",)


def is_completed(one: Manifest, mistake: Mistake) -> bool:
    """Whether a kustomization writes it: selector, the labels it wants, the name of a Namespace."""
    if mistake.path == ("metadata", "name"):
        return is_renamed(one)
    if mistake.path not in _LABELLED or not is_labelled(one):
        return False
    return not table(one.data, "spec", "selector")


def dropped_since(one: Manifest) -> str | None:
    """Give the first release whose servers refuse the object's apiVersion; None: all have it."""
    if (one.kind, one.api_version) in _STILL_SERVED:
        return None
    if (one.kind, one.api_version) == ("Ingress", "extensions/v1beta1"):
        return "1.22"
    return _DROPPED.get(one.api_version)


def old_version(one: Manifest) -> Note | None:
    """Say that newer servers refuse an object that is shown all the same; None: they do not."""
    since = dropped_since(one)
    if since is None:
        return None
    place = one.place("apiVersion")
    return Note(
        message=f"{one.kind} {one.name}: servers since {since} refuse {one.api_version}; kept here",
        file=one.file,
        line=place.line,
        column=place.column,
        hint=f"write apiVersion: {KINDS[one.kind].versions[0]}",
    )


def missing_accounts(objects: Iterable[Manifest]) -> Iterator[Note]:
    """One note for each ServiceAccount that bare Pods name and that nothing makes."""
    made = set[tuple[str, str]]()
    wanting: dict[tuple[str, str], list[Manifest]] = {}
    for one in objects:
        if one.kind == "ServiceAccount":
            made.add((one.namespace or "default", one.name))
        elif one.kind == "Pod" and not one.observed:
            name = text(table(one.data, "spec"), "serviceAccountName")
            if name and name != "default":
                wanting.setdefault((one.namespace or "default", name), []).append(one)
    for (namespace, name), those in wanting.items():
        if (namespace, name) in made:
            continue
        yield _missing(
            f"ServiceAccount {name!r}",
            those,
            ("spec", "serviceAccountName"),
            f"kubectl create serviceaccount {name} --namespace {namespace}",
        )


def missing_namespaces(objects: Iterable[Manifest]) -> Iterator[Note]:
    """One note for each namespace that objects are in and that nothing makes."""
    made = set(ALWAYS_THERE)
    wanting: dict[str, list[Manifest]] = {}
    for one in objects:
        if one.kind == "Namespace":
            made.add(one.name)
        elif one.namespace and one.observed:
            made.add(one.namespace)
        elif one.namespace and one.kind in KINDS and KINDS[one.kind].namespaced:
            wanting.setdefault(one.namespace, []).append(one)
    for namespace, those in wanting.items():
        if namespace in made:
            continue
        yield _missing(
            f"namespace {namespace!r}",
            those,
            ("metadata", "namespace"),
            f"kubectl create namespace {namespace}",
        )


def _missing(what: str, wanting: Sequence[Manifest], field: Path, hint: str) -> Note:
    """Say that nothing makes what the objects `wanting` name in `field`."""
    first = wanting[0]
    place = first.place(*field)
    others = f" and {len(wanting) - 1} more" if len(wanting) > 1 else ""
    return Note(
        message=f"{what} is nowhere in the input: where it is not there yet, "
        f"the API server refuses {first.kind} {first.name}{others}; kept here",
        file=first.file,
        line=place.line,
        column=place.column,
        count=len(wanting),
        hint=hint,
    )
