"""Whatever an input looks like: no value of a Secret is in what is said or shown of it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tui.literal import Here

from k8stui.manifests import load
from k8stui.manifests.secrecy import Veil, without_credentials
from k8stui.tui.source_lines import UnreadableError, lines_around

MARK = "zq9Xk77w"
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "shop"},
    "spec": {"ports": [{"port": "eighty"}]},
}


def secret(value: str, field: str, kind: str = "Secret") -> dict[str, object]:
    made: dict[str, object] = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "vault"}}
    if field == "annotation":
        inner = json.dumps({"kind": "Secret", "data": {"k": value}})
        name = "kubectl.kubernetes.io/last-applied-configuration"
        made["metadata"] = {"name": "vault", "annotations": {name: inner}}
    else:
        made[field] = {"first": "b25l", "pass.word": value, "last": "dHdv"}
    return made


def block(value: object, indent: int = 0) -> str:
    """Block style, as people write it."""
    pad = " " * indent
    if isinstance(value, dict):
        return "".join(
            f"{pad}{key}:\n{block(one, indent + 2)}"
            if isinstance(one, dict | list)
            else f"{pad}{key}: {one if key != 'x' else json.dumps(one)}\n"
            for key, one in value.items()
        )
    assert isinstance(value, list)
    return "".join(f"{pad}- {block(one, indent + 2).lstrip()}" for one in value)


VALUES = st.sampled_from(
    [
        MARK,
        f'"{MARK}"',
        f"'{MARK}'",
        f"|\n    {MARK}\n    more {MARK}",
        f">-\n    {MARK}",
        f'"two\n    {MARK}"',
        f"*{MARK}",
        f"&a {MARK}",
        f"!!binary {MARK}",
        f"postgres://me:{MARK}@db/x",
        f"[{MARK}]",
        f"{{a: {MARK}}}",
        f"{MARK}  # as agreed",
    ]
)
FIELDS = st.sampled_from(["data", "stringData", "annotation"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    field = draw(FIELDS)
    style = draw(st.sampled_from(["block", "list", "secrets", "json", "dense", "flow", "kindless"]))
    written = draw(VALUES) if field != "annotation" else MARK
    if style == "block":
        text = block(secret(written, field))
        return draw(st.sampled_from([text, f"{block(SERVICE)}---\n{text}---\n{block(SERVICE)}"]))
    if style == "list":
        items = block([SERVICE, secret(written.replace("\n", "\n  "), field), SERVICE])
        return f"apiVersion: v1\nkind: List\nitems:\n{items}"
    if style == "secrets":
        one = secret(written.replace("\n", "\n  "), field)
        del one["kind"]
        return f"apiVersion: v1\nkind: SecretList\nitems:\n{block([one])}"
    if style == "kindless":
        one = secret(written, field)
        del one["kind"]
        return f"kidn: Secret\n{block(one)}"
    listed = {"kind": "List", "apiVersion": "v1", "items": [SERVICE, secret(MARK, field), SERVICE]}
    if style == "flow":
        items = f"  - {json.dumps(secret(MARK, field))}\n  - {json.dumps(SERVICE)}\n"
        return f"items:\n{items}kind: List\n"
    made = draw(st.sampled_from([listed, secret(MARK, field)]))
    return json.dumps(made, indent=1 if style == "json" else None)


ODD = st.sampled_from(list("{}[]\"'#-&*!|>\t\n %@`,x\\"))


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    text = draw(documents())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        edge = text.rfind(MARK, max(0, at - len(MARK)), at + len(MARK))
        if edge >= 0 and edge < at < edge + len(MARK):
            at = edge
        match draw(st.integers(0, 4)):
            case 0:
                text = text[:at] + draw(ODD) + text[at:]
            case 1 if not text.startswith(MARK, at):
                text = text[:at] + text[at + 1 :]
            case 2:
                text = text[: max(at, text.find(MARK) + len(MARK))]
            case 3:
                lines = text.split("\n")
                row = text.count("\n", 0, at)
                lines[row] = " " * draw(st.integers(0, 6)) + lines[row].lstrip()
                text = "\n".join(lines)
            case _:
                text = text[:at] + "\udcff" + text[at:]
    return text.encode("utf-8", "surrogateescape")


@settings(max_examples=400, deadline=None)
@given(mutants(), st.sampled_from(["a.yaml", "a.json"]))
@example(b"kind: Service\nmetadata: {name: a}\n\n---\nkind: Service\n", "a.yaml")
def test_no_value_is_said_or_shown(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, name: str
) -> None:
    file = tmp_path_factory.mktemp("secret") / name
    file.write_bytes(raw)
    found = load([str(file)])
    said = [problem.render() for problem in found.problems] + [repr(p) for p in found.problems]
    said += [note.render() for note in found.notes]
    for line in range(1, raw.count(b"\n") + 2):
        try:
            said += [each.text for each in lines_around(Here(str(file), line), values=True)]
        except UnreadableError:
            continue
    assert MARK not in "\n".join(said)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "kind: Secret\nmeta: {name: a}\nstringData:\n  k: v1\n  # old: v0\n  b: |\n    x: y\n",
            "kind: Secret\nmeta: {name: …}\nstringData:\n  k: …\n  …\n  b: …\n    …\n",
        ),
        (
            "- {kind: Secret, data: {a: Zm9v}}\n- {kind: Service, spec: {ports: []}}",
            "- {kind: Secret, data: {a: …}}\n- {kind: Service, spec: {ports: []}}",
        ),
        ('"kind": "S\\x65cret"\nbinary: {a: 1}', '"kind": "S\\x65cret"\nbinary: {a: …}'),
        ('x: top\n---\n"kind": "S\\x65cret"\nbinary: {a: 1}', 'x: …\n…\n"kind": …\nbinary: {a: …'),
        (
            "kind: Set\na: &v hidden\nb:\n  kind: Secret\n  data: {p: *v}\nc: {d: 1}",
            "kind: …\na: …\nb:\n  kind: Secret\n  data: {p: …}\nc: {d: …}",
        ),
        (
            'kind: Service\nmetadata: {annotations: {a: \'{"kind":"Secret","data":{"p":"x"}}\'}}',
            "kind: Service\nmetadata: {annotations: {a: …}}",
        ),
        ("kind: Secret\ndata:\n  a: [b\n  c: d\n", "kind: Secret\ndata:\n  a: […\n  c: …\n"),
        (
            "kind: Ingress\nspec: {tls: [{secretName: a}]}",
            "kind: Ingress\nspec: {tls: [{secretName: a}]}",
        ),
    ],
)
def test_keys_stay_and_values_go(text: str, shown: str | None) -> None:
    lines = "\n".join(Veil(text).lines())
    if shown is None:
        assert "top" not in lines
    else:
        assert lines == shown


POD = """\
kind: Pod
spec:
  containers:
  - name: c
    env:
    - name: WORD
      value: open sesame
    - {name: PORT, value: "5432"}
    - {name: KEY, value: sesame}
    - name: LONG
      value: |
        sesame
    args: [--db=postgres://me:sesame@db:5432/x, --password=sesame, --level=3]
"""


def test_values_of_variables_are_shown_on_request() -> None:
    assert "sesame" not in "\n".join(Veil(POD).lines())
    assert '"5432"' in "\n".join(Veil(POD).lines())
    assert "\n".join(Veil(POD, values=True).lines()) == POD


def test_values_of_variables_in_a_broken_text() -> None:
    assert "sesame" not in "\n".join(Veil(POD + "  }\n").lines())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see postgres://me:a:b@db:5432/x", "see postgres://me:…@db:5432/x"),
        ("DB_PASSWORD: abc", "DB_PASSWORD: …"),
        ("--api-key=abc --x=1", "--api-key=… --x=1"),
        ("secretName: abc", "secretName: abc"),
        ("automountServiceAccountToken: false", "automountServiceAccountToken: false"),
        ("http://db:5432/x", "http://db:5432/x"),
    ],
)
def test_passwords_in_any_line(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_a_password_is_in_no_finding(tmp_path: Path) -> None:
    from k8stui.cli import run

    file = tmp_path / "shop.yaml"
    file.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: shop}\nspec:\n  containers:\n  - name: c\n"
        "    image: i\n    env:\n    - {name: DB_URL, value: 'postgres://u:sesame@dbb:5432/x'}\n"
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: db}\n"
        "spec: {ports: [{port: 5432}], selector: {a: b}}\n"
    )
    for form in ("text", "json", "sarif", "github"):
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdout", out)
            patch.setattr("sys.stderr", err)
            run(["check", str(file), "--format", form])
        assert "sesame" not in out.getvalue() + err.getvalue()
