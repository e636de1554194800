"""How applications are written so that they do not meet: said by walk and by check.

What an image listens on, what its words tell it, what its init containers wait for, what keeps its
pods away; names that differ in words that say nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from manifests_of import Manifest, kind, node, pod, service, workload, write
from walk.test_reported import ASKER, NODES, WEB, asking
from walk.test_told_by_both import Both, judge_both

from k8stui.check import check
from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world


def alone(**container: Any) -> tuple[Manifest, ...]:
    """A pod of one container that declares 8080, and a Service that leads there."""
    return *NODES, service("web", to=8080), pod("web-0", "app=web", ports=[8080],
                                                container=container)  # fmt: skip


def listens(number: int, *manifests: Manifest, who: str, mend: str = "", at: str = "") -> Both:
    """Refused: the program listens on `number`."""
    mend = mend or f"containerPort and targetPort {number}"
    return Both(
        walked=asking("svc/web", *manifests, result="refused", cause=who, mend=mend, at=at),
        rule="told-port", words=who, mend=mend,
    )  # fmt: skip


def fine(*manifests: Manifest, to: str = "svc/web") -> Both:
    return Both(walked=asking(to, *manifests, result="connected"))


LISTENING = {
    "an image's own port": listens(
        80, *alone(image="nginx:1.25"), at="image: nginx:1.25",
        who="listens on 80, as image nginx:1.25 does unless told otherwise",
    ),
    "the same by its full name and digest": listens(
        80, *alone(image="docker.io/library/httpd@sha256:" + "0" * 64), who="listens on 80",
    ),
    "one that listens there": fine(*alone(image="nginxinc/nginx-unprivileged:1.27")),
    "an image of one's own": fine(*alone(image="registry.example/shop/nginx:1")),
    "an image that is told something": fine(*alone(image="nginx", args=["sh", "/start"])),
    "an image with a file of its own": fine(
        *NODES, service("web", to=8080),
        pod("web-0", "app=web", ports=[8080],
            volumes=[{"name": "f", "configMap": {"name": "elsewhere"}}],
            container={"image": "nginx",
                       "volumeMounts": [{"name": "f", "mountPath": "/etc/nginx/conf.d"}]}),
    ),
    "an image and what it serves": listens(
        80, *NODES, service("web", to=8080),
        pod("web-0", "app=web", ports=[8080], volumes=[{"name": "f", "emptyDir": {}}],
            container={"image": "nginx",
                       "volumeMounts": [{"name": "f", "mountPath": "/usr/share/nginx/html"}]}),
        who="listens on 80",
    ),
    "a second port of an image": fine(
        *NODES, service("web", to=15672),
        pod("web-0", "app=web", ports=[15672], container={"image": "rabbitmq:3-management"}),
    ),
    "an option": listens(
        9090, *alone(args=["--server.port=9090"]), at="--server.port=9090",
        who="its argument --server.port tells container main",
    ),
    "an option and a word": listens(
        9090, *alone(command=["app", "--port", "9090"]), who="its argument --port tells",
    ),
    "a URL of .NET's whose port is no number": listens(
        80, *alone(env=[{"name": "ASPNETCORE_URLS", "value": "http://+:$8080"}]),
        who="ASPNETCORE_URLS, whose port is no number", mend="write ASPNETCORE_URLS: http://+:8080",
    ),
    "several of .NET's": fine(
        *alone(env=[{"name": "ASPNETCORE_URLS", "value": "http://+:5000;https://+:8080"}])),
    ".NET's list of ports": listens(
        8081, *alone(env=[{"name": "ASPNETCORE_HTTP_PORTS", "value": "8081;8082"}]),
        who="ASPNETCORE_HTTP_PORTS tells container main",
    ),
    "MinIO's console": listens(
        9000, *alone(image="minio/minio", args=["server", "/data"]),
        who="listens on 9000", mend='--console-address ":8080"',
    ),
    "MinIO's console at a port of its own": fine(
        *alone(image="minio/minio", args=["server", "/data", "--console-address", ":8080"])),
    "MinIO's own port among those declared": Both(
        walked=asking("svc/web", *NODES, service("web", to=9000),
                      pod("web-0", "app=web", ports=[44443, 9001], container={
                          "image": "minio/minio",
                          "args": ["server", "/data", "--address", ":44443",
                                   "--console-address", ":9001"]}),
                      result="refused", cause="declare 44443, 9001",
                      mend="write targetPort: 44443"),
        rule="target-port-number", words="44443, 9001 is declared", mend="write targetPort: 44443",
    ),
    "a program of Prometheus' with a file of its own": listens(
        9115, *NODES, service("web", to=8080),
        pod("web-0", "app=web", ports=[8080], volumes=[{"name": "f", "configMap": {"name": "f"}}],
            container={"image": "prom/blackbox-exporter:v0.25.0", "args": ["--config.file=/f/f"],
                       "volumeMounts": [{"name": "f", "mountPath": "/f"}]}),
        who="listens on 9115",
    ),
    **{
        f"the port in {key}": listens(
            9999, *NODES, service("web", to=8080), kind("v1", "f", "ConfigMap", data={key: said}),
            pod("web-0", "app=web", ports=[8080], volumes=[
                {"name": "f", "configMap": {"name": "f"}}], container={
                    "args": [f"/f/{key}"], "volumeMounts": [{"name": "f", "mountPath": "/f"}]}),
            who=f"{key} in ConfigMap default/f", mend=f"8080 into {key}",
        )
        for key, said in {
            "redis.conf": "bind 0.0.0.0\nport 9999\n",
            "own.cnf": "[client]\nport = 3306\n[mysqld]\nmax_connections = 9\nport = 9999\n",
            "mongod.conf": "storage:\n  dbPath: /db\nnet:\n  bindIp: 0.0.0.0\n  port: 9999\n",
            "postgresql.conf": "listen_addresses = '*'\nport = 9999\n",
            "mosquitto.conf": "listener 9999\nallow_anonymous true\n",
            "envoy.yaml": "socket_address:\n  address: 0.0.0.0\n  port_value: 9999\n"
                          "socket_address:\n  address: db\n  port_value: 8081\n",
            "Caddyfile": "{\n  admin off\n}\n:9999 {\n  file_server\n}\n",
        }.items()
    },
    "a file that no argument names": fine(
        *NODES, service("web", to=8080),
        kind("v1", "f", "ConfigMap", data={"redis.conf": "port 9999\nbind 0.0.0.0\n"}),
        pod("web-0", "app=web", ports=[8080], volumes=[{"name": "f", "configMap": {"name": "f"}}],
            container={"volumeMounts": [{"name": "f", "mountPath": "/f"}]})),
    "a site without a port": fine(
        *NODES, service("web", to=8080),
        kind("v1", "f", "ConfigMap", data={"Caddyfile": "shop.example {\n}\n:9999 {\n}\n"}),
        pod("web-0", "app=web", ports=[8080], volumes=[{"name": "f", "configMap": {"name": "f"}}],
            container={"volumeMounts": [{"name": "f", "mountPath": "/f"}]})),
    "a command that only waits": Both(
        walked=asking("svc/web", *alone(command=["sh", "-c", "echo up && exec sleep infinity"]),
                      result="refused", cause="does nothing but wait (sleep)",
                      mend="start the server in its command"),
        rule="told-port", words="does nothing but wait (sleep)", mend="start the server",
    ),
    "one that waits in a loop, and a probe": Both(
        walked=asking("svc/web", *alone(
            command=["sh", "-c", "while true; do date; sleep 9; done"],
            readinessProbe={"tcpSocket": {"port": 8080}}),
            result="refused", cause="its command does nothing but wait (sleep)"),
        rule="probe-port", words="does nothing but wait (sleep)", mend="start the server",
    ),
    "one that waits before it serves": fine(*alone(command=["sh", "-c", "sleep 9; exec serve"])),
    "one that waits beside what it has started": fine(
        *alone(command=["sh", "-c", "serve & sleep infinity"])),
    "a start script's arguments": fine(*alone(args=["sleep", "infinity"])),
    "Kafka's listeners": listens(
        29092, *alone(env=[
            {"name": "KAFKA_LISTENERS", "value": "A://0.0.0.0:29092,B://:9093"},
            {"name": "KAFKA_ADVERTISED_LISTENERS", "value": "A://web:8080"}]),
        who="KAFKA_LISTENERS tells container main",
    ),
    "FastCGI": listens(
        9000, *alone(image="wordpress:6-fpm"), who="listens on 9000",
        mend="php-fpm speaks FastCGI: put a web server in front of it",
    ),
    "a variable of a ConfigMap": listens(
        9090, *alone(envFrom=[{"configMapRef": {"name": "env"}}]),
        kind("v1", "env", "ConfigMap", data={"SERVER_PORT": "9090"}),
        who="SERVER_PORT in ConfigMap default/env", mend="8080 into SERVER_PORT",
    ),
    "Java's options": listens(
        9090, *alone(env=[{"name": "JAVA_OPTS", "value": "-Xmx1g -Dserver.port=9090"}]),
        who="-Dserver.port in JAVA_OPTS tells", at="value: -Xmx1g -Dserver.port=9090",
    ),
    "an address to listen at": listens(
        9100, *alone(args=["--web.listen-address=:9100"]), who="--web.listen-address tells",
    ),
    "a client's options": fine(*alone(args=["--host=db", "--port=3306"])),
    "two ports": fine(*alone(args=["--port=9090", "--listen=:8081"])),
    "a variable that sets it": listens(
        3000, *alone(env=[{"name": "PORT", "value": "3000"}]),
        who="PORT tells container main", mend="write PORT: 8080",
    ),
}  # fmt: skip


def waiting(script: str, name: str = "web", to: int = 8080) -> tuple[Manifest, ...]:
    """A Deployment whose init container waits, and its Service."""
    init = {"name": "wait", "image": "busybox", "command": ["sh", "-c", script]}
    return (
        service(name, to=to),
        workload("Deployment", name, ports=[to], pod_spec={"initContainers": [init]}),
    )


DB = (service("db", port=5432), pod("db-0", "app=db", ports=[5432]))


def loop(test: str) -> str:
    return f"until {test}; do echo waiting; sleep 2; done"


def in_vain(*manifests: Manifest, words: str, mend: str) -> Both:
    return Both(
        walked=asking("svc/web", *NODES, *manifests, result="refused", cause=words, mend=mend),
        rule="no-endpoints", words=words, mend=mend,
    )  # fmt: skip


WAITING = {
    "for what is there": fine(*NODES, *DB, *waiting(loop("nc -z db 5432"))),
    "for a name that is there": fine(*NODES, *DB, *waiting(loop("nslookup db.default"))),
    "for nobody of the input": fine(*NODES, *DB, *waiting(loop("nc -z vault.infra 8200"))),
    "not for ever": fine(*NODES, *DB, *waiting("while [ $i -lt 9 ]; do nc -z mydb 5432; done")),
    "for a name that nobody has": in_vain(
        *DB, *waiting(loop("nslookup mydb.default.svc.cluster.local")),
        words="init container wait waits for mydb.default.svc.cluster.local, and there is no "
        "Service default/mydb", mend="wait for db",
    ),
    "for a port that the Service has not": in_vain(
        *DB, *waiting(loop("nc -z -w 2 db 5433")),
        words="waits for db:5433: Service default/db has no port 5433 (it has 5432)",
        mend="ask a port that the Service has",
    ),
    "for each other": in_vain(
        *waiting(loop("nc -z auth 80")), *waiting(loop("nc -z web 80"), "auth", 9000),
        words="Service default/auth leads to auth-1, which waits too",
        mend="they wait for each other",
    ),
    "for itself": in_vain(
        *waiting("wait-for-it.sh web:80"),
        words="Service default/web leads to this pod itself", mend="do not wait for it",
    ),
    "for one who waits in vain": in_vain(
        *DB, *waiting(loop("nc -z auth 80")), *waiting(loop("nslookup mydb"), "auth", 9000),
        words="leads to auth-1, which waits too", mend="take the wait out",
    ),
}  # fmt: skip


def called(*services: str, port: int = 9092) -> tuple[Manifest, ...]:
    made = [m for name in services for m in (service(name, "app=x", port=port),)]
    return *NODES, *made, pod("x", "app=x", ports=[port])


def named(asked: str, meant: str, *manifests: Manifest) -> Both:
    """A variable of another pod has the name, too."""
    env = [{"name": "BROKER_URL", "value": f"amqp://{asked}"}]
    told = pod("told", node="node-1", container={"env": env})
    return Both(
        walked=asking(asked, *manifests, told, result="no-such-name",
                      mend=f"did you mean {meant}?"),
        rule="env-address", words=f"leads to {asked.partition(':')[0]}", mend=f"write {meant}",
    )  # fmt: skip


NAMES = {
    "with a word that says nothing": named("kafka:9092", "kafka-service",
                                           *called("kafka-service")),
    "without one": named("kafka-svc:9092", "kafka", *called("kafka")),
    "my own": named("my-kafka:9092", "kafka", *called("kafka")),
    "a prefix, by its port": named("broker:9092", "staging-broker", *called("staging-broker")),
}  # fmt: skip

OLD = node(1, "10.244.1.0/24", taints=[
    {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}])  # fmt: skip
OLD["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": ""}
SSD = node(2, "10.244.2.0/24")
SSD["metadata"]["labels"] = {"disk": "ssd"}


def pending(mend: str, *nodes: Manifest, **spec: Any) -> Both:
    manifests = (*nodes, service("web", to=8080), pod("web-0", "app=web", node=None, **spec))
    return Both(
        walked=asking("svc/web", *manifests, source="node/node-2", result="refused",
                      cause="is Pending", mend=mend),
        rule="unschedulable", words="stays Pending", mend=mend,
    )  # fmt: skip


PENDING = {
    "a label's old name": pending(
        "write node-role.kubernetes.io/control-plane, as that label is called now; give the pod a "
        "toleration for the taint node-role.kubernetes.io/control-plane:NoSchedule of node-1",
        OLD, SSD, nodeSelector={"node-role.kubernetes.io/master": ""},
        tolerations=[{"key": "node-role.kubernetes.io/master", "operator": "Exists"}]),
    "a misspelt value": pending("no node has disk=sdd: write disk: ssd", OLD, SSD,
                                nodeSelector={"disk": "sdd"}),
    "a misspelt key": pending("write disk instead of dsik", OLD, SSD, nodeSelector={"dsik": "ssd"}),
}  # fmt: skip
RESTRICTED = kind("v1", "safe", "Namespace")
RESTRICTED["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}
GOOD = {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}}
GOOD_CONTAINER = {
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
}


def hardened(level: str, **more: Any) -> tuple[Manifest, ...]:
    space = kind("v1", "safe", "Namespace")
    space["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": level}
    return (
        *NODES, space, service("web", to=8080, namespace="safe"),
        workload("Deployment", "web", ports=[8080], namespace="safe", **more),
    )  # fmt: skip


def violates(words: str, *manifests: Manifest) -> Both:
    return Both(
        walked=asking("web.safe:80", *manifests, result="refused", cause=words,
                      mend="into securityContext of Deployment web's pods"),
        rule="refused-pods", words=words, mend="securityContext",
    )  # fmt: skip


SECURITY = {
    "restricted": violates('allowPrivilegeEscalation != false (container "main" must set',
                           *hardened("restricted")),
    "restricted, and kept": fine(
        *hardened("restricted", pod_spec=GOOD, container=GOOD_CONTAINER), to="web.safe:80"),
    "baseline": fine(*hardened("baseline"), to="web.safe:80"),
    "baseline and the node's network": violates(
        "host namespaces (hostNetwork=true)",
        *hardened("baseline", pod_spec={"hostNetwork": True})),
    "baseline and the node's files": violates(
        'hostPath volumes (volume "logs")',
        *hardened("baseline",
                  pod_spec={"volumes": [{"name": "logs", "hostPath": {"path": "/var/log"}}]})),
    "a level that is only warned of": fine(*hardened("privileged"), to="web.safe:80"),
}  # fmt: skip

PROBES = {
    "localhost of a probe": Both(
        walked=asking(
            "svc/web", *alone(readinessProbe={"httpGet": {"host": "localhost", "port": 8080}}),
            result="refused", cause="asks host localhost, which is the node itself",
            mend="leave host out of the probe", at="host: localhost",
        ),
        rule="probe-port", words="the kubelet asks from there", mend="leave host out",
    ),
    "a Service's name of a probe": Both(
        walked=asking(
            "svc/web", *alone(readinessProbe={
                "httpGet": {"host": "web.default.svc.cluster.local", "port": 80}}),
            result="refused", cause="the kubelet asks the node's own resolver",
            mend="leave host out of the probe", at="host: web.default.svc.cluster.local",
        ),
        rule="probe-port", words="a name of cluster DNS", mend="leave host out",
    ),
    "on the node's network it is the node": fine(
        *NODES, service("web", to=8080),
        pod("web-0", "app=web", ports=[8080], hostNetwork=True,
            container={"readinessProbe": {"httpGet": {"host": "127.0.0.1", "port": 8080}}}),
    ),
    "a selector over endpoints by hand": Both(
        walked=asking(
            "svc/ext", *NODES, service("ext", "env=test", port=5432),
            kind("v1", "ext", "Endpoints", subsets=[
                {"addresses": [{"ip": "203.0.113.7"}], "ports": [{"port": 5432}]}]),
            pod("web-0", "env=test", ports=[8080]),
            result="refused", cause="the endpoints written by hand (Endpoints ext) do not count",
            mend="take the selector off Service ext", at="selector:",
        ),
        rule="endpoints-by-hand", words="do not count", mend="take the selector off",
        at="selector:",
    ),
}  # fmt: skip
SCALED = kind("autoscaling/v2", "web", "HorizontalPodAutoscaler", spec={
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
    "minReplicas": 2, "maxReplicas": 4})  # fmt: skip
FAR = node(1, "10.244.1.0/24")
FAR["metadata"]["labels"] = {"topology.kubernetes.io/zone": "b"}


def on_volume(zone: str) -> tuple[Manifest, ...]:
    """A pod whose claim is bound to a volume of that zone, and a node in zone b."""
    there = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}
    volume = {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
        "csi": {"driver": "d", "volumeHandle": "v"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [there]}]}},
    }  # fmt: skip
    claim = {"volumeName": "v", "accessModes": ["ReadWriteOnce"], "storageClassName": "",
             "resources": {"requests": {"storage": "1Gi"}}}  # fmt: skip
    return (
        FAR, node(2, "10.244.2.0/24"), kind("v1", "v", "PersistentVolume", spec=volume),
        kind("v1", "data", "PersistentVolumeClaim", spec=claim), service("web", to=8080),
        pod("web-0", "app=web", node=None, ports=[8080],
            volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]),
    )  # fmt: skip


OTHERS = {
    "an autoscaler of nothing": Both(
        walked=asking("svc/web", *NODES, service("web"), SCALED,
                      workload("Deployment", "web", replicas=0),
                      result="refused", cause="has replicas: 0"),
        rule="no-endpoints", words="HorizontalPodAutoscaler web leaves a workload of 0 alone",
        mend="--replicas=1",
    ),
    "a volume in another zone": Both(
        walked=asking("svc/web", *on_volume("a"), source="node/node-1", result="refused",
                      cause="didn't match PersistentVolume's node affinity",
                      mend="let the pod run where its volume is"),
        rule="unschedulable", words="node affinity", mend="where its volume is",
    ),
    "a volume in this zone": Both(
        walked=asking("svc/web", *on_volume("b"), source="node/node-1", result="connected")),
    "memory in thousandths of a byte": Both(
        walked=asking("svc/web", *alone(resources={"limits": {"memory": "128m"}}),
                      result="refused", cause="is 128m, where m is a thousandth of a byte",
                      mend="128Mi", at="memory: 128m"),
        rule="no-endpoints", words="no process starts in that", mend="128Mi",
    ),
    "a placeholder for a port": Both(
        walked=asking("svc/web", *NODES, service("web", to="${APP_PORT}"), WEB, result="refused",
                      cause="its targetPort is ${APP_PORT}, a placeholder", mend="envsubst",
                      at="targetPort: ${APP_PORT}"),
        rule="target-port-name", words="a placeholder", mend="fill it in",
    ),
    "the whole command in one word": Both(
        walked=asking("svc/web", *alone(command=["npm start"]), result="refused",
                      cause="is the one word 'npm start': no file is called so",
                      mend="[npm, start]", at="command:"),
        rule="no-endpoints", words="no file is called so", mend="[npm, start]",
    ),
    "a command line in one word, with a password": Both(
        walked=asking("svc/web", *alone(command=["mysqld --user=root --password=pw-1"]),
                      result="refused", cause="is the one word 'mysqld …': no file is called so",
                      mend="[npm, start]", at="command:"),
        rule="no-endpoints", words="'mysqld …': no file", mend="[npm, start]", at="selector:",
    ),
    "a nodeName that no node has": Both(
        walked=asking("svc/web", *NODES, service("web", to=8080),
                      pod("web-0", "app=web", node="node1"), result="refused",
                      cause='node "node1" not found', mend="write nodeName: node-1"),
        rule="unschedulable", words="not found", mend="write nodeName: node-1",
    ),
    "a podAffinity to nobody": pending(
        "mend podAffinity", node(1, "10.244.1.0/24"), node(2, "10.244.2.0/24"),
        affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": "cache"}},
             "topologyKey": "kubernetes.io/hostname"}]}}),
    "a governing Service that selects nobody": Both(
        walked=asking("db-0.db-hs:5432", *NODES,
                      service("db-hs", "app=database", port=5432, clusterIP="None"),
                      workload("StatefulSet", "db", ports=[5432], serviceName="db-hs"),
                      result="no-such-name", cause="pod db-0 has app=db, not database",
                      mend="write app: db instead of database", at="selector:"),
        rule="no-endpoints", words="pod db-0 has app=db, not database", mend="write app: db",
        at="app: database",
    ),
    "a label copied from another workload": Both(
        walked=asking("svc/api", *NODES, service("api", port=8080), service("web", to=8080),
                      workload("Deployment", "web", ports=[8080]),
                      workload("Deployment", "api", "app=web", ports=[8080]),
                      result="refused", cause="pod api-1 has app=web, not api",
                      mend="label the pods app=api"),
        rule="no-endpoints", words="so that Service default/web leads to them, too",
        mend="write app: api in the labels of Deployment default/api's pods", at="app: web",
    ),
}  # fmt: skip
CASES = {**OTHERS, **LISTENING, **WAITING, **NAMES, **PENDING, **SECURITY, **PROBES}


@pytest.mark.parametrize("name", CASES)
def test_applications(name: str, tmp_path: Path) -> None:
    judge_both(tmp_path, CASES[name])


def test_what_is_refused_is_named_where_its_pods_are_missed(tmp_path: Path) -> None:
    """A number without quotes: the API server decodes no Deployment, and the Service is empty."""
    file = write(
        tmp_path,
        (
            *NODES,
            service("web", to=8080),
            ASKER,
            workload(
                "Deployment",
                "web",
                ports=[8080],
                container={"env": [{"name": "PORT", "value": 8080}]},
            ),
        ),
    )
    made = build_world([str(file)])
    (problem,) = made.problems
    assert problem.subject == "Deployment default/web"
    (told,) = [one for one in check(made) if one.rule == "no-endpoints"]
    assert "the API server refuses Deployment web: spec.template.spec" in told.why
    assert told.fix == 'write value: "8080"'


def test_a_config_map_that_is_refused_keeps_its_readers_from_starting(tmp_path: Path) -> None:
    """``PORT: 8080`` without quotes: no ConfigMap, so the kubelet starts no container."""
    settings = kind("v1", "settings", "ConfigMap", data={"PORT": 8080})
    reads = {"envFrom": [{"configMapRef": {"name": "settings"}}]}
    file = write(tmp_path, (*NODES, settings, service("web", to=8080), ASKER,
                            pod("web-0", "app=web", ports=[8080], container=reads)))  # fmt: skip
    made = build_world([str(file)])
    found = walk(made, parse_request(made, "pod/asker", "svc/web")).outcome
    assert found.result is Result.REFUSED
    assert "ConfigMap default/settings is not there, the API server refuses it" in found.reason


def test_a_selector_with_match_labels(tmp_path: Path) -> None:
    wrong = service("web", to=8080)
    wrong["spec"]["selector"] = {"matchLabels": {"app": "web"}}
    made = build_world([str(write(tmp_path, (wrong, WEB)))])
    (problem,) = made.problems
    assert problem.subject == "Service default/web"
    assert "a plain mapping of labels" in problem.hint
