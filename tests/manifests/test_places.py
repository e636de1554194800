"""place(*path) points at the text of the field, in YAML and JSON, in documents and lists."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from k8stui.apiserver import apply
from k8stui.manifests import Manifest, OriginKind
from k8stui.manifests.manifest import field_name

TEXT = """\
# a comment
apiVersion: v1
kind: Service
metadata:
  name: s
  labels: &labels {app: web, tier: "front"}
  annotations:
    example.com/x: |
      kind: not me
      name: nor me
spec:
  selector: *labels
  ports:
  - port: 80
    name: http
  - {port: 443, name: https}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: one
  data:
    a: b
-   kind: ConfigMap
    apiVersion: v1
    metadata:
      name: "two"
"""


def read(text: str) -> tuple[Manifest, ...]:
    found = apply(["-"], stdin=io.BytesIO(text.encode()))
    assert not found.problems
    return found.objects


@pytest.mark.parametrize(
    ("index", "path", "line", "column"),
    [
        (0, (), 2, 1),
        (0, ("metadata",), 4, 1),
        (0, ("metadata", "name"), 5, 3),
        (0, ("metadata", "labels", "tier"), 6, 30),
        (0, ("metadata", "annotations", "example.com/x"), 8, 5),
        (0, ("spec", "selector"), 12, 3),
        (0, ("spec", "selector", "app"), 6, 20),
        (0, ("spec", "ports", 0), 14, 5),
        (0, ("spec", "ports", 0, "name"), 15, 5),
        (0, ("spec", "ports", 1, "name"), 16, 17),
        (0, ("spec", "ports", 7, "name"), 13, 3),
        (0, ("spec", "type"), 11, 1),
        (1, (), 21, 3),
        (1, ("metadata", "name"), 24, 5),
        (1, ("data", "a"), 26, 5),
        (2, ("metadata", "name"), 30, 7),
    ],
    ids=lambda value: field_name(value) or "object" if isinstance(value, tuple) else None,
)
def test_yaml(index: int, path: tuple[str | int, ...], line: int, column: int) -> None:
    place = read(TEXT)[index].place(*path)
    assert (place.file, place.line, place.column) == ("-", line, column)


def test_field_names_and_origins() -> None:
    service = read(TEXT)[0]
    assert service.place("spec", "ports", 0, "port").field == "spec.ports[0].port"
    assert service.place("metadata", "labels", "a.b/c").field == "metadata.labels[a.b/c]"
    origin = service.origin("spec", "ports", 0)
    assert origin.kind is OriginKind.DECLARED
    assert str(origin) == "declared -:14"
    assert service.place("spec") == service.place("spec")
    assert str(service.place("spec")) == "-:11:1"


_JSON = ("json", "indented", "json list")


def _paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _paths(one, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _paths(one, (*path, index))


_words = st.text(st.sampled_from("abz.-/ üß漢😀:#'\"\\{"), min_size=1, max_size=8)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.dictionaries(_words, _values, max_size=4), min_size=1, max_size=3),
    st.sampled_from(["json", "indented", "yaml", "flow", "list", "json list"]),
)
def test_every_path_points_at_its_text(parts: list[dict[str, object]], style: str) -> None:
    objects = [
        {"kind": "Namespace", "metadata": {"name": f"n{n}"}, "spec": part, "apiVersion": "v1"}
        for n, part in enumerate(parts)
    ]
    listed = {"apiVersion": "v1", "items": objects, "kind": "List"}
    text = {
        "json": lambda: "\n".join(json.dumps(one, ensure_ascii=False) for one in objects),
        "indented": lambda: "\n".join(json.dumps(one, indent=1) for one in objects),
        "yaml": lambda: yaml.safe_dump_all(objects, allow_unicode=True),
        "flow": lambda: yaml.safe_dump_all(objects, default_flow_style=True),
        "list": lambda: yaml.safe_dump(listed, sort_keys=False),
        "json list": lambda: json.dumps(listed, indent=4),
    }[style]()
    lines = text.split("\n")
    for one, written in zip(read(text), objects, strict=True):
        for path in _paths(written):
            if not path:
                continue
            place = one.place(*path)
            rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
            key = path[-1]
            if isinstance(key, str):
                assert _scalar(rest, json_=style in _JSON) == key
            else:
                value: object = written
                for part in path:
                    value = value[part]  # type: ignore[index]
                assert _begins_with(rest, value, style)


def _scalar(rest: str, *, json_: bool) -> object:
    """The first scalar of `rest`, as a key."""
    rest = rest.removeprefix("? ")
    if json_:
        return json.JSONDecoder().raw_decode(rest)[0]
    if rest[0] not in "\"'":
        rest = rest.split("\n")[0]
    for event in yaml.parse(rest[:400] + "\n", yaml.CSafeLoader):
        if isinstance(event, yaml.ScalarEvent):
            return event.value
    return None


def _begins_with(rest: str, value: object, style: str) -> bool:
    if isinstance(value, list):
        return rest.startswith(("[", "-"))
    if isinstance(value, dict):
        if not value or rest[0] in "{?":
            return True
        return _scalar(rest, json_=style in _JSON) in value
    if isinstance(value, str):
        if rest[0] in "\"'":
            return _scalar(rest, json_=style in _JSON) == value
        # Alone, a plain value would go on to the end of its line; it may also be folded.
        return "".join(rest.split()).startswith("".join(value.split()))
    return rest.startswith(json.dumps(value))
