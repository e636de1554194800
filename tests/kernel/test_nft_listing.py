"""What ``nft list ruleset`` printed is read, and printed the same."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest
import truth

from k8stui.kernel.nft import listing, text
from k8stui.kernel.nft.errors import NftError

_SHARED = Path(__file__).parents[3] / "shared"
_NAMES = ("recordings", "recordings-agents", "recordings-cni", "real-nodes")


def listed() -> Iterator[Path]:
    """Here, where the tests are pointed to, and in the shared folder where there is one."""
    found = [Path(__file__).parent / "rulesets", *(_SHARED / name for name in _NAMES)]
    found += [folder for name in _NAMES if (folder := truth.find(name)) is not None]
    for folder in dict.fromkeys(found):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and (path.name == "nft" or path.name.endswith((".nft", ".nft.xz"))):
                yield path


def told(path: Path) -> str:
    data = path.read_bytes()
    return (lzma.decompress(data) if path.suffix == ".xz" else data).decode()


@pytest.mark.parametrize("path", listed(), ids=lambda path: "/".join(path.parts[-3:]))
def test_a_recorded_ruleset_is_printed_as_nft_printed_it(path: Path) -> None:
    assert listing.listing(text.parse(told(path))) == told(path)


def test_handles_are_left_out() -> None:
    with_handles = (
        "table ip t { # handle 4\n\tset s { # handle 2\n\t\ttype ipv4_addr\n\t\telements = { "
        '10.0.0.1 comment "a, b",\n\t\t\t     10.0.0.2 }\n\t}\n\n\tchain c { # handle 1\n'
        "\t\ttype filter hook input priority filter; policy drop;\n"
        '\t\tip saddr @s accept comment "#1" # handle 3\n\t}\n}\n'
    )
    shown = listing.listing(text.parse(with_handles))
    assert "handle" not in shown
    assert 'accept comment "#1"\n' in shown
    assert 'elements = { 10.0.0.1 comment "a, b", 10.0.0.2 }' in shown


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        ("table ip t {\n\tchain c {\n\t}\n", 1, "closing brace is missing"),
        ("table ip t {\n}\n}\n", 3, "a closing brace too many"),
        ("\nadd rule ip t c accept\n", 2, "not a table of nft list ruleset: add rule ip t c"),
        ("table ip t {\n\tset s {\n\t\tflags interval\n\t}\n}\n", 2, "it has no type"),
        (
            "table ip t {\n chain c {\n  type filter hook input priority dust; policy drop\n }\n}",
            3,
            "no priority of family ip: dust",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(wrong: str, line: int, said: str) -> None:
    with pytest.raises(NftError, match=said) as raised:
        text.parse(wrong)
    assert raised.value.line == line


def test_a_priority_keeps_the_name_that_another_nft_has_for_it() -> None:
    told = (
        "table ip t {\n\tchain c {\n\t\ttype nat hook output priority dstnat + 1; policy accept;\n"
        "\t}\n}\n"
    )
    ruleset = text.parse(told)
    assert listing.listing(ruleset) == told
    assert "priority -99;" in listing.listing(ruleset, listing.Form.SENT)


def test_what_nft_says_of_a_table_stays() -> None:
    told = (
        "# Warning: table ip filter is managed by iptables-nft, do not touch!\n"
        'table ip filter {\n\tchain FORWARD {\n\t\tlast used never xt target "LOG"\n\t}\n}\n'
        "table inet firewalld { # progname firewalld\n\tflags owner,persist\n\n\tchain c {\n"
        "\t\ttype filter hook ingress devices = { eth0, lo } priority filter; policy accept;\n"
        "\t\tfib saddr . mark . iif check missing drop\n\t}\n}\n"
    )
    assert listing.listing(text.parse(told)) == told
