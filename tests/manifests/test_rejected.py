"""Every mistake that a real API server found is said here, for the same field and reason.

recordings-cluster/rejected holds 55 wrong manifests, applied one by one after ``_before.yaml``,
and what kubectl and the API server said. Two of them are no mistakes for the server (12, 44).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import truth

from k8stui.apiserver import apply
from k8stui.manifests import Manifests, Problem

FOLDER = truth.find("recordings-cluster")
SERVER_RANGE = """\
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {name: kubernetes}
spec: {cidrs: [10.96.0.0/12]}
"""
"""What the recorded cluster gave clusterIPs from; without it nothing is outside."""

NOTED = {
    "22-unknown-field": "spec has no field 'selectors'; did you mean 'selector'?",
    "23-unknown-field-case": "port has no field 'targetport'; did you mean 'targetPort'?",
    "28-container-without-image": "spec.containers[0].image has to be written",
    "32-old-api-version": "servers since 1.16 refuse extensions/v1beta1",
    "51-namespace-missing": "namespace 'nope' is nowhere in the input",
}
"""Said in a note, and the object is kept: validation/kept.py tells why."""
TAKEN = {"12-service-name-starts-with-digit", "44-duplicate-key"}

_KINDS = (
    "Required value|Invalid value|Unsupported value|Duplicate value|Forbidden|Not found|"
    "Too long|Too many"
)
_FIELD = re.compile(
    rf"^(?:\* |The \w+ \"[^\"]*\" is invalid: )([a-z]\S*): ({_KINDS})", re.MULTILINE
)
_DECODE = re.compile(r"cannot unmarshal \w+ into Go struct field \w+?\.(\S+) of type")
_UNKNOWN = re.compile(r'unknown field "([^"]+)"')
_IMMUTABLE = re.compile(r"immutable|may not change|are forbidden")
_INDEX = re.compile(r"\[\d+\]")


def _recorded() -> dict[str, dict[str, Any]]:
    if FOLDER is None:
        return {}
    found = json.loads((FOLDER / "rejected" / "rejected.json").read_text())
    return {name.removesuffix(".yaml"): modes for name, modes in found.items()}


RECORDED = _recorded()


def said_by_server(name: str) -> set[tuple[str, str]]:
    """(field, kind of mistake) of every way in which it was applied."""
    text = "\n".join(mode["err"] for mode in RECORDED[name].values())
    found = set(_FIELD.findall(text))
    found |= {(field, "type") for field in _DECODE.findall(text)}
    if "no matches for kind" in text:
        found.add(("apiVersion", "version"))
    if "no kind" in text or "kind not set" in text:
        found.add(("kind", "kind"))
    if "resource name may not be empty" in text:
        found.add(("metadata.name", "Required value"))
    if "error parsing" in text:
        found.add(("", "syntax"))
    strict = RECORDED[name]["strict"]["err"]
    found |= {(field, "unknown field") for field in _UNKNOWN.findall(strict)}
    if re.search(r"namespaces \"[^\"]*\" not found", strict):
        found.add(("metadata.namespace", "namespace"))
    if "is forbidden: " in strict:
        found.add(("", "admission"))
    if "quantities must match" in strict:
        found.add(("", "quantity"))
    return found


def is_taken(name: str) -> bool:
    """Whether the server had nothing against it."""
    return name in TAKEN or all(mode["exit"] == 0 for mode in RECORDED[name].values())


def is_change(name: str) -> bool:
    """Whether it is wrong only because of what was there before."""
    return bool(_IMMUTABLE.search(RECORDED[name]["strict"]["err"]))


def is_noted(found: Manifests, field: str, kind: str) -> bool:
    """Whether a mistake is said in a note, its object being kept."""
    last = field.rpartition(".")[2]
    words = {
        "unknown field": f"has no field '{last}'",
        "namespace": "is nowhere in the input",
        "admission": "is nowhere in the input",
        "version": "refuse",
    }
    return any(note.line and words.get(kind, f"{field} ") in note.message for note in found.notes)


_OURS = (
    (r"(?P<field>\S+) has no name$", "Required value", ".name"),
    (r"(?P<field>\S+) has no containers$", "Required value", ".containers"),
    (r"(?P<field>\S+) is one of ", "Unsupported value", ""),
    (r"(?P<field>\S+) needs a .*(?:quotes|this is)", "type", ""),
    (r"(?P<field>\S+) needs a ", "Invalid value", ""),
    (r"(?:a space is missing between the dash|(?P<field>\S+) is a list)", "type", ""),
    (r"\w+ is not in ", "version", "apiVersion"),
    (r"(?:there is no kind|the object has no kind)", "kind", "kind"),
)
"""What the reader says of types, in its own words."""


def said_here(problem: Problem) -> tuple[str, str]:
    if problem.wrong:
        return problem.field, problem.wrong
    for pattern, kind, suffix in _OURS:
        if match := re.match(pattern, problem.message):
            field = match.groupdict().get("field") or ""
            return f"{field}{suffix}", kind
    return "", "syntax"


def read(name: str, folder: Path, *, observed: bool = False) -> tuple[Manifests, str]:
    """Load one recorded file behind what was there, and the cluster's range; also its path."""
    source = truth.folder("recordings-cluster") / "rejected" / "input"
    before = (source / "_before.yaml").read_text()
    if observed:
        before = before.replace("metadata: {name:", "metadata: {uid: 1f, name:")
    file = folder / f"{name}.yaml"
    file.write_text((source / f"{name}.yaml").read_text())
    (folder / "0-before.yaml").write_text(before)
    (folder / "0-range.yaml").write_text(SERVER_RANGE)
    paths = [str(folder / "0-before.yaml"), str(folder / "0-range.yaml"), str(file)]
    return apply(paths), str(file)


