"""Targets by the name that stands after ``-j``."""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.kernel.targets import effects, marks, verdicts
from k8stui.kernel.targets.base import TargetGrammar

TARGETS: Mapping[str, TargetGrammar] = {
    **verdicts.GRAMMARS,
    **marks.GRAMMARS,
    **effects.GRAMMARS,
}
