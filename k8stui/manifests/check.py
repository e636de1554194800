"""One object against the table of its kind: what is wrong, where, and what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from k8stui.manifests.fits import fits
from k8stui.manifests.lookalikes import LOOKALIKES
from k8stui.manifests.manifest import Path, field_name
from k8stui.manifests.schema.objects import Kind
from k8stui.manifests.schema.types import ANY, ListOf, MapOf, OneOf, Scalar, Struct, Type
from k8stui.record import record


class Mend(Enum):
    """How the text at the fault's place would be put right."""

    NONE = 0
    QUOTE = 1
    """Put quotes around the value as written."""
    REPLACE = 2
    """Write `text` instead of the value."""
    RENAME = 3
    """Write `text` instead of the key."""
    STRUCTURE = 4
    """A space, a dash or a colon is missing: look at the line (`repair.structure`)."""


@record(kw_only=True)
class Fault:
    """What the table of fields has against a value."""

    path: Path
    message: str
    mend: Mend = Mend.NONE
    text: str = ""
    hint: str = ""
    note: bool = False
    """Kubernetes would drop or refuse it, but the rest of the object means what it says."""
    at_key: bool = False
    """The key is wrong, not the value."""
    missing: bool = False
    """Something is not there; it may turn up once a broken line is mended."""
    wrong: str = ""
    """The API server's kind of mistake, where it could decode the object all the same."""


def check(data: Mapping[str, object], kind: Kind) -> list[Fault]:
    """Everything in `data` that does not fit the table; empty for a good object."""
    if fits(data, kind.fields):
        return []
    faults: list[Fault] = []
    _record(data, kind.fields, (), faults)
    return faults


def _value(value: object, type_: Type, path: Path, faults: list[Fault]) -> None:
    # The order is that of how often a type is met.
    if value is None or type_ is ANY:
        return
    if isinstance(type_, Scalar):
        if value.__class__ not in type_.types:
            _scalar(value, type_, path, faults)
        elif type_.low is not None:
            _range(value, type_, path, faults)
    elif isinstance(type_, Struct):
        _record(value, type_, path, faults)
    elif isinstance(type_, ListOf):
        if isinstance(value, list):
            for index, one in enumerate(value):
                _value(one, type_.item, (*path, index), faults)
        else:
            faults.append(_not_list(value, path))
    elif isinstance(type_, MapOf):
        if isinstance(value, dict):
            for key, one in value.items():
                if one.__class__ not in type_.value.types:
                    _value(one, type_.value, (*path, key), faults)
        else:
            faults.append(_not_mapping(value, path, "a mapping of names to texts"))
    elif isinstance(type_, OneOf):
        _choice(value, type_, path, faults)


def _record(value: object, type_: Struct, path: Path, faults: list[Fault]) -> None:
    if not isinstance(value, dict):
        faults.append(_not_mapping(value, path, f"a mapping with the fields of a {type_.name}"))
        return
    fields = type_.fields
    unknown = False
    for key, one in value.items():
        below = fields.get(key)
        if below is None:
            unknown = True
        elif one is not None:
            _value(one, below, (*path, key), faults)
    missing = [name for name in type_.required if value.get(name) is None]
    if unknown:
        _unknown(value, type_, missing, path, faults)
    for name in missing:
        where = field_name(path) or "the object"
        faults.append(
            Fault(
                path=path,
                message=f"{where} has no {name}",
                at_key=True,
                missing=True,
                wrong="Required value",
            )
        )


def _unknown(
    value: Mapping[str, object], type_: Struct, missing: list[str], path: Path, faults: list[Fault]
) -> None:
    """Report the fields of `value` that the table lacks; takes out of `missing` what was meant."""
    from k8stui.suggest import nearest  # noqa: PLC0415 - difflib, for mistakes only

    for key in [key for key in value if key not in type_.fields]:
        full = (*path, key)
        if key[:1] == "-" and key[1:2].isalpha():
            message = f"a space is missing between the dash and {key[1:]!r}"
            faults.append(Fault(path=full, message=message, mend=Mend.STRUCTURE, at_key=True))
            continue
        if not LOOKALIKES.keys().isdisjoint(key):
            message = "a character that only looks like the one that YAML needs"
            faults.append(Fault(path=full, message=message, mend=Mend.STRUCTURE, at_key=True))
            continue
        meant = nearest(key, [name for name in type_.fields if name not in value])
        note = meant not in missing
        if meant in missing:
            missing.remove(meant)
        faults.append(
            Fault(
                path=full,
                message=f"{type_.name} has no field {key!r}"
                + (f"; did you mean {meant!r}?" if meant else ""),
                mend=Mend.RENAME if meant else Mend.NONE,
                text=meant or "",
                hint="" if meant else _belongs(key),
                note=note,
                at_key=True,
            )
        )


