"""Recorded rules give the verdicts that the kernel gave real packets under them."""

from __future__ import annotations

import pytest
import truth
from kernel.flows import disagreements, flow_files
from kernel.recorded import read

from k8stui.kernel.rules import Ruleset
from k8stui.kernel.save import parse

SUFFIX = {4: ".iptables", 6: ".ip6tables"}


@pytest.mark.parametrize("name", flow_files())
def test_flows_agree(name: str) -> None:
    def recorded(version: int) -> Ruleset:
        path = truth.folder("recordings") / name.replace(".flows.json", SUFFIX[version])
        if not path.exists():
            path = path.with_name(f"{path.name}.xz")
        return parse(read(path)) if path.exists() else Ruleset()

    wrong = disagreements(name, recorded)
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