@pytest.mark.parametrize("name", RECORDED)
def test_mistake(name: str, tmp_path: Path) -> None:
    # A change is one of what is there, not of another file.
    found, file = read(name, tmp_path, observed=is_change(name))
    objects = [one for one in found.objects if one.file == file]
    if is_taken(name):
        assert len(objects) == 1
        assert not found.problems
        return
    if name in NOTED:
        assert len(objects) == 1
        assert not found.problems
        assert any(NOTED[name] in note.message and note.line for note in found.notes)
    else:
        assert bool(objects) is not bool(found.problems)
    ours = {said_here(problem) for problem in found.problems}
    theirs = said_by_server(name)
    assert theirs
    for field, kind in theirs:
        if not found.problems:
            assert is_noted(found, field, kind)
        elif kind in ("admission", "quantity"):
            assert any(problem.wrong for problem in found.problems)
        elif kind == "unknown field":
            assert is_noted(found, field, kind) or any(
                f"'{field.rpartition('.')[2]}'" in problem.message for problem in found.problems
            )
        elif kind == "type":
            # The decoder names no index, of a map no key, and of a wrong list the list alone.
            told = [_INDEX.sub("", ours_field) for ours_field, what in ours if what == "type"]
            assert any(one == field or one.startswith(f"{field}.") or not one for one in told), ours
        else:
            assert (field, kind) in ours
    for problem in found.problems:
        assert problem.file == file
        written = Path(file).read_text().split("\n")[problem.line - 1]
        shown, hidden, _ = problem.source_line.partition("…")
        assert written.startswith(shown) if hidden else written == shown
        assert 1 <= problem.column <= len(problem.source_line) + 1


@pytest.mark.parametrize("name", RECORDED)
def test_nothing_more_is_said(name: str, tmp_path: Path) -> None:
    """Of values, no mistake that the server did not find."""
    found, _ = read(name, tmp_path, observed=is_change(name))
    theirs = {kind for _, kind in said_by_server(name)}
    if theirs & {"type", "quantity", "admission"}:
        return  # the server did not get as far as to judge the fields
    more = {said_here(problem) for problem in found.problems if problem.wrong}
    assert more <= said_by_server(name)


@pytest.mark.parametrize("name", [name for name in RECORDED if is_change(name)])
def test_two_manifests_of_one_object_are_no_change(name: str, tmp_path: Path) -> None:
    """Which of the two a cluster has is not known: the last one counts, and it is said."""
    found, file = read(name, tmp_path)
    assert not found.problems
    assert [one.file for one in found.objects].count(file) == 1
    assert any("may not change" in note.message for note in found.notes)


@pytest.mark.parametrize("name", RECORDED)
def test_a_dump_is_never_judged(name: str, tmp_path: Path) -> None:
    """Whatever stands in it was accepted by somebody."""
    source = truth.folder("recordings-cluster") / "rejected" / "input" / f"{name}.yaml"
    file = tmp_path / "dump.yaml"
    file.write_text(source.read_text().replace("metadata: {", "metadata: {uid: 1f, "))
    found = apply([str(file)])
    assert not any(problem.wrong for problem in found.problems)


_REFUSED_OBJECT = re.compile(r'\w+ "([^"]+)" is (?:invalid|forbidden): ')


def refused_in_set(folder: Path) -> set[str]:
    """Names of objects of a recorded set that the server did not take."""
    said = folder / "kubectl.txt"
    return set(_REFUSED_OBJECT.findall(said.read_text())) if said.exists() else set()


def _accepted() -> list[Path]:
    shared = Path(truth.__file__).parents[2] / "shared" / "manifests"
    samples = Path(truth.__file__).parents[1] / "samples"
    found = sorted(FOLDER.glob("*/input")) if FOLDER else []
    found = [path for path in found if path.parent.name != "rejected"]
    found += sorted(path for path in shared.glob("*") if path.is_dir())
    return found + sorted(
        path
        for path in (*samples.glob("*"), *samples.glob("broken/*"))
        if path.is_dir() and path.name != "broken"
    )


@pytest.mark.parametrize("path", _accepted(), ids=lambda p: "-".join(p.parts[-2:]))
def test_no_false_refusal(path: Path) -> None:
    found = apply([str(path)])
    expected = refused_in_set(path.parent) if path.name == "input" else set()
    assert {problem.subject.rpartition("/")[2] for problem in found.problems} == expected
    assert all(problem.wrong for problem in found.problems)
