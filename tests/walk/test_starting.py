"""Pods that never start, and names that only look like one: as reported, by walk and check alike.

What the kubelet does not start, what an image makes of a Service's variables, what nginx looks up,
whom a script's variables name, claims without a volume, ports that kind publishes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from manifests_of import Manifest, kind, node, observed, pod, service, workload, write
from walk.test_applications import DB, alone, fine, in_vain, waiting
from walk.test_reported import ASKER, NODES, asking
from walk.test_told_by_both import Both, env, judge_both

from k8stui.check import Severity, check
from k8stui.manifests import FieldPlace
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world


def unready(*manifests: Manifest, words: str, mend: str, at: str = "", to: str = "svc/web") -> Both:
    """Nobody is ready: refused, and a finding at the same line."""
    return Both(
        walked=asking(to, *manifests, result="refused", cause=words, mend=mend, at=at),
        rule="no-endpoints", words=words, mend=mend, at=at,
    )  # fmt: skip


NON_ROOT: dict[str, Any] = {"securityContext": {"runAsNonRoot": True}}
STARTED = {
    "runAsNonRoot and an image that runs as root": unready(
        *alone(image="python:3.12", **NON_ROOT), at="image: python:3.12",
        words="image python:3.12 runs as root", mend="runAsUser with a number"),
    "runAsNonRoot and a user without a number": unready(
        *alone(image="memcached:1.6", **NON_ROOT), words="names its user memcache by no number",
        mend="runAsUser with a number"),
    "runAsNonRoot and runAsUser 0": unready(
        *alone(securityContext={"runAsNonRoot": True, "runAsUser": 0}), at="securityContext:",
        words="runAsUser: 0, which is root", mend="write another runAsUser"),
    "runAsNonRoot and a user": fine(
        *alone(image="python:3.12", command=["app"],
               securityContext={"runAsNonRoot": True, "runAsUser": 1000})),
    "the pod's runAsNonRoot, and the container's own": fine(
        *NODES, service("web", to=8080),
        pod("web-0", "app=web", ports=[8080], **NON_ROOT,
            container={"image": "python:3.12", "command": ["app"],
                       "securityContext": {"runAsNonRoot": False}})),
    "runAsNonRoot and an image of one's own": fine(*alone(**NON_ROOT)),
    "an option and its value in one word": unready(
        *alone(args=["--port 8080"]), at="--port 8080", words="--port and its value as one word",
        mend="--port=VALUE"),
    "the same where Envoy reads it": fine(
        *alone(command=["/usr/local/bin/envoy"], args=["--base-id 1", "--log-level info"])),
    "the same where a shell reads it": fine(*alone(command=["sh", "-c"], args=["--port 8080"])),
    "a probe at a port that the image has not": unready(
        *NODES, service("web"),
        pod("web-0", "app=web", ports=[80],
            container={"image": "nginx:1.27", "readinessProbe": {"tcpSocket": {"port": 8080}}}),
        words="asks port 8080, and image nginx:1.27 listens on 80", mend="write port: 80",
        at="port: 8080"),
    "a variable that an image asks for": unready(
        *alone(image="postgres:16", **env(POSTGRES_USER="a")), at="image: postgres:16",
        words="ends where none of POSTGRES_PASSWORD, POSTGRES_HOST_AUTH_METHOD is set",
        mend="set POSTGRES_PASSWORD"),
    "one that is but misspelt": unready(
        *alone(image="mysql:8", **env(MYSQL_ROOT_PASS="a")),  # noqa: S106
        words="none of MYSQL_ROOT_PASSWORD",
        mend="write MYSQL_ROOT_PASSWORD instead of MYSQL_ROOT_PASS"),
    "a user that is there anyhow": unready(
        *alone(image="mysql:8", **env(MYSQL_ROOT_PASSWORD="a", MYSQL_USER="root")),  # noqa: S106
        words="ends where MYSQL_USER is root", mend="take MYSQL_USER out", at="value: root"),
    "variables from elsewhere": fine(
        *alone(image="postgres:16", envFrom=[{"secretRef": {"name": "db"}}])),
    "a program that writes where it may not": unready(
        *alone(image="nginx:1.27", securityContext={"readOnlyRootFilesystem": True}),
        words="writes to /var/cache/nginx and /var/run", mend="mount an emptyDir at",
        at="readOnlyRootFilesystem: true"),
    "a user that may not": unready(
        *alone(image="nginx:1.27", securityContext={"runAsUser": 1000}),
        words="only root may write to /var/cache/nginx", mend="nginxinc/nginx-unprivileged"),
    "rights that its start takes": unready(
        *alone(image="nginx:1.27", securityContext={"capabilities": {"drop": ["ALL"]}}),
        words="drops CHOWN, SETGID, SETUID", mend="add: [CHOWN, SETGID, SETUID, NET_BIND_SERVICE]",
        at="capabilities:"),
    "an image of nothing but a shell": unready(
        *alone(image="ubuntu:24.04"), words="a shell without a terminal",
        mend="command: [sleep, infinity]"),
    "a shell with a terminal": fine(*alone(image="ubuntu:24.04", tty=True, stdin=True)),
    "a command that is at its end": unready(
        *alone(command=["sh", "-c", "mkdir -p /x && echo done"]), at="command:",
        words="has nothing to do after echo", mend="stays in the foreground"),
    "one that goes to the background": unready(
        *alone(image="httpd:2.4", command=["apachectl", "start"]), at="command:",
        words="has nothing to do after apachectl", mend="apachectl -DFOREGROUND"),
    "Elasticsearch alone": unready(
        *alone(image="elasticsearch:7.17.20"), words="ends where no discovery setting is written",
        mend="discovery.type: single-node"),
    "one that goes on": fine(*alone(command=["sh", "-c", "mkdir -p /x; exec app"])),
    "Keycloak without a host name": unready(
        *alone(image="quay.io/keycloak/keycloak:26.0", args=["start"],
               **env(KC_HTTP_ENABLED="true")),
        words="ends where no hostname is set", mend="set KC_HOSTNAME"),
    "Keycloak without a certificate": unready(
        *alone(image="quay.io/keycloak/keycloak:26.0", args=["start", "--hostname=id.example"]),
        words="ends without a certificate", mend='set KC_HTTP_ENABLED: "true"'),
    "Kafka with a variable for a shell": unready(
        *alone(image="apache/kafka:3.9.0",
               **env(KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://${POD_IP}:9092")),
        words="${POD_IP} stays as it is written", mend="write $(POD_IP)"),
    "Kafka with one for the kubelet": fine(
        *alone(image="apache/kafka:3.9.0",
               **env(KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://$(POD_IP):9092"))),
    "Keycloak without a word": unready(
        *alone(image="quay.io/keycloak/keycloak:26.0"), words="kc.sh without a command",
        mend="write args: [start-dev]"),
    "the same before kc.sh": fine(*alone(image="quay.io/keycloak/keycloak:16.1.1")),
    "Keycloak for a try": fine(
        *alone(image="quay.io/keycloak/keycloak:26.0", args=["start-dev"])),
    "Keycloak's health at its main port": unready(
        *alone(image="quay.io/keycloak/keycloak:26.0", args=["start-dev"],
               **env(KC_HEALTH_ENABLED="true"),
               readinessProbe={"httpGet": {"path": "/health/ready", "port": 8080}}),
        words="health on port 9000 since 25, not on 8080", mend="write port: 9000"),
    "the same before 25": fine(
        *alone(image="quay.io/keycloak/keycloak:24.0", args=["start-dev"],
               **env(KC_HEALTH_ENABLED="true"),
               readinessProbe={"httpGet": {"path": "/health/ready", "port": 8080}})),
    "Spring's actuator at its main port": unready(
        *alone(**env(MANAGEMENT_SERVER_PORT="9001"),
               livenessProbe={"httpGet": {"path": "/actuator/health", "port": 8080}}),
        words="MANAGEMENT_SERVER_PORT has Spring answer that on 9001", mend="write port: 9001"),
    "a path that is not below the application's": unready(
        *alone(**env(SERVER_SERVLET_CONTEXT_PATH="/api"),
               readinessProbe={"httpGet": {"path": "/actuator/health", "port": 8080}}),
        words="SERVER_SERVLET_CONTEXT_PATH has everything below /api",
        mend="write path: /api/actuator/health"),
    "one that is not below a route prefix": unready(
        *alone(args=["--web.external-url=http://mon.example/prom"],
               readinessProbe={"httpGet": {"path": "/-/ready", "port": 8080}}),
        words="web.external-url has everything below /prom", mend="write path: /prom/-/ready"),
    "a route prefix of its own": fine(
        *alone(args=["--web.external-url=http://mon.example/prom", "--web.route-prefix=/"],
               readinessProbe={"httpGet": {"path": "/-/ready", "port": 8080}})),
    "one that is": fine(
        *alone(args=["--server.servlet.context-path=/api"],
               readinessProbe={"httpGet": {"path": "/api/actuator/health", "port": 8080}})),
    "a program that answers for certain hosts": unready(
        *alone(**env(DJANGO_ALLOWED_HOSTS="localhost,shop.example"),
               readinessProbe={"httpGet": {"path": "/", "port": 8080}}),
        words="lets in who asks for shop.example alone", mend="{name: Host, value: shop.example}"),
    "the same, and a probe that asks for one": fine(
        *alone(**env(ALLOWED_HOSTS="shop.example"), readinessProbe={"httpGet": {
            "port": 8080, "httpHeaders": [{"name": "Host", "value": "shop.example"}]}})),
    "one that answers for all": fine(
        *alone(**env(ALLOWED_HOSTS="*"), readinessProbe={"httpGet": {"port": 8080}})),
    "gunicorn with nowhere to write": unready(
        *alone(command=["gunicorn", "shop:app", "--bind=0.0.0.0:8080"],
               securityContext={"readOnlyRootFilesystem": True}),
        words="No usable temporary directory", mend="emptyDir at /tmp"),
    "gunicorn told where": fine(
        *alone(command=["gunicorn", "--worker-tmp-dir=/dev/shm", "--bind=:8080"],
               securityContext={"readOnlyRootFilesystem": True})),
    "an image's name with capital letters": unready(
        *alone(image="registry.example/Shop/webApp:V1"),
        at="image: registry.example/Shop/webApp:V1", words="InvalidImageName",
        mend="image: registry.example/shop/webapp:V1"),
    "one with its registry's URL": unready(
        *alone(image="https://registry.example/web:1"), words="no https:// in front",
        mend="image: registry.example/web:1"),
    "a misspelt tag": unready(
        *alone(image="registry.example/web:lastest"), words="lastest is no tag",
        mend="write image: registry.example/web:latest"),
    "an account of another namespace": unready(
        *NODES, service("web"), kind("v1", "ops", "Namespace"),
        kind("v1", "shop", "ServiceAccount", "ops"),
        pod("web-0", "app=web", ports=[80], serviceAccountName="shop"),
        at="serviceAccountName: shop", words="it is in namespace ops",
        mend="put ServiceAccount shop into namespace default"),
    "Elasticsearch asked without TLS": unready(
        *alone(image="elasticsearch:8.13.0",
               readinessProbe={"httpGet": {"path": "/", "port": 9200}}),
        words="has TLS and asks for a password", mend="xpack.security.enabled"),
    "a probe by HTTPS of what speaks HTTP": unready(
        *NODES, service("web"),
        pod("web-0", "app=web", ports=[80], container={
            "image": "nginx:1.27",
            "readinessProbe": {"httpGet": {"port": 80, "scheme": "HTTPS"}}}),
        words="asks by HTTPS, and image nginx:1.27 speaks plain HTTP", mend="scheme: HTTP"),
    "CPUs that were thousandths": unready(
        *alone(resources={"requests": {"cpu": 500}}), words="asks for 500 whole CPUs",
        mend="write cpu: 500m", at="cpu: 500"),
    "an image that is misspelt": unready(
        *alone(image="ngnix:1.27"), words="no official image ngnix", mend="write image: nginx"),
    "a volume at the path of a file": unready(
        *NODES, service("web", to=8080), pod("web-0", "app=web", ports=[8080],
            volumes=[{"name": "c", "configMap": {"name": "c"}}],
            container={"volumeMounts": [{"name": "c", "mountPath": "/etc/app/app.yaml"}]}),
        words="mounts a whole volume at /etc/app/app.yaml", mend="write subPath: app.yaml"),
    "a folder that PostgreSQL has left": unready(
        *NODES, service("web", to=8080), pod("web-0", "app=web", ports=[8080],
            volumes=[{"name": "d", "emptyDir": {}}],
            container={"image": "postgres:18", **env(POSTGRES_HOST_AUTH_METHOD="trust"),
                       "volumeMounts": [{"name": "d", "mountPath": "/var/lib/postgresql/data"}]}),
        words="has no data since 18", mend="write mountPath: /var/lib/postgresql,"),
    "a Secret that nobody else asks for": Both(
        walked=asking("svc/web", *alone(env=[{"name": "URL", "valueFrom": {
            "secretKeyRef": {"name": "db-pass", "key": "password"}}}]),
            kind("v1", "database", "Secret", stringData={"password": "x"}),
            result="refused", cause="db-pass, which is not there", mend="write database"),
        rule="missing-object", words="need Secret default/db-pass", mend="write database"),
    "a key of another spelling": Both(
        walked=asking("svc/web", *alone(env=[{"name": "URL", "valueFrom": {
            "secretKeyRef": {"name": "app", "key": "DATABASE_URL"}}}]),
            kind("v1", "app", "Secret", stringData={"database-url": "x"}),
            result="refused", cause="which has database-url instead", mend="write database-url"),
        rule="missing-object", words="which has database-url", mend="write database-url"),
}  # fmt: skip


def kafka(image: str = "wurstmeister/kafka:2.13", **more: Any) -> tuple[Manifest, ...]:
    container = {"image": image, **more.pop("container", {})}
    made = pod("kafka-0", "app=kafka", ports=[9092], container=container, **more)
    return *NODES, service("kafka", port=9092), made


def nginx(conf: str, *services: Manifest) -> tuple[Manifest, ...]:
    """A proxy with a file of its own."""
    return (
        *NODES, service("web", to=8080), *services,
        kind("v1", "conf", "ConfigMap", data={"default.conf": conf}),
        pod("web-0", "app=web", ports=[8080],
            volumes=[{"name": "conf", "configMap": {"name": "conf"}}],
            container={"image": "nginx:1.27", "volumeMounts": [
                {"name": "conf", "mountPath": "/etc/nginx/conf.d"}]}),
    )  # fmt: skip


API = (service("api-svc", "app=api", port=9000), pod("api-0", "app=api", ports=[9000]))
BESIDE = {
    "a Service of the image's own name": unready(
        *kafka(), to="svc/kafka", words="gets KAFKA_PORT=tcp://… from Service default/kafka",
        mend="enableServiceLinks: false"),
    "the same without its variables": fine(*kafka(enableServiceLinks=False), to="svc/kafka"),
    "the same with a value of its own": fine(
        *kafka(container=env(KAFKA_PORT="9092")), to="svc/kafka"),
    "another image": fine(*kafka("bitnami/kafka:3.7"), to="svc/kafka"),
    "an image that has learnt it": fine(
        *kafka("bitnami/redis:7.2", container=env(ALLOW_EMPTY_PASSWORD="yes")),  # noqa: S106
        to="svc/kafka"),
    "a host that nginx does not find": unready(
        *nginx("server {\n  listen 8080;\n  location / {\n    proxy_pass http://api:9000/;\n  }\n}",
               *API),
        words="the input has no Service default/api (host not found in upstream api)",
        mend="write api-svc there", at="proxy_pass http://api:9000/;"),
    "one of an upstream": unready(
        *nginx("upstream back {\n  server api:9000;\n}\nserver {\n  listen 8080;\n"
               "  location / { proxy_pass http://back; }\n}", *API),
        words="host not found in upstream api", mend="write api-svc", at="server api:9000;"),
    "the name that the proxy's own pods share": unready(
        *nginx("server {\n  listen 8080;\n  location / { proxy_pass http://shop; }\n}",
               service("front", "part=shop,tier=front"),
               pod("front-0", "part=shop,tier=front", ports=[80]),
               pod("back-0", "part=shop,tier=back", ports=[80])),
        words="the input has no Service default/shop", mend="write front there"),
    "pods in front of which nothing is": unready(
        *nginx("server {\n  listen 8080;\n  location / { proxy_pass http://hello; }\n}",
               pod("back-0", "app=hello", ports=[80])),
        words="the input has no Service default/hello",
        mend="write a Service hello in front of the pods of back-0: none selects them"),
    "cluster DNS by another name": unready(
        *nginx("resolver kube-dns;\nserver { listen 8080; }",
               service("coredns", "k8s-app=kube-dns", port=53),
               pod("dns-0", "k8s-app=kube-dns", ports=[53])),
        words="the input has no Service default/kube-dns", mend="write coredns there"),
    "one that is looked up later": fine(
        *nginx("server {\n  listen 8080;\n  set $to api;\n"
               "  location / { proxy_pass http://$to:9000; }\n}", *API)),
    "one of another cluster": fine(
        *nginx("server {\n  listen 8080;\n  location / { proxy_pass http://ledger:81; }\n}", *API)),
}  # fmt: skip


def mounted(path: str, *keys: str, image: str = "x", mode: int | None = None, **more: Any
            ) -> tuple[Manifest, ...]:  # fmt: skip
    """A pod with a ConfigMap at a folder."""
    source = {"name": "conf", **({"defaultMode": mode} if mode is not None else {})}
    return (
        *NODES, service("web", to=8080),
        kind("v1", "conf", "ConfigMap", data=dict.fromkeys(keys, "include mime.types;\n")),
        pod("web-0", "app=web", ports=[8080], volumes=[{"name": "v", "configMap": source}],
            container={"image": image, **more,
                       "volumeMounts": [{"name": "v", "mountPath": path}]}),
    )  # fmt: skip


def emptied(**more: Any) -> tuple[Manifest, ...]:
    """A pod with an empty volume at /app."""
    more["volumeMounts"] = [{"name": "v", "mountPath": "/app"}]
    volumes = [{"name": "v", "emptyDir": {}}]
    made = pod("web-0", "app=web", ports=[8080], volumes=volumes, container=more)
    return *NODES, service("web", to=8080), made


def newest(*words: str, image: str = "mongo") -> tuple[Manifest, ...]:
    return alone(image=image, command=["mongod", "--bind_ip_all", *words])


HIDDEN = {
    "the program, under a ConfigMap": unready(
        *mounted("/app", "a.ini", command=["/app/run.sh"]),
        at="mountPath: /app",
        words="its command is /app/run.sh, and /app is ConfigMap conf, which has no such file",
        mend="subPath: a.ini",
    ),
    "the program, in a ConfigMap that nobody may run": unready(
        *mounted("/app", "run.sh", command=["/app/run.sh"]),
        words="which nobody may run",
        mend="defaultMode: 0755",
    ),
    "the same that one may run": fine(
        *mounted("/app", "run.sh", command=["/app/run.sh"], mode=0o755)
    ),
    "a script, in an empty volume": unready(
        *emptied(command=["node", "server.js"], workingDir="/app"),
        words="its command runs /app/server.js, and /app is an empty volume",
        mend="mount the volume at another folder than /app",
    ),
    "a file that it makes itself": fine(
        *emptied(command=["etcd", "--data-dir", "/app/default.etcd"])
    ),
    "a file of the image beside the volume": fine(*emptied(command=["node", "/src/server.js"])),
    "a file of another ending": unready(
        *mounted("/etc/app", "app.yaml", "b", args=["--config=/etc/app/app.yml"]),
        words="its command names /etc/app/app.yml",
        mend="write /etc/app/app.yaml, which it has",
    ),
    "a folder in it": fine(*mounted("/etc/app", "app.yaml", args=["--dir=/etc/app/more"])),
    "what the image starts with": unready(
        *mounted("/etc/grafana", "ds.yaml", image="grafana/grafana:9.5.2"),
        words="image grafana/grafana:9.5.2 starts with /etc/grafana/grafana.ini",
        mend="another folder than /etc/grafana",
    ),
    "what nginx includes": unready(
        *mounted("/etc/nginx", "nginx.conf", image="nginx:1.27"),
        words="nginx.conf includes /etc/nginx/mime.types",
        mend="subPath: nginx.conf",
    ),
    "the same with the file": fine(
        *mounted("/etc/nginx", "nginx.conf", "mime.types", image="nginx:1.27")
    ),
}


def perhaps(*manifests: Manifest, words: str, mend: str) -> Both:
    """Connected, as far as the input shows it; what that hangs on is said by both."""
    return Both(
        walked=asking("svc/web", *manifests, result="connected"),
        rule="never-ready", words=words, mend=mend,
    )  # fmt: skip


def kept(path: str, image: str, kind: str = "persistentVolumeClaim", **spec: Any
         ) -> tuple[Manifest, ...]:  # fmt: skip
    """A pod with a volume that outlives it."""
    source = {"claimName": "d"} if kind == "persistentVolumeClaim" else {"path": "/d"}
    return (
        *NODES, service("web", to=8080), pod("web-0", "app=web", ports=[8080], **spec,
            volumes=[{"name": "d", kind: source}],
            container={"image": image, **env(POSTGRES_PASSWORD="x"),  # noqa: S106
                       "command": ["run"], "volumeMounts": [{"name": "d", "mountPath": path}]}),
    )  # fmt: skip


PERHAPS = {
    "a volume that is root's": perhaps(
        *kept("/var/lib/grafana", "grafana/grafana:10.4.0"),
        words="runs as user 472",
        mend="securityContext: fsGroup: 472",
    ),
    "a folder of the node that is root's": perhaps(
        *kept("/var/jenkins_home", "jenkins/jenkins:lts", "hostPath"),
        words="the kubelet makes a new volume for root alone",
        mend="chown -R 1000",
    ),
    "a disk with lost+found": perhaps(
        *kept("/var/lib/postgresql/data", "postgres:15"),
        words="lost+found stands there",
        mend="set PGDATA: /var/lib/postgresql/data/data",
    ),
    "a port of the root user's": perhaps(
        *NODES,
        service("web"),
        pod("web-0", "app=web", ports=[80], securityContext={"runAsUser": 33}),
        words="port 80 is the root user's",
        mend="listen on a port from 1024 on",
    ),
    "peers that a file names, before they are ready": perhaps(
        *NODES,
        service("web", to=8080),
        service("peers", "app=web", clusterIP="None"),
        kind(
            "v1", "ring", "ConfigMap", data={"ring.conf": "port: 1\nroutes: [a://web-1.peers:1]\n"}
        ),
        workload(
            "StatefulSet",
            "web",
            ports=[8080],
            serviceName="peers",
            replicas=2,
            pod_spec={"volumes": [{"name": "ring", "configMap": {"name": "ring"}}]},
            container={
                "volumeMounts": [{"name": "ring", "mountPath": "/ring"}],
                "readinessProbe": {"tcpSocket": {"port": 8080}},
            },
        ),
        words="looks for its peers by name (web-1.peers)",
        mend="publishNotReadyAddresses: true",
    ),
    "a name that busybox looks up": perhaps(
        *NODES,
        service("web", to=8080),
        service("db"),
        pod("db-0", "app=db", ports=[80]),
        pod(
            "web-0",
            "app=web",
            ports=[8080],
            initContainers=[
                {
                    "name": "wait",
                    "image": "busybox",
                    "command": ["sh", "-c", "until nslookup db; do sleep 1; done"],
                }
            ],
        ),
        words="busybox's since 1.29 may answer a short name with an error",
        mend="take image busybox:1.28",
    ),
    "peers that are not ready": perhaps(
        *NODES,
        service("web", to=8080),
        service("peers", "app=web", clusterIP="None"),
        workload(
            "StatefulSet",
            "web",
            ports=[8080],
            replicas=2,
            serviceName="peers",
            container={
                **env(SEEDS="web-0.peers,web-1.peers"),
                "readinessProbe": {"tcpSocket": {"port": 8080}},
            },
        ),
        words="looks for its peers by name (web-1.peers)",
        mend="publishNotReadyAddresses: true",
    ),
}
PROBED = {
    "a probe's command in one word": unready(
        *alone(readinessProbe={"exec": {"command": ["/bin/ls /tmp"]}}),
        at="command:",
        words="runs /bin/ls and the rest as one word",
        mend="write each word",
    ),
    "a probe's variable without a shell": unready(
        *alone(readinessProbe={"exec": {"command": ["mysql", "-p$PASS", "-e", "SELECT 1"]}}),
        words="runs mysql without a shell: $PASS stays as it is",
        mend="$(PASS)",
        at="-p$PASS",
    ),
    "the same with one": fine(
        *alone(readinessProbe={"exec": {"command": ["sh", "-c", "mysql -p$PASS"]}})
    ),
    "a key that is none of several": Both(
        walked=asking(
            "svc/web",
            *alone(
                env=[{"name": "DB", "valueFrom": {"secretKeyRef": {"name": "app", "key": "name"}}}]
            ),
            kind("v1", "app", "Secret", stringData={"user": "x", "pass": "x"}),
            result="refused",
            cause="which has user or pass instead",
            mend="write user or pass",
        ),
        rule="missing-object",
        words="which has user or pass",
        mend="write user or pass",
    ),
    "a ConfigMap in another namespace": Both(
        walked=asking(
            "svc/web.shop",
            *NODES,
            service("web", namespace="shop"),
            pod(
                "web-0",
                "app=web",
                namespace="shop",
                ports=[80],
                container={"envFrom": [{"configMapRef": {"name": "conf"}}]},
            ),
            kind("v1", "conf", "ConfigMap", data={"a": "b"}),
            result="refused",
            cause="it is in namespace default",
            mend="put ConfigMap conf into namespace shop",
        ),
        rule="missing-object",
        words="it is in namespace default",
        mend="put ConfigMap conf into namespace shop",
    ),
    "the same where somebody puts it in": fine(
        *alone(
            env=[{"name": "DB", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "name"}}}]
        ),
        {
            **kind("v1", "app", "ConfigMap", data={"user": "x", "pass": "x"}),
            "metadata": {"name": "app", "labels": {"inject-ca": "true"}},
        },
    ),
}
ENDED = {
    "an option that is gone": unready(
        *newest("--smallfiles"),
        words="runs mongo, the newest, which ends at --smallfiles: that option is gone since 4.2",
        mend="take --smallfiles out",
    ),
    "one that there was": fine(*alone(image="mongo:4.0", args=["--smallfiles"])),
    "a setting that is gone": unready(
        *alone(
            image="mysql:8",
            envFrom=[{"configMapRef": {"name": "c"}}],
        ),
        kind("v1", "c", "ConfigMap", data={"my.cnf": "[mysqld]\nquery_cache_size = 0\n"}),
        words="ends at query_cache_size",
        mend="older image than 8.0",
        at="query_cache_size = 0",
    ),
    "bash in an image that has none": unready(
        *alone(image="node:20-alpine", command=["/bin/bash", "-c", "node ."]),
        at="command:",
        words="image node:20-alpine has no bash",
        mend="write /bin/sh",
    ),
    "the same with a tag that has it": fine(
        *alone(image="node:20", command=["/bin/bash", "-c", "node ."])
    ),
    "a shell in an image that has none": unready(
        *alone(image="gcr.io/distroless/java17", command=["sh", "-c", "java -jar a"]),
        words="has no shell",
        mend="run its program without a shell",
    ),
    "options where a command belongs": unready(
        *alone(image="python:3.12", args=["--port=8080"]),
        at="args:",
        words="is given --port and no command",
        mend="write the program into command",
    ),
    "a sysctl without the right": unready(
        *NODES,
        service("web", to=8080),
        pod(
            "web-0",
            "app=web",
            ports=[8080],
            initContainers=[
                {
                    "name": "set",
                    "image": "x",
                    "command": ["sysctl", "-w", "vm.max_map_count=262144"],
                }
            ],
        ),
        words="init container set runs sysctl, and is not privileged",
        mend="privileged: true",
        at="command:",
    ),
    "the same with it": fine(
        *NODES,
        service("web", to=8080),
        pod(
            "web-0",
            "app=web",
            ports=[8080],
            initContainers=[
                {
                    "name": "set",
                    "image": "x",
                    "securityContext": {"privileged": True},
                    "command": ["sysctl", "-w", "vm.max_map_count=262144"],
                }
            ],
        ),
    ),
    "the same, and it may fail": fine(
        *alone(command=["sh", "-c", "sysctl -w a=1 || true; exec app"])
    ),
}
ASKS = "until nc -z $DB_HOST $DB_PORT; do sleep 1; done"


def with_env(script: str, **values: str) -> tuple[Manifest, ...]:
    made = waiting(script)
    made[-1]["spec"]["template"]["spec"]["initContainers"][0] |= env(**values)
    return made


SCRIPTS = {
    "a variable of the other container": in_vain(
        *DB, *waiting(ASKS), words="waits for whom $DB_HOST names, and has no such variable",
        mend="write DB_HOST into env of init container wait"),
    "a variable that names nobody": in_vain(
        *DB, *with_env(ASKS, DB_HOST="mydb", DB_PORT="5432"),
        words="waits for mydb, and there is no Service default/mydb", mend="wait for db"),
    "a Service of another namespace": in_vain(
        *with_env(ASKS, DB_HOST="store", DB_PORT="5432"),
        service("store", "app=db", namespace="data", port=5432),
        pod("store-0", "app=db", namespace="data", ports=[5432]),
        words="there is no Service default/store; it is in namespace data",
        mend="wait for store.data"),
    "a variable that is right": fine(*NODES, *DB, *with_env(ASKS, DB_HOST="db", DB_PORT="5432")),
    "a variable of the script's own": fine(*NODES, *DB, *waiting(f"DB_HOST=db; DB_PORT=1; {ASKS}")),
    "a variable that a Service gives": fine(
        *NODES, *DB, *waiting("until nc -z $DB_SERVICE_HOST 5432; do sleep 1; done")),
}  # fmt: skip


def bound(*words: str, args: bool = False, image: str = "mongo:7", **more: Any) -> Manifest:
    container = {"image": image, "args" if args else "command": list(words), **more}
    return pod("db-0", "app=db", ports=[27017], container=container)


def for_itself(who: Manifest, mend: str) -> Both:
    port = who["spec"]["containers"][0]["ports"][0]["containerPort"]
    words = f"binds port {port} to 127.0.0.1"
    return Both(
        walked=asking("svc/db", *NODES, service("db", port=port), who, result="refused",
                      cause=words, mend=mend),
        rule="bound-to-localhost", words=words, mend=mend,
    )  # fmt: skip


def for_all(who: Manifest) -> Both:
    return fine(*NODES, service("db", port=27017), who, to="svc/db")


ALL = "0.0.0.0"  # noqa: S104 - what programs are told
BOUND = {
    "mongod as the command": for_itself(bound("mongod", "--replSet", "rs0"), "--bind_ip_all"),
    "mongod, and its image's script is started": for_all(bound("mongod", args=True)),
    "mongod of before 3.6": for_all(bound("mongod", image="mongo:3.4")),
    "Mosquitto as it is": for_itself(
        pod("db-0", "app=db", ports=[1883], container={"image": "eclipse-mosquitto:2"}),
        "a mosquitto.conf with listener 1883"),
    "WildFly's management as it is": Both(
        walked=asking(
            "svc/web", *NODES, service("web", to=8080),
            pod("web-0", "app=web", ports=[8080, 9990], container={
                "image": "jboss/keycloak:10.0.2", "livenessProbe": {"tcpSocket": {"port": 9990}}}),
            result="refused", cause="binds it to 127.0.0.1 (WildFly does unless told otherwise",
            mend="-bmanagement 0.0.0.0",
        ),
        rule="no-endpoints", words="WildFly does unless told", mend="or ask port 8080 instead",
    ),
    "mongod is told": for_all(bound("mongod", "--bind_ip", ALL)),
    "an address in a variable": for_itself(
        bound(image="x", **env(SERVER_ADDRESS="localhost:27017")), ALL),
    "an address that is advertised": for_all(
        bound(image="x", **env(ADVERTISED_ADDR="localhost:27017"))),
    "an address of somebody else": for_all(bound(image="x", **env(CACHE_ADDR="localhost:6379"))),
}  # fmt: skip


def told(value: str, *manifests: Manifest, words: str, mend: str) -> Both:
    """A variable of another pod has the name, too."""
    client = pod("told", node="node-1", container=env(API_URL=f"http://{value}/v1"))
    return Both(
        walked=asking(value, *NODES, *manifests, client, result="no-such-name", mend=mend,
                      cause=words),
        rule="env-address", words=value.partition(":")[0], mend=mend.removeprefix("did you mean "),
    )  # fmt: skip


NAMES = {
    "a workload without a Service": told(
        "catalog:8080", workload("Deployment", "catalog", ports=[8080]),
        words="Deployment catalog is there, and workloads have no name in DNS",
        mend="write a Service catalog with selector app=catalog and port 8080"),
    "the image of the pods": told(
        "mysql:3306", service("store", "app=store", port=3306),
        pod("store-0", "app=store", ports=[3306], container={"image": "mysql:8"}),
        words="Service store leads to the pods of mysql", mend="did you mean store"),
    "a port that one Service has": Both(
        walked=asking("ledger:5432", *NODES, *DB, result="no-such-name",
                      cause="port 5432 is that of Service db alone", mend="did you mean db?")),
    "a workload without a Service, and no port": Both(
        walked=asking("ledger:80", *NODES, workload("Deployment", "ledger", ports=[8080]),
                      workload("Deployment", "ledgers", ports=[80]), service("ledgers"),
                      pod("told", container=env(API_URL="http://ledger/v1")),
                      result="no-such-name", mend="write a Service ledger with selector app=ledger",
                      cause="Deployment ledger is there, and workloads have no name in DNS"),
        rule="env-address", words="API_URL of container main leads to ledger",
        mend="write a Service ledger with selector app=ledger"),
    "a name without its namespace": told(
        "db.svc.cluster.local:5432", *DB, words="leaves out the namespace",
        mend="db.default.svc.cluster.local"),
    "whom an image asks by itself": Both(
        walked=asking("elasticsearch:9200", *NODES, service("search", port=9200),
                      pod("search-0", "app=search", ports=[9200]),
                      pod("asks", container={"image": "kibana:7.17.0",
                                             **env(ELASTICSEARCH_URL="http://search:9200")}),
                      source="pod/asks", result="no-such-name", mend="did you mean search?"),
        rule="env-address", words="ELASTICSEARCH_URL is not read any more (since 7)",
        mend="set ELASTICSEARCH_HOSTS: http://search:9200"),
    "a variable that nobody reads any more": Both(
        walked=asking("svc/db:5432", *NODES, *DB, pod("asks", container={
            "image": "quay.io/keycloak/keycloak:22.0", "args": ["start-dev"],
            **env(DB_ADDR="db", DB_USER="kc", KC_DB_USERNAME="kc")}),
            source="pod/asks", result="connected"),
        rule="env-address", words="DB_ADDR of container main is not read by",
        mend="write KC_DB_URL_HOST instead of DB_ADDR"),
    "the same that is told": Both(
        walked=asking("svc/search:9200", *NODES, service("search", port=9200),
                      pod("search-0", "app=search", ports=[9200]),
                      pod("asks", container={"image": "kibana:6.8.0",
                                             **env(ELASTICSEARCH_URL="http://search:9200")}),
                      source="pod/asks", result="connected")),
    "a pod by its name": Both(
        walked=asking("mysql:3306", *NODES, pod("mysql", ports=[3306]), pod("asks", container={
            "envFrom": [{"configMapRef": {"name": "conf"}}]}),
            kind("v1", "conf", "ConfigMap", data={"MYSQL_HOST": "mysql"}),
            source="pod/asks", result="no-such-name", cause="mysql is a pod",
            mend="put a Service in front of the pod"),
        rule="env-address", words="leads to mysql, a pod", at="MYSQL_HOST: mysql",
        mend="selector app=mysql, and that label into pod mysql"),
    "a word and a port": told(
        "shop-prometheus:9090", service("kube-prometheus", "app=p", port=9090),
        pod("p-0", "app=p", ports=[9090]), words="that of Service kube-prometheus alone",
        mend="kube-prometheus"),
    "svc in front of the namespace": told(
        "db.svc.default:5432", *DB, words="has svc in front of the namespace",
        mend="db.default.svc"),
    "minikube's machine": Both(
        walked=asking("svc/out:3306", *NODES, service("out", None, port=None, type="ExternalName",
                      externalName="host.minikube.internal"), result="no-such-name",
                      cause="minikube's name for the machine", mend="a Service without selector"),
        rule="external-name", words="minikube's name for the machine",
        mend="a Service without selector"),
    "a Service that leads back": Both(
        walked=asking("svc/first", *NODES, service("first", "part=db", port=80),
                      pod("first", "part=db,name=first", ports=[80]),
                      pod("second", "part=db,name=second", ports=[80],
                          container=env(MASTER_HOST="first")), result="connected"),
        rule="env-address", words="that Service selects second's own pods too",
        mend="write name: first into its selector"),
    "a whole name that nobody has": told(
        "http.default.svc.cluster.local:5432", *DB, words="port 5432 is that of Service db alone",
        mend="db"),
    "a pod's name without its Service's": told(
        "set-0.default.svc.cluster.local:6379", service("peers", "app=set", clusterIP="None"),
        workload("StatefulSet", "set", ports=[6379], serviceName="peers"),
        words="set-0 is a pod", mend="set-0.peers"),
    "a pod's name in another namespace": told(
        "set-0.peers.prod.svc.cluster.local:6379", service("peers", "app=set", clusterIP="None"),
        workload("StatefulSet", "set", ports=[6379], serviceName="peers"),
        words="set-0 is in namespace default", mend="set-0.peers.default.svc.cluster.local"),
    "localhost in a ConfigMap": Both(
        walked=asking("localhost:5432", *NODES, *DB, pod("app", container={
            "envFrom": [{"configMapRef": {"name": "settings"}}]}),
            kind("v1", "settings", "ConfigMap", data={"DB_HOST": "localhost", "DB_PORT": "5432"}),
            source="pod/app", result="refused", cause="port 5432 is that of Service default/db",
            mend="ask db:5432"),
        rule="env-address", words="DB_HOST of container main leads to localhost:5432",
        mend="write db instead of localhost", at="DB_HOST: localhost",
    ),
    "a page's variable": Both(
        walked=asking("svc/db", *NODES, *DB,
                      pod("app", container=env(VITE_API_URL="http://db:5432/v1")),
                      result="connected"),
        rule="env-address", words="is for the page that a browser opens",
        mend="a path of the page's own host",
    ),
    "a port beside the host": Both(
        walked=asking("my_pg:5432", *NODES, *DB,
                      pod("app", container=env(DB_HOST="my_pg", DB_PORT="5432")),
                      source="pod/app", result="no-such-name", mend="did you mean db"),
        rule="env-address", words="DB_HOST of container main leads to my_pg", mend="write db",
    ),
    "localhost in a file": Both(
        walked=asking("localhost:5432", *NODES, *DB, pod("app",
                      volumes=[{"name": "c", "configMap": {"name": "c"}}],
                      container={"volumeMounts": [{"name": "c", "mountPath": "/etc/app"}]}),
                      kind("v1", "c", "ConfigMap",
                           data={"a.yaml": "store:\n  url: http://localhost:5432\n"}),
                      source="pod/app", result="refused", mend="ask db:5432"),
        rule="env-address", words="a.yaml of container main leads to localhost:5432",
        mend="write db instead", at="url: http://localhost:5432",
    ),
    "localhost in an argument": Both(
        walked=asking("localhost:5432", *NODES, *DB,
                      pod("app", container={"args": ["-db-host=127.0.0.1:5432"]}),
                      source="pod/app", result="refused", mend="ask db:5432"),
        rule="env-address", words="args of container main leads to 127.0.0.1:5432",
        mend="write db instead", at="-db-host=127.0.0.1:5432",
    ),
}  # fmt: skip


def volume(
    name: str,
    size: str = "1Gi",
    *modes: str,
    storage: str = "manual",
    of: Mapping[str, object] = MappingProxyType({"hostPath": {"path": "/srv"}}),
) -> Manifest:
    spec = {
        "storageClassName": storage, "capacity": {"storage": size},
        "accessModes": list(modes) or ["ReadWriteOnce"], **of,
    }  # fmt: skip
    return kind("v1", name, "PersistentVolume", spec=spec)


def claims(*names: str, size: str = "1Gi") -> tuple[Manifest, ...]:
    """Claims, and a pod that mounts all of them behind Service web."""
    spec = {"storageClassName": "manual", "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}}}  # fmt: skip
    mounted = [{"name": n, "persistentVolumeClaim": {"claimName": n}} for n in names]
    return (
        *NODES, service("web", to=8080),
        *(kind("v1", name, "PersistentVolumeClaim", spec=spec) for name in names),
        pod("web-0", "app=web", node=None, ports=[8080], volumes=mounted),
    )  # fmt: skip


def unbound(words: str, *manifests: Manifest) -> Both:
    mend = "write a PersistentVolume that fits it, one for each claim"
    return Both(
        walked=asking("svc/web", *manifests, result="refused", cause=words, mend=mend,
                      at="storageClassName: manual"),
        rule="unschedulable", words=words, mend=mend, at="apiVersion: v1",
    )  # fmt: skip


CLAIMS = {
    "one volume for two claims": unbound(
        "b finds no volume: PersistentVolume v is others'", *claims("a", "b"), volume("v")),
    "a volume that is too small": unbound(
        "a asks for 5Gi; PersistentVolume v has 1Gi", *claims("a", size="5Gi"), volume("v")),
    "a volume for readers": unbound(
        "a asks for ReadWriteOnce; PersistentVolume v has ReadOnlyMany",
        *claims("a"), volume("v", "1Gi", "ReadOnlyMany")),
    "volumes enough": fine(*claims("a", "b"), volume("v"), volume("w")),
    "one volume of a driver, which makes more": fine(
        *claims("a", "b"), volume("v", of={"csi": {"driver": "csi.test", "volumeHandle": "v"}})),
    "volumes of another class": fine(*claims("a"), volume("v", storage="other")),
}  # fmt: skip


def kind_cluster(port: int) -> Manifest:
    mapped = {"containerPort": port, "hostPort": 8080}
    return {
        "apiVersion": "kind.x-k8s.io/v1alpha4", "kind": "Cluster",
        "nodes": [{"role": "control-plane", "extraPortMappings": [mapped]}],
    }  # fmt: skip


def door(**port: int) -> tuple[Manifest, ...]:
    one = {"port": 80, "targetPort": 8080, **port}
    return *NODES, service("web", port=one, type="NodePort"), pod("web-0", "app=web", ports=[8080])


def published(number: int, *manifests: Manifest, mend: str) -> Both:
    words = f"kind publishes port {number} of its node"
    return Both(
        walked=asking(f"node/node-1:{number}", kind_cluster(number), *manifests, source="outside",
                      result="refused", cause=words, mend=mend, at=f"containerPort: {number}"),
        rule="published-port", words=words, mend=mend,
    )  # fmt: skip


TAINTED = node(1, "10.244.1.0/24", taints=[
    {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}])  # fmt: skip
OTHERS = {
    "kind publishes the pod's port": published(
        8080, *door(nodePort=30080),
        mend="write containerPort: 30080, the node port of Service web"),
    "kind publishes a port, and the node port is left to chance": published(
        80, *door(), mend="write nodePort: 30080 into Service web"),
    "kind publishes the node port": Both(walked=asking(
        "node/node-1:30080", kind_cluster(30080), *door(nodePort=30080), source="outside",
        result="connected")),
    "kind publishes what an Ingress' controller takes": Both(walked=asking(
        "svc/web", kind_cluster(80), *door(),
        kind("networking.k8s.io/v1", "web", "Ingress",
             spec={"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}),
        result="connected")),
    "a taint that says that the node is not ready": Both(
        walked=asking("svc/web", TAINTED, service("web", to=8080),
                      pod("web-0", "app=web", node=None, ports=[8080]), source="node/node-1",
                      result="refused", cause="is Pending",
                      mend="mend node node-1, whose taint node.kubernetes.io/not-ready says"),
        rule="unschedulable", words="stays Pending", mend="no toleration helps",
    ),
    "endpoints that are the node's own node port": Both(
        walked=asking(
            "svc/front", node(1, "10.244.1.0/24"), *door(nodePort=30080)[2:],
            service("front", None, to=30080),
            kind("v1", "front", "Endpoints", subsets=[
                {"addresses": [{"ip": "192.168.0.11"}], "ports": [{"port": 30080}]}]),
            source="node/node-1", result="refused",
            cause="the node port of Service default/web: a destination is rewritten once",
            mend="give Service front the selector of web", at="ip: 192.168.0.11"),
        rule="endpoints-by-hand", words="a destination is rewritten once",
        mend="the selector of web",
    ),
}  # fmt: skip
CASES = {
    **STARTED,
    **BESIDE,
    **HIDDEN,
    **ENDED,
    **PERHAPS,
    **PROBED,
    **SCRIPTS,
    **BOUND,
    **NAMES,
    **CLAIMS,
    **OTHERS,
}


@pytest.mark.parametrize("name", CASES)
def test_starting(name: str, tmp_path: Path) -> None:
    judge_both(tmp_path, CASES[name])


@pytest.mark.parametrize("name", PERHAPS)
def test_a_walk_says_what_its_server_hangs_on(name: str, tmp_path: Path) -> None:
    case = PERHAPS[name]
    file = write(tmp_path, case.walked.manifests)
    made = build_world([str(file)])
    said = walk(made, parse_request(made, *case.walked.ask)).assumptions
    assert [one for one in said if case.words in one and case.mend in one], said


def test_what_the_server_refuses_is_missed_where_it_is_needed(tmp_path: Path) -> None:
    """A Secret's value that is no base64: there is no Secret, and whoever needs it waits for it."""
    hidden = "s3cret words"
    secret = kind("v1", "keys", "Secret", data={"TOKEN": hidden})
    refused = kind("v1", "tune", "ConfigMap", data={"SIZE": 1})
    needs = [{"secretRef": {"name": "keys"}}, {"configMapRef": {"name": "tune", "optional": True}}]
    optional = [{**one, "optional": True} for one in ({"name": "keys"}, {"name": "tune"})]
    file = write(tmp_path, (
        *NODES, secret, refused, ASKER, service("web", to=8080), service("free", to=8080),
        pod("web-0", "app=web", ports=[8080], container={"envFrom": needs}),
        pod("free-0", "app=free", ports=[8080], container={"envFrom": [
            {"secretRef": optional[0]}, {"configMapRef": optional[1]}]}),
    ))  # fmt: skip
    made = build_world([str(file)])
    assert sorted(one.subject for one in made.problems) == [
        "ConfigMap default/tune", "Secret default/keys",
    ]  # fmt: skip
    assert not any(hidden in one.render() for one in made.problems)
    found = walk(made, parse_request(made, "pod/asker", "svc/web")).outcome
    assert found.result.value == "refused"
    assert "Secret default/keys is not there, the API server refuses it" in found.reason
    assert "stringData" in found.advice
    assert (
        walk(made, parse_request(made, "pod/asker", "svc/free")).outcome.result.value == "connected"
    )


