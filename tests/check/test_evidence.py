"""What names a port is evidence that somebody listens there: for check, and for the walk."""

from __future__ import annotations

from pathlib import Path

import pytest
from check.worlds import world

from k8stui.check import Severity, check
from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk

_BASE = """
apiVersion: v1
kind: Service
metadata: {name: mill}
spec: {selector: {app: mill}, ports: [{port: 443, targetPort: 7180}]}
---
apiVersion: v1
kind: Pod
metadata: {name: mill, labels: {app: mill}}
spec:
  volumes:
    - {name: conf, configMap: {name: mill-conf}}
    - {name: both, projected: {sources: [{configMap: {name: mill-conf}}]}}
  containers:
    - name: c
      image: x
      ports: [{containerPort: 5000}]
      READS
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: c, image: x}]}
---
"""
_MOUNT = "volumeMounts: [{name: conf, mountPath: /etc/mill}]"
_PROJECTED = "volumeMounts: [{name: both, mountPath: /etc/mill}]"
_ENV_FROM = "envFrom: [{configMapRef: {name: mill-conf}}]"
_KEY = "env: [{name: A, valueFrom: {configMapKeyRef: {name: mill-conf, key: MILL_PORT}}}]"
_OTHER_KEY = "env: [{name: A, valueFrom: {configMapKeyRef: {name: mill-conf, key: OTHER}}}]"


def _config(text: str, key: str = "MILL_PORT") -> str:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mill-conf}\ndata:\n"
    return f"{head}  {key}: |-\n{lines}"


_ISTIO = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: way, namespace: elsewhere}
spec: {selector: {app: SELECTED}, servers: [{port: {number: 7180, name: h, protocol: HTTP}}]}
"""
_HOOK = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
  - name: guard.example.org
    clientConfig: {service: {name: mill, namespace: default}}
"""
_API = """
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.mill.example.org}
spec: {service: {name: mill, namespace: default}, group: mill.example.org, version: v1}
"""


@pytest.mark.parametrize(
    ("reads", "more", "listens"),
    [
        pytest.param("", "", False, id="nothing names it"),
        pytest.param(_MOUNT, _config("server {\n  listen 7180 ssl;\n}"), True, id="nginx"),
        pytest.param(_PROJECTED, _config("http:\n  port: 7180"), True, id="projected"),
        pytest.param(_MOUNT, _config("server.port=7180\na=b"), True, id="properties"),
        pytest.param(_MOUNT, _config("bind_addr = ':7180'\nx"), True, id="address"),
        pytest.param(
            _MOUNT, _config("x\n  proxy_pass http://10.0.0.9:7180;"), False, id="passes on"
        ),
        pytest.param(_MOUNT, _config("x\nhttp://other:7180/"), False, id="another host's"),
        pytest.param(_MOUNT, _config("a\n# listen 7180"), False, id="a remark"),
        pytest.param("", _config("listen 7180;"), False, id="not mounted"),
        pytest.param(_ENV_FROM, _config("7180"), True, id="envFrom"),
        pytest.param(_KEY, _config("7180"), True, id="one key"),
        pytest.param(_OTHER_KEY, _config("7180"), False, id="another key"),
        pytest.param("", _ISTIO.replace("SELECTED", "mill"), True, id="istio"),
        pytest.param("", _ISTIO.replace("SELECTED", "loom"), False, id="istio elsewhere"),
        pytest.param("", _HOOK, True, id="webhook"),
        pytest.param("", _API, True, id="apiservice"),
    ],
)
def test_what_names_a_port(reads: str, more: str, listens: bool, tmp_path: Path) -> None:
    file = tmp_path / "mill.yaml"
    file.write_text(_BASE.replace("READS", reads) + more)
    made = world(file)
    outcome = walk(made, parse_request(made, "pod/client", "svc/mill:443")).outcome
    assert (outcome.result is Result.CONNECTED) == listens
    found = [f for f in check(made) if f.rule == "target-port-number"]
    assert [f.severity for f in found] == [Severity.INFO if listens else Severity.ERROR]
    assert ("names it" in found[0].why) == listens


_LIST = """
apiVersion: v1
kind: Service
metadata: {name: mill}
spec:
  selector: {app: mill}
  ports: [{name: a, port: 443, targetPort: ASKED}, {name: b, port: 80, targetPort: 5000}]
---
apiVersion: v1
kind: Pod
metadata: {name: mill, labels: {app: mill}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 5000}, LIST]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: c, image: x}]}
"""


@pytest.mark.parametrize(
    ("asked", "more", "listens"),
    [
        pytest.param(7180, (9411, 8888), True, id="a longer list that is not kept"),
        pytest.param(9412, (9411, 8888), False, id="one of the list, misspelt"),
        pytest.param(7180, (9411,), False, id="there is but one that was meant"),
    ],
)
def test_what_a_list_of_ports_leaves_out(
    asked: int, more: tuple[int, ...], listens: bool, tmp_path: Path
) -> None:
    file = tmp_path / "mill.yaml"
    ports = ", ".join(f"{{containerPort: {number}}}" for number in more)
    file.write_text(_LIST.replace("ASKED", str(asked)).replace("LIST", ports))
    made = world(file)
    outcome = walk(made, parse_request(made, "pod/client", "svc/mill:443")).outcome
    assert (outcome.result is Result.CONNECTED) == listens
    (found,) = (f for f in check(made) if f.rule == "target-port-number")
    assert found.severity is (Severity.WARNING if listens else Severity.ERROR)


def test_a_gateway_of_the_gateway_api_opens_ports_on_its_own_pods(tmp_path: Path) -> None:
    file = tmp_path / "mill.yaml"
    name = "gateway.networking.k8s.io/gateway-name: way"
    text = _BASE.replace("labels: {app: mill}", f"labels: {{app: mill, {name}}}")
    gateway = (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: way}\n"
        "spec: {gatewayClassName: g, listeners: [{name: a, port: 7180, protocol: HTTP}]}\n"
    )
    file.write_text(text.replace("READS", "") + gateway)
    made = world(file)
    outcome = walk(made, parse_request(made, "pod/client", "svc/mill:443")).outcome
    assert outcome.result is Result.CONNECTED


_TWO = """
apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: one}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 5000}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: two}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 6600, protocol: UDP}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: three, labels: {app: three}}
spec: {containers: [{name: c, image: x, ports: [{containerPort: 9990}]}]}
"""


@pytest.mark.parametrize(
    ("destination", "result"),
    [
        ("pod/one:5000", Result.CONNECTED),
        ("pod/one:7777", Result.CONNECTED),  # nothing says otherwise
        ("pod/one:5001", Result.REFUSED),  # a digit away from what it declares
        ("pod/one:9990", Result.REFUSED),  # another workload's
        ("pod/two:6600/tcp", Result.REFUSED),  # declared, but for UDP
    ],
)
def test_a_port_asked_directly(destination: str, result: Result, tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(_TWO)
    made = world(file)
    asker = "pod/three" if "three" not in destination else "pod/two"
    assert walk(made, parse_request(made, asker, destination)).outcome.result is result
