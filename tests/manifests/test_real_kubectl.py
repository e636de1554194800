"""A live cluster through the real kubectl of this machine, against a stand-in for the server."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from manifests.api_stand_in import ApiStandIn, write_kubeconfig
from manifests.live_objects import configuration, pod, shop

from k8stui.apiserver import apply
from k8stui.cluster.build import build
from k8stui.manifests import Manifests, kubectl

MANY = 1_203
"""Pods: three chunks of kubectl's 500."""


def programs() -> list[Path]:
    """Give the kubectl in PATH, and the oldest and newest beside it (``kubectl.1.27``)."""
    found = shutil.which("kubectl")
    if found is None:
        return []
    folder = Path(found).resolve().parent
    others = sorted(one for one in folder.glob("kubectl.1.*") if one.stat().st_mode & stat.S_IXUSR)
    return list(dict.fromkeys([Path(found), *others[:1], *others[-1:]]))


PROGRAMS: list[object] = [*programs()] or [
    pytest.param(Path("kubectl"), marks=pytest.mark.skip("there is no kubectl in PATH"))
]


@pytest.fixture(params=PROGRAMS, ids=lambda one: one.name)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home whose kubectl is one of the real ones, with no other cluster in sight."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "kubectl").symlink_to(request.param.resolve())
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@contextmanager
def serving(home: Path, api: ApiStandIn) -> Iterator[ApiStandIn]:
    with api:
        api.kubeconfig(home / "config", context="shop")
        yield api


def messages(found: Manifests) -> tuple[list[str], list[str]]:
    problems = [one.message for one in found.problems]
    return problems, [one.message for one in found.notes]


def test_everything_comes_in_chunks(home: Path) -> None:
    more = [pod(f"p-{n}", f"10.9.{2 + n // 250}.{1 + n % 250}") for n in range(MANY)]
    with serving(home, ApiStandIn([*shop(), *more, *configuration()])) as api:
        found = apply([], context="shop")
    assert messages(found) == ([], [])
    kinds = [one.kind for one in found.objects]
    assert kinds.count("Pod") == MANY + 2
    assert sum("/api/v1/pods?" in path for path in api.asked) == 3
    maps = {one.name: one.file for one in found.objects if one.kind == "ConfigMap"}
    assert maps == {
        "kube-proxy": "kubectl --context shop --namespace=kube-system",
        "kubeadm-config": "kubectl --context shop --namespace=kube-system",
        "kube-flannel-cfg": "kubectl --context shop --namespace=kube-flannel",
    }
    assert "Secret" not in kinds
    assert not any("secrets" in path or path.endswith("/configmaps") for path in api.asked)

    cluster = build(found)
    assert cluster.proxy.masquerade_all
    assert str(cluster.service_cidr) == "10.77.0.0/16"
    assert str(cluster.pod_cidr) == "10.9.0.0/16"
    assert [str(one.addresses[0]) for one in cluster.endpoint_slices["shop/web"][0].endpoints] == [
        "10.9.1.5"
    ]


def test_kinds_that_are_forbidden(home: Path) -> None:
    with serving(home, ApiStandIn(shop(), forbids=frozenset({"nodes", "endpointslices"}))):
        found = apply([], context="shop")
    assert messages(found) == (
        [],
        [
            "no permission to read nodes: nodes are known through the pods on them only",
            "no permission to read endpointslices: endpoints are derived from pods and Services",
        ],
    )
    cluster = build(found)
    (only,) = cluster.endpoint_slices["shop/web"]
    assert len(only.endpoints) == 2  # both pods carry the label: the seen slice named one
    assert list(cluster.nodes) == ["worker"]


def test_nothing_is_allowed(home: Path) -> None:
    with serving(home, ApiStandIn(shop(), forbids=frozenset("*"))):
        found = apply([], context="shop")
    (problem,) = found.problems
    assert problem.message == "no permission to list pods and services of all namespaces"
    assert 'User "jane" cannot list resource "pods"' in problem.hint
    assert not found.objects


def test_a_server_that_lacks_kinds(home: Path) -> None:
    lacks = frozenset({"endpointslices", "servicecidrs", "ingresses"})
    with serving(home, ApiStandIn(shop(), lacks=lacks)):
        found = apply([], context="shop")
    problems, notes = messages(found)
    assert not problems
    assert notes == [
        "the server has no endpointslices: endpoints are derived from pods and Services",
        "the server has no ingresses: nothing is checked against them",
    ]
    assert len(found.objects) == len(shop()) - 1


def test_a_list_that_changes_meanwhile(home: Path) -> None:
    more = [pod(f"p-{n}", f"10.9.2.{n % 250}") for n in range(600)]
    with serving(home, ApiStandIn([*shop(), *more], expires=frozenset({"pods"}))):
        found = apply([], context="shop")
    (problem,) = found.problems
    assert problem.message == (
        "a part is missing, what came is used: the list changed while it was read"
    )
    assert [one.kind for one in found.objects].count("Pod") == 500


def test_one_kind_takes_too_long(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubectl, "REQUEST_SECONDS", 1)
    with serving(home, ApiStandIn(shop(), slow={"services": 60})):
        found = apply([], context="shop")
    (problem,) = found.problems
    assert problem.message == "a part is missing, what came is used: the server does not answer"
    assert [one.kind for one in found.objects] == ["Node", "Pod", "Pod", "EndpointSlice"]


def test_the_credentials_are_refused(home: Path) -> None:
    with serving(home, ApiStandIn(shop(), unauthorized=True)):
        (problem,) = apply([], context="shop").problems
    assert problem.message == "the server does not accept the credentials"


def test_a_page_to_log_in_comes_instead(home: Path) -> None:
    with serving(home, ApiStandIn(shop(), garbage=True)):
        (problem,) = apply([], context="shop").problems
    assert problem.message.endswith("a web page came instead")


def test_nobody_listens(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    write_kubeconfig(home / "config", "shop", f"http://127.0.0.1:{port}")
    found = apply([], context="shop")
    (problem,) = found.problems
    assert problem.message == f"127.0.0.1:{port} refuses the connection"
    assert not found.objects


@pytest.mark.parametrize("name", ["shpo", "--help"])
def test_there_is_no_such_context(home: Path, name: str) -> None:
    write_kubeconfig(home / "config", "shop", "http://127.0.0.1:1")
    (problem,) = apply([], context=name).problems
    assert problem.message == "there is no context of this name"
    assert "shop" in problem.hint


def test_a_context_without_credentials(home: Path) -> None:
    write_kubeconfig(home / "config", "shop", "https://127.0.0.1:1")
    (problem,) = apply([], context="shop").problems
    assert problem.message == "the context has no credentials: kubectl asks for a user name"


def test_a_plug_in_that_is_missing(home: Path) -> None:
    plug_in = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "no-such-plug-in",
        "interactiveMode": "IfAvailable",
        "installHint": "get it \x1b[31m there",
    }
    write_kubeconfig(home / "config", "shop", "https://127.0.0.1:1", exec=plug_in)
    (problem,) = apply([], context="shop").problems
    assert problem.message == "the context logs in with no-such-plug-in, which is not in PATH"
    assert "get it" in problem.hint
    assert "\x1b" not in problem.hint
