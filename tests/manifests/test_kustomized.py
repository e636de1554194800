"""Workloads whose labels a kustomization gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.apiserver import apply

_WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers: [{name: c, image: x}]
"""


@pytest.mark.parametrize(
    ("kustomization", "kept"),
    [
        pytest.param("commonLabels: {app: web}\n", True, id="commonLabels"),
        pytest.param("labels:\n- pairs: {a: b}\n  includeSelectors: true\n", True, id="labels"),
        pytest.param("labels:\n- pairs: {a: b}\n", False, id="labels alone"),
        pytest.param("namePrefix: a-\n", False, id="others"),
        pytest.param(None, False, id="none"),
    ],
)
def test_a_selector_that_is_given_may_be_missing(
    kustomization: str | None, kept: bool, tmp_path: Path
) -> None:
    (tmp_path / "web.yaml").write_text(_WORKLOAD)
    if kustomization is not None:
        (tmp_path / "kustomization.yaml").write_text(kustomization)
    found = apply([str(tmp_path)])
    assert bool(found.objects) is kept
    assert bool(found.problems) is not kept


@pytest.mark.parametrize(("named", "kept"), [("../manager", True), ("../managers", False)])
def test_so_it_may_where_a_kustomization_beside_it_gives_it(
    named: str, kept: bool, tmp_path: Path
) -> None:
    for folder, kustomization in (
        ("manager", "resources: [web.yaml]\n"),
        ("default", f"commonLabels: {{app: web}}\nresources:\n- {named}\n"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "kustomization.yaml").write_text(kustomization)
    (tmp_path / "manager" / "web.yaml").write_text(_WORKLOAD)
    assert bool(apply([str(tmp_path)]).objects) is kept


@pytest.mark.parametrize(
    ("kustomization", "kept"), [("namespace: shop\n", True), ("namePrefix: a-\n", False)]
)
def test_so_may_the_name_of_a_namespace(kustomization: str, kept: bool, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text(kustomization)
    (tmp_path / "ns.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: _}\n")
    found = apply([str(tmp_path)])
    assert bool(found.objects) is kept
    assert bool(found.problems) is not kept
