"""Counts against fractions."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.cluster.options import ClusterOptions
from k8stui.lab import chance
from k8stui.lab.chance import Count, Share, count, p_value, survival
from k8stui.lab.plan import Tools
from k8stui.lab.planning.build import plan
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

CASES = Path(__file__).with_name("cases.yaml")


@pytest.mark.parametrize(
    ("statistic", "freedom", "share"),
    [
        (3.841, 1, 0.05),
        (5.991, 2, 0.05),
        (7.815, 3, 0.05),
        (18.307, 10, 0.05),
        (10.828, 1, 0.001),
        (0.0, 4, 1.0),
    ],
)
def test_the_tables_of_every_textbook(statistic: float, freedom: int, share: float) -> None:
    assert survival(statistic, freedom) == pytest.approx(share, rel=2e-3)


ROUNDING = 1e-12


@given(st.floats(0, 400), st.floats(0, 400), st.integers(1, 70))
def test_further_off_is_rarer(one: float, other: float, freedom: int) -> None:
    near, far = sorted((one, other))
    rarer, rare = survival(far, freedom), survival(near, freedom)
    assert 0 <= rarer <= rare + ROUNDING
    assert rare <= 1


def shares(*counts: int) -> list[Share]:
    third = Fraction(1, len(counts))
    return [
        Share(end=("", "web", f"10.0.0.{n}", 80), expected=third, count=one)
        for n, one in enumerate(counts)
    ]


@pytest.mark.parametrize(
    ("counts", "agrees"),
    [((70, 66, 64), True), ((100, 50, 50), False), ((200, 0, 0), False), ((5, 5), True)],
)
def test_what_is_too_far_off(counts: tuple[int, ...], agrees: bool) -> None:
    assert (p_value(shares(*counts)) >= chance.SIGNIFICANCE) is agrees


def test_what_cannot_come_may_not_come_once() -> None:
    never = Share(end=("ECONNREFUSED", "", "", 0), expected=Fraction(0), count=1)
    assert p_value([*shares(70, 66, 64), never]) == 0


def _counted(world: World, source: str, destination: str, tools: Tools) -> Count | str:
    request = parse_request(world, source, destination)
    assert request.connect is not None
    return count(world.network, request, request.connect, tools, 200)


@pytest.mark.parametrize(
    ("source", "destination"),
    [("pod/client", "svc/frontend:80"), ("outside", "node/node-1:30080")],
)
def test_the_kernels_dice(guestbook: World, nft: Tools, source: str, destination: str) -> None:
    found = _counted(guestbook, source, destination, nft)
    assert isinstance(found, Count)
    assert found.agrees
    assert len(found.shares) == 3
    assert sum(share.count for share in found.shares) == found.tries == 200


def test_other_dice_are_found(
    guestbook: World, nft: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel is given half instead of a third for the first endpoint."""

    def other(*arguments: Any, **options: Any) -> Any:
        made, notes = plan(*arguments, **options)
        for one in made["spaces"]:
            for version, text in one["rules"].items():
                one["rules"][version] = text.replace("0.33333333349", "0.65000000037")
        texts = [text for one in made["spaces"] for text in one["rules"].values()]
        assert any("0.65000000037" in text for text in texts)
        return made, notes

    monkeypatch.setattr(chance, "plan", other)
    found = _counted(guestbook, "pod/client", "svc/frontend:80", nft)
    assert isinstance(found, Count)
    assert not found.agrees


def test_what_is_not_left_to_chance(guestbook: World, some_tools: Tools) -> None:
    assert not _counted(guestbook, "pod/client", "svc/redis-leader:6379", some_tools)


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_affinity_is_not_counted(some_tools: Tools, tmp_path: Path, mode: str) -> None:
    pods = "".join(
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: w{n}, labels: {{app: w}}}}\n"
        "spec: {containers: [{name: w, image: w, ports: [{containerPort: 80}]}]}\n"
        for n in range(2)
    )
    service = (
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: w}\n"
        "spec: {selector: {app: w}, sessionAffinity: ClientIP, ports: [{port: 80}]}\n"
    )
    path = tmp_path / "affinity.yaml"
    path.write_text(pods + service)
    world = build_world([str(path)], cluster_options=ClusterOptions(proxy_mode=mode))
    assert "affinity" in str(_counted(world, "pod/w0", "svc/w:80", some_tools))
