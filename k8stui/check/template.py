"""Pod templates and Pods as they are written: what the rules about containers look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8stui.apiserver.fields import Object, array, labels, table, text
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.mentions import template_path
from k8stui.cluster.ownership import controller, top_owner
from k8stui.manifests import Manifest
from k8stui.origin import Place
from k8stui.record import record


@record(eq=False)
class ContainerText:
    """A container as it is written."""

    name: str
    data: Object
    path: tuple[str | int, ...]
    """Where it stands in the manifest."""
    init: bool


@record(eq=False)
class Template:
    """What one kind of pod is made of."""

    kind: str
    namespace: str
    name: str
    manifest: Manifest
    path: tuple[str, ...]
    """Where the template (metadata and spec) stands; empty for a Pod."""

    @property
    def subject(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def labels(self) -> dict[str, str]:
        return labels(self.manifest.data, *self.path, "metadata", "labels")

    @property
    def spec(self) -> Object:
        return table(self.manifest.data, *self.path, "spec")

    def place(self, *path: str | int) -> Place:
        return self.manifest.place(*self.path, *path)

    def containers(self) -> Iterator[ContainerText]:
        """Containers in order, then init containers."""
        for field in ("containers", "initContainers"):
            for index, entry in enumerate(array(self.spec, field)):
                yield ContainerText(
                    name=text(entry, "name"),
                    data=table(entry),
                    path=(*self.path, "spec", field, index),
                    init=field == "initContainers",
                )


def templates(inventory: Inventory, objects: Iterable[Manifest]) -> tuple[Template, ...]:
    """All templates in the order of the input; a pod counts where its maker is not in the input.

    Pods of a dump that share an owner which the dump does not hold are represented by the first.
    """
    found: list[Template] = []
    seen: set[tuple[str, str, str]] = set()
    cron_jobs = [manifest for manifest in objects if manifest.kind == "CronJob"]
    for manifest in (*inventory.pod_makers, *cron_jobs):
        namespace = namespace_of(manifest)
        owner = controller(manifest)
        if owner is not None:
            known = [owner]
            if manifest.kind == "Pod" and (top := top_owner(manifest, inventory)) is not None:
                known.append(top)
            if any(f"{namespace}/{name}" in inventory.of(kind) for kind, name in known):
                continue
            key = (namespace, *known[-1])
            if key in seen:
                continue
            seen.add(key)
        path = template_path(manifest.kind)
        found.append(Template(manifest.kind, namespace, manifest.name, manifest, path))
    return tuple(found)
