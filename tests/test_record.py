"""Records behave as frozen, slotted dataclasses do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.record import record


@record()
class Point:
    """A point."""

    x: int
    y: int = 2
    tags: tuple[str, ...] = field(default_factory=tuple)
    note: object = field(default=None, compare=False, repr=False)

    @property
    def total(self) -> int:
        return self.x + self.y


@dataclass(frozen=True, slots=True)
class Like:
    x: int
    y: int = 2
    tags: tuple[str, ...] = field(default_factory=tuple)
    note: object = field(default=None, compare=False, repr=False)


@record(kw_only=True)
class Named:
    name: str = ""
    size: int


@record(kw_only=True)
class Child(Named):
    size: int = 5
    extra: list[int] = field(default_factory=list)


@record()
class Derived:
    text: str
    length: int = field(init=False, repr=False, compare=False)
    cache: int | None = field(init=False, default=None, compare=False, repr=False)
    seen: list[str] = field(init=False, default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", len(self.text))


@record(frozen=False)
class Counter:
    count: int = 0


@record(eq=False, weakref_slot=True)
class Identity:
    value: int = 0


@record()
class Single:
    value: float


@record()
class Empty:
    pass


@record()
class OwnWords:
    value: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnWords)

    def __hash__(self) -> int:
        return 7

    def __repr__(self) -> str:
        return "own"


VALUES = st.tuples(
    st.integers(-2, 2), st.integers(-2, 2), st.lists(st.sampled_from("ab"), max_size=2).map(tuple)
)


@given(VALUES, VALUES, st.integers())
def test_equality_hash_and_text_are_a_dataclass(
    one: tuple[int, int, tuple[str, ...]], two: tuple[int, int, tuple[str, ...]], note: int
) -> None:
    a, b, c, d = Point(*one, note), Point(*two), Like(*one, note), Like(*two)
    assert (a == b) == (c == d)
    assert hash(a) == hash(c)
    assert repr(a) == repr(c).replace("Like", "Point")
    assert len({a, b}) == len({c, d})
    assert a != c  # type: ignore[comparison-overlap] # that is the point
    assert (a.x, a.y, a.tags, a.note) == (c.x, c.y, c.tags, c.note)


@given(VALUES, st.fixed_dictionaries({}, optional={"x": st.integers(), "y": st.integers()}))
def test_replace_copies_and_pickles_are_a_dataclass(
    values: tuple[int, int, tuple[str, ...]], changes: dict[str, int]
) -> None:
    point, like = Point(*values, note="kept"), Like(*values, note="kept")
    mended = replace(point, **changes)  # type: ignore[arg-type]
    assert dataclasses.asdict(mended) == dataclasses.asdict(replace(like, **changes))  # type: ignore[arg-type]
    for same in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):  # noqa: S301
        assert same == point
        assert same is not point
        assert same.note == "kept"


def test_fields_and_patterns() -> None:
    assert [(f.name, f.type) for f in fields(Point)] == [(f.name, f.type) for f in fields(Like)]
    assert Point.__match_args__ == Like.__match_args__
    assert Named.__match_args__ == ()
    match Point(1):
        case Point(x, y, tags=()):
            assert (x, y) == (1, 2)
        case _:
            pytest.fail("does not match")
    assert dataclasses.is_dataclass(Point)


@pytest.mark.parametrize(
    "call",
    [
        lambda kind: kind(),
        lambda kind: kind(1, x=1),
        lambda kind: kind(1, 2, (), None, 5),
        lambda kind: kind(1, z=3),
    ],
    ids=["too few", "twice", "too many", "unknown"],
)
def test_wrong_arguments_are_refused(call: Callable[[type], object]) -> None:
    for kind in (Like, Point):
        with pytest.raises(TypeError):
            call(kind)


def slots(kind: Any) -> object:
    return kind.__slots__


def test_frozen_and_slotted() -> None:
    point = Point(1)
    for name in ("x", "unknown"):
        with pytest.raises(FrozenInstanceError):
            setattr(point, name, 3)
        with pytest.raises(FrozenInstanceError):
            delattr(point, name)
    assert not hasattr(point, "__dict__")
    assert point.total == 3
    assert Point.__doc__ == "A point."
    assert slots(Point) == ("x", "y", "tags", "note")


def test_keyword_only_in_any_order_and_inherited() -> None:
    with pytest.raises(TypeError):
        Named("a", 1)  # type: ignore[call-arg]
    assert Named(size=1) == Named(name="", size=1)
    child = Child(name="a")
    assert (child.name, child.size, child.extra) == ("a", 5, [])
    assert child.extra is not Child().extra
    assert slots(Child) == ("extra",)
    assert child != Named(name="a", size=5)
    assert replace(child, size=6) == Child(name="a", size=6)


def test_a_class_that_is_no_record_may_inherit() -> None:
    class Plain(Named):
        def __init__(self) -> None:
            super().__init__(size=4)

    assert Plain().size == 4
    assert Named(size=4) != Plain()


def test_fields_set_after_init() -> None:
    assert Derived("four").length == 4
    assert (Derived("a").cache, Derived("a").seen) == (None, [])
    assert Derived("a").seen is not Derived("a").seen
    assert repr(Derived("a")) == "Derived(text='a')"
    assert replace(Derived("four"), text="a").length == 1
    with pytest.raises(TypeError):
        Derived("a", 1)  # type: ignore[call-arg]


def test_mutable() -> None:
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError):
        hash(counter)
    with pytest.raises(AttributeError):
        counter.other = 1  # type: ignore[attr-defined]
    assert copy.copy(counter) == counter


def test_identity() -> None:
    one, two = Identity(), Identity()
    assert one != two
    assert len({one, two}) == 2
    assert slots(Identity) == ("value", "__weakref__")


def test_few_fields() -> None:
    assert hash(Single(1.5)) == hash((1.5,))
    nan = float("nan")
    assert Single(nan) == Single(nan)
    assert Empty() == Empty()
    assert repr(Empty()) == "Empty()"


def test_own_methods_stay() -> None:
    assert OwnWords(1) == OwnWords(2)
    assert hash(OwnWords(1)) == 7
    assert repr(OwnWords(1)) == "own"
