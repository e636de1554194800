"""One small mistake each: where it is said to be, and how it was meant.

A case is (text, [(line, column, part of the message, mended line or None)]).
"""

from __future__ import annotations

import io
import json

import pytest

from k8stui.apiserver import apply
from k8stui.manifests import Manifests

SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n"
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: c\n"


def read(text: str | bytes) -> Manifests:
    raw = text if isinstance(text, bytes) else text.encode()
    return apply(["-"], stdin=io.BytesIO(raw))


Case = tuple[str, list[tuple[int, int | None, str, str | None]]]
"""A text, and of each problem its line, column, a part of its message, and the mended line."""
SYNTAX: dict[str, Case] = {
    "missing space at the root": (
        "apiVersion: v1\nkind:Service\nmetadata:\n  name: s\nspec: {}\n",
        [(2, 5, "space is missing", "kind: Service")],
    ),
    "missing space in the middle": (
        SERVICE + "spec:\n  type: NodePort\n  clusterIP:None\n  ports:\n  - port: 80\n",
        [(7, 12, "space is missing", "  clusterIP: None")],
    ),
    "missing space before the end": (
        SERVICE + "spec:\n  ports:\n  - port: 80\n    targetPort:8080\n",
        [(8, 15, "space is missing", "    targetPort: 8080")],
    ),
    "missing space, value with a colon": (
        POD + "    image:nginx:1.25\n    ports: []\n",
        [(8, 10, "space is missing", "    image: nginx:1.25")],
    ),
    "dash without space, first": (
        SERVICE + "spec:\n  ports:\n  -port: 80\n",
        [(7, 3, "between the dash and 'port'", "  - port: 80")],
    ),
    "dash without space, second": (
        SERVICE + "spec:\n  ports:\n  - port: 80\n  -port: 81\n",
        [(8, 3, "between the dash", "  - port: 81")],
    ),
    "dash without space, deeper": (
        POD + "    ports:\n      -containerPort: 80\n       name: web\n",
        [
            (9, 7, "between the dash", "      - containerPort: 80"),
            (10, 8, "indented by 7", "        name: web"),
        ],
    ),
    "tab": (
        "apiVersion: v1\nkind: Service\nmetadata:\n\tname: s\nspec:\n\tports:\n\t- port: 80\n",
        [
            (4, 1, "tab", "  name: s"),
            (6, 1, "tab", "  ports:"),
            (7, 1, "tab", "  - port: 80"),
        ],
    ),
    "tab behind spaces": (
        SERVICE + "spec:\n  ports:\n  \t- port: 80\n",
        [(7, 3, "tab", "    - port: 80")],
    ),
    "too deep": (
        SERVICE + "spec:\n  type: ClusterIP\n    ports: []\n",
        [(7, 5, "indented by 4", "  ports: []")],
    ),
    "too shallow in a list item": (
        SERVICE + "spec:\n  ports:\n  - port: 80\n   targetPort: 8080\n",
        [(8, 4, "indented by 3", "    targetPort: 8080")],
    ),
    "root field indented": (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n spec:\n  ports: [{port: 80}]\n",
        [(5, 2, "indented by 1", "spec:")],
    ),
    "colon in a value": (
        SERVICE + "  labels: {}\n  selfLink: see: the wiki\nspec: {}\n",
        [(6, 16, "colon followed by a space", "  selfLink: 'see: the wiki'")],
    ),
    "reserved first character": (
        SERVICE + "  labels: {}\n  selfLink: @home\nspec: {}\n",
        [(6, 13, "cannot begin with '@'", "  selfLink: '@home'")],
    ),
    "percent": (
        SERVICE + "  labels: {}\n  selfLink: %d\nspec: {}\n",
        [(6, 13, "cannot begin with '%'", "  selfLink: '%d'")],
    ),
    "star": (
        SERVICE + "  labels: {}\n  selfLink: *.example.com\nspec: {}\n",
        [(6, None, "cannot begin with '*'", "  selfLink: '*.example.com'")],
    ),
    "open quote": (
        SERVICE + '  labels: {}\n  selfLink: "open\nspec: {}\n',
        [(6, 13, "never closed", '  selfLink: "open"')],
    ),
    "quote that swallows the fields below it": (
        ('apiVersion: v1\nkind: Service\nmetadata:\n  name: "s\n  labels: {}\nspec:\n'
        '  type: "NodePort"\n  ports: [{port: 80}]\n'),
        [(4, 9, "never closed", '  name: "s"')],
    ),
    "quote that swallows fields, below one of several lines": (
        ("apiVersion: v1\nkind: Service\nmetadata:\n  annotations:\n    note: 'one\n      two'\n"
        "  name: 's\nspec:\n  type: 'NodePort'\n  ports: [{port: 80}]\n"),
        [(7, 9, "never closed", "  name: 's'")],
    ),
    "text behind a quote": (
        SERVICE + "  labels: {}\n  selfLink: 'it's here'\nspec: {}\n",
        [(6, None, "follows the closing quote", "  selfLink: '''it''s here'''")],
    ),
    "open bracket": (
        SERVICE + "spec:\n  clusterIPs: [10.96.0.7\n  type: ClusterIP\n",
        [(6, 15, "never closed", "  clusterIPs: [10.96.0.7]")],
    ),
    "colon missing": (
        SERVICE + "spec\n  ports: []\n",
        [(5, 5, "colon is missing after 'spec'", "spec:")],
    ),
    "colon missing before a value": (
        SERVICE + "spec:\n  type NodePort\n  ports: []\n",
        [(6, 7, "colon is missing after 'type'", "  type: NodePort")],
    ),
    "no-break space": (
        SERVICE + "spec:\n\u00a0\u00a0ports: []\n",
        [(6, 1, "no-break space", "  ports: []")],
    ),
    "full-width colon": (
        SERVICE + "spec:\n  type：NodePort\n  ports: []\n",
        [(6, 7, "U+FF1A", "  type: NodePort")],
    ),
    "NUL": (SERVICE + "spec: {}\n# \0\n", [(6, 3, "NUL byte", None)]),
    "unknown alias": (SERVICE + "spec: *base\n", [(5, 7, "there is no &base", None)]),
    "infinity": (SERVICE + "spec: .inf\n", [(5, 7, "no value in JSON", None)]),
    "swallowed by the value above": (
        POD + '    env:\n    - name: A\n      value:"1"\n',
        [(10, 12, "space is missing", '      value: "1"')],
    ),
    "several in one document": (
        SERVICE + "spec:\n  type:NodePort\n  ports:\n  -port: 80\n  selector:\n    app:web\n",
        [
            (6, 7, "space is missing", "  type: NodePort"),
            (8, 3, "between the dash", "  - port: 80"),
            (10, 8, "space is missing", "    app: web"),
        ],
    ),
}  # fmt: skip
SCHEMA: dict[str, Case] = {
    "selector is a word": (
        SERVICE + "spec:\n  ports:\n  - port: 80\n  selector:\n    app:web\n",
        [(9, 8, "space is missing", "    app: web")],
    ),
    "list without a dash": (
        SERVICE + "spec:\n  ports:\n    port: 80\n    targetPort: 8080\n",
        [(7, 5, "dash is missing", "  - port: 80")],
    ),
    "a dash too much": (
        SERVICE + "spec:\n  ports:\n  - port: 80\n  selector:\n  - app: web\n",
        [(9, 3, "no list", "    app: web")],
    ),
    "port in quotes": (
        SERVICE + 'spec:\n  ports:\n  - port: "80"\n',
        [(7, 11, "quotes make it a text", "  - port: 80")],
    ),
    "label is a number": (
        SERVICE + "  labels:\n    version: 1.10\nspec: {}\n",
        [(6, 14, "the number 1.1", '    version: "1.10"')],
    ),
    "env is a bool": (
        POD + "    env:\n    - name: DEBUG\n      value: yes\n",
        [(10, 14, "this is true", '      value: "yes"')],
    ),
    "annotation is a number": (
        SERVICE + "  annotations: {a: 0644}\nspec: {}\n",
        [(5, 20, "the number 420", '  annotations: {a: "0644"}')],
    ),
    "port is no number": (SERVICE + "spec:\n  ports:\n  - port: http\n", [(7, 11, "'http'", None)]),
    "port is zero": (
        SERVICE + "spec:\n  ports:\n  - port: 0\n    targetPort: 1\n",
        [(7, 11, "1 to 65535", None)],
    ),
    "replicas is a mapping": (
        DEPLOYMENT + "  replicas: {}\n  template: {spec: {containers: []}}\n",
        [(5, 3, "this is a mapping", None)],
    ),
    "protocol in lower case": (
        SERVICE + "spec:\n  ports:\n  - port: 80\n    protocol: tcp\n",
        [(8, 15, "did you mean TCP", "    protocol: TCP")],
    ),
    "kind in lower case": (
        "apiVersion: v1\nkind: service\nmetadata: {name: s}\nspec: {}\n",
        [(2, 7, "did you mean Service", "kind: Service")],
    ),
    "kind misspelt": (
        "apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: s}\nspec: {}\n",
        [(2, 7, "did you mean Deployment", "kind: Deployment")],
    ),
    "kind in the wrong group": (
        "apiVersion: v1\nkind: Deployment\nmetadata: {name: d}\nspec: {}\n",
        [(1, 13, "not in v1", "apiVersion: apps/v1")],
    ),
    "apiVersion misspelt": (
        "apiversion: v1\nkind: Service\nmetadata: {name: s}\nspec: {}\n",
        [(1, 1, "did you mean 'apiVersion'", "apiVersion: v1")],
    ),
    "kind is empty": (
        "apiVersion: v1\nkind:\nmetadata: {name: s}\nspec: {}\n",
        [(2, 1, "kind is empty: write it, such as Service", None)],
    ),
    "apiVersion is empty": (
        "apiVersion:\nkind: Deployment\nmetadata: {name: s}\nspec: {}\n",
        [(1, 1, "apiVersion is empty: write it, here apps/v1", None)],
    ),
    "no apiVersion": (
        "kind: Service\nmetadata: {name: s}\nspec: {}\n",
        [(1, 1, "no apiVersion", "apiVersion: v1")],
    ),
    "no kind": (
        "apiVersion: v1\nmetadata: {name: s}\nspec: {ports: []}\n",
        [(1, 1, "no kind", "kind: Service")],
    ),
    "no name": (
        "apiVersion: v1\nkind: Service\nmetadata: {}\nspec: {}\n",
        [(3, 11, "no name", "  name: NAME")],
    ),
    "no metadata": (
        "apiVersion: v1\nkind: Namespace\n",
        [(1, 1, "no metadata.name", "  name: NAME")],
    ),
    "required field misspelt": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  contianers:\n  - name: c\n",
        [(5, 3, "did you mean 'containers'", "  containers:")],
    ),
    "a text for a list": (
        SERVICE + "spec:\n  ports: [{port: 80}]\n  ipFamilies: IPv4\n",
        [(7, 15, "is a list", '  ipFamilies: ["IPv4"]')],
    ),
    "selector as on the command line": (
        SERVICE + "spec:\n  ports: [{port: 80}]\n  selector: app=web,tier=front\n",
        [(7, 13, "needs a mapping", "  selector: {app: web, tier: front}")],
    ),
    "name beside metadata": (
        "apiVersion: v1\nkind: Service\nmetadata:\nname: s\nspec: {}\n",
        [(4, 1, "its name stands beside it", None)],
    ),
    "container without a name": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - image: nginx\n",
        [(6, 5, "spec.containers[0] has no name", None)],
    ),
    "value through an alias": (
        SERVICE + "  labels: &l\n    a: 1\nspec:\n  selector: *l\n",
        [(6, 8, "metadata.labels.a", '    a: "1"'), (6, 8, "spec.selector.a", '    a: "1"')],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", [*SYNTAX.values(), *SCHEMA.values()], ids=[*SYNTAX, *SCHEMA])
def test_problem(case: tuple[str, list[tuple[int, int | None, str, str | None]]]) -> None:
    text, expected = case
    found = read(text)
    assert not found.objects
    assert len(found.problems) == len(expected), [p.render() for p in found.problems]
    lines = text.split("\n")
    for problem, (line, column, message, mended) in zip(found.problems, expected, strict=True):
        assert problem.line == line
        assert column is None or problem.column == column
        assert message in problem.message
        assert problem.source_line == lines[line - 1]
        assert mended is None or problem.hint.rpartition("\n")[2] == mended


@pytest.mark.parametrize(
    "case",
    [c for c in [*SYNTAX.values(), *SCHEMA.values()] if all(row[3] for row in c[1])],
    ids=[k for k, c in [*SYNTAX.items(), *SCHEMA.items()] if all(row[3] for row in c[1])],
)
def test_mended_lines_mend(case: Case) -> None:
    """Whoever types the mended lines gets rid of these problems."""
    text, expected = case
    lines = text.split("\n")
    for line, _, message, mended in expected:
        if message in ("no apiVersion", "no kind", "no name", "no metadata.name"):
            return  # a line to add, not one to mend
        assert mended is not None
        lines[line - 1] = mended
    again = read("\n".join(lines)).problems
    assert not [p for p in again if "spec" not in p.message], [p.render() for p in again]


@pytest.mark.parametrize(
    "broken", ["a: b: c\nkind: x", "kind: [", 'kind: "', "\tkind: x", "kind:x\ny: 1"]
)
def test_a_broken_document_costs_only_itself(broken: str) -> None:
    good = SERVICE + "spec: {ports: [{port: 80}]}\n"
    found = read(f"{good}---\n{broken}\n---\n{good.replace('name: s', 'name: t')}")
    assert [one.name for one in found.objects] == ["s", "t"]
    assert [one.place("metadata", "name").line for one in found.objects] == [
        4,
        12 + broken.count("\n"),
    ]
    assert found.problems


def test_problems_of_a_list_item_stand_in_the_file() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- "
    text += (SERVICE + 'spec:\n  ports:\n  - port: "80"').replace("\n", "\n  ")
    text += "\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: other}\n"
    found = read(text)
    assert [one.kind for one in found.objects] == ["Namespace"]
    (problem,) = found.problems
    assert (problem.line, problem.column, problem.source_line) == (10, 13, '    - port: "80"')


def test_json_problem_has_its_place() -> None:
    data = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": "80"}]},
    }
    for text in (json.dumps(data), json.dumps(data, indent=2), json.dumps([data])[1:-1]):
        (problem,) = read(text).problems
        line = text.split("\n")[problem.line - 1]
        assert line[problem.column - 1 :].startswith('"80"')
        assert '"port": 80' in problem.hint


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('{"kind": "Service",\n "a": 1,,}', 2, 9, "key in double quotes"),
        ('{"kind": "Service"\n "a": 1}', 2, 2, "comma"),
        ('{"kind": "Service", "a": nope}', 1, 26, "value is expected"),
        ('{"kind": "Service", "a": NaN}', 1, 26, "NaN"),
    ],
)
def test_broken_json(text: str, line: int, column: int, message: str, tmp_path: object) -> None:
    file = tmp_path / "x.json"  # type: ignore[operator]
    file.write_text(text)
    (problem,) = apply([str(file)]).problems
    assert (problem.line, problem.column) == (line, column)
    assert message in problem.message


