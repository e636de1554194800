"""One mistake at a time, of every kind that people make, seeded into a set that is right.

Each is found, as an error or a warning, on the very line where it was made.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.check import Finding, Severity, check, unreadable
from k8stui.walk.world import build_world

RIGHT = Path(__file__).with_name("seeded.yaml").read_text()
_TOLD = (Severity.ERROR, Severity.WARNING)

SEEDS = {
    # name: (a line above, from which on is looked; the line as it is; as it is written wrongly)
    "selector's value": ("nodeport", "    app: counter", "    app: countr"),
    "selector's key": ("nodeport", "    tier: front", "    teir: front"),
    "target port's name": ("nodeport", "      targetPort: web", "      targetPort: wbe"),
    "target port's number": ("nodeport", "      targetPort: 9100", "      targetPort: 9010"),
    "other target port": ("nodeport", "      targetPort: 9100", "      targetPort: 54321"),
    "node port out of range": ("nodeport", "      nodePort: 30180", "      nodePort: 3180"),
    "node port twice": ("nodeport", "      nodePort: 30190", "      nodePort: 30180"),
    "port too large": ("nodeport", "      port: 80", "      port: 80000"),
    "port quoted": ("nodeport", "      port: 80", '      port: "80"'),
    "type": ("nodeport", "  type: NodePort", "  type: NodePor"),
    "traffic policy": (
        "nodeport",
        "  externalTrafficPolicy: Cluster",
        "  externalTrafficPolicy: Clustre",
    ),
    "namespace": ("kind: Service\n", "  namespace: bakery", "  namespace: bakrey"),
    "kind": ("name: flour-store", "kind: Service", "kind: Servcie"),
    "apiVersion": ("targetPort: 9100", "apiVersion: apps/v1", "apiVersion: app/v1"),
    "field": ("targetPort: 9100", "    matchLabels:", "    matchLables:"),
    "replicas quoted": ("targetPort: 9100", "  replicas: 2", '  replicas: "2"'),
    "selector of the Deployment": (
        "replicas: 2",
        "      app: counter",
        "      app: conuter",
    ),
    "label of the template": ("replicas: 2", "        tier: front", "        tier: fornt"),
    "ServiceAccount": (
        "replicas: 2",
        "      serviceAccountName: baker-account",
        "      serviceAccountName: backer-account",
    ),
    "pull policy": ("replicas: 2", "IfNotPresent", "IfNotPresnet"),
    "host in args": ("replicas: 2", "amqp://orders:5672", "amqp://ordres:5672"),
    "host in env": ("OVENS_HOST", "value: ovens-front", "value: ovens-frnot"),
    "port in env": ("OVENS_URL", "http://ovens-front:8080", "http://ovens-front:8008"),
    "Secret": ("replicas: 2", "name: till-login", "name: til-login"),
    "key of a Secret": ("secretKeyRef", "key: password", "key: passwrod"),
    "ConfigMap": ("configMapKeyRef", "name: counter-settings", "name: counter-setings"),
    "key of a ConfigMap": ("configMapKeyRef", "key: greeting", "key: greting"),
    "number in env": ("name: COUNT", 'value: "3"', "value: 3"),
    "port of a probe by name": ("readinessProbe", "port: web", "port: wep"),
    "port of a probe by number": ("livenessProbe", "port: 8000", "port: 8080"),
    "quantity": ("resources:\n            req", "cpu: 100m", "cpu: 100mm"),
    "volume that is mounted": ("volumeMounts", "- name: settings", "- name: setings"),
    "ConfigMap of a volume": (
        "      volumes:",
        "name: counter-settings",
        "name: counter-settigns",
    ),
    "claim": ("      volumes:", "claimName: flour-store", "claimName: flour-stroe"),
    "serviceName": ("kind: StatefulSet", "  serviceName: ovens", "  serviceName: ovnes"),
    "protocol": ("name: orders", "      protocol: TCP", "      protocol: UDP"),
    "protocol's word": ("name: orders", "      protocol: TCP", "      protocol: tcp"),
    "label of a Pod": ("kind: Pod\n", "    app: orders", "    app: odrers"),
    "name": ("kind: Pod\n", "  name: orders", "  name: Orders"),
    "Ingress' Service": ("pathType", "name: counter", "name: conter"),
    "Ingress' port": ("pathType", "number: 80", "number: 8000"),
    "policy's selector": ("kind: NetworkPolicy", "      app: ovens", "      app: oven"),
    "policy's peer": ("ingress:\n    - from", "tier: front", "tier: frnt"),
    "autoscaler's name": ("scaleTargetRef", "    name: counter", "    name: countre"),
    "autoscaler's kind": ("scaleTargetRef", "    kind: Deployment", "    kind: Deploiment"),
    "host in a file": ("# the ovens", "http://ovens-front:8080", "http://ovns-front:8080"),
    "tab": ("nodeport", "  selector:", "\tselector:"),
    "no colon": ("replicas: 2", "  selector:", "  selector"),
    "no space": ("nodeport", "      port: 80", "      port:80"),
    "quote": ("kind: StatefulSet", "  name: ovens", '  name: "ovens'),
    "dash": ("name: orders", "    - port: 5672", "    -port: 5672"),
    "indented too little": ("replicas: 2", "      serviceAccountName", "     serviceAccountName"),
    "key twice": ("kind: StatefulSet", "  serviceName: ovens", "  namespace: ovens"),
}
"""``nodeport`` is the first Service."""


_AT_THE_OTHER_END = {
    "container's port": (
        "example.org/queue",
        "containerPort: 5672",
        "containerPort: 5627",
        "    - port: 5672",
    ),
}
"""Two lines contradict each other, and nothing says which is wrong: told at the last one."""


def _found(file: Path) -> list[Finding]:
    world = build_world([str(file)])
    return [
        one
        for one in (*unreadable(world.problems), *check(world, [str(file)]))
        if one.severity in _TOLD
    ]


def test_what_is_right_is_quiet(tmp_path: Path) -> None:
    file = tmp_path / "bakery.yaml"
    file.write_text(RIGHT)
    assert _found(file) == []


@pytest.mark.parametrize("name", SEEDS)
def test_a_mistake_is_found_on_its_line(name: str, tmp_path: Path) -> None:
    above, right, wrong = SEEDS[name]
    start = RIGHT.index("  type: NodePort" if above == "nodeport" else above)
    at = RIGHT.index(right, start)
    file = tmp_path / "bakery.yaml"
    file.write_text(RIGHT[:at] + wrong + RIGHT[at + len(right) :])
    line = RIGHT.count("\n", 0, at) + 1
    lines = [one.place.line for one in _found(file) if one.place is not None]
    assert line in lines, _found(file)


@pytest.mark.parametrize("name", _AT_THE_OTHER_END)
def test_a_contradiction_is_found_at_one_end(name: str, tmp_path: Path) -> None:
    above, right, wrong, end = _AT_THE_OTHER_END[name]
    at = RIGHT.index(right, RIGHT.index(above))
    file = tmp_path / "bakery.yaml"
    file.write_text(RIGHT[:at] + wrong + RIGHT[at + len(right) :])
    lines = [one.place.line for one in _found(file) if one.place is not None]
    assert lines == [RIGHT.count("\n", 0, RIGHT.index(end)) + 1]
