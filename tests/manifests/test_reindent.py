"""One line that is indented wrongly is told where it stands, not where YAML notices."""

from __future__ import annotations

import io

import pytest

from k8stui.apiserver import apply

_GOOD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: nginx
          readinessProbe:
            httpGet:
              path: /
              port: 80
            periodSeconds: 2
          ports:
            - containerPort: 80
"""
_STRUCTURE = (3, 4, 7, 8, 10, 11, 12, 14, 15, 18, 19, 23)
"""Lines, from 1, without which (elsewhere) the object cannot be."""


@pytest.mark.parametrize("by", [-2, -1, 1, 2])
@pytest.mark.parametrize("line", _STRUCTURE)
def test_the_moved_line_is_told(line: int, by: int) -> None:
    lines = _GOOD.splitlines()
    text = lines[line - 1]
    column = len(text) - len(text.lstrip())
    if column + by < 0:
        pytest.skip("it cannot be moved that far")
    lines[line - 1] = " " * (column + by) + text.lstrip()
    content = "\n".join(lines) + "\n"
    found = apply(["-"], stdin=io.BytesIO(content.encode()))
    if apply(["-"], stdin=io.BytesIO(_GOOD.encode())).objects[0].data == (
        found.objects[0].data if found.objects else None
    ):
        return  # YAML reads the same
    told = [p.line for p in found.problems] + [n.line for n in found.notes]
    assert {line, line + 1} & set(told)
    moved = [problem for problem in found.problems if "was meant" in problem.message]
    assert all(problem.hint.endswith(text) for problem in moved)
    if len(told) == 1 and line in {3, 11, 18}:
        assert moved, found.problems


def test_two_moved_lines_are_told_one_by_one() -> None:
    content = _GOOD.replace("    metadata:", "  metadata:").replace(
        "      containers:", "   containers:"
    )
    found = apply(["-"], stdin=io.BytesIO(content.encode()))
    assert found.problems
    assert not found.objects


def test_a_long_object_is_not_tried_for_ever() -> None:
    env = "".join(f"            - {{name: A{n}, value: b}}\n" for n in range(20_000))
    content = _GOOD.replace("  template:", " template:") + "          env:\n" + env
    assert apply(["-"], stdin=io.BytesIO(content.encode())).problems
