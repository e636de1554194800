"""A dump read by the shapes of its elements is what the parser alone makes of it.

The law is tried on dumps of our own making that are edited at random: values that stay values,
values that become something else, lines lost, doubled, moved, indented.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from k8stui.apiserver import apply
from k8stui.manifests import Manifests, events, reader, tree
from k8stui.manifests.dump import Dump, NotCutError

POD = """\
- apiVersion: v1
  kind: Pod
  metadata:
    annotations:
      example.com/note: |
        first: 1
        second line
      kubectl.kubernetes.io/default-container: app
    creationTimestamp: "2026-01-0{day}T10:00:00Z"
    labels:
      app: web
      number: "{number}"
    name: web-{number}
    namespace: shop
    uid: 00000000-{number}
  spec:
    containers:
    - args:
      - --port={port}
      - two words
      env:
      - name: EMPTY
      - name: TEXT
        value: 'it is: {number}'
      image: registry.example.com/web:v{number}
      name: app
      ports:
      - containerPort: {port}
        name: http
        protocol: TCP
      resources: {{}}
    nodeName: node-{day}
    tolerations:
    - effect: NoExecute
      key: node.kubernetes.io/not-ready
      operator: Exists
      tolerationSeconds: 300
  status:
    conditions:
    - message: all is
        well with {number}
      status: "True"
      type: Ready
    phase: Running
    podIP: 10.244.0.{number}
    podIPs:
    - ip: 10.244.0.{number}
"""
SERVICE = """\
- apiVersion: v1
  kind: Service
  metadata:
    name: web-{number}
    namespace: shop
    resourceVersion: "{number}"
  spec:
    clusterIP: 10.96.0.{number}
    ports:
    - nodePort: {node_port}
      port: 80
      protocol: TCP
      targetPort: {port}
    selector:
      app: web
    type: NodePort
  status:
    loadBalancer: {{}}
"""
SLICE = """\
- addressType: IPv4
  apiVersion: discovery.k8s.io/v1
  endpoints:
  - addresses:
    - 10.244.0.{number}
    conditions:
      ready: true
    nodeName: node-{day}
  kind: EndpointSlice
  metadata:
    labels:
      kubernetes.io/service-name: web-{number}
    name: web-{number}-abcde
    namespace: shop
    resourceVersion: "{number}"
  ports:
  - name: ""
    port: {port}
    protocol: TCP
"""
STRANGER = """\
- apiVersion: example.com/v1
  kind: Widget
  metadata:
    name: widget-{number}
    resourceVersion: "1"
  spec:
    ports: {number}
"""
HEAD, TAIL = "apiVersion: v1\nitems:\n", 'kind: List\nmetadata:\n  resourceVersion: ""\n'


def dump_of(count: int) -> str:
    elements = [
        one.format(number=10 + n, day=1 + n % 3, port=8080 + n % 2, node_port=30000 + n)
        for n in range(count)
        for one in (POD, SERVICE, SLICE, STRANGER)
    ]
    return HEAD + "".join(elements) + TAIL


DUMP = dump_of(6)
LINES = DUMP.splitlines()

VALUES = st.one_of(
    st.sampled_from(["8080", "'8080'", '"8080"', "99999", "-1", "0x1F", "1e3", "1_000", ".inf"]),
    st.sampled_from(
        ["true", "null", "~", "TCP", "UDP", "tcp", "''", '""', "y", "2026-01-01T00:00:00Z"]
    ),
    st.sampled_from(
        ["a:", "a:b", "{}", "[]", "[1,2]", "a,b", "&a", "*a", "&a b", "!!str", "!x", "="]
    ),
    st.sampled_from(
        ["|-", ">", "#", ".", "..", "'a", '"a', 'a"b', "\xe9", "a\x85b", "\u2028", "\x7f"]
    ),
    st.sampled_from(["", " ", "a b", "a  b", "a #b", "a: b", "a\tb", '"\\n"', "- a", "? a"]),
    st.sampled_from(["b\n    c: d", "b\n- c", "x\n---\ny: z", "b\n      c"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
)


@st.composite
def edited(draw: st.DrawFn) -> str:
    """Change one to three lines of the dump."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["value", "value", "value", "drop", "copy", "move", "indent"])):
            case "value":
                key, colon, _ = lines[at].partition(": ")
                lines[at] = (key if colon else lines[at] + " ") + (colon or "") + draw(VALUES)
            case "drop":
                del lines[at]
            case "copy":
                lines.insert(at, lines[at])
            case "move":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case "indent":
                lines[at] = draw(st.sampled_from([" ", "  ", "\t", "- "])) + lines[at]
    return "\n".join(lines) + "\n"


