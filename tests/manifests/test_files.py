"""Files, folders, standard input, lists, dumps, and what is no Kubernetes."""

from __future__ import annotations

import gc
import io
import os
from pathlib import Path

import pytest

from k8stui.apiserver import apply
from k8stui.manifests import Manifests

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml").replace("_json", ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(found: Manifests) -> list[str]:
    return [one.name for one in found.objects]


def test_folder_is_recursive_sorted_and_without_hidden_files(tmp_path: Path) -> None:
    write(tmp_path, b_yaml=NAMESPACE.format("b"), a_yaml=NAMESPACE.format("a"))
    write(tmp_path, sub__c_yaml=NAMESPACE.format("c"))
    (tmp_path / ".hidden.yaml").write_text("a: [")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text("a: [")
    (tmp_path / "README.md").write_text("# no: [yaml")
    found = apply([str(tmp_path)])
    assert names(found) == ["a", "b", "c"]
    assert not found.problems
    assert not found.notes
    assert found.objects[2].file == f"{tmp_path}/sub/c.yaml"


def test_a_file_is_read_once_whatever_leads_to_it(tmp_path: Path) -> None:
    write(tmp_path, a_yaml=NAMESPACE.format("a"), b_yaml=NAMESPACE.format("b"))
    write(tmp_path, sub__c_yaml=NAMESPACE.format("c"))
    (tmp_path / "sub" / "d.yaml").symlink_to("../a.yaml")
    (tmp_path / "sub" / "e.yaml").hardlink_to(tmp_path / "b.yaml")
    one, folder = str(tmp_path / "a.yaml"), str(tmp_path)
    assert names(apply([folder])) == ["a", "b", "c"]
    assert names(apply([one, one])) == ["a"]
    found = apply([one, folder, folder + "/sub/.."])
    assert names(found) == ["a", "b", "c"]
    assert [note.render() for note in found.notes] == [
        f"{folder}/a.yaml: given twice: read once (and 2 more such)",
        f"{folder}/sub/../a.yaml: the same file as {one}: read once (and 4 more such)",
    ]
    assert not found.problems


def test_what_is_named_anywhere_is_taken_as_named(tmp_path: Path) -> None:
    write(tmp_path, a_yaml="just: a mapping\n")
    one, folder = str(tmp_path / "a.yaml"), str(tmp_path)
    assert not apply([folder]).problems
    assert apply([folder, one]).problems == apply([one]).problems


def test_paths_are_shown_as_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a_yaml=NAMESPACE.format("a"))
    monkeypatch.chdir(tmp_path)
    assert [apply([p]).objects[0].file for p in ("a.yaml", "./a.yaml", ".")] == [
        "a.yaml",
        "./a.yaml",
        "./a.yaml",
    ]


def test_symlink_cycle_ends(tmp_path: Path) -> None:
    write(tmp_path, sub__a_yaml=NAMESPACE.format("a"))
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    assert names(apply([str(tmp_path)])) == ["a"]


