"""Whether data fits the table of its kind: `check` without the words, for the many that do."""

from __future__ import annotations

from k8stui.manifests.schema.types import ANY, ListOf, MapOf, OneOf, Scalar, Struct, Type


def fits(value: object, type_: Type) -> bool:
    """Whether `check.check` would have nothing to say of `value`."""
    if value is None or type_ is ANY:
        return True
    if isinstance(type_, Struct):
        return isinstance(value, dict) and _record(value, type_)
    if isinstance(type_, Scalar):
        return value.__class__ in type_.types and _in_range(value, type_)
    # Plain loops: a generator in all() costs as much again.
    if isinstance(type_, ListOf):
        if not isinstance(value, list):
            return False
        for one in value:  # noqa: SIM110
            if not fits(one, type_.item):
                return False
        return True
    if isinstance(type_, MapOf):
        if not isinstance(value, dict):
            return False
        for one in value.values():
            if one.__class__ not in type_.value.types and one is not None:
                return False
        return True
    if isinstance(type_, OneOf):
        return value in type_.values or (type_.fills and value == "")
    return True


def _record(value: dict[str, object], type_: Struct) -> bool:
    fields = type_.fields
    for key, one in value.items():
        below = fields.get(key)
        if below is None:
            return False
        if one is None or below is ANY:
            continue
        # The commonest are written out: a call for each would cost as much as all the rest.
        if below.__class__ is Scalar:
            if one.__class__ not in below.types:
                return False
            if below.low is not None and not _in_range(one, below):
                return False
        elif below.__class__ is Struct:
            if one.__class__ is not dict or not _record(one, below):
                return False
        elif not fits(one, below):
            return False
    for name in type_.required:  # noqa: SIM110
        if value.get(name) is None:
            return False
    return True


def _in_range(value: object, type_: Scalar) -> bool:
    if type_.low is None or not isinstance(value, int):
        return True
    return type_.low <= value and (type_.high is None or value <= type_.high)
