"""Time and memory are bounded by the input's size."""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import k8stui
from k8stui.manifests.documents import documents
from k8stui.manifests.load import load
from k8stui.manifests.secrecy import Veil
from k8stui.manifests.text import Text
from k8stui.manifests.tree import tree


def _list(count: int) -> dict[str, object]:
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}", "uid": f"u{number}"},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }
        for number in range(count)
    ]
    return {"apiVersion": "v1", "kind": "List", "items": pods}


def test_places_on_one_long_line(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(_list(3000)))
    content = file.read_text()
    for one in load([str(file)]).objects[::500]:
        place = one.place("metadata", "name")
        assert place.line == 1
        assert content[place.column - 1 :].startswith(f'"name": "{one.name}"')


def test_lines_and_columns_in_every_block() -> None:
    content = "a" * 70_000 + "\nb\n" + "c" * 200_000 + "\nd"
    text = Text("f", content)
    for offset in (0, 69_999, 70_000, 70_001, 70_003, 70_004, 199_999, 270_003, 270_004, 270_005):
        before = content[:offset]
        assert text.line_column(offset) == (
            before.count("\n"),
            offset - before.rfind("\n") - 1,
        )


@pytest.mark.parametrize("mark", ["---\n", "...\n", "--- # no\n", "---\n...\n"])
def test_marks_without_documents(mark: str) -> None:
    assert list(documents(mark * 100_000)) == []


def test_what_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "zeros.yaml.gz"
    file.write_bytes(gzip.compress(b"a: 1\n" * 10_000_000))
    (problem,) = load([str(file)]).problems
    assert "holds more than" in problem.message
    assert problem.file == str(file)


def test_a_key_a_million_times(tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    file.write_text("apiVersion: v1\nkind: Pod\n" + "a: 1\n" * 200_000)
    (problem,) = load([str(file)]).problems
    assert "keys stand twice" in problem.message
    assert problem.line > 1000


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """1,200 folders, one in the other; taken away here, for pytest's own tidying calls itself."""
    folders = [tmp_path]
    for _ in range(1200):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    yield folders[-1]
    for folder in reversed(folders[1:]):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def test_folders_deeper_than_calls(tmp_path: Path, deep: Path) -> None:
    (deep / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    found = load([str(tmp_path)])
    assert [one.name for one in found.spoiled or found.objects] or found.problems


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
        "spec: {containers: [{name: c, image: i}]}\n"
    )
    for number in range(30):
        (tmp_path / f"again-{number}").symlink_to("real")
        (tmp_path / "real" / f"back-{number}").symlink_to("..")
    found = load([str(tmp_path)])
    assert len(found.objects) == 1
    assert sum("not followed" in note.message for note in found.notes) == 60


def test_aliases_of_many_short_documents_stay_small(tmp_path: Path) -> None:
    bomb = "a: &a [" + "1," * 90 + "]\nb: &b [" + "*a," * 60 + "]\nc: [" + "*b," * 60 + "]\n"
    file = tmp_path / "aliases.yaml"
    file.write_text("---\n".join([bomb] * 50))
    assert all("aliases stand for" in one.message for one in load([str(file)]).problems)


@pytest.mark.parametrize("kind", ["Secret", "List", "Pod", "Unknown"])
def test_what_aliases_stand_for_is_hidden_once(kind: str) -> None:
    """Sixty lists, each twice in the next: looked at one by one there would be no end."""
    lists = "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(60))
    text = f"kind: {kind}\n{lists}items: [*a60, [*a60]]\ndata: [*a60]\n"
    text = text.replace("a1:", "a0: &a0 [my pass, my word]\na1:")
    assert "my" not in Veil(text).line(text.index("a0:")).line


@pytest.mark.parametrize(
    "line",
    ["[*{0}]", "[*{0}, *{0}]", "{{x: *{0}}}", "{{<<: *{0}}}", "{{<<: [*{0}, *{0}], {0}: *{0}}}"],
)
@pytest.mark.parametrize("kind", ["List", "Pod", "Unknown"])
def test_chains_of_aliases_have_an_end(kind: str, line: str, tmp_path: Path) -> None:
    chain = "".join(f"a{n + 1}: &a{n + 1} {line.format(f'a{n}')}\n" for n in range(1_200))
    file = tmp_path / "chain.yaml"
    file.write_text(f"kind: {kind}\na0: &a0 {{}}\n{chain}items: [*a1200]\ndata: *a1200\n")
    assert not load([str(file)]).objects


def test_a_mapping_that_merges_itself(tmp_path: Path) -> None:
    file = tmp_path / "itself.yaml"
    file.write_text("m: &m {<<: *m, x: *m}\n")
    assert [one.message for one in load([str(file)]).problems] == ["*m contains itself"]


def test_of_merged_keys_the_first_counts() -> None:
    text = "a: &a {x: 1}\nb: &b {<<: *a, x: 2, p: 3}\nc: {<<: [*b, *a], z: 4}\nd: {<<: [*a, *b]}\n"
    root = tree(text)
    assert root is not None
    told = {name: (root.child(name), tuple("xpzw")) for name in "abcd"}
    found = {
        name: [one.node.text if (one := entry.node.child(key)) else None for key in keys]
        for name, (entry, keys) in told.items()
        if entry is not None
    }
    assert found == {
        "a": ["1", None, None, None],
        "b": ["2", "3", None, None],
        "c": ["2", "3", "4", None],
        "d": ["1", "3", None, None],
    }


def test_words_of_comments_are_read_once() -> None:
    text = "---\n" + "\t# so many # words in a # line of comment\n" * 40 + "a: 1\n"
    assert list(documents(text)) == [(0, len(text))]
    assert list(documents(text.removesuffix("a: 1\n"))) == []


def test_no_pattern_looks_behind_blank_lines_from_each_of_them() -> None:
    r"""``^\s*`` in many lines goes on over the next ones: blank lines would cost their square."""
    found = []
    for file in Path(k8stui.__file__).parent.rglob("*.py"):
        text = file.read_text()
        for call in ast.walk(ast.parse(text if "MULTILINE" in text else "")):
            if not isinstance(call, ast.Call):
                continue
            written = ast.unparse(call)
            looks_on = re.search(r"(?<!\[)\^\\\\s[*+]", written)
            if written.startswith("re.") and "MULTILINE" in written and looks_on:
                found.append(f"{file}:{call.lineno}")
    assert not found
