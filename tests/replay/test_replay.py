"""The deployment replayed: every step gains what the two sets of objects differ in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from k8stui.apiserver import apply
from k8stui.cli import cli
from k8stui.cluster.build import build
from k8stui.cluster.endpoints import endpoints_of
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.manifests import Manifest, Manifests
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions
from k8stui.replay.change import ChangeError
from k8stui.replay.gains import difference
from k8stui.replay.order import ordered
from k8stui.replay.replay import Moment, parse_question, replay
from k8stui.walk.error import RequestError
from k8stui.walk.world import World, build_world, sample

SAMPLES = ("webapp", "guestbook")
BROWSER = "outside -> node/node-1:30001"


def played(
    world: World, *asks: str, then: Sequence[str] = (), order: str = "files"
) -> list[Moment]:
    return list(replay(world, order, [parse_question(one) for one in asks], then=then))


def test_the_browser_is_answered_when_the_last_service_is_there() -> None:
    moments = played(build_world([str(sample("webapp"))]), BROWSER)
    assert [moment.asked[0].result for moment in moments] == [Result.REFUSED] * 4 + [
        Result.CONNECTED
    ]
    assert [moment.change.subject for moment in moments if moment.change] == [
        "ReplicationController default/mysql",
        "Service default/mysql",
        "ReplicationController default/myweb",
        "Service default/myweb",
    ]


def test_only_who_starts_after_a_service_is_told_of_it() -> None:
    moments = played(build_world([str(sample("webapp"))]))
    told = {pod: lines for moment in moments for pod, lines in moment.gains.environment.items()}
    address = moments[-1].world.cluster.services["default/mysql"].cluster_ips[0]
    assert f"MYSQL_SERVICE_HOST={address}" in told["default/myweb-1"]
    assert "MYSQL_SERVICE_PORT=3306" in told["default/myweb-1"]
    assert not any(line.startswith(("MYSQL_", "MYWEB_")) for line in told["default/mysql-1"])
    assert not any(line.startswith("MYWEB_") for line in told["default/myweb-1"])


def test_the_first_pod_of_a_node_brings_the_bridge() -> None:
    _, mysql, service, myweb, _ = played(build_world([str(sample("webapp"))]))
    assert mysql.gains.pods.added == ("default/mysql-1",)
    assert "cni0" in mysql.gains.nodes["node-1"].devices.added
    assert not mysql.gains.nodes["node-1"].rules
    assert list(myweb.gains.nodes) == ["node-2"]
    assert service.gains.nodes["node-1"].rules == service.gains.nodes["node-2"].rules
    assert service.gains.names.added == ("mysql.default.svc.cluster.local",)


def test_deleting_and_scaling_move_nobody() -> None:
    world = build_world([str(sample("guestbook"))])
    moments = played(world, then=("scale deploy/frontend 5", "delete svc/frontend"))
    full, more, gone = (moment.world.cluster for moment in moments[-3:])
    for key, pod in full.pods.items():
        assert more.pods[key].addresses == pod.addresses
        assert more.pods[key].node_name == pod.node_name
    assert len(moments[-2].gains.pods.added) == 2
    assert len(moments[-2].gains.endpoints["default/frontend"].added) == 2
    assert moments[-2].change is not None
    assert moments[-2].change.words == "replicas 3 → 5"
    assert "default/frontend" not in gone.services
    assert all(gain.rules.removed for gain in moments[-1].gains.nodes.values())
    assert moments[-1].gains.names.removed == ("frontend.default.svc.cluster.local",)


def test_an_object_that_comes_again_is_changed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(_service(8080))
    (tmp_path / "b.yaml").write_text(_service(8081))
    first, second = played(build_world([str(tmp_path)]))[1:]
    assert (first.change and first.change.verb, second.change and second.change.verb) == (
        "added",
        "changed",
    )
    before, after = (m.world.cluster.services["default/web"] for m in (first, second))
    assert before.cluster_ips == after.cluster_ips
    assert (before.ports[0].port, after.ports[0].port) == (8080, 8081)


def _service(port: int) -> str:
    return (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
        f"spec: {{selector: {{app: web}}, ports: [{{port: {port}}}]}}\n"
    )


def test_by_need_services_come_before_pods_and_what_is_named_before_who_names_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "all.yaml").write_text(
        _workload("front", "http://cart:80")
        + _workload("cart", "redis.shop.svc")
        + "---\napiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\n"
        "spec: {selector: {app: cart}, ports: [{port: 80}]}\n"
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    )
    objects = apply([str(tmp_path)]).objects
    assert [f"{one.kind}/{one.name}" for one in ordered(objects, "dependency")] == [
        "Namespace/shop",
        "Service/cart",
        "Deployment/cart",
        "Deployment/front",
    ]


def test_workloads_that_name_each_other_are_in_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(
        "".join(
            _workload(name, other)
            + f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\n"
            f"spec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}\n"
            for name, other in (("a", "b"), ("b", "a"))
        )
    )
    objects = apply([str(tmp_path)]).objects
    assert sorted(map(id, ordered(objects, "dependency"))) == sorted(map(id, objects))


def _workload(name: str, uses: str) -> str:
    return f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers: [{{name: c, image: x, env: [{{name: UPSTREAM, value: "{uses}"}}]}}]
"""


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_a_step_gains_what_two_sets_of_objects_differ_in(name: str, data: st.DataObject) -> None:
    world = build_world([str(sample(name))])
    objects = data.draw(st.permutations(world.manifests.objects))
    count = data.draw(st.integers(0, len(objects)))
    shuffled = replace(world, manifests=replace(world.manifests, objects=tuple(objects)))
    doomed = data.draw(st.sampled_from(objects))
    moments = played(shuffled, then=[f"delete {doomed.kind}/{doomed.name}"])
    nodes = len(world.cluster.nodes)
    if count < len(objects):
        _agrees(moments[count + 1], _set(objects[:count], nodes), _set(objects[: count + 1], nodes))
    # What stays keeps its place, so the set without the deleted object is that of `before`.
    last = ClusterOptions(nodes=nodes, before=moments[-2].world.cluster)
    rest = [one for one in objects if one is not doomed]
    _agrees(moments[-1], _set(objects, nodes), _set(rest, nodes, last))


