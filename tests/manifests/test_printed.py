"""What comes through a pipe from kubectl and is no manifest, or only a part of one."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests.live_objects import shop

from k8stui.apiserver import apply
from k8stui.manifests import Manifests

LIST = {
    "apiVersion": "v1",
    "items": shop(),
    "kind": "List",
    "metadata": {"resourceVersion": ""},
}
JSON = json.dumps(LIST, indent=4) + "\n"
YAML = """\
apiVersion: v1
items:
- apiVersion: v1
  kind: Service
  metadata:
    name: web
    uid: u
  spec:
    ports:
    - port: 80
      protocol: TCP
kind: List
metadata:
  resourceVersion: ""
"""
OTHER = YAML.replace("name: web", "name: other")
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"


def piped(text: str) -> Manifests:
    return apply(["-"], stdin=io.BytesIO(text.encode()))


MISTAKES = {
    "nothing": ("", "nothing came through the pipe", "command before it"),
    "blanks": (" \n\n", "nothing came through the pipe", "command before it"),
    "table": (
        (
            "NAME                  READY   STATUS    RESTARTS   AGE\n"
            "web-6c7dc4b5bf-2xk4p  1/1     Running   0          5m\n"
        ),
        "a table for people, without what the objects say",
        "-o yaml",
    ),
    "wide table": (
        (
            "NAMESPACE   NAME  TYPE       CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE  SELECTOR\n"
            "shop        web   ClusterIP  10.77.0.10  <none>       80/TCP   5m   app=web\n"
        ),
        "a table for people, without what the objects say",
        "-o yaml",
    ),
    "wide pods": (
        (
            "NAME  READY  STATUS   RESTARTS  AGE  IP        NODE    NOMINATED NODE  READINESS\n"
            "web   1/1    Running  0         5m   10.9.1.5  worker  <none>          <none>\n"
        ),
        "a table for people, without what the objects say",
        "-o yaml",
    ),
    "names": (
        "service/web\ndeployment.apps/web\n",
        "names alone, without what the objects say",
        "-o yaml",
    ),
    "a described pod": (
        "Name:             web\nNamespace:        shop\nPriority:         0\n",
        "what kubectl describe prints for people",
        "-o yaml",
    ),
    "a described node": (
        "Name:               worker\nRoles:              <none>\n",
        "what kubectl describe prints for people",
        "-o yaml",
    ),
    "only a message": (
        (
            "The connection to the server localhost:8080 was refused - did you specify the right "
            "host or port?\n"
        ),
        "a message of kubectl, no object",
        "2>&1",
    ),
    "nothing found": ("No resources found\n", "a message of kubectl, no object", "2>&1"),
    "a warning first": (
        f"Warning: v1 Endpoints is deprecated in v1.33+\n{JSON}",
        "a message of kubectl, no object",
        "2>&1",
    ),
    "a log first": (
        f"E1124 13:47:38.602789    8334 memcache.go:265] down\n{YAML}",
        "a message of kubectl, no object",
        "2>&1",
    ),
    "an error last": (
        f"{YAML}Error from server (Forbidden): nodes is forbidden: no\n",
        "a message of kubectl, no object",
        "2>&1",
    ),
    "two lists": (
        YAML + OTHER,
        "a second List without --- before it: of both only this one would count",
        "echo ---",
    ),
    "two lists of three": (
        f"{YAML}---\n{OTHER}{YAML}",
        "a second List without --- before it: of both only this one would count",
        "echo ---",
    ),
}


@pytest.mark.parametrize(("text", "message", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_one_clear_message_with_what_helps(text: str, message: str, hint: str) -> None:
    found = piped(text)
    (problem,) = found.problems
    assert problem.message == message
    assert hint in problem.hint
    assert not found.notes
    if problem.line:
        assert text.splitlines()[problem.line - 1].startswith(problem.source_line)


WHOLE = {
    "json": (JSON, 5),
    "yaml": (YAML, 1),
    "yaml, then more": (f"{YAML}---\n{CONFIG_MAP}", 2),
    "two lists": (f"{YAML}---\n{OTHER}", 2),
    "two lists, a comment between": (f"{YAML}---\n# more\n{OTHER}", 2),
    "three lists": (f"{YAML}---\n{OTHER}--- # more\n\n{YAML.replace('web', 'third')}", 3),
    "two lists as json": (JSON + JSON.replace('"name": "', '"name": "x'), 10),
    "a list written by hand": (
        f"kind: List\napiVersion: v1\nitems:\n- {CONFIG_MAP.replace(chr(10), chr(10) + '  ')}",
        1,
    ),
    "the word at the end of a value": (f'{CONFIG_MAP}data:\n  x: "error: no"\n', 1),
}


@pytest.mark.parametrize(("text", "count"), WHOLE.values(), ids=WHOLE)
def test_what_is_whole_is_read(text: str, count: int) -> None:
    found = piped(text)
    assert not found.problems
    assert len(found.objects) == count


@given(st.integers(1, len(JSON.rstrip()) - 1))
def test_json_that_breaks_off(at: int) -> None:
    found = piped(JSON[:at])
    (problem,) = found.problems
    assert problem.message.startswith("the text breaks off here")
    assert problem.line == JSON[:at].rstrip().count("\n") + 1


@given(st.integers(YAML.index("- apiVersion"), YAML.index("kind: List")))
def test_yaml_that_breaks_off(at: int) -> None:
    found = piped(YAML[:at])
    (problem,) = found.problems
    assert problem.message.startswith("the List breaks off")
    assert not found.objects


def test_an_empty_list_is_said() -> None:
    found = piped(json.dumps({**LIST, "items": []}))
    assert not found.problems
    (note,) = found.notes
    assert note.message == "an empty list: kubectl found nothing"


@pytest.mark.parametrize(
    ("metadata", "left"),
    [
        ({"continue": "abc", "remainingItemCount": 700}, "700 more stand"),
        ({"continue": "abc"}, "more stands"),
    ],
    ids=["counted", "not counted"],
)
def test_a_part_of_a_list_is_said(metadata: dict[str, object], left: str) -> None:
    text = json.dumps(
        {
            "kind": "PodList",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": "7", **metadata},
            "items": [one for one in shop() if one["kind"] == "Pod"],
        }
    )
    found = piped(text)
    assert not found.problems
    (note,) = found.notes
    assert note.message == f"a part of a list: {left} on the server (metadata.continue)"
    assert len(found.objects) == 2


def test_a_file_is_judged_as_the_pipe_is_a_folder_s_is_only_skipped(tmp_path: Path) -> None:
    table = MISTAKES["table"][0]
    (tmp_path / "pods.yaml").write_text(table)
    (problem,) = apply([str(tmp_path / "pods.yaml")]).problems
    assert problem.message == "a table for people, without what the objects say"
    found = apply([str(tmp_path)])
    assert not found.problems
    assert "skipped" in found.notes[0].message
