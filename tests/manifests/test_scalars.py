"""docs/facts/speed.md section 2, "YAML semantics": each measured row, and its edges."""

from __future__ import annotations

import pytest

from k8stui.manifests.events import YamlFault, read
from k8stui.manifests.scalars import ScalarError, key_text, resolve, tagged

TABLE = [
    ("y", True), ("n", False), ("Y", True), ("N", False),
    ("yes", True), ("no", False), ("on", True), ("off", False), ("Yes", True), ("OFF", False),
    ("yEs", "yEs"), ("true", True), ("FALSE", False), ("tRue", "tRue"),
    ("0644", 420), ("0o644", 420), ("08", 8), ("-010", -8), ("0", 0), ("-0", 0),
    ("1e3", 1000), ("1E+3", 1000), ("1.", 1), ("0.0", 0), ("1.5", 1.5), (".5", 0.5), ("-.5", -0.5),
    ("1_000", 1000), ("0b11", 3), ("-0b11", -3), ("0x1F", 31), ("-0x1F", -31), ("+5", 5),
    ("123456789012345678901", 123456789012345680000),
    ("9223372036854775807", 9223372036854775807), ("9223372036854775808", 9223372036854775808),
    ("18446744073709551616", 18446744073709552000),
    ("12:30:45", "12:30:45"), ("80:80", "80:80"), ("10.0.0.1", "10.0.0.1"),
    ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"), ("2024-01-02", "2024-01-02"),
    ("=", "="), ("<<", "<<"), ("1e400", "1e400"), ("1.10", 1.1), ("1e21", 1e21),
    ("~", None), ("null", None), ("Null", None), ("nULL", "nULL"), ("", None),
    ("-", "-"), ("+", "+"), (".", "."), ("0x", "0x"), ("0b2", "0b2"), ("_1", "_1"), ("1__0", 10),
    ("node", "node"), ("number", "number"), ("5G", "5G"), ("0.0.0", "0.0.0"), ("-port", "-port"),
    ("٣", "٣"), ("1²", "1²"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), TABLE, ids=[repr(row[0]) for row in TABLE])
def test_plain(text: str, value: object) -> None:
    found = resolve(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", [".inf", "-.Inf", "+.INF", ".NaN", ".nan"])
def test_no_json_value(text: str) -> None:
    with pytest.raises(ScalarError):
        resolve(text)
    with pytest.raises(YamlFault, match="no value in JSON"):
        read(f"a: {text}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!foo bar", "bar"),
        ("!!binary aGk=", "hi"),
        ("!!str 5", "5"),
        ('!!int "5"', 5),
        ("!!float 5", 5),
        ("!!bool yes", True),
        ("!!null x", None),
        ("!!timestamp 2024-01-02", "2024-01-02"),
        ('!!python/object/apply:os.system ["true"]', ["true"]),
        ("!!python/name:os.system x", "x"),
        ('"1"', "1"),
        ("'yes'", "yes"),
        ('"\\u263a"', "☺"),
        ("|\n  1\n", "1\n"),
        (">-\n  a\n  b", "a b"),
    ],
)
def test_tags_and_styles(text: str, value: object) -> None:
    assert read(f"a: {text}").value == {"a": value}


@pytest.mark.parametrize(
    ("tag", "text"), [("int", "x"), ("bool", "5"), ("binary", "a"), ("float", "y")]
)
def test_tag_that_does_not_fit(tag: str, text: str) -> None:
    with pytest.raises(ScalarError):
        tagged(f"tag:yaml.org,2002:{tag}", text)


@pytest.mark.parametrize(
    ("text", "key"),
    [("1", "1"), ("y", "true"), ("1.5", "1.5"), ("0x10", "16"), ("'1'", "1"), ("no", "false")],
)
def test_keys_become_text(text: str, key: str) -> None:
    assert read(f"{text}: v").value == {key: "v"}
    assert key_text(None) is None
