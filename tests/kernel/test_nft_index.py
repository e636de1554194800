"""Look-ups in sets of nftables: what an index finds is what the elements hold."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from k8stui.kernel.nft.index import between, of

WORD = 2**16 - 1
WIDE = 2**128 - 1
MOST_BYTES = 1_000_000

RANGE = st.tuples(st.integers(0, WORD), st.integers(0, WORD)).map(sorted)
PLACE = st.one_of(st.integers(0, WORD), st.sampled_from([0, 1, WORD - 1, WORD]))


@given(
    st.lists(st.tuples(RANGE, RANGE, RANGE), min_size=1, max_size=5),
    st.tuples(PLACE, PLACE, PLACE),
)
def test_a_key_is_found_where_an_element_holds_it(
    elements: list[tuple[list[int], ...]], key: tuple[int, ...]
) -> None:
    index = of(([between(*field) for field in one], one) for one in elements)
    held = [
        one
        for one in elements
        if all(first <= value <= last for (first, last), value in zip(one, key, strict=True))
    ]
    found = index.find(key)
    assert found in held if held else found is None


def test_what_no_element_holds_stands_at_the_rest() -> None:
    index = of([([], "rest"), ([between(1, 2)], "some"), ([], "another")])
    assert [index.find([value]) for value in (0, 1, 3)] == ["rest", "some", "rest"]


def test_ranges_of_several_fields_cost_what_is_written() -> None:
    everything = between(1, WIDE - 1)
    tracemalloc.start()
    index = of([([everything, everything, everything], "wide")])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_BYTES
    assert index.find([1, 5, WIDE - 1]) == "wide"
    assert index.find([1, 0, 5]) is None
