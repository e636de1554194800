"""What an image is called, however it is written."""

from __future__ import annotations

import pytest

from k8stui.cluster.programs.images import bare_image, is_kube_proxy


@pytest.mark.parametrize("end", ["", ":1.27", "@sha256:0f", ":1.27@sha256:0f"])
@pytest.mark.parametrize("name", ["nginx", "docker.io/library/nginx", "localhost:5000/a/b"])
def test_without_tag_and_digest(name: str, end: str) -> None:
    assert bare_image(name + end) == name


@pytest.mark.parametrize(
    ("image", "words", "is_one"),
    [
        ("registry.k8s.io/kube-proxy:v1.33.1", (), True),
        ("602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.29.0", ("sh", "-c"), True),
        ("k8s.gcr.io/kube-proxy-amd64:v1.11.0", (), True),
        ("rancher/hardened-kubernetes:v1.28.10-rke2r1", ("kube-proxy",), True),
        ("img", ("/usr/local/bin/kube-proxy --v=2",), True),
        ("rancher/hardened-kubernetes:v1.28.10-rke2r1", ("kube-apiserver",), False),
        ("my/not-a-kube-proxy", (), False),
        ("kube-proxy-exporter", (), False),
    ],
)
def test_a_kube_proxy(image: str, words: tuple[str, ...], is_one: bool) -> None:
    assert is_kube_proxy(image, words) is is_one
