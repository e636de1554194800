"""One root: whatever a user can mend is a `K8sTuiError`, told in its own words and never a bug."""

from __future__ import annotations

import builtins
import importlib
import pkgutil

import pytest

import k8stui
from k8stui.errors import K8sTuiError, explain_mistake
from k8stui.lab.errors import LabError
from k8stui.nodes.errors import NodeOptionError
from k8stui.walk.error import RequestError

INNER = {
    "AstrayError",
    "BreakError",
    "CalledOff",
    "Ended",
    "ExpressionError",
    "IrregularError",
    "JsonFault",
    "Led",
    "NotCutError",
    "ScalarError",
    "UndecodableError",
    "UnknownError",
    "YamlFault",
}
"""Never leave the room that raises them: each becomes a `Problem`, or ends a job."""


def defined() -> set[type[BaseException]]:
    found = set()
    for module in pkgutil.walk_packages(k8stui.__path__, "k8stui."):
        if module.name.endswith(("__main__", ".inside")):
            continue
        for one in vars(importlib.import_module(module.name)).values():
            if isinstance(one, type) and issubclass(one, BaseException):
                found.add(one)
    return {one for one in found if one.__module__.startswith("k8stui.")}


def test_every_error_that_leaves_its_room_has_the_one_root() -> None:
    others = {one.__name__ for one in defined() if not issubclass(one, K8sTuiError)}
    assert {name for name in others if not name.startswith("_")} == INNER


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RequestError("no\x1b[2J", hint="try", choices=("a", "b")),
            "no␛[2J\n        try\n        ",
        ),
        (NodeOptionError("--cni", "flanel", ["flannel"]), "--cni: there is no 'flanel'; did you"),
        (LabError("no ip", "apt install iproute2"), "no ip\n        apt install iproute2"),
        (FileNotFoundError(2, "No such file", "a\x07b"), "a␇b: No such file"),
    ],
)
def test_it_is_told_in_its_own_words(error: Exception, said: str) -> None:
    assert (explain_mistake(error) or "").startswith(said)


@pytest.mark.parametrize(
    "bug", [ValueError("x"), KeyError("x"), AssertionError(), RecursionError()]
)
def test_all_else_is_a_bug(bug: Exception) -> None:
    assert isinstance(bug, getattr(builtins, type(bug).__name__))
    assert explain_mistake(bug) is None