@pytest.mark.parametrize("value", ["${TOKEN}", "ENC[AES256_GCM,data:x]", "CHANGE_ME", "YQ==", ""])
def test_a_secret_that_somebody_fills_in_is_taken(value: str, tmp_path: Path) -> None:
    file = write(tmp_path, (kind("v1", "keys", "Secret", data={"TOKEN": value}), ASKER))
    assert not build_world([str(file)]).problems


def at_the_shop(path: Manifest) -> Manifest:
    rules = [{"host": "shop.example", "http": {"paths": [path]}}]
    return kind("networking.k8s.io/v1", "web", "Ingress", spec={"rules": rules})


def test_the_host_of_an_ingress_that_is_refused(tmp_path: Path) -> None:
    """Fields of an older version: nobody serves the host, and who asks it is told why."""
    old = {"path": "/", "backend": {"serviceName": "web", "servicePort": 80}}
    made = build_world([str(write(tmp_path, (*NODES, at_the_shop(old), service("web"))))])
    found = walk(made, parse_request(made, "outside", "shop.example:80")).outcome
    assert "a host of Ingress default/web, which is not there" in found.reason
    assert "write service: {name: web, port: {number: 80}}" in found.advice


def test_the_host_of_an_ingress_that_leads_to_nobody(tmp_path: Path) -> None:
    path = {"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "web", "port": {"number": 80}}}}  # fmt: skip
    astray = service("web", to=8080), pod("web-0", "app=wbe", ports=[8080])
    made = build_world([str(write(tmp_path, (*NODES, at_the_shop(path), *astray)))])
    found = walk(made, parse_request(made, "outside", "shop.example:80")).outcome
    assert "and behind it Service default/web has no endpoints" in found.reason
    assert "app: wbe" in found.advice


def test_a_pod_that_is_not_even_made(tmp_path: Path) -> None:
    """OrderedReady: the second pod is made when the first is ready, which looks for the second."""
    first = observed("db-0", "app=db", "10.244.1.5", ready=False, hostname="db-0", subdomain="db")
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u",
             "controller": True}  # fmt: skip
    first["metadata"]["ownerReferences"] = [owner]
    made = build_world([str(write(tmp_path, (
        *NODES, service("db", port=5432, clusterIP="None"), first,
        workload("StatefulSet", "db", serviceName="db", replicas=2))))])  # fmt: skip
    found = walk(made, parse_request(made, "pod/db-0", "db-1.db:5432")).outcome
    assert "db-1 is not even made before db-0 is ready" in found.reason
    assert "publishNotReadyAddresses: true" in found.advice
    assert "podManagementPolicy: Parallel into StatefulSet db" in found.advice


