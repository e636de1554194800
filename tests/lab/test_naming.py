"""Device names on their way to ip -batch."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.lab.planning.naming import Naming


@pytest.mark.parametrize("name", ["eth0", "cni0", "flannel.1", "veth9c3f81e7", "a", "node-1"])
def test_plain_names_stay(name: str) -> None:
    assert Naming()(name) == name


@pytest.mark.parametrize(
    "name",
    ["worker.example.com-1", "a b", "-x", "x\nlink del eth0", "all", "tunl0", "", ".", "é", "a/b"],
)
def test_others_are_generated(name: str) -> None:
    naming = Naming()
    real = naming(name)
    assert re.fullmatch(r"k8x\d+", real)
    assert naming.changed == {real: name}
    assert naming(name) == real


@given(st.lists(st.text(max_size=20) | st.from_regex(r"k8x[0-4]", fullmatch=True), max_size=12))
def test_no_two_devices_share_a_name(names: list[str]) -> None:
    naming = Naming()
    real = {naming(name) for name in names}
    assert len(real) == len(set(names))
