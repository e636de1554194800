"""A wordbook says of many words what is said of one: whom it was meant to be, by every name."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from k8stui.cluster.meant import CalledServices
from k8stui.cluster.model import Service, ServicePort
from k8stui.origin import Origin, OriginKind
from k8stui.suggest import Wordbook, is_part, is_same_thing, is_typo, nearest

WORD = st.one_of(
    st.text("ab-1", max_size=6),
    st.text("aABb", max_size=5),
    st.builds(
        lambda stem, tail: stem + tail,
        st.sampled_from(["service-", "checkout", "front-end-", "Db"]),
        st.text("abx12-", max_size=4),
    ),
)
NAMES = st.lists(WORD, max_size=12)


@given(NAMES, WORD, st.sets(WORD, max_size=2))
@example(["ab", "ba"], "a", set())
@example(["abcd", "abce", "abcf"], "abcg", {"abcf"})
@example(["Web", "web"], "WEB", {"web"})
@settings(max_examples=60, deadline=None)
def test_its_nearest_name_is_the_nearest_of_all(names: list[str], word: str, but: set[str]) -> None:
    expected = nearest(word, [name for name in names if name not in but])
    assert Wordbook(names).nearest(word, but) == expected


@given(NAMES, WORD)
@example(["service-1", "service-12", "servic-2"], "service-2")
@settings(max_examples=60, deadline=None)
def test_its_typing_errors_are_those_of_all(names: list[str], word: str) -> None:
    known = list(dict.fromkeys(names))
    assert Wordbook(names).typos(word) == [name for name in known if is_typo(word, name)]


NAME = st.sampled_from(
    ["db", "my-db", "mydb", "db-svc", "stage-db", "db-hs", "stage", "stage-db-a", "database", "dbs"]
)
PORTS = st.lists(st.integers(1, 2), max_size=2)
HERE = Origin(kind=OriginKind.ASSUMED)


def service(name: str, ports: list[int]) -> Service:
    return Service(
        namespace="default",
        name=name,
        ports=tuple(ServicePort(port=port, target_port=port, origin=HERE) for port in ports),
        origin=HERE,
    )


@given(st.dictionaries(NAME, PORTS, max_size=5), NAME, st.one_of(st.none(), st.integers(1, 2)))
@settings(max_examples=100, deadline=None)
def test_the_service_that_a_name_is_about_is_the_one_of_all(
    ports: dict[str, list[int]], asked: str, port: int | None
) -> None:
    known = {name: own for name, own in ports.items() if name != asked}
    alike = [one for one in known if is_same_thing(asked, one) or is_typo(asked, one)]
    beside = [one for one in known if is_part(asked, one) or is_part(one, asked)]
    fitting = [one for one in alike if port in known[one]] if len(alike) > 1 else alike
    fitting = fitting or [one for one in beside if port in known[one]]
    found = CalledServices(service(*one) for one in known.items()).about("default", asked, port)
    assert (found.name if found is not None else None) == (
        fitting[0] if len(fitting) == 1 else None
    )


@pytest.mark.parametrize("other", ["echo-x", "echo-1", "echo-"])
def test_a_name_with_a_word_behind_it_is_another_one(other: str) -> None:
    assert not is_typo(other, "echo")
    assert not is_typo("echo", other)
    assert is_typo("echos", "echo")
