"""A stand-in for an API server: what kubectl asks in order to list objects, over plain HTTP.

Discovery (``/api``, ``/apis``, ``/api/v1``, ``/apis/GROUP/VERSION``), lists in chunks (``limit``,
``continue``), single objects and Status objects for what fails, in the words of apiserver
(apimachinery pkg/api/errors). Its misbehaviour is set by the attributes of `ApiStandIn`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

RESOURCES = {
    "nodes": ("v1", "Node", False),
    "namespaces": ("v1", "Namespace", False),
    "pods": ("v1", "Pod", True),
    "services": ("v1", "Service", True),
    "endpoints": ("v1", "Endpoints", True),
    "configmaps": ("v1", "ConfigMap", True),
    "secrets": ("v1", "Secret", True),
    "replicationcontrollers": ("v1", "ReplicationController", True),
    "endpointslices": ("discovery.k8s.io/v1", "EndpointSlice", True),
    "deployments": ("apps/v1", "Deployment", True),
    "replicasets": ("apps/v1", "ReplicaSet", True),
    "statefulsets": ("apps/v1", "StatefulSet", True),
    "daemonsets": ("apps/v1", "DaemonSet", True),
    "jobs": ("batch/v1", "Job", True),
    "cronjobs": ("batch/v1", "CronJob", True),
    "ingresses": ("networking.k8s.io/v1", "Ingress", True),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy", True),
    "limitranges": ("v1", "LimitRange", True),
    "resourcequotas": ("v1", "ResourceQuota", True),
    "priorityclasses": ("scheduling.k8s.io/v1", "PriorityClass", False),
    "runtimeclasses": ("node.k8s.io/v1", "RuntimeClass", False),
    "servicecidrs": ("networking.k8s.io/v1", "ServiceCIDR", False),
}
"""Resource → API version, kind, namespaced."""

Object = Mapping[str, Any]


@dataclass
class ApiStandIn:
    """Serves `objects` on a free port of 127.0.0.1 while it is entered."""

    objects: Iterable[Object] = ()
    lacks: frozenset[str] = frozenset()
    """Resources that this server does not have."""
    forbids: frozenset[str] = frozenset()
    """Resources that answer 403 to a list of all namespaces; ``*``: all."""
    slow: Mapping[str, float] = field(default_factory=dict)
    """Seconds after which a resource answers, unless the stand-in is left before."""
    expires: frozenset[str] = frozenset()
    """Resources whose second chunk is gone (410)."""
    unauthorized: bool = False
    """401 for everything."""
    garbage: bool = False
    """A web page instead of every list: a proxy's login."""
    asked: list[str] = field(default_factory=list)
    """Paths with queries, in order, discovery left out."""

    def __enter__(self) -> Self:
        self.left = threading.Event()
        stand_in = self

        class Handler(_Handler):
            api = stand_in  # type: ignore[assignment] # the class of this one server

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.left.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def kubeconfig(self, path: Path, context: str = "stand-in", **user: Any) -> Path:
        """Write one whose only context leads here."""
        return write_kubeconfig(path, context, f"http://127.0.0.1:{self.port}", **user)


def write_kubeconfig(path: Path, context: str, server: str, **user: Any) -> Path:
    """One cluster, one user, one context; JSON is YAML."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


class _Handler(BaseHTTPRequestHandler):
    api: ApiStandIn
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    """Head and body in one packet: else each answer takes 40 ms (Nagle, delayed ACK)."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if self.api.unauthorized:
            self.status(401, "Unauthorized", "Unauthorized")
        elif url.path == "/version":
            self.reply({"major": "1", "minor": "32", "gitVersion": "v1.32.0"})
        elif url.path == "/api":
            self.reply({"kind": "APIVersions", "versions": ["v1"]})
        elif url.path == "/apis":
            self.groups()
        elif parts == ["api", "v1"]:
            self.resources("v1")
        elif parts[0] == "apis" and len(parts) == 3:
            self.resources("/".join(parts[1:]))
        else:
            self.api.asked.append(self.path)
            self.objects(parts[2:] if parts[0] == "api" else parts[3:], query)

    def groups(self) -> None:
        found: dict[str, list[str]] = {}
        for name, (version, _, _) in RESOURCES.items():
            group, _, number = version.rpartition("/")
            if group and name not in self.api.lacks:
                found.setdefault(group, [number])
        self.reply(
            {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [
                    {
                        "name": group,
                        "versions": [{"groupVersion": f"{group}/{n}", "version": n} for n in ns],
                        "preferredVersion": {"groupVersion": f"{group}/{ns[0]}", "version": ns[0]},
                    }
                    for group, ns in found.items()
                ],
            }
        )

    def resources(self, wanted: str) -> None:
        self.reply(
            {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": wanted,
                "resources": [
                    {
                        "name": name,
                        "singularName": kind.lower(),
                        "namespaced": namespaced,
                        "kind": kind,
                        "verbs": ["get", "list", "watch"],
                    }
                    for name, (version, kind, namespaced) in RESOURCES.items()
                    if version == wanted and name not in self.api.lacks
                ],
            }
        )

    def objects(self, parts: list[str], query: Mapping[str, str]) -> None:
        namespace = None
        if parts[0] == "namespaces" and len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        resource, name = parts[0], parts[1] if len(parts) > 1 else None
        if resource not in RESOURCES or resource in self.api.lacks:
            self.status(404, "NotFound", "the server could not find the requested resource")
            return
        version, kind, _ = RESOURCES[resource]
        self.api.left.wait(self.api.slow.get(resource, 0))
        if self.api.garbage:
            self.send(200, "text/html", b"<html>Log in first \x1b[31m</html>")
            return
        if namespace is None and self.api.forbids & {resource, "*"}:
            group = version.rpartition("/")[0]
            words = (
                f'{resource}{"." + group if group else ""} is forbidden: User "jane" cannot list '
                f'resource "{resource}" in API group "{group}" at the cluster scope'
            )
            self.status(403, "Forbidden", words, kind=resource)
            return
        found = [
            one
            for one in self.api.objects
            if one["kind"] == kind
            and (namespace is None or one["metadata"].get("namespace") == namespace)
        ]
        if name is not None:
            named = [one for one in found if one["metadata"]["name"] == name]
            if named:
                self.reply({"apiVersion": version, **named[0]})
            else:
                self.status(404, "NotFound", f'{resource} "{name}" not found', kind=resource)
            return
        start, limit = int(query.get("continue", "0")), int(query.get("limit", "0"))
        if start and resource in self.api.expires:
            words = "The provided continue parameter is too old to display a consistent list result"
            self.status(410, "Expired", words)
            return
        end = start + limit if limit else len(found)
        metadata: dict[str, Any] = {"resourceVersion": "7"}
        if end < len(found):
            metadata |= {"continue": str(end), "remainingItemCount": len(found) - end}
        items = [
            {key: value for key, value in one.items() if key not in ("kind", "apiVersion")}
            for one in found[start:end]
        ]
        self.reply(
            {"kind": f"{kind}List", "apiVersion": version, "metadata": metadata, "items": items}
        )

    def status(self, code: int, reason: str, message: str, **details: str) -> None:
        self.reply(
            {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": message,
                "reason": reason,
                "details": details,
                "code": code,
            },
            code,
        )

    def reply(self, value: object, code: int = 200) -> None:
        self.send(code, "application/json", json.dumps(value).encode())

    def send(self, code: int, kind: str, body: bytes) -> None:
        try:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # kubectl has given up waiting

    def log_message(self, *_: object) -> None:
        """Say nothing."""
