"""A selector and its template's labels differ by a letter: who is misspelt, the rest says."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.apiserver import apply

_SET = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  selector:
    matchLabels:
      app: {wanted}
  template:
    metadata:
      labels:
        app: {carried}
    spec:
      containers: [{{name: c, image: registry.example/c:1}}]
"""


@pytest.mark.parametrize(
    ("name", "wanted", "carried", "line"),
    [
        ("harbour", "harbuor", "harbour", 7),
        ("harbour", "harbour", "harbuor", 11),
        ("quay", "harbour", "harbuor", 11),  # nobody else is named so: the template, as ever
    ],
)
def test_two_against_one(tmp_path: Path, name: str, wanted: str, carried: str, line: int) -> None:
    file = tmp_path / "set.yaml"
    file.write_text(_SET.format(name=name, wanted=wanted, carried=carried))
    (problem,) = apply([str(file)]).problems
    meant = carried if line == 7 else wanted
    assert problem.line == line
    assert problem.hint.endswith(f"app: {meant}")
