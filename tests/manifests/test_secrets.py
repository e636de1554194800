"""A Secret's values are nowhere once load is done: not in data, text, messages or caches."""

from __future__ import annotations

import gc
import io
import json

import pytest

from k8stui.apiserver import apply
from k8stui.manifests import Manifests, events
from k8stui.manifests.secrecy import Veil

KEY = "hunter2verysecre"
"""Base64, too: the API server refuses other data."""
YAML = f"""\
apiVersion: v1
kind: Secret
metadata:
  name: s
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{{"data": "{KEY}"}}'
data:
  plain: {KEY}
  quoted: "{KEY}"
  block: |
    {KEY}
    {KEY}
  flow: {KEY}   # the end
stringData: {{a: {KEY}, b: [{KEY}]}}
"""
JSON = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"plain": KEY, "escaped": f"{KEY}\n"},
        "stringData": {"a": KEY, "escaped": f'\\"{KEY}'},
    },
    indent=1,
)


def read(text: str) -> Manifests:
    return apply(["-"], stdin=io.BytesIO(text.encode()))


@pytest.mark.usefixtures("without_others")
@pytest.mark.parametrize(
    "text",
    [YAML, JSON, "items:\n- " + YAML.replace("\n", "\n  ") + "\nkind: List\napiVersion: v1\n"],
    ids=["yaml", "json", "list"],
)
def test_values_are_gone_and_places_stay(text: str) -> None:
    found = read(text)
    assert not found.problems
    (secret,) = found.objects
    data = secret.data["data"]
    assert isinstance(data, dict)
    assert "plain" in data
    assert not any(data.values())
    assert KEY not in repr(secret.data)
    assert KEY not in secret.locator.text.content  # type: ignore[attr-defined]
    line = text.split("\n")[secret.place("data", "plain").line - 1]
    assert "plain" in line
    assert (
        secret.place("stringData", "a").line
        == 1
        + [n for n, row in enumerate(text.split("\n")) if "stringData" in row or '"a":' in row][-1]
    )
    assert KEY not in events._PLAIN
    gc.collect()
    held = [o for o in gc.get_objects() if isinstance(o, dict) and KEY in map(str, o.values())]
    assert not [o for o in held if o is not globals() and "YAML" not in o and "text" not in o]


@pytest.mark.parametrize(
    "line",
    ["  a:{}", "  a: b: {}", "\ta: {}", '  a: "{}', "  {}", "  a: [{}", "  a: @{}", "  - {}: x: y"],
)
def test_messages_do_not_show_them(line: str) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  x: y\n" + line.format(KEY)
    found = read(text + "\n  z: w\n")
    for problem in found.problems:
        assert KEY not in problem.render()
        assert KEY not in problem.message + problem.hint + problem.source_line
    for note in found.notes:
        assert KEY not in note.render()


@pytest.mark.parametrize("value", [KEY, f'"{KEY}"', f"[{KEY}]", f"{{a: {KEY}}}", f"!!str {KEY}"])
def test_a_value_in_place_of_a_boolean_is_not_shown(value: str) -> None:
    text = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nimmutable: {value}\n"
    found = read(text)
    assert found.problems
    assert not any(KEY in problem.render() for problem in found.problems)
    (problem,) = read(text.replace(value, "truth")).problems
    assert problem.line == 4


_FIELD = "valueFrom: {fieldRef: {apiVersion: v1, fieldPath: status.podIP}}"
_MANAGED = "{apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {f: {}}, manager: m, time: t}"


def test_what_names_a_version_is_no_object() -> None:
    """A fieldRef has an apiVersion and no kind, as a Secret of a SecretList may have."""
    text = (
        "apiVersion: batch/v1\nkind: Job\n"
        f"metadata: {{name: j, managedFields: [{_MANAGED}]}}\n"
        "spec:\n  selector: {matchLabels: {a: b}}\n  template:\n    spec:\n"
        "      restartPolicy: Never\n"
        f"      containers: [{{name: c, image: i, env: [{{name: IP, {_FIELD}}}]}}]\n"
    )
    (problem,) = apply(["-"], stdin=io.BytesIO(text.encode())).problems
    assert problem.message.endswith(
        "spec.selector is made by the server; leave it out, or write manualSelector: true too"
    )


def test_what_is_said_in_place_of_a_value_goes_on_with_the_sentence() -> None:
    veil = Veil("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: written}\n")
    shown = veil.line(0)
    assert veil.said("has to be written", shown, "is wrong") == "is wrong"
    assert veil.said("has to be there", shown, "is wrong") == "has to be there"
    assert veil.said("'x' is none", shown) == "is wrong (a Secret's text is not shown)"