def test_paths_that_do_not_work(tmp_path: Path) -> None:
    write(tmp_path, mysql_yaml=NAMESPACE.format("a"))
    (tmp_path / "dangling.yaml").symlink_to("nowhere")
    found = apply([f"{tmp_path}/mysq.yaml", f"{tmp_path}/dangling.yaml", "a\0b", "x" * 5000])
    assert len(found.problems) == 4
    assert found.problems[0].hint == f"did you mean:\n{tmp_path}/mysql.yaml"
    assert "nowhere" in found.problems[1].hint
    assert found.problems[0].render().startswith(f"{tmp_path}/mysq.yaml: no such file or folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file(tmp_path: Path) -> None:
    write(tmp_path, a_yaml="x")
    (tmp_path / "a.yaml").chmod(0)
    (problem,) = apply([str(tmp_path)]).problems
    assert "Permission denied" in problem.message


def test_empty_folder_is_said(tmp_path: Path) -> None:
    (note,) = apply([str(tmp_path)]).notes
    assert note.message == "no .yaml, .yml, .json file in this folder"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xef\xbb\xbf" + NAMESPACE.format("a").encode(), ["a"]),
        (NAMESPACE.format("a").replace("\n", "\r\n").encode(), ["a"]),
        (NAMESPACE.format("a").replace("\n", "\r").encode(), ["a"]),
        (NAMESPACE.format("a").encode("utf-16"), ["a"]),
        ((NAMESPACE.format("a") + "\ufeff---\n" + NAMESPACE.format("b")).encode(), ["a", "b"]),
        (("---\n---\n# c\n---\n" + NAMESPACE.format("a") + "...\n---\n").encode(), ["a"]),
        ((NAMESPACE.format("a") + "...\n" + NAMESPACE.format("b")).encode(), ["a", "b"]),
        (b"%YAML 1.1\n---\n" + NAMESPACE.format("a").encode(), ["a"]),
    ],
    ids=["BOM", "CRLF", "CR", "UTF-16", "BOM inside", "empty documents", "dots", "directive"],
)
def test_encodings_and_separators(raw: bytes, expected: list[str]) -> None:
    found = apply(["-"], stdin=io.BytesIO(raw))
    assert names(found) == expected
    assert not found.problems
    lines = raw.decode("utf-16" if raw[:2] == b"\xff\xfe" else "utf-8-sig").splitlines()
    assert "metadata" in lines[found.objects[-1].place("metadata").line - 1]


def test_latin_1_names_the_byte() -> None:
    (problem,) = apply(["-"], stdin=io.BytesIO(b"a: b\r\nc: gr\xfcn\r\n")).problems
    assert (problem.line, problem.column, problem.message) == (2, 6, "byte 0xFC is not UTF-8")


