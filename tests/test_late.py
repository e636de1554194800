"""Tables name functions of modules that are loaded with the first call."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from k8stui.apiserver.validation.table import CHECKS
from k8stui.late import Late
from k8stui.nodes.cni import CHOICES
from k8stui.nodes.kubeproxy import MODES


def test_every_name_in_a_table_is_there() -> None:
    assert CHECKS
    assert CHOICES
    assert MODES
    for late in [each for each in gc.get_objects() if isinstance(each, Late)]:
        assert callable(late.found), (late.module, late.name)


def test_calls_what_it_names() -> None:
    assert Late("math", "hypot")(3, 4) == 5
    assert Late("fractions", "Fraction")(numerator=1, denominator=2) * 2 == 1


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError):
        Late("math", "no_such_function")()


def test_a_walk_loads_no_plugin_mode_or_check_that_it_does_not_need() -> None:
    code = (
        "import sys; from k8stui.walk.world import build_world; build_world([]);"
        "print(*sorted(m for m in sys.modules if m.startswith('k8stui')))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {
        "k8stui.nodes.cni.ptp",
        "k8stui.nodes.cni.docker0",
        "k8stui.nodes.kubeproxy.userspace",
        "k8stui.apiserver.validation.policy",
        "k8stui.apiserver.validation.job",
        "k8stui.apiserver.validation.changes",
    } & set(loaded)
