"""What is a template, and what only holds the text of one."""

from __future__ import annotations

import io

import pytest

from k8stui.apiserver import apply

_POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: c}]\n"


@pytest.mark.parametrize(
    "line",
    [
        "  nodeName: {{ node_name }}",
        "  nodeName: {{pillar['node']}}-1",
        "{{- if .Values.pod }}",
        "  {{ extra_fields }}",
    ],
)
def test_a_template_is_skipped(line: str) -> None:
    found = apply(["-"], stdin=io.BytesIO(f"{_POD}{line}\n".encode()))
    assert not found.problems
    assert any("unrendered template" in note.message for note in found.notes)


@pytest.mark.parametrize(
    "line",
    [
        "  args: 'see {{ $labels.pod }}'",
        "  nodeName: a # {{ .Values.node }}",
        "  nodeName: node-{{ number }}",
        "  text: |\n    up {{ $labels.pod }} is down",
    ],
)
def test_a_broken_text_that_holds_a_template_is_told(line: str) -> None:
    found = apply(["-"], stdin=io.BytesIO(f"{_POD}{line}\n   bad: [\n".encode()))
    assert found.problems


@pytest.mark.parametrize(
    "text",
    [
        "#@data/values\n---\nport: 80\n",
        "#@ load('@ytt:data', 'data')\n" + _POD,
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: #@ data.values.name\n",
        f"#@ if data.values.pod:\n{_POD}#@ end\n",
    ],
)
def test_what_ytt_makes_is_nothing_yet(text: str) -> None:
    found = apply(["-"], stdin=io.BytesIO(text.encode()))
    assert (found.problems, found.objects) == ((), ())
    assert ["ytt" in note.message for note in found.notes] == [True]


def test_a_comment_is_none_of_ytts() -> None:
    found = apply(["-"], stdin=io.BytesIO(f"#@author me\n# see #@ 3\n{_POD}".encode()))
    assert [one.name for one in found.objects] == ["a"]
