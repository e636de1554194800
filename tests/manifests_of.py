"""Short ways to write the manifests of a situation, a field a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]


def labels(text: str) -> dict[str, str]:
    """``app=web,tier=front`` as a mapping."""
    return dict(each.split("=") for each in text.split(",") if each)


def pod(
    name: str,
    app: str = "",
    *,
    node: str | None = "node-1",
    ports: Iterable[int | Mapping[str, Any]] = (),
    container: Mapping[str, Any] | None = None,
    namespace: str | None = None,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Manifest:
    """A pod of one container; `app` are its labels (``app=web``)."""
    inside: Manifest = {"name": "main", "image": "registry.example/main:1"}
    declared = [{"containerPort": p} if isinstance(p, int) else dict(p) for p in ports]
    if declared:
        inside["ports"] = declared
    inside |= container or {}
    spec = {**({"nodeName": node} if node else {}), **spec}
    spec.setdefault("containers", [inside])
    made = {**_head("v1", "Pod", name, namespace, labels(app)), "spec": spec}
    return {**made, "status": dict(status)} if status else made


def observed(
    name: str,
    app: str,
    address: str,
    *,
    ready: bool = True,
    phase: str = "Running",
    deleted: bool = False,
    **more: Any,
) -> Manifest:
    """A pod as ``kubectl get -o yaml`` shows it."""
    status = {
        "phase": phase,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": str(ready)}],
    }
    made = pod(name, app, status=status, **more)
    made["metadata"] |= {"uid": f"{abs(hash(name)) % 10**8:08d}-0000-4000-8000-000000000000"}
    if deleted:
        made["metadata"]["deletionTimestamp"] = "2024-05-05T05:05:05Z"
    return made


def service(
    name: str,
    app: str | None = "",
    port: int | Mapping[str, Any] | None = 80,
    to: int | str | None = None,
    *,
    ports: Iterable[Mapping[str, Any]] = (),
    namespace: str | None = None,
    status: Mapping[str, Any] | None = None,
    head: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Manifest:
    """A Service of one port (`to`: its targetPort) or of `ports`; `app` None: no selector."""
    one: dict[str, Any] = {"port": port} if isinstance(port, int) else dict(port or {})
    if to is not None:
        one["targetPort"] = to
    listed = [dict(each) for each in ports] or ([one] if one else [])
    body: Manifest = {**spec}
    if app is not None:
        body["selector"] = labels(app or f"app={name}")
    if listed:
        body["ports"] = listed
    made = {**_head("v1", "Service", name, namespace, {}), "spec": body}
    made["metadata"] |= head or {}
    return {**made, "status": dict(status)} if status else made


def workload(
    kind: str,
    name: str,
    app: str = "",
    *,
    replicas: int | None = None,
    ports: Iterable[int | Mapping[str, Any]] = (),
    container: Mapping[str, Any] | None = None,
    namespace: str | None = None,
    pod_spec: Mapping[str, Any] | None = None,
    own: str = "",
    **spec: Any,
) -> Manifest:
    """A Deployment, StatefulSet or DaemonSet; its pods carry `app`, it carries `own` itself."""
    app = app or f"app={name}"
    template = pod("x", app, node=None, ports=ports, container=container, **(pod_spec or {}))
    body: Manifest = {"selector": {"matchLabels": labels(app)}, **spec}
    if replicas is not None:
        body["replicas"] = replicas
    body["template"] = {"metadata": {"labels": labels(app)}, "spec": template["spec"]}
    return {**_head("apps/v1", kind, name, namespace, labels(own)), "spec": body}


def node(number: int, *cidrs: str, address: str = "", **spec: Any) -> Manifest:
    """``node-NUMBER`` with its pods' networks."""
    made = _head("v1", "Node", f"node-{number}", None, {})
    made["spec"] = {**({"podCIDR": cidrs[0], "podCIDRs": list(cidrs)} if cidrs else {}), **spec}
    kept = [{"type": "InternalIP", "address": address or f"192.168.0.1{number}"}]
    return {**made, "status": {"addresses": kept}}


def kind(api: str, name: str, what: str, namespace: str | None = None, **rest: Any) -> Manifest:
    """Any other object."""
    return {**_head(api, what, name, namespace, {}), **rest}


def kube_proxy(**settings: Any) -> Manifest:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        **settings,
    }


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as people write them: ``|``."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def write(folder: Path, manifests: Iterable[Manifest]) -> Path:
    """All of them in one file, a field a line."""
    file = folder / "situation.yaml"
    texts = (yaml.dump(each, Dumper=_Dumper, sort_keys=False) for each in manifests)
    file.write_text("---\n".join(texts), encoding="utf-8")
    return file


def _head(
    api: str, what: str, name: str, namespace: str | None, marks: Mapping[str, str]
) -> Manifest:
    meta: Manifest = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    if marks:
        meta["labels"] = dict(marks)
    return {"apiVersion": api, "kind": what, "metadata": meta}