def test_the_policy_that_was_meant_is_the_one_to_mend(tmp_path: Path) -> None:
    """Of two that select the pod, the one whose labels the client has."""
    policies = [
        kind("networking.k8s.io/v1", name, "NetworkPolicy", "shop",
             spec={"podSelector": {}, "ingress": [{"from": [{"podSelector": selector}]}]})
        for name, selector in (("own", {}), ("doors", {"matchLabels": {"app": "door"}}))
    ]  # fmt: skip
    calico = workload("DaemonSet", "calico-node", namespace="kube-system",
                      container={"image": "docker.io/calico/node:v3.27.0"})  # fmt: skip
    made = build_world([str(write(tmp_path, (
        calico, *policies, kind("v1", "shop", "Namespace"), kind("v1", "edge", "Namespace"),
        service("till", namespace="shop"), pod("till-0", "app=till", namespace="shop", ports=[80]),
        pod("door-0", "app=door", namespace="edge", node="node-2"))))])  # fmt: skip
    found = walk(made, parse_request(made, "pod/door-0", "till.shop:80", "edge")).outcome
    assert found.advice.endswith("in ingress of NetworkPolicy doors")


def test_variables_that_break_or_stay_as_they_are(tmp_path: Path) -> None:
    asks = env(REDIS_HOST="redis", URL="redis://${REDIS_HOST}/0")
    file = write(tmp_path, (*NODES, service("redis", port=6379), pod("app", container=asks)))
    found = [one for one in check(build_world([str(file)])) if one.severity is Severity.INFO]
    said = {one.rule: one for one in found}
    assert (
        "no REDIS_PORT, which Service default/redis sets to tcp://" in said["service-port-env"].why
    )
    assert said["service-env"].fix.startswith("write $(REDIS_HOST)")


