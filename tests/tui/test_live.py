"""A live cluster on the screen: whoever leaves takes kubectl along."""

from __future__ import annotations

import pytest

from k8stui.manifests import kubectl
from k8stui.tui.jobs import Jobs


def test_calling_the_load_off_ends_kubectl(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[bool] = []
    monkeypatch.setattr(kubectl, "end_all", lambda: ended.append(True))
    Jobs([], context="prod").call_off()
    assert ended == [True]