def _set(
    objects: Sequence[Manifest], nodes: int, options: ClusterOptions | None = None
) -> ClusterNetwork:
    made = build(Manifests(objects=tuple(objects)), options or ClusterOptions(nodes=nodes))
    return build_network(made, NodeOptions())


def _agrees(moment: Moment, before: ClusterNetwork, after: ClusterNetwork) -> None:
    """The same, from ``rules`` and ``topology`` of the two sets."""
    for name, node in after.cluster.nodes.items():
        gain = moment.gains.nodes.get(name)
        rules = difference(_rules(before, name), _rules(after, name))
        devices = difference(
            [i.name for i in before[name].interfaces], [i.name for i in after[name].interfaces]
        )
        assert (gain.rules if gain else difference((), ())) == rules
        assert (gain.devices if gain else difference((), ())) == devices
        assert node.name == name
    found = {key: (each.added, each.removed) for key, each in moment.gains.endpoints.items()}
    wanted = {}
    for key in {*before.cluster.services, *after.cluster.services}:
        both = difference(_endpoints(before, key), _endpoints(after, key))
        if both:
            wanted[key] = (both.added, both.removed)
    assert found == wanted


def _rules(network: ClusterNetwork, node: str) -> list[str]:
    ruleset = network.ruleset(network.cluster.nodes[node], 4)
    return [rule.text for t in ruleset for chain in t.chains.values() for rule in chain.rules]


def _endpoints(network: ClusterNetwork, key: str) -> list[str]:
    service = network.cluster.services.get(key)
    if service is None:
        return []
    return [
        address.with_port(number)
        for port in service.ports
        for address, number, _ in endpoints_of(network.cluster, service, port)
    ]


def test_json_has_the_keys_of_the_contract() -> None:
    run = CliRunner().invoke(
        cli, ["replay", str(sample("webapp")), "--ask", BROWSER, "--format", "json"]
    )
    document = json.loads(run.output)
    assert document["version"] == 1
    last = document["steps"][-1]
    assert last["object"] == "Service default/myweb"
    assert (last["change"], last["line"]) == ("added", 2)
    assert last["nodes"]["node-1"]["rules"]["added"]
    assert set(last) >= {"file", "pods", "endpoints", "names", "environment", "asked"}
    assert last["asked"][0]["result"] == "connected"
    assert document["before"]["asked"][0]["result"] == "refused"


def test_the_status_is_that_of_the_last_answer() -> None:
    folder = str(sample("webapp"))
    ask = ["replay", folder, "--ask", BROWSER]
    assert CliRunner().invoke(cli, ask, standalone_mode=False).return_value == 0
    gone = [*ask, "--then", "delete svc/myweb"]
    assert CliRunner().invoke(cli, gone, standalone_mode=False).return_value == 1


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("delete rc/mywed", "did you mean rc/myweb"),
        ("scale svc/myweb 2", "has no replicas to scale"),
        ("scale rc/myweb many", "a whole number"),
        ("restart rc/myweb", "neither `delete KIND/NAME` nor"),
    ],
)
def test_a_change_that_means_nothing_is_told(then: str, said: str) -> None:
    with pytest.raises(ChangeError, match=said):
        played(build_world([str(sample("webapp"))]), then=[then])


def test_a_question_without_sense_is_told_at_once() -> None:
    world = build_world([str(sample("webapp"))])
    with pytest.raises(RequestError, match="who asks whom"):
        parse_question("outside")
    with pytest.raises(RequestError, match="mywed"):
        played(world, "outside -> svc/mywed")
