"""Which kube-proxy runs on a node: its version chooses how the rules are written."""

from __future__ import annotations

import re
from collections.abc import Mapping

from k8stui.cluster.model import Cluster, Node
from k8stui.kernel.derived import Derived

_IMAGE = re.compile(r"(?:.*/)?kube-proxy(?:-\w+)?:(v1\.\d[^@]*)")


def version_said(cluster: Cluster, node: Node) -> tuple[str, str]:
    """Who says it, and the version: the pod's image, else what the Node reports, else kubelet's."""
    by_image = _images.of(cluster).get(node.name)
    if by_image is not None:
        return "kube-proxy", by_image
    if node.proxy_version:
        return "kube-proxy", node.proxy_version
    return "kubelet", node.kubelet_version


def _tags(cluster: Cluster) -> Mapping[str, str]:
    """By node the tag of the image of its kube-proxy's pod."""
    found = (
        (pod.node_name, _IMAGE.fullmatch(container.image))
        for pod in cluster.pods.values()
        if pod.namespace == "kube-system" and pod.node_name is not None
        for container in pod.containers
    )
    return {node: image[1] for node, image in found if node is not None and image is not None}


_images = Derived(_tags)
