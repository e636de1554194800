"""The real lab: skipped by name where this machine cannot build one."""

from __future__ import annotations

import pytest

from k8stui.lab.errors import LabError
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import Tools
from k8stui.lab.run import IptablesBackend, find_tools
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world


@pytest.fixture(scope="session")
def guestbook() -> World:
    return build_world([])


_found: dict[IptablesBackend, Tools | str] = {}


def tools_or_skip(backend: IptablesBackend, world: World) -> Tools:
    """The tools of a backend with which this machine can build a lab; tried once."""
    if backend not in _found:
        try:
            tools, _ = find_tools(backend)
            request = parse_request(world, "pod/client", "svc/redis-leader:6379")
            list(experiments(world, request, tools))
            _found[backend] = tools
        except LabError as error:
            _found[backend] = f"no lab with {backend} here: {error}"
    found = _found[backend]
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture
def nft(guestbook: World) -> Tools:
    return tools_or_skip(IptablesBackend.NFT, guestbook)


@pytest.fixture
def legacy(guestbook: World) -> Tools:
    return tools_or_skip(IptablesBackend.LEGACY, guestbook)


@pytest.fixture(scope="session")
def some_tools() -> Tools:
    """For plans that nobody builds."""
    return Tools(
        ip="/ip",
        bridge="/bridge",
        ipset="/ipset",
        nft="/nft",
        restore={"4": "/4", "6": "/6"},
        tells_rules=True,
    )