UNWRITTEN = (("spec", "nothing", 3), ("nothing", "at all"), ("metadata", 0), ("spec", "ports", 99))


def paths(value: object, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path at and below a value."""
    yield above
    if isinstance(value, dict):
        for key, one in value.items():
            yield from paths(one, (*above, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from paths(one, (*above, index))


def told(manifests: Manifests) -> object:
    return [
        (
            (one.kind, one.name, one.namespace, one.observed, one.data),
            [str(one.place(*path)) for path in (*paths(one.data), *UNWRITTEN)],
        )
        for one in manifests.objects
    ], [str(note) for note in manifests.notes]


def both(
    content: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Manifests, Manifests]:
    path = folder / "dump.yaml"
    path.write_text(content, encoding="utf-8", newline="")
    with monkeypatch.context() as patch:
        patch.setattr(reader, "_MANY", 0)
        by_shape = apply([str(path)])
        patch.setattr(reader, "_MANY", 10**12)
        return by_shape, apply([str(path)])


@given(content=edited())
@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@example(content=DUMP)
@example(content=DUMP.replace("nodePort: 30004", "nodePort: 70004"))
@example(content=DUMP.replace("protocol: TCP\n    selector", "protocol: TPC\n    selector"))
@example(content=DUMP.replace('app: web\n      number: "15"', 'app: 5\n      number: "15"'))
@example(content=DUMP.replace("    name: web-14\n", ""))
@example(content=DUMP.replace("name: web-14\n", "name: *x\n"))
@example(content=DUMP.replace("    namespace: shop", "    namespace: &n shop", 1))
@example(
    content=DUMP.replace(
        "  spec:\n    clusterIP: 10.96.0.14", "  spec:\n    clusterIPs: 10.96.0.14"
    )
)
@example(content=DUMP.replace("  kind: Service", "  kind: \n  kind: Service", 1))
@example(content=DUMP.replace("      tolerationSeconds", "-       tolerationSeconds", 1))
@example(content=DUMP.replace("well with 15", 'well "with 15'))
@example(content=DUMP.replace("--port=8080", "[a\n        b\n        c]"))
@example(
    content=DUMP.replace("nodePort: 30005\n      port: 80", "nodePort: 30005\n      port: null")
)
@example(
    content=DUMP.replace(
        "containerPort: 8081\n        name: http", "containerPort: null\n        name: http"
    )
)
def test_the_parser_would_say_the_same(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_shape, by_parser = both(content, tmp_path, monkeypatch)
    if by_parser.problems:
        # A list that the parser refuses as a whole loses only its broken elements here.
        assert by_shape.problems
        assert len(by_shape.objects) >= len(by_parser.objects)
    else:
        assert not by_shape.problems
        assert told(by_shape) == told(by_parser)


def test_most_places_are_found_without_the_parser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_MANY", 0)
    (tmp_path / "dump.yaml").write_text(dump_of(100))
    objects = apply([str(tmp_path / "dump.yaml")]).objects
    calls: list[int] = []
    build = tree.tree

    def counted(content: str) -> tree.TreeNode | None:
        calls.append(1)
        return build(content)

    monkeypatch.setattr(tree, "tree", counted)
    assert len({str(one.place(*path)) for one in objects for path in paths(one.data)}) > 5_000
    # One for each shape of a field; a text that the shapes cannot follow costs one an object.
    assert len(calls) < 20


def test_most_elements_are_read_without_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    read = events.read

    def counted(content: str, skip: events.Skip | None = None) -> events.Reading:
        calls.append(1)
        return read(content, skip)

    monkeypatch.setattr(events, "read", counted)
    dump = Dump(dump_of(100))
    sure = 0
    for one in dump.elements():
        sure += one.sure
        dump.shapes.fits()
    # Each nodePort is a number to be looked at; a pod's texts in two lines need the parser.
    assert sure > 90
    assert len(calls) < 250


@pytest.mark.parametrize(
    "content",
    [
        "",
        "items:\n",
        "items:\n- a\n",
        "kind: List\nitems: []\n",
        "kind: Deployment\nitems:\n- a: 1\n",
        HEAD + POD + "items:\n- b: 1\n" + TAIL,
        HEAD + POD + "  bad: [\n" + TAIL.replace("kind", "kind: x: y"),
    ],
    ids=["empty", "no-element", "no-kind", "flow", "no-list", "items-twice", "broken-frame"],
)
def test_what_is_no_dump_is_left_to_the_parser(content: str) -> None:
    with pytest.raises(NotCutError):
        list(Dump(content).elements())


def test_a_broken_element_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = DUMP.replace("  spec:\n    clusterIP: 10.96.0.12", "  spec:\n    clusterIP: [10.96")
    by_shape, _ = both(content, tmp_path, monkeypatch)
    names = [one.name for one in by_shape.objects if one.kind == "Service"]
    assert names == ["web-10", "web-11", "web-13", "web-14", "web-15"]
    line = content.split("\n").index("    clusterIP: [10.96") + 1
    assert {problem.line for problem in by_shape.problems} == {line}


PRINTED = json.dumps(
    {
        "apiVersion": "v1",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": f"c{n}", "resourceVersion": str(n)},
                "data": {"text": "},\n        {\n", "list": json.dumps([{"a": n}], indent=4)},
            }
            for n in range(450)
        ],
        "kind": "List",
        "metadata": {"resourceVersion": ""},
    },
    indent=4,
)


@pytest.mark.parametrize(
    ("edit", "count", "problems"),
    [
        (lambda text: text, 450, 0),
        (lambda text: text * 2, 900, 0),
        (lambda text: text.replace('"c7"', "{", 1), 7, 1),
        (lambda text: text.replace('"c401"', "{", 1), 401, 1),
        (lambda text: text[: text.index('"c300"')], 300, 1),
        (lambda text: text.replace('"v1"', '"a/v1"', 1).replace('"List"', '"Bag"'), 0, 0),
        (lambda text: text.replace('"kind": "List"', '"kind": "ConfigMapList"'), 450, 0),
        (lambda text: text.replace('"kind": "ConfigMap",', "", 1), 449, 1),
        (lambda text: json.dumps(json.loads(text)), 450, 0),
        (lambda text: text.replace("        {\n", "      {\n", 1), 450, 0),
    ],
    ids=[
        *("as-printed", "twice", "broken", "broken-late", "cut-off", "no-list", "typed"),
        *("one-without-kind", "one-line", "odd"),
    ],
)
def test_a_printed_json_list(
    edit: Callable[[str], str], count: int, problems: int, tmp_path: Path
) -> None:
    content = edit(PRINTED)
    path = tmp_path / "dump.json"
    path.write_text(content)
    found = apply([str(path)])
    names = [one.name for one in found.objects]
    assert len(names) == count
    assert len(found.problems) == problems
    lines = content.splitlines()
    for one in found.objects[:: max(1, count // 20)] if len(lines) > 2 else ():
        assert f'"{one.name}"' in lines[one.place("metadata", "name").line - 1]
        values = one.data["data"]
        assert isinstance(values, dict)
        assert values["text"] == "},\n        {\n"
