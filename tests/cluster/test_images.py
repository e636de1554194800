"""What an image is called, however it is written."""

from __future__ import annotations

import pytest

from k8stui.cluster.images import bare_image


@pytest.mark.parametrize("end", ["", ":1.27", "@sha256:0f", ":1.27@sha256:0f"])
@pytest.mark.parametrize("name", ["nginx", "docker.io/library/nginx", "localhost:5000/a/b"])
def test_without_tag_and_digest(name: str, end: str) -> None:
    assert bare_image(name + end) == name
