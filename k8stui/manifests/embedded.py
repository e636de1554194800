"""Documents inside a ConfigMap: kube-proxy's, kubeadm's and flannel's configuration."""

from __future__ import annotations

from dataclasses import replace

from k8stui.manifests import tree
from k8stui.manifests.events import YamlFault
from k8stui.manifests.found import Found
from k8stui.manifests.manifest import Manifest
from k8stui.manifests.reader import read_text
from k8stui.manifests.source import SourceText
from k8stui.manifests.text import Text
from k8stui.record import record

CONFIGURATIONS = {
    "kube-proxy": ("config.conf",),
    "kubeadm-config": ("ClusterConfiguration",),
    "kube-flannel-cfg": ("net-conf.json",),
}
"""ConfigMaps whose documents decide about the network: name → keys. Their mistakes are told at
load. Sources: kubeadm phases/addons/proxy and uploadconfig; flannel's kube-flannel.yml."""


def embedded(manifest: Manifest, key: str) -> tuple[Manifest, ...]:
    """Read the documents in ``data[key]``; () when there is none, or it is broken.

    A document without a name has the key's name; one without kind has kind ""; it is observed when
    its ConfigMap is. Places point into
    the outer file: exactly for a block scalar (``|``), else to the key.
    """
    return tuple(read_embedded(manifest, key).objects)


def read_embedded(manifest: Manifest, key: str) -> Found:
    """As `embedded`, with problems and notes."""
    data = manifest.data.get("data")
    content = data.get(key) if isinstance(data, dict) else None
    if not isinstance(content, str):
        return Found()
    found = Found()
    read_text(_inner(manifest, key, content), found, any_kind=True)
    found.objects = [
        replace(one, name=one.name or key, observed=manifest.observed) for one in found.objects
    ]
    return found


def position_in(manifest: Manifest, key: str, offset: int) -> tuple[int, int]:
    """1-based line and column, in the outer file, of a place in the text of ``data[key]``."""
    data = manifest.data.get("data")
    content = data.get(key) if isinstance(data, dict) else None
    return _inner(manifest, key, content if isinstance(content, str) else "").position(offset)


@record()
class InnerPlace:
    """A `Place` in the text of ``data[key]``, looked for on the first question."""

    manifest: Manifest
    key: str
    offset: int

    @property
    def file(self) -> str:
        return self.manifest.file

    @property
    def line(self) -> int:
        return position_in(self.manifest, self.key, self.offset)[0]

    @property
    def column(self) -> int:
        return position_in(self.manifest, self.key, self.offset)[1]

    @property
    def field(self) -> str:
        return self.manifest.place("data", self.key).field


def _inner(manifest: Manifest, key: str, content: str) -> Text:
    outer = manifest.locator
    place = manifest.place("data", key)
    fixed = Text(manifest.file, content, fixed=(place.line, place.column))
    if not isinstance(outer, SourceText) or outer.json:
        return fixed
    piece, base = outer.piece()
    try:
        root = tree.tree(piece)
    except YamlFault:
        return fixed
    node = tree.find(root, ("data", key))[1] if root else None
    if node is None or node.style != "|":
        return fixed
    head, _ = outer.text.line_column(base + node.start)
    raw = piece[node.start : node.end].split("\n")[1:]
    for written, meant in zip(raw, content.split("\n"), strict=False):
        if meant.strip():
            indent = len(written) - len(meant)
            above, left = outer.text.position(0)
            return Text(
                manifest.file, content, shift=head + above, indent=max(0, indent + left - 1)
            )
    return fixed