def test_unknown_fields_are_notes_with_a_suggestion() -> None:
    found = read(
        SERVICE
        + "spec:\n  ports:\n  - port: 80\n    targetport: 8080\n  selectors: {a: b}\n  foo: 1\n"
    )
    assert len(found.objects) == 1
    assert [(n.line, n.column, n.hint) for n in found.notes] == [
        (8, 5, "targetPort: 8080"),
        (9, 3, "selector: {a: b}"),
        (10, 3, ""),
    ]


def test_unknown_fields_of_a_dump_are_the_servers_business() -> None:
    text = SERVICE.replace("name: s", "name: s\n  uid: x") + "spec:\n  somethingNew: 1\n"
    found = read(text)
    assert not found.notes
    assert found.objects[0].observed


def test_repeated_keys_name_both_lines() -> None:
    found = read(SERVICE + "spec: {}\nkind: ConfigMap\n")
    note = next(one for one in found.notes if "twice" in one.message)
    assert (note.line, note.hint) == (6, "is a line --- missing between two objects?")
    assert "lines 2 and 6" in note.message


def test_many_mistakes_are_bounded() -> None:
    text = SERVICE + "spec:\n" + "  type:x\n" * 1000
    assert 0 < len(read(text).problems) < 1100


def test_a_value_that_somebody_pasted_a_file_into_is_shown_in_part() -> None:
    found = apply(
        ["-"],
        stdin=io.BytesIO(
            b"kind: Service\napiVersion: v1\nmetadata: {name: %s}\n" % (b"x" * 100_000)
        ),
    )
    shown = [problem.render() for problem in found.problems]
    assert any("xxx … xxx" in text for text in shown)
    assert all(len(text) < 3000 for text in shown)


@pytest.mark.parametrize(
    ("version", "kind", "more"),
    [
        ("v1", "Config", "contexts: []\nclusters: []\n"),
        ("kubeadm.k8s.io/v1beta4", "UpgradeConfiguration", ""),
        ("admissionregistration.k8s.io/v1alpha1", "InitializerConfiguration", ""),
        ("storage.k8s.io/v1alpha1", "CSINodeInfo", "metadata: {name: n}\n"),
        ("networking.istio.io/v1", "WorkloadEntry", "metadata: {name: e}\n"),
    ],
)
def test_a_kind_that_is_somewhere_is_no_typing_error(version: str, kind: str, more: str) -> None:
    assert not read(f"apiVersion: {version}\nkind: {kind}\n{more}").problems


def test_a_variable_is_to_be_filled_in_first() -> None:
    (problem,) = read(SERVICE + "spec:\n  ports:\n  - port: ${PORT:-80}\n").problems
    assert problem.hint == "fill in its variables first: envsubst < FILE | k8stui -"
