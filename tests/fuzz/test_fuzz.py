"""Whatever comes in: no traceback, no long wait, nothing that steers a terminal.

From the bytes to every output. The same examples at every run in CI; ``benchmarks/soak_load.py``
looks for new ones, by the hundred thousand.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fuzz import any_objects, command_lines, journey, mutants, node_files
from hypothesis import given, settings
from hypothesis import strategies as st

POOL = mutants.sources()
NODE_FILES = node_files.sources()
SEEDS = st.integers(0, 2**32)
PLUGINS = st.sampled_from(("flannel", "flannel-vxlan", "bridge", "docker0"))
MODES = st.sampled_from((None, "userspace"))


@settings(max_examples=150, derandomize=True)
@given(SEEDS, PLUGINS, MODES)
def test_mutants_of_real_files(seed: int, plugin: str, mode: str | None) -> None:
    journey.bounded(mutants.mutant(seed, POOL), plugin, mode)


@settings(max_examples=100, derandomize=True)
@given(SEEDS)
def test_objects_that_are_right_by_type_alone(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    journey.bounded(any_objects.written(rng, any_objects.an_object(rng)).encode())


@pytest.mark.parametrize("option", sorted(NODE_FILES))
def test_mutants_behind_an_option(option: str, tmp_path: Path) -> None:
    for seed in range(12):
        node_files.run(seed, {option: NODE_FILES[option]}, tmp_path)


_DEEP = "[" * 20_000

_LINES = "      a: 1\n" * 60
_SETTINGS = (("application.yaml", "server"), ("mongod.conf", "net"))
FOUND = {
    # By soak runs.
    "services-of-an-ipv6-64": (
        "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: kubernetes}\n"
        'spec: {cidrs: ["fd00:10:96::/64"]}\n---\n'
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n"
    ),
    "replicas-without-end": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
        "spec:\n  replicas: 99999999999999999999\n  selector: {matchLabels: {a: b}}\n"
        "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}\n"
    ),
    "a-service-of-thousands": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
        "spec:\n  replicas: 3000\n  selector: {matchLabels: {a: b}}\n"
        "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}\n"
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
        "spec: {selector: {a: b}, ports: [{port: 80}]}\n"
    ),
    "a-mark-of-a-billion-bits": (
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
        "iptables: {masqueradeBit: 1000000000}\n"
    ),
    "port-name-that-turns-the-line": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: s, uid: seen}\n"
        'spec: {clusterIP: 10.96.0.1, ports: [{name: "\\u202e", port: 80}]}\n'
    ),
    "endpoint-without-an-address": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: s, uid: seen}\n"
        "spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}\n---\n"
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
        "metadata: {name: s-1, uid: seen, labels: {kubernetes.io/service-name: s}}\n"
        "ports: [{port: 80}]\nendpoints: [{addresses: [nowhere]}]\n"
    ),
    "a-namespace-of-a-hundred-thousand-letters": (
        "apiVersion: v1\nkind: List\nitems:\n"
        + "".join(
            "- apiVersion: v1\n  kind: Pod\n"
            f"  metadata: {{name: p{n}, uid: seen, namespace: {'x' * 100_000}{n}}}\n"
            "  spec: {containers: [{name: c, image: x}]}\n"
            for n in range(2)
        )
    ),
    "a-billion-digits": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: x, "
        'resources: {requests: {cpu: "1e999999999", memory: 1e400}}}]}\n'
    ),
    "settings-without-a-port": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"
        + "".join(f"  {key}: |\n    {head}:\n{_LINES}" for key, head in _SETTINGS)
        + f"  Caddyfile: |\n    x{' ' * 60_000}y\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: p}}\n"
        "spec: {containers: [{name: c, image: x, args: [mongod.conf], ports: [{containerPort: 1}], "
        f"env: [{{name: KAFKA_LISTENERS, value: {'a' * 60_000}}}], "
        "envFrom: [{configMapRef: {name: c}}]}]}\n---\n"
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
        "spec: {selector: {app: p}, ports: [{port: 1}]}\n"
    ),
    "name-that-turns-the-line": 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: "\\u202e"}\n',
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_found_once(text: str) -> None:
    journey.bounded(text.encode())


@pytest.mark.parametrize("option", ["--ip-addr", "--ip-route"])
def test_deep_json_behind_an_option(option: str, tmp_path: Path) -> None:
    file = tmp_path / "deep.json"
    file.write_text(_DEEP)
    status, _, err = node_files.command(
        [
            "rules",
            str(mutants.ROOT / "samples/webapp"),
            "--node",
            "node-1",
            option,
            f"node-1={file}",
        ]
    )
    assert status == 2
    assert "hundreds deep" in err


def test_broken_command_lines(tmp_path: Path) -> None:
    """What is refused names its option, or the file and the line."""
    for seed in range(60):
        command_lines.run(seed, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "--assert", "not"], "--assert"),
        (["explain", "pod/client", "--ask", "client asks frontend"], "--ask: "),
        (["explain", "pod/client", "--ask", "pod/client -> svc/nowhere"], "--ask: there is no"),
        (["replay", "--ask", "->"], "--ask: "),
        (["replay", "--ask", "pod/client -> svc/nowhere"], "--ask: there is no"),
        (["replay", "--then", "destroy pod/client"], "--then: "),
        (["topology", "--of", "nothing"], "--of: "),
        (["walk", "--from", "outside", "--to", "svc/frontend", "--compare", "x=y"], "--compare: "),
        (["rules", "--node", "node-1", "--proxy-config", "none"], "--proxy-config: "),
        (["ways", "svc/frontend:80"], "not the name of a Service: 'svc/frontend:80'"),
        (["ways", "example.org"], "example.org: there is no Service example"),
        (["clients", "example.org"], "example.org: there is no Service example"),
        (["explain", "pod/a -> b: connected"], "pod/a -> b: connected: there is no pod"),
    ],
    ids=str,
)
def test_a_refusal_names_the_option(arguments: list[str], said: str) -> None:
    name, *rest = arguments
    status, _, err = node_files.command([name, str(mutants.ROOT / "samples/guestbook"), *rest])
    assert status == 2
    assert said in err


@pytest.mark.parametrize("text", ["", "\n\n", "# Generated by nobody\n"])
def test_rules_that_are_none_are_told_of(text: str, tmp_path: Path) -> None:
    """iptables-save prints nothing where no table is loaded; and where it failed."""
    file = tmp_path / "node.save"
    file.write_text(text)
    sample = str(mutants.ROOT / "samples/guestbook")
    status, out, err = node_files.command(
        ["rules", sample, "--iptables", f"node-1={file}", "--node", "node-1"]
    )
    assert (status, out) == (0, "")
    assert f"{file}:1: holds no table: node-1" in err
