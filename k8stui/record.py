"""Frozen, slotted records: what `dataclasses` makes, at a tenth of its price.

A program that lives for a tenth of a second cannot pay 0.33 ms for each of its 150 types, which is
what ``@dataclass(frozen=True, slots=True)`` costs: it compiles eight methods a class. Here methods
are closures over the names of the fields; only ``__init__`` is compiled, when the first instance is
made. `dataclasses.field`, `replace` and `fields`, patterns, copies and pickles work as ever.

Not imitated: order, InitVar, ClassVar, several bases, and the guard in ``repr`` against records
that contain themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(
    *, frozen: bool = True, eq: bool = True, kw_only: bool = False, weakref_slot: bool = False
) -> Callable[[type[T]], type[T]]:
    """Make of a class what ``@dataclass(slots=True, frozen=True, …)`` would make of it."""
    return lambda cls: _make(cls, frozen, eq, kw_only, weakref_slot)


def _make(cls: type[T], frozen: bool, eq: bool, kw_only: bool, weakref_slot: bool) -> type[T]:
    body = {k: v for k, v in vars(cls).items() if k not in {"__dict__", "__weakref__"}}
    own = body.get("__annotations__", {})
    inherited = getattr(cls, "__record_fields__", {})
    fields = inherited | {name: (body.pop(name, MISSING), kw_only) for name in own}
    names = tuple(fields)
    key = _key([name for name in names if _takes_part(fields[name][0], "compare")])
    shown = [name for name in names if _takes_part(fields[name][0], "repr")]
    slots = tuple(name for name in own if name not in inherited)

    def __init__(self: object, *args: object, **kwargs: object) -> None:  # noqa: N807
        init = made.__init__ = _compile_init(made)  # type: ignore[method-assign]
        init(self, *args, **kwargs)

    def __eq__(self: object, other: object) -> bool:  # noqa: N807
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    def __repr__(self: object) -> str:  # noqa: N807
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({values})"

    defaults: dict[str, object] = {"__repr__": __repr__}
    if eq:
        hashed = body.pop("__hash__", None)
        defaults["__eq__"] = __eq__
        defaults["__hash__"] = hashed or ((lambda self: hash(key(self))) if frozen else None)
    if frozen:
        defaults |= {"__setattr__": _refuse, "__delattr__": _refuse}
        defaults |= {"__getstate__": _state, "__setstate__": _restore}
    body = defaults | body
    body["__init__"] = __init__
    body["__slots__"] = (*slots, "__weakref__") if weakref_slot else slots
    body["__record_fields__"] = fields
    body["__dataclass_fields__"] = _TABLE
    body["__match_args__"] = tuple(
        name for name, (value, kw) in fields.items() if not kw and _takes_part(value, "init")
    )
    metaclass: Any = type(cls)
    made: type[T] = metaclass(cls.__name__, cls.__bases__, body)
    return made


def _takes_part(value: object, where: str) -> bool:
    """Whether a field with this default takes part in ``init``, ``repr`` or ``compare``."""
    return not isinstance(value, Field) or bool(getattr(value, where))


def _key(names: Sequence[str]) -> Callable[[object], tuple[object, ...]]:
    """What two records are compared by."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple([getattr(self, name) for name in names])


def _refuse(self: object, name: str, _value: object = None) -> NoReturn:
    raise FrozenInstanceError(f"cannot change field {name!r} of a {type(self).__name__}")


def _state(self: Any) -> list[object]:
    return [getattr(self, name) for name in self.__record_fields__]


def _restore(self: Any, state: Sequence[object]) -> None:
    for name, value in zip(self.__record_fields__, state, strict=True):
        object.__setattr__(self, name, value)


def _compile_init(cls: Any) -> Callable[..., None]:
    """``__init__`` of a record; the slots' own setters pass by a frozen ``__setattr__``.

    What the code names beside its parameters is numbered, the same for all records: Python keeps
    each name for good.
    """
    scope: dict[str, Any] = {"MISSING": MISSING}
    parameters: dict[bool, list[str]] = {False: [], True: ["*"]}
    lines = []
    for number, (name, (value, kw_only)) in enumerate(cls.__record_fields__.items()):
        default: object = value
        factory: object = MISSING
        if isinstance(value, Field):
            default, factory = value.default, value.default_factory
        setter, given, made = f"_s{number}", f"_d{number}", f"_m{number}()"
        scope[setter] = getattr(cls, name).__set__
        if factory is not MISSING:
            scope[f"_m{number}"] = factory
        elif default is not MISSING:
            scope[given] = default
        required = default is MISSING and factory is MISSING
        if _takes_part(value, "init"):
            optional = f"{name}={given if factory is MISSING else 'MISSING'}"
            parameters[kw_only].append(name if required else optional)
            chosen = name if factory is MISSING else f"{made} if {name} is MISSING else {name}"
            lines.append(f"{setter}(self, {chosen})")
        elif not required:
            lines.append(f"{setter}(self, {given if factory is MISSING else made})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    keywords = parameters[True] if len(parameters[True]) > 1 else []
    head = ", ".join(["self", *parameters[False], *keywords])
    exec(f"def __init__({head}):\n " + "\n ".join(lines or ["pass"]), scope)  # noqa: S102
    init: Callable[..., None] = scope["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


class _Table:
    """``__dataclass_fields__``, made by `dataclasses` itself when `replace` or `fields` asks."""

    def __get__(self, _instance: object, cls: Any) -> dict[str, Field[Any]]:
        from inspect import get_annotations  # noqa: PLC0415 - 2 ms, and few records are replaced

        annotations: dict[str, object] = {}
        for base in reversed(cls.__mro__):
            annotations |= get_annotations(base)
        body = {n: value for n, (value, _) in cls.__record_fields__.items() if value is not MISSING}
        body |= {"__module__": cls.__module__, "__annotations__": annotations}
        body["__doc__"] = cls.__name__  # else dataclasses writes a signature, for 0.5 ms
        like: Any = type(cls.__name__, (), body)
        table: dict[str, Field[Any]] = dataclass(
            init=False, repr=False, eq=False, match_args=False, kw_only=True
        )(like).__dataclass_fields__
        cls.__dataclass_fields__ = table
        return table


_TABLE = _Table()
