"""What people report most: each situation in a few lines, with its outcome, cause, place and mend.

The manifests are built (`manifests_of`), a field a line; `at` is the text of the line to blame.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from manifests_of import (
    Manifest,
    kind,
    kube_proxy,
    labels,
    node,
    observed,
    pod,
    service,
    workload,
    write,
)

from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.options import NodeOptions
from k8stui.record import record
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world


@record(kw_only=True)
class Reported:
    """A situation, what is asked in it, and what has to be said."""

    manifests: tuple[Manifest, ...]
    ask: tuple[str, str]
    result: str
    by: str = ""
    """Where it is decided."""
    cause: str = ""
    mend: str = ""
    at: str = ""
    """The line of the manifests that is to blame, without its indentation."""
    not_said: tuple[str, ...] = ()
    options: dict[str, Any] | None = None


def outcome(folder: Path, case: Reported) -> tuple[Outcome, Path, World]:
    file = write(folder, case.manifests)
    made = build_world([str(file)], ClusterOptions(), NodeOptions(**(case.options or {})))
    assert not made.problems, [problem.render() for problem in made.problems]
    return walk(made, parse_request(made, *case.ask)).outcome, file, made


def judge(folder: Path, case: Reported) -> World:
    """Hold what is said against the case; the world that it was said in."""
    found, file, made = outcome(folder, case)
    told = f"{found.reason} | {found.advice}"
    assert found.result.value == case.result, told
    assert not case.by or found.decided_at == case.by, found.decided_at
    assert case.cause in found.reason, told
    assert case.mend in found.advice, told
    for words in case.not_said:
        assert words not in told
    if case.at:
        assert found.origin is not None
        assert found.origin.place is not None
        lines = file.read_text(encoding="utf-8").splitlines()
        assert lines[found.origin.place.line - 1].strip().removeprefix("- ") == case.at
    return made


ASKER = pod("asker", node="node-2")
WEB = pod("web-0", "app=web", ports=[8080])
DB = pod("db-0", "app=db", ports=[5432])
NODES = (node(1), node(2))
NODE_PORT = service("web", ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}],
                    type="NodePort")  # fmt: skip

EXT = service("ext", None, None, type="ExternalName", externalName="192.168.0.77")
CRON_JOB = kind("batch/v1", "web", "CronJob", spec={
    "schedule": "0 3 * * *",
    "jobTemplate": {"spec": {"template": {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "x"}]},
    }}},
})  # fmt: skip


def slice_of(service_name: str, address: str, port: int = 5432) -> Manifest:
    made = kind(
        "discovery.k8s.io/v1", "by-hand", "EndpointSlice", addressType="IPv4",
        ports=[{"port": port}], endpoints=[{"addresses": [address]}],
    )  # fmt: skip
    if service_name:
        made["metadata"]["labels"] = {"kubernetes.io/service-name": service_name}
    return made


def seen(**status: Any) -> Manifest:
    """A pod of a dump that runs and is not ready."""
    made = observed(
        "web-0", "app=web", "10.244.1.5", ready=False, ports=[8080],
        container={"readinessProbe": {"httpGet": {"path": "/up", "port": 8081}}},
    )  # fmt: skip
    made["status"] |= status
    return made


def starting(name: str, **state: Any) -> Manifest:
    """A pod of a dump whose init container `name` is in that state; the others wait for it."""
    wait = {"name": name, "image": "x", "command": ["sh", "-c", "until nc -z web 80; do :; done"]}
    kept = {"ready": False, "restartCount": 0, "image": "x", "imageID": ""}
    made = seen(
        phase="Pending",
        initContainerStatuses=[{**kept, "name": name, "state": state}],
        containerStatuses=[
            {**kept, "name": "main", "state": {"waiting": {"reason": "PodInitializing"}}}
        ],
    )
    made["spec"]["initContainers"] = [wait]
    return made


def container_status(**state: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "main", "ready": False, "restartCount": 4, "image": "x",
                                   "imageID": "", "state": state}]}  # fmt: skip


def asking(to: str, *manifests: Manifest, source: str = "pod/asker", **more: Any) -> Reported:
    return Reported(manifests=(*manifests, ASKER), ask=(source, to), **more)


SELECTORS = {
    "one label of two differs": asking(
        "svc/web", service("web", "app=web,track=blue"),
        pod("web-0", "app=web,track=green", ports=[80]),
        result="refused", by="node-2", cause="pod web-0 has track=green, not blue",
        mend="write track: green instead of blue", at="selector:",
    ),
    "the value stands at another label, the label has another": asking(
        "svc/web", service("web", "name=web"),
        pod("web-0", "component=web,name=front", ports=[80]),
        result="refused", cause="pod web-0 has component=web, not name=web",
        mend="write component: web instead of name", at="selector:",
    ),
    "a pod without labels": asking(
        "svc/web", service("web"), pod("web", ports=[80]),
        result="refused", cause="pod web has no labels", mend="label the pods app=web (in",
    ),
    "the labels stand at the Deployment, not at its pods": asking(
        "svc/web", service("web"),
        workload("Deployment", "web", "component=front", ports=[80], own="app=web"),
        result="refused", cause="Deployment web itself is labelled so, and its pods have component",
        mend="write component=front in the selector, or app=web into spec.template.metadata.labels",
    ),
    "no replicas": asking(
        "svc/web", service("web"), workload("Deployment", "web", replicas=0),
        result="refused", cause="Deployment web, whose pods it selects, has replicas: 0",
        mend="kubectl scale deployment/web --replicas=1",
    ),
    "a LimitRange keeps the pods away": asking(
        "svc/web", kind("v1", "cap", "LimitRange", spec={
            "limits": [{"type": "Container", "max": {"cpu": "500m"}}]}),
        service("web"), workload("Deployment", "web", replicas=2, container={
            "resources": {"limits": {"cpu": "2"}}}),
        result="refused", cause="has none: maximum cpu usage per Container is 500m, but limit is 2",
        mend="that the LimitRange of namespace default allows",
    ),
    "a quota that others have used up": asking(
        "svc/web", ASKER, kind("v1", "few", "ResourceQuota", spec={"hard": {"pods": "1"}}),
        service("web"), workload("Deployment", "web", replicas=1),
        result="refused", cause="has none: exceeded quota: few", mend="raise hard of ResourceQuota",
    ),
    "a paused rollout": asking(
        "svc/web", service("web"), workload("Deployment", "web", replicas=2, paused=True),
        result="refused", cause="it is paused (spec.paused)",
        mend="kubectl rollout resume deployment/web",
    ),
    "aliases in a circle": asking(
        "one:80", service("one", None, None, type="ExternalName",
                          externalName="two.default.svc.cluster.local"),
        service("two", None, None, type="ExternalName",
                externalName="one.default.svc.cluster.local"),
        result="no-such-name", cause="go in a circle: default/one → default/two → default/one",
        mend="the name of what is meant in the end",
        at="externalName: two.default.svc.cluster.local",
    ),
    "an alias of an address, asked of k8stui from outside": asking(
        "svc/ext:80", EXT, source="outside",
        result="no-such-name", cause="an alias of 192.168.0.77, an address",
        mend="make ext a Service without selector", at="externalName: 192.168.0.77",
        not_said=("ClusterIP from a node",),
    ),
    "an alias of an address, asked by its name from a node": asking(
        "ext.default:80", EXT, source="node/node-1",
        result="no-such-name", cause="node-1 does not ask cluster DNS",
        mend="ask 192.168.0.77 itself", not_said=("ClusterIP",),
    ),
    "a headless Service, asked by its name from a node": asking(
        "peers.default:80", service("peers", "app=web", clusterIP="None"), WEB,
        source="node/node-1", result="no-such-name", cause="node-1 does not ask cluster DNS",
        mend="ask a pod's own address (10.244.1.2)", not_said=("use the Service's ClusterIP",),
    ),
    "a port that a load balancer's address has not, from the node that it is brought to": asking(
        "198.51.100.7:81",
        service("web", to=8080, type="LoadBalancer",
                status={"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}),
        WEB, source="pod/web-0", result="timeout", by="node-1",
        cause="Service default/web has no port 81/TCP (it has 80/TCP)", mend="ask for port 80",
        at="ports:", not_said=("martian",),
    ),
    "a class of load balancers that nobody serves": asking(
        "svc/web", service("web", to=8080, type="LoadBalancer", loadBalancerClass="example.com/in"),
        WEB, source="outside", result="unreachable", cause="has no address yet",
        mend="let the controller of loadBalancerClass example.com/in give it an address",
    ),
    "a job of every night": asking(
        "svc/web", service("web"), CRON_JOB, result="refused",
        cause="CronJob web, whose pods it selects, has none now: it makes one when its time comes",
        mend="a Deployment for what is to be asked at any time",
    ),
    "the pods are in another namespace": asking(
        "web.edge:80", service("web", namespace="edge"), WEB,
        result="refused", cause="has these labels, but is in namespace default",
        mend="put the Service into namespace default", at="selector:",
    ),
    "the job has ended": asking(
        "svc/web", *NODES, service("web"),
        observed("web-0", "app=web", "10.244.1.5", phase="Succeeded", ready=False, ports=[80]),
        result="refused", cause="has finished (Succeeded)", mend="pods that go on running",
    ),
    "a container that ends again and again": asking(
        "svc/web", *NODES, service("web"),
        seen(**container_status(waiting={"reason": "CrashLoopBackOff"})),
        result="refused", cause="container main is waiting, CrashLoopBackOff",
        mend="kubectl logs web-0 --previous",
    ),
    "an image that nobody has": asking(
        "svc/web", *NODES, service("web"),
        seen(**container_status(waiting={"reason": "ImagePullBackOff"})),
        result="refused", cause="ImagePullBackOff", mend="mend the image's name",
    ),
    "a readiness probe at the wrong port": asking(
        "svc/web", *NODES, service("web"), seen(**container_status(running={})),
        result="refused", cause="container main runs, its readiness probe asks HTTP /up on port 80",
        mend="look at the readiness probe",
    ),
    "a startup probe at the wrong port": asking(
        "svc/web", *NODES, service("web"),
        observed("web-0", "app=web", "10.244.1.5", ready=False, ports=[8080],
                 container={"startupProbe": {"tcpSocket": {"port": 8085}}})
        | {"status": {
            "phase": "Running", "podIP": "10.244.1.5", "podIPs": [{"ip": "10.244.1.5"}],
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [{"name": "main", "ready": False, "started": False, "image": "x",
                                   "restartCount": 0, "imageID": "", "state": {"running": {}}}],
        }},
        result="refused", cause="its startup probe asks TCP port 8085",
        mend="mend the startup probe",
    ),
    "a pod that is not ready and asks its own Service": asking(
        "svc/ring", *NODES, service("ring", port=7000),
        observed("ring-0", "app=ring", "10.244.1.9", ready=False, ports=[7000], container={
            "env": [{"name": "FIRST", "value": "ring:7000"}]}),
        result="refused", cause="and none is ready",
        mend="if it waits for the Service itself, set publishNotReadyAddresses: true",
    ),
    "a pod that is not ready, whose program is called as its Service": asking(
        "svc/ring", *NODES, service("ring", port=7000),
        observed("ring-0", "app=ring", "10.244.1.9", ready=False, ports=[7000], container={
            "command": ["/bin/ring", "--config=/etc/ring/ring.yaml"]}),
        result="refused", mend="what the pod waits for: kubectl describe pod ring-0",
        not_said=("for the Service itself",),
    ),
    "an init container waits for the Service that waits for it": asking(
        "svc/web", *NODES, service("web"), starting("wait", running={}),
        result="refused", cause="init container wait runs and has not ended, and asks for Service "
        "web itself", mend="do not wait for it in init container wait",
    ),
    "an init container waits for somebody else": asking(
        "svc/shop", *NODES, service("shop", "app=web"), starting("wait", running={}),
        result="refused", cause="init container wait runs and has not ended)",
        mend="kubectl logs web-0 -c wait",
    ),
    "an init container ends again and again": asking(
        "svc/shop", *NODES, service("shop", "app=web"),
        starting("migrate", waiting={"reason": "CrashLoopBackOff"}),
        result="refused", cause="init container migrate is waiting, CrashLoopBackOff",
        mend="kubectl logs web-0 -c migrate --previous",
    ),
    "killed for its memory": asking(
        "svc/web", *NODES, service("web"),
        seen(containerStatuses=[{
            "name": "main", "ready": False, "restartCount": 9, "image": "x", "imageID": "",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
        }]),
        result="refused", cause="(it ended last: OOMKilled, status 137)",
        mend="raise resources.limits.memory",
    ),
    "a ConfigMap that is not there": asking(
        "svc/web", *NODES, service("web"),
        seen(**container_status(waiting={"reason": "CreateContainerConfigError",
                                         "message": 'configmap "web-conf" not found'})),
        result="refused", cause='CreateContainerConfigError: configmap "web-conf" not found',
        mend='make what is missing (configmap "web-conf" not found)',
    ),
    "a key of a Secret that is not there": asking(
        "svc/web", *NODES, service("web"),
        seen(**container_status(waiting={"reason": "CreateContainerConfigError",
                                         "message": "couldn't find key P in Secret default/w"})),
        result="refused", cause="couldn't find key P in Secret default/w",
        mend="make what is missing (couldn't find key P in Secret default/w)",
    ),
    "endpoints of another protocol": asking(
        "svc/ext", service("ext", None, 5432),
        kind("discovery.k8s.io/v1", "by-hand", "EndpointSlice", addressType="IPv4",
             ports=[{"port": 5432, "protocol": "UDP"}],
             endpoints=[{"addresses": ["203.0.113.7"]}])
        | {"metadata": {"name": "by-hand", "labels": {"kubernetes.io/service-name": "ext"}}},
        result="refused", cause="its port 5432 is TCP, that of the endpoints written for it is UDP",
        mend="write protocol: TCP", not_said=("take the dump again",),
    ),
    "readiness gates without a controller": asking(
        "svc/web", service("web"),
        pod("web-0", "app=web", ports=[80],
            readinessGates=[{"conditionType": "target-health.lb.example/web"}]),
        result="refused", cause="its readinessGates are conditions that nobody has set",
        mend="take the readinessGates off",
    ),
}  # fmt: skip

PORTS = {
    "targetPort left out": asking(
        "svc/web", service("web"), WEB,
        result="refused", by="default/web-0", cause="declare 8080, not 80",
        mend="write targetPort: 8080 instead of 80", at="port: 80",
    ),
    "a port's name with a typing error": asking(
        "svc/web", service("web", to="htpp"),
        pod("web-0", "app=web", ports=[{"name": "http", "containerPort": 8080}]),
        result="refused", cause="declares a port named htpp", mend="write targetPort: http",
        at="targetPort: htpp",
    ),
    "protocol left out for UDP": asking(
        "svc/log", service("log", port=514),
        pod("log-0", "app=log", ports=[{"containerPort": 514, "protocol": "UDP"}]),
        result="refused", by="default/log-0", cause="declares 514 for UDP only",
        mend="write protocol: UDP in the Service's port", at="port: 514",
    ),
    "UDP asked of a TCP port": asking(
        "svc/dns:53/udp", service("dns", port=53), pod("dns-0", "app=dns", ports=[53]),
        result="timeout", cause="has no port 53/UDP (it has 53/TCP)", mend="add a UDP port",
    ),
    "a headless Service translates no port": asking(
        "db:80", service("db", port=80, to=5432, clusterIP="None"), DB,
        result="refused", by="default/db-0",
        cause="is headless (clusterIP: None)", mend="ask for port 5432, or leave clusterIP: None",
        at="targetPort: 5432",
    ),
    "the node port asked at the ClusterIP": asking(
        "svc/web:30080", NODE_PORT, WEB,
        result="unreachable", cause="has no port 30080/TCP",
        mend="ask for port 80: 30080 is the nodePort", at="ports:",
    ),
    "the Service's port asked at the node": asking(
        "node/node-1:80", NODE_PORT, WEB, source="outside",
        result="refused", by="node-1", cause="no Service has node port 80/TCP",
        mend="ask for node port 30080", at="nodePort: 30080",
    ),
    "a ClusterIP Service asked at the node": asking(
        "node/node-1:80", service("web", to=8080), WEB, source="outside",
        result="refused", cause="is that of its own address, not of the nodes",
        mend="give Service web type: NodePort",
    ),
    "a node port that the Service's check asks": asking(
        "node/node-2:32101",
        service("web", to=8080, type="LoadBalancer", externalTrafficPolicy="Local",
                healthCheckNodePort=32101), WEB, source="outside",
        result="connected", cause="",
    ),
}  # fmt: skip

LOCALHOST = {
    "localhost for a Service": asking(
        "localhost:5432", service("db", port=5432), DB,
        result="refused", by="default/asker", cause="localhost in a pod is the pod itself",
        mend="ask db:5432", at="port: 5432",
    ),
    "localhost for a Service elsewhere": asking(
        "127.0.0.1:5432", service("db", port=5432, namespace="data"),
        pod("db-0", "app=db", ports=[5432], namespace="data"),
        result="refused", cause="that of Service data/db", mend="ask db.data:5432",
    ),
    "a pod asks localhost for a node port": asking(
        "localhost:30080", NODE_PORT, WEB,
        result="refused", by="default/asker", cause="node port 30080 is that of the nodes",
        mend="ask web:80", at="nodePort: 30080",
    ),
    "localhost beside a second container may be a proxy": Reported(
        manifests=(
            service("db", port=5432), DB,
            pod("asker", node="node-2", containers=[
                {"name": "main", "image": "registry.example/main:1"},
                {"name": "tunnel", "image": "registry.example/tunnel:1"},
            ]),
        ),
        ask=("pod/asker", "localhost:5432"), result="connected",
    ),
    "a hostPort of another node": asking(
        "node/node-2:8088",
        pod("web-0", "app=web", ports=[{"containerPort": 80, "hostPort": 8088}]),
        source="outside", result="refused", by="node-2",
        cause="open only on the node where the pod runs: node-1, not node-2", mend="ask node-1",
        at="containerPort: 80",
    ),
    "a hostPort with a hostIP": asking(
        "node/node-1:8088",
        pod("web-0", "app=web",
            ports=[{"containerPort": 80, "hostPort": 8088, "hostIP": "127.0.0.1"}]),
        source="outside", result="refused", cause="open on 127.0.0.1 only (hostIP)",
        mend="leave hostIP out", at="containerPort: 80",
    ),
    "a hostNetwork pod of another node": asking(
        "node/node-2:9100", pod("meter", "app=meter", ports=[9100], hostNetwork=True),
        source="outside", result="refused", cause="pod default/meter, which has hostNetwork",
        mend="ask node-1",
    ),
    "an agent without hostPort": asking(
        "node/node-2:8126", workload("DaemonSet", "agent", ports=[8126]),
        result="refused", by="node-2", cause="nothing opens it on the node",
        mend="write hostPort: 8126", at="containerPort: 8126",
    ),
}  # fmt: skip

NAMES = {
    "a short name across namespaces": asking(
        "web:80", service("web", namespace="shop"),
        pod("web-0", "app=web", ports=[80], namespace="shop"),
        result="no-such-name", by="default/asker", cause="the one in shop is called web.shop",
        mend="did you mean web.shop?",
    ),
    "namespace and Service the wrong way round": asking(
        "shop.web:80", service("web", namespace="shop"),
        pod("web-0", "app=web", ports=[80], namespace="shop"),
        result="no-such-name", cause="the Service's name comes first", mend="ask web.shop",
    ),
    "the namespace is left out of the long name": asking(
        "web.svc.cluster.local:80", service("web", namespace="shop"),
        pod("web-0", "app=web", ports=[80], namespace="shop"),
        result="no-such-name", mend="web.shop",
    ),
    "an underscore": asking(
        "my_db:5432", service("my-db", "app=db", port=5432), DB,
        result="no-such-name", mend="did you mean my-db?",
    ),
    "a pod by its name": asking(
        "web-0:8080", service("web", to=8080), WEB,
        result="no-such-name", cause="pods have no DNS name of their own", mend="ask Service web",
    ),
    "a StatefulSet whose serviceName is no Service": asking(
        "db-0.db-peers:5432", service("db", port=5432, clusterIP="None"),
        workload("StatefulSet", "db", ports=[5432], serviceName="db-peers", replicas=1),
        result="no-such-name", cause="no headless Service has that name",
        mend="write subdomain: db (in a StatefulSet serviceName: db)",
    ),
    "a StatefulSet below another Service": asking(
        "db-0.db:5432", service("db", port=5432, clusterIP="None"),
        workload("StatefulSet", "db", ports=[5432], serviceName="db-peers", replicas=1),
        result="no-such-name", cause="its subdomain is db-peers", mend="serviceName: db",
    ),
    "a Service that is not there": asking(
        "queue:5672", service("web"), WEB,
        result="no-such-name", cause="no Service is called queue",
        mend="create a Service queue in namespace default",
    ),
    "an alias keeps the port": asking(
        "alias:80",
        service("alias", None, None, type="ExternalName",
                externalName="web.default.svc.cluster.local"),
        service("web", port=8080), WEB,
        result="unreachable", cause="default/alias is only an alias (ExternalName)",
        mend="ask for port 8080",
    ),
    "the API server's own port at its Service": asking(
        "kubernetes:6443", result="unreachable", cause="has no port 6443/TCP",
        mend="ask for port 443: 6443 is the targetPort",
    ),
}  # fmt: skip

BY_HAND = {
    "Endpoints of another name": asking(
        "svc/ext", service("ext", None, 5432),
        kind("v1", "ext-db", "Endpoints",
             subsets=[{"addresses": [{"ip": "192.168.0.77"}], "ports": [{"port": 5432}]}]),
        result="refused", cause="there is Endpoints ext-db", mend="name that ext",
    ),
    "an EndpointSlice without the label": asking(
        "svc/ext", service("ext", None, 5432), slice_of("", "192.168.0.77"),
        result="refused", cause="EndpointSlice by-hand has no such label",
        mend="kubernetes.io/service-name: ext",
    ),
    "an EndpointSlice for a Service that is not there": asking(
        "svc/ext", service("ext", None, 5432), slice_of("extern", "192.168.0.77"),
        result="refused", cause="is labelled for Service extern", mend="service-name: ext",
    ),
    "Endpoints beside a selector": asking(
        "svc/ext", service("ext", port=5432),
        kind("v1", "ext", "Endpoints",
             subsets=[{"addresses": [{"ip": "192.168.0.77"}], "ports": [{"port": 5432}]}]),
        result="refused", cause="the controller replaces them",
        mend="take the selector off Service ext",
    ),
    "an endpoint that is a ClusterIP": asking(
        "svc/ext", service("ext", None, 5432), slice_of("ext", "10.96.9.9"),
        service("db", port=5432, clusterIP="10.96.9.9"), DB,
        result="unreachable", cause="the ClusterIP of Service default/db",
        mend="make ext an ExternalName of db.default.svc.cluster.local", at="addresses:",
    ),
    "an endpoint that was a pod's": asking(
        "svc/ext", service("ext", None, 5432), slice_of("ext", "10.244.1.77"), DB,
        result="unreachable", by="node-1", cause="that no pod has (any more)",
        mend="then they follow the pods", at="addresses:", not_said=("lost its address",),
    ),
    "an endpoint that was a pod's, on a node without pods": asking(
        "svc/ext", service("ext", None, 5432), slice_of("ext", "10.244.1.77"),
        result="timeout", cause="that no pod has (any more)", not_said=("lost its address",),
    ),
}  # fmt: skip

OUTSIDE = {
    "a load balancer without an address": asking(
        "svc/web", service("web", to=8080, type="LoadBalancer"), WEB, source="outside",
        result="unreachable", cause="no address yet (status.loadBalancer is empty)",
        mend="MetalLB", at="type: LoadBalancer",
    ),
    "a ClusterIP from outside": asking(
        "svc/web", service("web", to=8080), WEB, source="outside",
        result="unreachable", cause="it is the ClusterIP of Service default/web",
        mend="type: NodePort or LoadBalancer",
    ),
    "a ClusterIP from outside, of a Service with node ports": asking(
        "svc/web", NODE_PORT, WEB, source="outside",
        result="unreachable", mend="node/node-1:30080",
    ),
    "the other node's address, of an externalIP": asking(
        "192.168.0.11:80", service("web", to=8080, externalIPs=["192.168.0.12"]), WEB,
        source="outside", result="refused", cause="is open at 192.168.0.12 (externalIPs)",
        mend="ask 192.168.0.12:80", at="externalIPs:",
    ),
    "policy Local, asked at the wrong node": asking(
        "node/node-2:30080",
        service("web", ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}],
                type="NodePort", externalTrafficPolicy="Local"), WEB, source="outside",
        result="timeout", by="node-2", cause="node-2 has no endpoint of it (node-1 has)",
        mend="ask node-1, or set externalTrafficPolicy: Cluster", at="externalTrafficPolicy: Local",
    ),
    "policy Local inside": asking(
        "svc/web", service("web", to=8080, internalTrafficPolicy="Local"), WEB,
        result="timeout", by="node-2", cause="internalTrafficPolicy of Service default/web is",
        mend="internalTrafficPolicy: Cluster", at="internalTrafficPolicy: Local",
    ),
    "hairpin mode off": Reported(
        manifests=(service("web", to=8080), WEB), ask=("pod/web-0", "svc/web"),
        options={"hairpin": False},
        result="timeout", by="node-1", cause="the Service chose the client itself",
        mend="hairpinMode: true",
    ),
    "br_netfilter not loaded": Reported(
        manifests=(service("web", to=8080), WEB, pod("near")), ask=("pod/near", "svc/web"),
        options={"bridge_nf_call_iptables": False},
        result="timeout", by="default/near", cause="is on the same bridge as the client",
        mend="modprobe br_netfilter",
    ),
}  # fmt: skip

BOUND = {
    "bound to localhost by an argument": asking(
        "svc/web", service("web", to=8000),
        pod("web-0", "app=web", ports=[8000],
            container={"command": ["sh", "-c", "exec gunicorn --bind 127.0.0.1:8000 site"]}),
        result="refused", by="default/web-0", cause="binds port 8000 to 127.0.0.1",
        mend="bind to 0.0.0.0",
    ),
    "bound to localhost by two options": asking(
        "pod/web-0:8000",
        pod("web-0", "app=web", ports=[8000],
            container={"args": ["--host", "localhost", "--port", "8000"]}),
        result="refused", cause="binds port 8000 to 127.0.0.1",
    ),
    "bound to localhost by env": asking(
        "pod/web-0:8000",
        pod("web-0", "app=web", ports=[8000],
            container={"env": [{"name": "LISTEN_ADDR", "value": "127.0.0.1:8000"}]}),
        result="refused", cause="binds port 8000 to 127.0.0.1",
    ),
    "bound to localhost, asked by the pod itself": Reported(
        manifests=(pod("web-0", "app=web", ports=[8000],
                       container={"args": ["--bind=127.0.0.1:8000"]}),),
        ask=("pod/web-0", "localhost:8000"), result="connected",
    ),
    "the host of a database is no address to listen on": asking(
        "pod/web-0:8000",
        pod("web-0", "app=web", ports=[8000], container={"args": ["--host=127.0.0.1"]}),
        result="connected",
    ),
    "bound to localhost and to all": asking(
        "pod/web-0:8000",
        pod("web-0", "app=web", ports=[8000],
            container={"args": ["--listen=127.0.0.1:8000,0.0.0.0:8000"]}),
        result="connected",
    ),
}  # fmt: skip

CONFIGURED = {
    "a hostNetwork pod and a wrong targetPort": asking(
        "svc/edge", service("edge", to=8080),
        pod("edge", "app=edge", ports=[80], hostNetwork=True),
        result="refused", by="node-1", cause="leads to pods that declare 80, not 8080",
        mend="write targetPort: 80 instead of 8080", at="targetPort: 8080",
    ),
    "one address for two nodes": asking(
        "svc/web", node(1, "10.244.1.0/24", address="10.0.2.15"),
        node(2, "10.244.2.0/24", address="10.0.2.15"), service("web", to=8080), WEB,
        result="timeout", cause="both say that 10.0.2.15 is their address",
        mend="--node-ip", at="addresses:",
    ),
    "one address for two nodes, by a tunnel": asking(
        "svc/web", node(1, "10.244.1.0/24", address="10.0.2.15"),
        node(2, "10.244.2.0/24", address="10.0.2.15"), service("web", to=8080), WEB,
        options={"cni": "flannel-vxlan"},
        result="timeout", cause="both say that 10.0.2.15 is their address", mend="flannel: --iface",
    ),
    "clusterCIDR of another network": asking(
        "svc/web", node(1, "10.244.1.0/24"), node(2, "10.244.2.0/24"),
        kube_proxy(clusterCIDR="172.16.0.0/16"), service("web", to=8080), WEB,
        result="connected", cause="its clusterCIDR 172.16.0.0/16 (",
        not_said=("the client is no pod",),
    ),
    "masqueradeAll": asking(
        "svc/web", kube_proxy(iptables={"masqueradeAll": True}), service("web", to=8080), WEB,
        result="connected", cause="kube-proxy's masqueradeAll is true",
        not_said=("the client is no pod",),
    ),
    "mode ipvs and a node's own address as externalIP": asking(
        "192.168.0.12:22", kube_proxy(mode="ipvs"),
        service("web", to=8080, externalIPs=["192.168.0.12"]), WEB, source="node/node-1",
        result="refused", by="node-1", cause="node-1 takes what is meant for node-2 for itself",
        mend="take 192.168.0.12 out of externalIPs", at="externalIPs:",
    ),
    "a load balancer without node ports": asking(
        "node/node-1:80",
        service("web", to=8080, type="LoadBalancer", allocateLoadBalancerNodePorts=False), WEB,
        source="outside", result="refused", cause="it has no node port",
        mend="allocateLoadBalancerNodePorts: true",
    ),
}  # fmt: skip

CALICO = workload("DaemonSet", "calico-node", namespace="kube-system",
                  container={"image": "docker.io/calico/node:v3.27.0"})  # fmt: skip
FLANNEL = kind("v1", "kube-flannel-cfg", "ConfigMap", "kube-flannel", data={
    "net-conf.json": '{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}'})  # fmt: skip
FAR = pod("far", "role=ask", namespace="other", node="node-2")


def policy(name: str, **spec: Any) -> Manifest:
    return kind("networking.k8s.io/v1", name, "NetworkPolicy", spec=spec)


def allowing(ports: int, **peer: Any) -> Manifest:
    return policy("web", podSelector={"matchLabels": {"app": "web"}},
                  ingress=[{"from": [peer], "ports": [{"port": ports}]}])  # fmt: skip


ASKERS = {"matchLabels": {"role": "ask"}}
KNOWN = pod("asker", "role=ask", node="node-2")


def under(*manifests: Manifest, ask: tuple[str, str], **more: Any) -> Reported:
    given = (service("web", to=8080), WEB, KNOWN, FAR, *manifests)
    return Reported(manifests=given, ask=ask, **more)


DENY = policy("nobody", podSelector={}, policyTypes=["Ingress"])
POLICIES = {
    "everything is denied": under(
        CALICO, DENY, ask=("pod/asker", "svc/web"), result="timeout",
        cause="NetworkPolicy default/nobody selects pod default/web-0 and lets in nothing",
        mend="allow pod default/asker to port 8080/TCP in ingress of NetworkPolicy nobody",
        at="spec:",
    ),
    "nobody enforces": under(
        FLANNEL, DENY, ask=("pod/asker", "svc/web"), result="connected",
    ),
    "nothing says who enforces": under(
        DENY, ask=("pod/asker", "svc/web"), result="timeout",
        cause="NetworkPolicy default/nobody selects pod default/web-0 and lets in nothing",
    ),
    "the Service's port instead of the pod's": under(
        CALICO, allowing(80, podSelector=ASKERS), ask=("pod/asker", "svc/web"), result="timeout",
        cause="the port of the pod itself counts, 8080, not the Service's",
    ),
    "allowed": under(
        CALICO, allowing(8080, podSelector=ASKERS), ask=("pod/asker", "svc/web"),
        result="connected",
    ),
    "a podSelector is for the own namespace": under(
        CALICO, allowing(8080, podSelector=ASKERS), ask=("pod/other/far", "web.default:80"),
        result="timeout", cause="a podSelector without namespaceSelector means pods of default",
    ),
    "allowed from another namespace": under(
        CALICO,
        allowing(8080, podSelector=ASKERS,
                 namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": "other"}}),
        ask=("pod/other/far", "web.default:80"), result="connected",
    ),
    "egress without DNS": under(
        CALICO,
        policy("out", podSelector=ASKERS, policyTypes=["Egress"],
               egress=[{"to": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]),
        ask=("pod/asker", "web:80"), result="no-such-name",
        cause="lets out nothing to cluster DNS, port 53/UDP",
        mend="allow port 53/UDP to cluster DNS in egress of NetworkPolicy out",
    ),
    "the same by address": under(
        CALICO,
        policy("out", podSelector=ASKERS, policyTypes=["Egress"],
               egress=[{"to": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]),
        ask=("pod/asker", "svc/web"), result="connected",
    ),
    "a node reaches its own pods": under(
        CALICO, DENY, ask=("node/node-1", "svc/web"), result="connected",
    ),
    "an address block with a hole": under(
        CALICO, allowing(8080, ipBlock={"cidr": "10.0.0.0/8", "except": ["10.244.2.0/24"]}),
        ask=("pod/asker", "svc/web"), result="timeout", cause="lets in nothing from pod",
    ),
}  # fmt: skip


def ingress(service_name: str, port: int, *, address: str = "") -> Manifest:
    backend = {"service": {"name": service_name, "port": {"number": port}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    made = kind(
        "networking.k8s.io/v1", "front", "Ingress",
        spec={"rules": [{"host": "shop.acme.com", "http": {"paths": [path]}}]},
    )  # fmt: skip
    if address:
        made["status"] = {"loadBalancer": {"ingress": [{"ip": address}]}}
    return made


ENTRANCES = {
    "an Ingress and a Service that is not there": asking(
        "shop.acme.com:80", ingress("wbe", 80), service("web", to=8080), WEB, source="outside",
        result="no-such-name", cause="behind it there is no Service default/wbe",
        mend="a Service of its own namespace", at="name: wbe",
    ),
    "an Ingress and the pod's port": asking(
        "shop.acme.com:80", ingress("web", 8080), service("web", to=8080), WEB, source="outside",
        result="no-such-name", cause="its backend names port 8080 of Service default/web",
        mend="write port 80 into the backend of Ingress default/front", at="port:",
    ),
    "an Ingress without an address": asking(
        "shop.acme.com:80", ingress("web", 80), service("web", to=8080), WEB,
        result="no-such-name", cause="shop.acme.com is a host of Ingress default/front",
        mend="--host shop.acme.com=ADDRESS",
    ),
    "an Ingress whose controller has an address": asking(
        "shop.acme.com:80", ingress("web", 80, address="198.51.100.7"), service("web", to=8080),
        service("controller", "app=gate", type="LoadBalancer",
                status={"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}),
        pod("gate", "app=gate", ports=[80]), WEB, source="outside",
        result="connected",
    ),
    "a load balancer that has a name": asking(
        "lb-7.acme.net:80",
        service("web", to=8080, type="LoadBalancer",
                status={"loadBalancer": {"ingress": [{"hostname": "lb-7.acme.net"}]}}), WEB,
        source="outside", result="no-such-name",
        cause="is the load balancer of Service default/web", mend="--host lb-7.acme.net=ADDRESS",
    ),
}  # fmt: skip

CLUSTER_DNS = service(
    "kube-dns", "k8s-app=kube-dns", port={"port": 53, "protocol": "UDP"},
    namespace="kube-system", clusterIP="10.96.0.10",
)  # fmt: skip


def core_dns(*, ready: bool) -> Manifest:
    return observed(
        "coredns-7", "k8s-app=kube-dns", "10.244.1.9", ready=ready, namespace="kube-system",
        ports=[{"containerPort": 53, "protocol": "UDP"}],
    )  # fmt: skip


RESOLVERS = {
    "cluster DNS is down": asking(
        "web:80", *NODES, CLUSTER_DNS, core_dns(ready=False), service("web", to=8080), WEB,
        result="no-such-name", by="default/asker",
        cause="cluster DNS does not answer, so no name resolves: Service kube-system/kube-dns has",
        mend="kubectl describe pod coredns-7 -n kube-system",
    ),
    "cluster DNS is down, and nobody needs it": asking(
        "svc/web", *NODES, CLUSTER_DNS, core_dns(ready=False), service("web", to=8080), WEB,
        result="connected",
    ),
    "cluster DNS is up": asking(
        "web:80", *NODES, CLUSTER_DNS, core_dns(ready=True), service("web", to=8080), WEB,
        result="connected",
    ),
    "a dump without cluster DNS's pods": asking(
        "web:80", CLUSTER_DNS, service("web", to=8080), WEB, result="connected",
    ),
    "hostAliases come before DNS": Reported(
        manifests=(
            service("web", to=8080), WEB,
            pod("asker", node="node-2",
                hostAliases=[{"ip": "10.244.1.99", "hostnames": ["web", "web.local"]}]),
        ),
        ask=("pod/asker", "web:80"), result="unreachable", by="node-1",
        cause="web is 10.244.1.99 by hostAliases of pod default/asker", mend="out of hostAliases",
        at="hostAliases:",
    ),
}  # fmt: skip


def in_a_cloud(number: int) -> Manifest:
    made = node(number, f"10.244.{number}.0/24")
    made["status"]["addresses"].append({"type": "ExternalIP", "address": f"198.51.100.2{number}"})
    return made


CLOUD = {
    "a node port at a node's ExternalIP": asking(
        "198.51.100.22:30080", in_a_cloud(1), in_a_cloud(2), NODE_PORT, WEB, source="outside",
        result="connected", cause="externalTrafficPolicy is Cluster",
    ),
    "no node port at a node's ExternalIP": asking(
        "198.51.100.22:80", in_a_cloud(1), in_a_cloud(2), NODE_PORT, WEB, source="outside",
        result="refused", by="node-2", mend="ask for node port 30080",
    ),
}  # fmt: skip

CASES = {
    **CLOUD,
    **RESOLVERS,
    **ENTRANCES,
    **POLICIES,
    **BOUND,
    **CONFIGURED,
    **SELECTORS,
    **PORTS,
    **LOCALHOST,
    **NAMES,
    **BY_HAND,
    **OUTSIDE,
}


@pytest.mark.parametrize("name", CASES)
def test_reported(tmp_path: Path, name: str) -> None:
    judge(tmp_path, CASES[name])


def test_a_policy_that_nobody_enforces_is_told(tmp_path: Path) -> None:
    case = POLICIES["nobody enforces"]
    made = build_world([str(write(tmp_path, case.manifests))])
    (told,) = walk(made, parse_request(made, *case.ask)).assumptions
    assert "NetworkPolicy default/nobody selects pod default/web-0" in told
    assert "not enforced, so it arrives: flannel knows no policies" in told


def test_who_enforces_a_policy_is_taken_for_granted_aloud(tmp_path: Path) -> None:
    case = POLICIES["nothing says who enforces"]
    made = build_world([str(write(tmp_path, case.manifests))])
    (told,) = walk(made, parse_request(made, *case.ask)).assumptions
    assert "nothing in the input says who enforces NetworkPolicies" in told
    assert "--policy-engine none" in told


def test_ports_that_apply_would_lose(tmp_path: Path) -> None:
    """Two ports of one number on top of a live Service: walked, and told."""
    over_udp = {"name": "u", "port": 5353, "protocol": "UDP"}
    uid = "5d0c4c1e-0000-4000-8000-000000000000"
    live = service("names", ports=[over_udp], clusterIP="10.96.7.7", head={"uid": uid})
    new = service("names", ports=[{"name": "t", "port": 5353}, over_udp])
    made = build_world([str(write(tmp_path, (live, new)))])
    told = [note.render() for note in made.notes if "kubectl apply merges" in note.message]
    assert len(told) == 1
    assert "ports t and u have one number, 5353" in told[0]
    assert "walked as if both stood" in told[0]


def test_labels_are_read() -> None:
    assert labels("app=web,tier=front") == {"app": "web", "tier": "front"}