def test_a_set_whose_pods_are_refused_tells_why(tmp_path: Path) -> None:
    """A claim template is called otherwise than its mount: the walk names that line."""
    claim = {"metadata": {"name": "store"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    mounts = {"image": "x", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    refused = workload(
        "StatefulSet", "db", serviceName="db", volumeClaimTemplates=[claim], container=mounts
    )
    made = build_world([str(write(tmp_path, (*NODES, service("db"), refused, pod("app"))))])
    found = walk(made, parse_request(made, "pod/app", "svc/db:80")).outcome
    assert "refuses each of them: " in found.reason
    assert "'data'" in found.reason
    assert found.advice == "write name: store, or give the pod a volume data"
    assert found.origin is not None
    assert isinstance(found.origin.place, FieldPlace)
    assert "volumeMounts" in found.origin.place.path


def test_an_ingress_means_the_service_that_has_its_port(tmp_path: Path) -> None:
    path = {"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "hub", "port": {"number": 4318}}}}  # fmt: skip
    those = service("hub-app", port=3000), service("hub-otel", port=4318)
    made = build_world([str(write(tmp_path, (*NODES, at_the_shop(path), *those)))])
    (one,) = [found for found in check(made) if found.rule == "ingress-backend"]
    assert one.fix == "write hub-otel"


def test_a_service_that_was_left_in_another_namespace(tmp_path: Path) -> None:
    """Without a namespace, beside pods that have one: asked by its name from among them."""
    shop = kind("v1", "shop", "Namespace"), workload("Deployment", "web", namespace="shop")
    those = service("web"), pod("app", namespace="shop")
    made = build_world([str(write(tmp_path, (*NODES, *shop, *those)))])
    found = walk(made, parse_request(made, "pod/app", "web:80", "shop")).outcome
    assert "is in namespace default, and they are in shop" in found.reason
    assert found.advice == "put Service web into namespace shop: it selects in its own only"
