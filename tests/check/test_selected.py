"""Assertions with selectors: all pairs must hold, and the first that does not is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from manifests_of import kind, service, workload, write

from k8stui.check import AssertionSyntaxError, Finding
from k8stui.check.assertion import Assertion, parse
from k8stui.check.judging import judge
from k8stui.kernel.exchange import Result
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import Asked, Asker, asked, askers
from k8stui.reach.felt import PairFelt, walked
from k8stui.reach.selector import parse_port, parse_selector
from k8stui.walk.source import OUTSIDE
from k8stui.walk.world import World, build_world

MILL = Path(__file__).parents[1] / "reach" / "data" / "mill.yaml"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world([str(MILL)], node_options=NodeOptions(policy_engine="calico"))


@pytest.fixture(scope="module")
def feels(world: World) -> Callable[[Asker, Asked], PairFelt]:
    """What a pair feels: each is walked once, whichever selectors it is among."""
    known: dict[tuple[str, str], PairFelt] = {}

    def feel(asker: Asker, asked: Asked) -> PairFelt:
        pair = asker.name, asked.name
        if pair not in known:
            known[pair] = walked(world, asker, asked)
        return known[pair]

    return feel


def judged(world: World, text: str, namespace: str = "default") -> list[Finding]:
    return list(judge(world, [parse(text)], [str(MILL)], namespace))


@pytest.mark.parametrize(
    "text",
    [
        "role=wheel -> role=silo:5432 connected",
        "role=gate -> role=silo:5432 timeout",
        "ns/mill,role!=wheel -> sts/barn/silo not connected",
        "not ns/barn -> not ns/mill,role=kiln not no-such-name",
        "role=gate -> svc/barn/silo:5432 timeout",
        "outside -> node/node-1:30080 connected",
        "outside -> services unreachable",
        "ns/mill -> ns/mill,role=gate connected",
        "deploy/mill/gate -> svc/wheel.mill:9000 connected",
        "deploy/mill/gate -> deploy/mill/wheel:9000 connected",
        "* -> svc/mill/kiln not connected",
        "role=gate -> 198.51.100.7:80 connected",
        "deploy/gate/c -> svc/wheel connected",
        "NOT role=silo,ns/barn -> svc/mill/gate:80 not refused",
        "pod/mill/gate-1 -> ns/barn:5432 timeout",
    ],
)
def test_holds(world: World, text: str) -> None:
    assert judged(world, text, "mill") == []


def test_the_first_pair_and_the_policy_are_named(world: World) -> None:
    (found,) = judged(world, "ns/mill -> role=silo:5432 connected")
    assert found.why.startswith(
        "9 of 15 pairs, the first pod/mill/gate-1 -> svc/barn/silo:5432: expected connected, "
        "got timeout: NetworkPolicy barn/silo-from-wheel selects pod barn/silo-"
    )
    policy = (
        MILL.read_text().splitlines().index("metadata: {name: silo-from-wheel, namespace: barn}")
    )
    assert f"{MILL}:{policy + 2})" in found.why
    assert "in ingress of NetworkPolicy silo-from-wheel" in found.fix
    assert found.proof is not None
    assert found.proof.result is Result.TIMEOUT
    assert found.proof.command.endswith(
        "--policy-engine calico --from pod/mill/gate-1 --to svc/barn/silo:5432"
    )


def test_what_lets_it_in_is_named(world: World) -> None:
    (found,) = judged(world, "role=wheel -> role=silo not connected")
    assert "got connected: NetworkPolicy barn/silo-from-wheel lets it in to pod barn/" in found.why
    assert f"({MILL}:" in found.why
    (found,) = judged(world, "outside -> nodes not connected")
    assert "2 of 2 pairs" in found.why
    assert "no policy selects pod mill/gate-1 for ingress" in found.why
    open_world = build_world([str(MILL)], node_options=NodeOptions(policy_engine="none"))
    (found,) = judged(open_world, "role=gate -> role=silo not connected")
    assert "nobody enforces policies: --policy-engine none" in found.why


@pytest.mark.parametrize(
    ("text", "why", "fix"),
    [
        ("role=nobody -> * connected", "nobody asks: role=nobody selects none", "topology"),
        ("pods -> ns/nowhere refused", "nobody is asked: ns/nowhere selects none", "topology"),
        ("deploy/gate -> * connected", "nobody asks: deploy/gate", "deploy/NAMESPACE/gate"),
        ("role=gate -> *:http connected", "nobody is asked: *:http selects none", "topology"),
        ("role=gate -> svc/nobody:1 refused", "cannot be asked: there is no Service", ""),
    ],
)
def test_nobody_is_a_mistake(world: World, text: str, why: str, fix: str) -> None:
    (found,) = judged(world, text)
    assert found.why.startswith(why)
    assert fix in found.fix


@pytest.mark.parametrize("engine", ["kube-router", "calico"])
def test_from_outside_the_doors_are_asked(tmp_path: Path, engine: str) -> None:
    """A ClusterIP or a pod, to which nobody outside knows a way, is none."""
    deny = kind(
        "networking.k8s.io/v1", "deny", "NetworkPolicy", "default", spec={"podSelector": {}}
    )
    objects = [
        workload("Deployment", "web", ports=(8080,)),
        service("web", to=8080, type="NodePort"),
        service("inner", "app=web", to=8080),
    ]
    options = NodeOptions(policy_engine=engine)
    shut = build_world([str(write(tmp_path, [*objects, deny]))], node_options=options)
    felt = "refused" if engine == "kube-router" else "timeout"
    assert judged(shut, f"outside -> * {felt}") == []
    assert judged(shut, "outside -> * not connected") == []
    (found,) = judged(shut, "outside -> * connected")
    assert found.why.startswith("2 of 2 pairs, the first outside -> node/node-1:")
    (found,) = judged(shut, "outside -> svc/inner:80 refused")
    assert "got unreachable: nobody outside knows a way to" in found.why
    (found,) = judged(shut, "outside -> pods refused")
    assert found.why == "cannot be asked: nobody outside knows a way to any of pods"
    assert found.fix == "write outside -> pods unreachable, or not connected"
    assert judged(shut, "outside -> pods unreachable") == []


def test_a_pod_is_not_asked_by_itself(world: World) -> None:
    (found,) = judged(world, "sts/barn/silo -> sts/barn/silo:5432 connected")
    assert found.why.startswith("2 of 2 pairs, ")


def test_names_are_of_the_namespace(world: World) -> None:
    assert judged(world, "deploy/gate -> svc/wheel connected", namespace="mill") == []


@pytest.mark.parametrize("source", ["ns/mill", "outside", "role!=gate", "nodes", "*"])
@pytest.mark.parametrize("destination", ["*", "role=silo", "services", "nodes", "ns/mill:9000"])
def test_classes_judge_as_every_pair_walked(
    world: World, feels: Callable[[Asker, Asked], PairFelt], source: str, destination: str
) -> None:
    selector, _, port = destination.partition(":")
    one, other = (parse_selector(world.cluster, each, "default") for each in (source, selector))
    pairs = [
        (who, feels(who, whom))
        for who in askers(world)
        if one(who)
        for whom in asked(world, (parse_port(port),) if port else ())
        if other(whom) and (who.pod is None or who.pod is not whom.pod)
    ]
    for result in Result:
        # What nobody outside knows a way to is asked from there only if that is what is asserted.
        asking = [
            felt
            for who, felt in pairs
            if who.name != OUTSIDE
            or result is Result.UNREACHABLE
            or felt.result is not Result.UNREACHABLE
        ]
        is_so = bool(asking) and all(set(felt.shares) == {result} for felt in asking)
        never = all(result not in felt.shares for _, felt in pairs)
        text = f"{source} -> {destination}"
        assert (judged(world, f"{text} {result.value}") == []) is is_so
        assert (judged(world, f"{text} not {result.value}") == []) is never


@pytest.mark.parametrize(
    ("text", "caret", "message"),
    [
        ("role=a -> role=b:99999 refused", 17, "not a port: '99999'"),
        ("role=a, -> * refused", 7, "not a selector: 'role=a,'"),
        ("role=a,=x -> * refused", 7, "not a selector: 'role=a,=x'"),
        ("not -> * refused", 7, "not an assertion: 'not -> * refused'"),
        ("a=b -> not refused", 18, "what should come of 'a=b -> not refused'?"),
        ("a=b -> * not", 12, "what should come of 'a=b -> * not'?"),
        ("a=b -> * blocked", 9, "not a result: 'blocked'"),
        ("not a/b/c -> * refused", 4, "not a selector: 'a/b/c'"),
    ],
)
def test_what_cannot_be_read(text: str, caret: int, message: str) -> None:
    with pytest.raises(AssertionSyntaxError) as caught:
        parse(text)
    found = caught.value.problem
    assert (found.message, found.column - 1) == (message, caret)


def test_an_assertion_is_told_as_it_was_written() -> None:
    text = "not role=a -> not ns/b:53/udp not connected"
    found: Assertion = parse(text)
    assert str(found) == text
    assert (found.destination.selector, found.destination.port) == ("ns/b", "53/udp")
