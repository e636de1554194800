"""Which walk is shown first."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.check.opening import opening
from k8stui.kernel.exchange import Result
from k8stui.walk.offers import first_offer
from k8stui.walk.world import build_world

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.mark.parametrize("name", ["webapp", "guestbook"])
def test_what_is_whole_opens_on_its_first_offer(name: str) -> None:
    folder = str(SAMPLES / name)
    world = build_world([folder])
    first, shown = first_offer(world), opening(world, [folder])
    assert first is not None
    assert shown is not None
    assert shown.request == first.request


@pytest.mark.parametrize(
    "name",
    [
        "local-policy-no-pod-here",
        "selector-matches-nothing",
        "target-port-name-unknown",
        "target-port-undeclared",
        "webapp-wrong-selector",
    ],
)
def test_a_broken_sample_opens_on_its_failure(name: str) -> None:
    folder = str(SAMPLES / "broken" / name)
    shown = opening(build_world([folder]), [folder])
    assert shown is not None
    assert shown.outcome.result is not Result.CONNECTED


def test_every_broken_sample_opens_on_what_is_wrong() -> None:
    connects = set()
    for folder in sorted((SAMPLES / "broken").iterdir()):
        shown = opening(build_world([str(folder)]), [str(folder)])
        assert shown is not None
        if shown.outcome.result is Result.CONNECTED:
            connects.add(folder.name)
    # There the client's address is lost, and nothing else.
    assert connects == {"source-address-lost"}


def test_a_second_service_that_is_broken_comes_before_a_first_that_is_not(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(
        """\
apiVersion: v1
kind: Pod
metadata: {name: hen, labels: {app: hen}}
spec:
  containers: [{name: hen, image: hen, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: hen}
spec: {selector: {app: hen}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: egg}
spec: {selector: {app: heb}, ports: [{port: 81}]}
"""
    )
    shown = opening(build_world([str(tmp_path)]), [str(tmp_path)])
    assert shown is not None
    assert shown.request.service == "default/egg"


def test_nothing_to_ask_for_is_no_walk(tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n")
    assert opening(build_world([str(tmp_path)]), [str(tmp_path)]) is None
