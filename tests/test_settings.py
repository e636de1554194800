"""One table of settings: every place that knows a setting has it from there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import fields

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from docs import make_options
from k8stui.check.claim import Claim
from k8stui.check.proof import command as proof_command
from k8stui.cli import cli
from k8stui.cli.options import room_options
from k8stui.cli.walk import command as walk_command
from k8stui.cluster.model import ProxyConfiguration, Service
from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.options import NodeOptions
from k8stui.settings import EVERY, OPTIONS, PROXY, WHAT_IFS, Form, Holder, Setting
from k8stui.walk.world import World, build_world, sample

HOLDERS: Mapping[Holder, type] = {
    Holder.CLUSTER: ClusterOptions,
    Holder.NODES: NodeOptions,
    Holder.PROXY: ProxyConfiguration,
    Holder.SERVICE: Service,
}
NO_SETTINGS = {"before", "complete", "states", "origin", "origins"}
"""What no user sets: a replay's moment before, the recordings' own, where facts come from."""
OTHER_VALUES: Mapping[str, object] = {
    "context": "prod", "nodes": 3, "proxy_mode": "userspace", "proxy_config": "a b.yaml",
    "distribution": "k3s", "policy_engine": "none", "sync_version": 7,
    "cni": "ptp", "hairpin": False, "bridge_nf_call_iptables": False, "namespace": "shop",
    "iptables": ["n1=a", "n2=b c"], "ipset": ["n1=s"], "ip_addr": ["n1=x"], "ip_route": ["n1=y"],
    "hosts": ["db.corp=10.0.0.9:5432", "db.corp=10.0.0.9:5433", "six=[fd00::1]:80", "any=fd00::2"],
}  # fmt: skip


def defaults(record: type) -> dict[str, object]:
    return {
        each.name: each.default_factory() if callable(each.default_factory) else each.default
        for each in fields(record)
    }


@pytest.mark.parametrize("setting", EVERY, ids=lambda each: f"{each.holder.name}-{each.name}")
def test_a_row_is_a_field_of_its_holder_with_its_default(setting: Setting[object]) -> None:
    if setting.holder is not Holder.INPUT:
        assert defaults(HOLDERS[setting.holder])[setting.name] == setting.default


@pytest.mark.parametrize("holder", [Holder.CLUSTER, Holder.NODES, Holder.PROXY])
def test_every_field_of_the_options_is_a_row(holder: Holder) -> None:
    rows = {setting.name for setting in EVERY if setting.holder is holder}
    assert {each.name for each in fields(HOLDERS[holder])} - NO_SETTINGS == rows


def test_what_can_be_set_is_said() -> None:
    assert all(setting.help for setting in EVERY)
    assert all(setting.flags for setting in OPTIONS)
    assert all(setting.path for setting in PROXY)
    assert all(setting.what_if for setting in WHAT_IFS)
    help_text = " ".join(CliRunner().invoke(cli, ["walk", "--help"]).output.split())
    for setting in OPTIONS:
        assert setting.flag in help_text


def test_the_page_is_made_from_the_table() -> None:
    assert make_options.FILE.read_text(encoding="utf-8").splitlines() == list(make_options.lines())


def given_words(names: set[str]) -> dict[str, object]:
    """As click hands them over, those in `names` with another value than the default."""
    many = {Form.NODE_FILES, Form.HOSTS}
    return {
        each.name: OTHER_VALUES[each.name]
        if each.name in names
        else (() if each.form in many else each.default)
        for each in OPTIONS
    }


@given(names=st.sets(st.sampled_from(sorted(OTHER_VALUES))))
def test_a_printed_command_line_sets_what_was_set(names: set[str]) -> None:
    """What a finding prints, parsed again, gives the very options of its world."""
    values = given_words(names)
    cluster, nodes = room_options(**values)
    base = world()
    shaped = World(
        manifests=base.manifests,
        cluster=base.cluster,
        network=base.network,
        options=nodes,
        cluster_options=cluster,
        context=values["context"],  # type: ignore[arg-type]
    )
    line = proof_command(shaped, ["x"], Claim("pod/a", "svc/b"), namespace=str(values["namespace"]))
    words = shlex.split(line)
    assert words[:2] == ["k8stui", "walk"]
    context = walk_command.make_context("walk", words[2:])
    parsed = {each.name: context.params[each.name] for each in OPTIONS}
    assert room_options(**parsed) == (cluster, nodes)
    assert (parsed["context"], parsed["namespace"]) == (values["context"], values["namespace"])


def world() -> World:
    if not _WORLD:
        _WORLD.append(build_world([str(sample("guestbook"))]))
    return _WORLD[0]


_WORLD: list[World] = []
