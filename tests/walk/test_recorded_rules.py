"""--iptables end to end: a real kube-proxy's dump, read, walked, and quoted by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
import truth

from k8stui.because import Because
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import RuleCause, StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.origin import OriginKind
from k8stui.walk.request import parse_request
from k8stui.walk.trace import TraceStep
from k8stui.walk.walk import walks
from k8stui.walk.world import build_world

OBJECTS = ("nodes.yaml", "services.yaml", "endpointslices.yaml", "proxy.yaml")
SHARED = Path(__file__).parents[3] / "shared" / "recordings" / "guestbook"


def recording(name: str) -> Path:
    """The recorded file; in the shared folder where tests/ holds no copy of it."""
    for folder in (truth.folder("recordings") / "guestbook", SHARED):
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"guestbook/{name} is not on this machine")


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("node-1", "node-1.iptables"),
        ("node-1", "node-1.iptables-legacy"),
        ("node-2", "node-2.iptables"),
    ],
    ids=["node-1 nft", "node-1 legacy", "node-2 nft"],
)
@pytest.mark.parametrize("port", [80, None], ids=["ClusterIP", "NodePort"])
def test_rules_are_quoted_from_the_dump(node: str, name: str, port: int | None) -> None:
    file = recording(name)
    lines = file.read_text().split("\n")
    folder = recording("services.yaml").parent
    paths = [str(folder / each) for each in OBJECTS if (folder / each).is_file()]
    world = build_world(paths, node_options=NodeOptions(iptables={node: str(file)}))
    service = world.cluster.services["default/frontend"]
    if port is None:
        source, destination = "outside", f"node/{node}:{service.ports[0].node_port}"
    else:
        source, destination = f"node/{node}", f"svc/frontend:{port}"
    found = list(walks(world, parse_request(world, source, destination)))
    assert len(found) > 1
    for trace in found:
        namespace = trace.hops[0].namespace if port else node
        seen = [s for h in trace.hops if h.namespace == namespace for s in h.steps]
        quoted = [step for step in seen if step.origin and is_rule(step)]
        assert quoted
        for step in quoted:
            assert step.origin is not None
            assert step.origin.kind is OriginKind.OBSERVED
            place = step.origin.place
            assert place is not None
            assert place.file == str(file)
            assert lines[place.line - 1] == step.detail
        services = {said for step in quoted if (said := service_of(step))}
        assert services == {"default/frontend"}
        assert any(step.kind is StepKind.DNAT for step in quoted)
        assert trace.outcome.result is not Result.UNKNOWN


def is_rule(step: TraceStep) -> bool:
    return isinstance(step.cause, RuleCause) and step.cause.rule is not None


def service_of(step: TraceStep) -> str | None:
    assert isinstance(step.cause, RuleCause)
    assert step.cause.rule is not None
    reason = step.cause.rule.reason
    assert isinstance(reason, Because)
    return reason.service