FOREIGN = {
    "index.yaml": ("apiVersion: v1\nentries: {}\n", "the index of a repository of Helm charts"),
    "datasources.yaml": ("apiVersion: 1\ndatasources: []\n", "what Grafana provisions"),
    "odd.yaml": ("apiVersion: 2\nweb: 1\n", "not Kubernetes (no kind)"),
    "docker-compose.yaml": ("services:\n  web: {image: x}\n", "a compose file"),
    "ci.yml": ("on: push\njobs: {}\n", "a GitHub workflow"),
    "values.yaml": ("replicas: 3\n", "values of a Helm chart"),
    "package.json": ('{"name": "x"}', "a package.json"),
    "list.yaml": ("- a\n- b\n", "a list"),
    "text.yaml": ("hello\n", "a single value"),
    "other.yaml": ("a: 1\n", "neither apiVersion nor kind"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_are_named_and_skipped(name: str, tmp_path: Path) -> None:
    text, what = FOREIGN[name]
    (tmp_path / name).write_text(text)
    found = apply([str(tmp_path)])
    assert (found.objects, found.problems) == ((), ())
    (note,) = found.notes
    assert what in note.message
    assert note.message.endswith("skipped")
    assert note.count == 1


def test_foreign_broken_file_in_a_folder_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text("just: some: text")
    assert not apply([str(tmp_path)]).problems
    assert apply([str(tmp_path / "notes.yaml")]).problems


def test_kustomization(tmp_path: Path) -> None:
    write(
        tmp_path,
        kustomization_yaml="resources: [a.yaml]\npatches:\n- path: patch.yaml\n",
        a_yaml=NAMESPACE.format("a"),
        patch_yaml="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {}\n",
    )
    found = apply([str(tmp_path)])
    assert names(found) == ["a"]
    assert not found.problems
    assert found.notes[0].hint == f"kubectl kustomize {tmp_path} | k8stui -"
    assert "patch" in found.notes[1].message


def test_chart(tmp_path: Path) -> None:
    template = NAMESPACE.format("{{ .Release.Name }}") + "{{- if .Values.x }}\n{{ end }}\n"
    write(tmp_path, Chart_yaml="apiVersion: v2\nname: c\n", values_yaml="a: 1\n")
    write(tmp_path, templates__a_yaml=template, templates__b_yaml=template)
    found = apply([str(tmp_path)])
    assert (found.objects, found.problems) == ((), ())
    assert [(n.count, n.hint) for n in found.notes] == [
        (1, f"helm template {tmp_path} | k8stui -"),
        (1, ""),
        (2, f"helm template {tmp_path} | k8stui -"),
    ]


def test_template_without_a_chart(tmp_path: Path) -> None:
    write(tmp_path, a_yaml="kind: X\n{{- range .Values.x }}\n- {{ . }}\n{{ end }}\n")
    found = apply([str(tmp_path / "a.yaml")])
    assert not found.problems
    assert found.notes[0].message == "an unrendered template, skipped"


def test_unknown_kinds_are_counted_once_per_kind() -> None:
    one = "apiVersion: example.com/v1\nkind: Gizmo\nmetadata: {name: a}\n---\n"
    claim = "apiVersion: v1\nkind: CSIDriver\nmetadata: {name: a}\n---\n"
    knative = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n---\n"
    text = (one * 3 + claim * 2 + knative).encode()
    found = apply(["-"], stdin=io.BytesIO(text))
    assert (found.objects, found.problems) == ((), ())
    assert [(note.count, note.message.partition(" skipped")[0]) for note in found.notes] == [
        (3, "3 Gizmo (example.com/v1)"),
        (2, "2 CSIDriver (v1)"),
        (1, "1 Service (serving.knative.dev/v1)"),
    ]


def test_typed_list_and_nested_list() -> None:
    text = """
apiVersion: v1
kind: ServiceList
items:
- metadata: {name: s, namespace: x}
  spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: List
  items:
  - {apiVersion: v1, kind: Namespace, metadata: {name: n1}}
- apiVersion: v1
  kind: NamespaceList
  items: [{metadata: {name: n2}}]
"""
    found = apply(["-"], stdin=io.BytesIO(text.encode()))
    assert not found.problems
    assert [(one.api_version, one.kind, one.name, one.namespace) for one in found.objects] == [
        ("v1", "Service", "s", "x"),
        ("v1", "Namespace", "n1", None),
        ("v1", "Namespace", "n2", None),
    ]
    assert found.objects[0].place("spec").line == 6


def test_empty_list_is_fine() -> None:
    found = apply(["-"], stdin=io.BytesIO(b'{"apiVersion": "v1", "kind": "List", "items": []}'))
    assert found == Manifests()


@pytest.mark.parametrize(
    ("extra", "observed"),
    [
        ("", False),
        ("  creationTimestamp: null\nstatus: {}\n", False),
        ("status:\n  loadBalancer: {}\n", False),
        ("  uid: 3f\n", True),
        ("  resourceVersion: '7'\n", True),
        ("  creationTimestamp: 2024-01-02T03:04:05Z\n", True),
        ("status:\n  loadBalancer: {ingress: [{ip: 192.0.2.1}]}\n", True),
    ],
)
def test_observed(extra: str, observed: bool) -> None:
    text = (
        "apiVersion: v1\nkind: Service\nspec: {ports: [{port: 80}]}\nmetadata:\n  name: s\n" + extra
    )
    (one,) = apply(["-"], stdin=io.BytesIO(text.encode())).objects
    assert one.observed is observed
    assert one.origin("spec").kind.value == ("observed" if observed else "declared")


def test_last_document_does_not_need_a_line_end() -> None:
    assert names(apply(["-"], stdin=io.BytesIO(NAMESPACE.format("a").rstrip().encode()))) == ["a"]


@pytest.mark.parametrize("is_on", [True, False])
def test_collector_is_as_before(is_on: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if is_on else gc.disable)()
        apply(["-"], stdin=io.BytesIO(b"a: ["))
        assert gc.isenabled() is is_on
    finally:
        (gc.enable if before else gc.disable)()