def _belongs(key: str) -> str:
    """Say where a field stands that is known elsewhere."""
    homes = {
        "spec": "the object's root",
        "metadata": "the object's root",
        "replicas": "spec of the workload",
        "template": "spec of the workload",
        "selector": "spec",
        "containers": "the pod's spec (spec.template.spec of a workload)",
        "ports": "spec of a Service, or a container",
        "labels": "metadata",
        "annotations": "metadata",
        "name": "metadata, or a list item",
        "namespace": "metadata",
        "nodePort": "an item of a Service's spec.ports",
        "targetPort": "an item of a Service's spec.ports",
        "containerPort": "an item of a container's ports",
        "image": "a container",
        "env": "a container",
    }
    return f"{key} belongs into {homes[key]}: look at the indentation" if key in homes else ""


_SELECTED = (("selector", "matchLabels"), ("selector", "matchExpressions"))
_PLAIN = (
    "this selector is a plain mapping of labels, as in selector: {app: web}; a workload's has "
    "matchLabels"
)
"""Of Services and ReplicationControllers, whose selectors are older than matchLabels."""


def _scalar(value: object, type_: Scalar, path: Path, faults: list[Fault]) -> None:
    where = field_name(path)
    if isinstance(value, dict | list):
        what = "a list" if isinstance(value, list) else "a mapping"
        faults.append(
            Fault(
                path=path,
                message=f"{where} needs {type_.words}, this is {what}",
                hint=_PLAIN if path[-2:] in _SELECTED else "",
                at_key=True,
            )
        )
    elif str in type_.types:
        faults.append(
            Fault(
                path=path,
                message=f"{where} needs {type_.words}; without quotes this is {_spoken(value)}",
                mend=Mend.QUOTE,
            )
        )
    else:
        plain = str(value)
        number = plain.isascii() and plain.lstrip("-").isdigit()
        fits = number if int in type_.types else plain.lower() in ("true", "false")
        if isinstance(value, str) and fits:
            message = f"{where} needs {type_.words}; the quotes make it a text"
            fault = Fault(path=path, message=message, mend=Mend.REPLACE, text=plain.lower())
        else:
            fault = Fault(
                path=path, message=f"{where} needs {type_.words}, this is {_spoken(value)}"
            )
        faults.append(fault)


def _range(value: object, type_: Scalar, path: Path, faults: list[Fault]) -> None:
    if not isinstance(value, int):
        return
    low, high = type_.low or 0, type_.high
    if value < low or (high is not None and value > high):
        message = f"{field_name(path)} needs {type_.words}"
        faults.append(Fault(path=path, message=message, wrong="Invalid value"))


def _choice(value: object, type_: OneOf, path: Path, faults: list[Fault]) -> None:
    if value in type_.values or (type_.fills and value == ""):
        return
    from k8stui.suggest import nearest  # noqa: PLC0415 - as above

    names = ", ".join(type_.values)
    meant = nearest(str(value), type_.values) if isinstance(value, str) else None
    faults.append(
        Fault(
            path=path,
            message=f"{field_name(path)} is one of {names}"
            + (f"; did you mean {meant}?" if meant else f", not {_spoken(value)}"),
            mend=Mend.REPLACE if meant else Mend.NONE,
            text=meant or "",
            wrong="Unsupported value" if isinstance(value, str) else "",
        )
    )


def _not_mapping(value: object, path: Path, wanted: str) -> Fault:
    where = field_name(path) or "a Kubernetes object"
    if isinstance(value, list):
        message = f"{where} needs {wanted}, this is a list"
        return Fault(path=path, message=message, mend=Mend.STRUCTURE, hint="take the dash away")
    if isinstance(value, str) and ":" in value:
        message = f"a space is missing after the colon: {where} is the text {_spoken(value)}"
        return Fault(path=path, message=message, mend=Mend.STRUCTURE)
    message = f"{where} needs {wanted}, this is {_spoken(value)}"
    pairs = [part.split("=") for part in value.split(",")] if isinstance(value, str) else []
    if pairs and all(len(pair) == 2 and all(pair) for pair in pairs):
        # As kubectl's -l and --selector take it.
        text = "{" + ", ".join(f"{key.strip()}: {meant.strip()}" for key, meant in pairs) + "}"
        return Fault(path=path, message=message, mend=Mend.REPLACE, text=text)
    return Fault(path=path, message=message)


def _not_list(value: object, path: Path) -> Fault:
    where = field_name(path)
    if isinstance(value, dict):
        first = next(iter(value), "")
        if first.startswith("-"):
            message = f"a space is missing between the dash and {first[1:]!r}"
        else:
            message = f"{where} is a list: a dash is missing before its first field"
        return Fault(
            path=(*path, first) if first else path,
            message=message,
            mend=Mend.STRUCTURE,
            at_key=True,
        )
    message = f"{where} is a list, this is {_spoken(value)}"
    if not isinstance(value, str) or "\n" in value:
        return Fault(path=path, message=message)
    words = value.split() if path[-1] in ("command", "args") else [value]
    meant = "[" + ", ".join(f'"{word}"' for word in words) + "]"
    usable = '"' not in value and "\\" not in value
    return Fault(
        path=path,
        message=message,
        mend=Mend.REPLACE if usable else Mend.NONE,
        text=meant,
    )


def _spoken(value: object) -> str:
    """Name a value in a message; a long one is cut."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:39] + "…")
    return "a list" if isinstance(value, list) else "a mapping"
