"""A plan → devices, addresses, routes, sets and rules in namespaces that this process holds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from k8stui.lab.errors import LabError
from k8stui.lab.inside.commands import batch
from k8stui.lab.inside.links import wait_for_links
from k8stui.lab.inside.namespaces import HeldNamespace, put, run, wait_for_addresses
from k8stui.lab.inside.rules import load, load_nft, load_sets
from k8stui.lab.plan import FD, Plan

_LINK_SECONDS = 5.0
"""How long devices may take to begin; a lab in which one does not is asked all the same."""


def build(plan: Plan, spaces: Sequence[HeldNamespace]) -> list[str]:
    """Make what `plan` says, each of its namespaces in one of `spaces`; gives what was left out.

    Raises:
        LabError: something cannot be built here.

    """
    tools = plan["tools"]
    files = {FD % n: f"/proc/self/fd/{space.fd}" for n, space in enumerate(spaces)}
    held = [space.fd for space in spaces]
    left_out = []
    both = list(zip(spaces, plan["spaces"], strict=True))
    for space, planned in both:
        space.enter()
        left_out += [f"{planned['name']}: {line}" for line in put(planned["settings"])]
    for space, planned in both:
        space.enter()
        links = [[files.get(word, word) for word in words] for words in planned["links"]]
        _batch(tools["ip"], (), links, planned["name"], held)
    for space, planned in both:
        space.enter()
        name = planned["name"]
        put(planned["device_settings"])
        _batch(tools["ip"], (), [["link", "set", "dev", "lo", "up"], *planned["ip"]], name)
    for space, planned in both:
        space.enter()
        wait_for_addresses()
        name = planned["name"]
        _batch(tools["ip"], ("-6",), planned["ip6"], name)
        _batch(tools["bridge"], (), planned["bridge"], name)
        left_out += [f"{name}: {line}" for line in load_sets(tools["ipset"], planned["sets"])]
        # Of two chains with one priority the later is called first: in a walk iptables' is.
        left_out += [f"{name}: {line}" for line in load_nft(tools["nft"], planned["nft"])]
        for version, text in planned["rules"].items():
            left_out += [f"{name}: {line}" for line in load(tools["restore"][version], text)]
    deadline = time.monotonic() + _LINK_SECONDS
    for space in spaces:
        space.enter()
        wait_for_links(deadline)
    return left_out


def _batch(
    tool: str,
    options: Sequence[str],
    commands: list[list[str]],
    name: str,
    files: Sequence[int] = (),
) -> None:
    if not commands:
        return
    complaint = run([tool, *options, "-batch", "-"], batch(commands), files)
    if complaint is not None:
        raise LabError(f"{name}: {Path(tool).name}: {_told(complaint, commands)}")


def _told(complaint: str, commands: list[list[str]]) -> str:
    """The complaint in one line, with the command that it is about (``Command failed -:3``)."""
    lines = complaint.splitlines()
    number = lines[-1].rpartition(":")[2]
    if number.isdecimal() and 0 < int(number) <= len(commands):
        return f"{lines[0]} ({' '.join(commands[int(number) - 1])})"
    return lines[0]
