"""The same request under another setting."""

from __future__ import annotations

import pytest

from k8stui.kernel.exchange import Result
from k8stui.kernel.step import StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.walk.compare import SETTINGS, apply_setting, common_steps, compare
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace, TraceStep
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world, sample

BROKEN = sample("broken")


@pytest.fixture(scope="module")
def guestbook() -> World:
    return build_world([])


def parting(trace: Trace, common: int) -> TraceStep:
    return trace.steps[common]


@pytest.mark.parametrize(
    ("source", "destination", "assignment", "before", "results", "kinds"),
    [
        pytest.param(
            "outside", "node/node-1:30080", "externalTrafficPolicy=Local", "Cluster",
            ("connected", "connected"), (StepKind.JUMP, StepKind.JUMP), id="external",
        ),
        pytest.param(
            "pod/client", "svc/frontend", "internaltrafficpolicy=local", "Cluster",
            ("connected", "connected"), (StepKind.JUMP, StepKind.JUMP), id="internal",
        ),
        pytest.param(
            "pod/client", "svc/frontend", "masqueradeAll=true", "false",
            ("connected", "connected"), (StepKind.JUMP, StepKind.JUMP), id="masquerade-all",
        ),
        pytest.param(
            "pod/client", "svc/frontend", "bridge-nf-call-iptables=0", "1",
            ("connected", "timeout"), None, id="bridge-nf",
        ),
        pytest.param(
            "pod/frontend-1", "svc/frontend", "hairpin=off", "as the plug-in sets it",
            ("connected", "timeout"), (StepKind.BRIDGE, StepKind.DROP), id="hairpin",
        ),
        pytest.param(
            "pod/client", "svc/frontend", "proxy-mode=userspace", "iptables",
            ("connected", "connected"), (StepKind.JUMP, StepKind.JUMP), id="proxy-mode",
        ),
        pytest.param(
            "pod/client", "svc/frontend", "cni=docker0", "flannel",
            ("connected", "connected"), None, id="cni",
        ),
    ],
)  # fmt: skip
def test_where_they_part(  # noqa: PLR0917 - one column of the table each
    guestbook: World,
    source: str,
    destination: str,
    assignment: str,
    before: str,
    results: tuple[str, str],
    kinds: tuple[StepKind, StepKind] | None,
) -> None:
    found = compare(guestbook, source, destination, assignment)
    assert found.value_before == before
    assert (found.before.outcome.result.value, found.after.outcome.result.value) == results
    assert not found.is_same
    steps = parting(found.before, found.common), parting(found.after, found.common)
    assert steps[0] != steps[1]
    if kinds is not None:
        assert (steps[0].kind, steps[1].kind) == kinds
    assert sum(found.answers_before.values()) == sum(found.answers_after.values()) == 1


def test_every_setting_is_tried() -> None:
    assert {*SETTINGS} == {
        "externalTrafficPolicy", "internalTrafficPolicy", "masqueradeAll",
        "bridge-nf-call-iptables", "hairpin", "proxy-mode", "cni",
    }  # fmt: skip


def test_a_policy_changes_the_service_asked_for_and_no_other(guestbook: World) -> None:
    found = compare(guestbook, "outside", "node/node-1:30080", "externalTrafficPolicy=Local")
    assert {str(a.source_seen) for a in found.answers_after} == {"203.0.113.10"}
    assert guestbook.cluster.services["default/frontend"].external_traffic_policy == "Cluster"


def test_local_policy_the_other_way_round() -> None:
    world = build_world([str(BROKEN / "local-policy-no-pod-here")])
    found = compare(world, "outside", "node/node-1:30090", "externalTrafficPolicy=Cluster")
    assert found.before.outcome.result is Result.TIMEOUT
    assert found.after.outcome.result is Result.CONNECTED


def test_the_value_that_it_has_changes_nothing(guestbook: World) -> None:
    found = compare(guestbook, "pod/client", "svc/frontend", "masqueradeAll=false")
    assert found.is_same
    assert found.answers_before == found.answers_after
    assert common_steps(found.before, found.before) == len(found.before.steps)


def test_dumps_are_said_not_to_change() -> None:
    folder = BROKEN / "nodeport-one-node-only"
    options = NodeOptions(iptables={"node-2": str(folder / "node-2.iptables")})
    world = build_world([str(folder)], node_options=options)
    found = compare(world, "outside", "node/node-2:30095", "externalTrafficPolicy=Local")
    assert found.observed_nodes == ("node-2",)
    assert found.is_same


@pytest.mark.parametrize(
    ("assignment", "destination", "message"),
    [
        ("hairpin", "svc/frontend", "not a setting that can be compared"),
        ("masquerade=1", "svc/frontend", "did you mean masqueradeAll=VALUE?"),
        ("hairpin=maybe", "svc/frontend", "hairpin cannot be 'maybe'"),
        ("externalTrafficPolicy=Local", "pod/frontend-1:80", "is no Service"),
    ],
)
def test_mistakes(guestbook: World, assignment: str, destination: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        compare(guestbook, "pod/client", destination, assignment)
    assert message in caught.value.render()


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("cni=flanel", "did you mean flannel?"),
        ("proxy-mode=iptable", "did you mean iptables?"),
        ("externalTrafficPolicy=Locale", "did you mean Local?"),
        ("masqueradeAll=2", "there is: true, false"),
    ],
)
def test_unknown_values(guestbook: World, assignment: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        compare(guestbook, "pod/client", "svc/frontend", assignment)
    assert message in caught.value.render()


@pytest.mark.parametrize(
    ("setting", "value"), [(name, value) for name, values in SETTINGS.items() for value in values]
)
def test_every_allowed_value_makes_a_world_that_can_be_walked(
    guestbook: World, setting: str, value: str
) -> None:
    request = parse_request(guestbook, "pod/client", "svc/frontend")
    other = apply_setting(guestbook, request, setting, value)
    assert walk(other, request).outcome.result is not Result.UNKNOWN


@pytest.mark.parametrize("value", ["0", "off", "False"])
def test_a_switch_has_three_spellings(guestbook: World, value: str) -> None:
    request = parse_request(guestbook, "pod/client", "svc/frontend")
    for setting in ("masqueradeAll", "bridge-nf-call-iptables", "hairpin"):
        assert apply_setting(guestbook, request, setting, value).cluster.pods
    assert apply_setting(guestbook, request, "hairpin", value).options.hairpin is False
