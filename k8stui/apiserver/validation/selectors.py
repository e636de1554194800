"""Label selectors with expressions, and whether they match.

Source: apimachinery/pkg/apis/meta/v1/validation/validation.go ValidateLabelSelector.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.metadata import check_labels, selects
from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.manifests.manifest import Path

_WITH_VALUES = ("In", "NotIn")
_WITHOUT_VALUES = ("Exists", "DoesNotExist")


def check_selector(selector: object, path: Path) -> Iterator[Mistake]:
    """A LabelSelector; nothing to say where there is none."""
    if not isinstance(selector, dict):
        return
    yield from check_labels(selector.get("matchLabels"), (*path, "matchLabels"))
    for base, one in records(selector, "matchExpressions", path):
        operator = text(one, "operator")
        values = array(one, "values")
        if operator in _WITH_VALUES and not values:
            message = f"has to be written: operator {operator} compares with values"
            yield Mistake((*base, "values"), Wrong.REQUIRED, message)
        elif operator in _WITHOUT_VALUES and values:
            message = f"may not be written: operator {operator} looks at the key alone"
            yield Mistake((*base, "values"), Wrong.FORBIDDEN, message)
        elif operator and operator not in _WITH_VALUES + _WITHOUT_VALUES:
            message = f"is {operator!r}; it is one of {', '.join(_WITH_VALUES + _WITHOUT_VALUES)}"
            yield Mistake((*base, "operator"), Wrong.INVALID, message)
        key = one.get("key")
        if isinstance(key, str) and (wrong := formats.qualified_name(key)):
            yield Mistake((*base, "key"), Wrong.INVALID, f"{key!r} {wrong}")


def matches(selector: Object, labels: Object) -> bool:
    """Whether `labels` pass every label and expression; a broken expression passes."""
    if not selects(table(selector, "matchLabels"), labels):
        return False
    for _, one in records(selector, "matchExpressions", ()):
        value, values = labels.get(text(one, "key")), array(one, "values")
        operator = text(one, "operator")
        if (
            (operator == "In" and value not in values)
            or (operator == "NotIn" and value is not None and value in values)
            or (operator == "Exists" and value is None)
            or (operator == "DoesNotExist" and value is not None)
        ):
            return False
    return True
