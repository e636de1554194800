"""The projects' own manifests: objects and pods as manifests/README.md counts them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import truth

from k8stui.apiserver import apply
from k8stui.cluster.build import build

FOLDER = Path(truth.__file__).parent.parent.parent / "shared" / "manifests"

SETS = [
    ("kubernetes-examples/web/guestbook/all-in-one/guestbook-all-in-one.yaml", 3, 6),
    ("kubernetes-examples/web/guestbook/all-in-one", 3, 6),
    ("kubernetes-examples/web/guestbook/legacy", 0, 6),
    ("kubernetes-examples/web/guestbook-go", 3, 6),
    ("example-voting-app/k8s-specifications", 4, 5),
    ("microservices-demo/release/kubernetes-manifests.yaml", 12, 12),
    ("bookinfo/samples/bookinfo/platform/kube/bookinfo.yaml", 4, 6),
]


@pytest.mark.skipif(not FOLDER.is_dir(), reason="manifests is not on this machine")
@pytest.mark.parametrize(("path", "services", "pods"), SETS, ids=[s[0] for s in SETS])
def test_counts(path: str, services: int, pods: int) -> None:
    cluster = build(apply([str(FOLDER / path)]))
    assert len(cluster.services) == services + 1  # default/kubernetes
    assert len(cluster.pods) == pods
    assert all(pod.node_name and pod.addresses for pod in cluster.pods.values())
    used = Counter(address for pod in cluster.pods.values() for address in pod.addresses)
    assert set(used.values()) == {1}
    for key, slices in cluster.endpoint_slices.items():
        assert any(endpoint.ready for item in slices for endpoint in item.endpoints), key
