"""Well-known images: the ports that their programs listen on while nobody tells them otherwise.

Sources: the EXPOSE lines and default configurations of the images themselves (Docker's official
images, nginxinc/nginx-unprivileged, bitnami/nginx, grafana/grafana, prom/prometheus …). Only images
that are named as those are: one of the same name in a registry of one's own may be set up anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, text
from k8stui.cluster.programs import keycloak
from k8stui.record import record
from k8stui.suggest import Wordbook
from k8stui.whole import whole

if TYPE_CHECKING:
    from k8stui.cluster.model import Container

_HUBS = re.compile(
    r"^(?:(?:docker\.io|index\.docker\.io|public\.ecr\.aws/docker|mirror\.gcr\.io)/)?(?:library/)?"
)
_PORTS: Mapping[str, tuple[int, ...]] = {
    "nginx": (80,), "httpd": (80,), "caddy": (80, 443, 2019), "tomcat": (8080,),
    "nginxinc/nginx-unprivileged": (8080,), "bitnami/nginx": (8080, 8443),
    "bitnami/apache": (8080, 8443), "nginxdemos/hello": (80,), "traefik/whoami": (80,),
    "containous/whoami": (80,), "kennethreitz/httpbin": (80,), "hashicorp/http-echo": (5678,),
    "mendhak/http-https-echo": (8080, 8443), "ealen/echo-server": (80,),
    "paulbouwer/hello-kubernetes": (8080,), "gcr.io/google-samples/hello-app": (8080,),
    "us-docker.pkg.dev/google-samples/containers/gke/hello-app": (8080,),
    "k8s.gcr.io/echoserver": (8080, 8443), "registry.k8s.io/echoserver": (8080, 8443),
    "gcr.io/google_containers/echoserver": (8080, 8443),
    "registry.k8s.io/e2e-test-images/echoserver": (8080, 8443),
    "redis": (6379,), "memcached": (11211,), "mongo": (27017,), "postgres": (5432,),
    "mysql": (3306, 33060), "mariadb": (3306,), "rabbitmq": (5672, 15692, 25672, 4369),
    "couchdb": (5984, 4369, 9100), "neo4j": (7474, 7473, 7687), "influxdb": (8086,),
    "zookeeper": (2181, 2888, 3888, 8080), "solr": (8983,), "nats": (4222, 6222, 8222),
    "wordpress": (80,), "drupal": (80,), "joomla": (80,), "nextcloud": (80,), "phpmyadmin": (80,),
    "phpmyadmin/phpmyadmin": (80,), "dpage/pgadmin4": (80, 443), "adminer": (8080,),
    "mongo-express": (8081,), "ghost": (2368,), "registry": (5000,), "sonarqube": (9000, 9092),
    "jenkins/jenkins": (8080, 50000), "grafana/grafana": (3000,),
    "sonatype/nexus3": (8081,), "kibana": (5601,),
    "docker.elastic.co/kibana/kibana": (5601,), "elasticsearch": (9200, 9300),
    "docker.elastic.co/elasticsearch/elasticsearch": (9200, 9300),
    "rediscommander/redis-commander": (8081,), "eclipse-mosquitto": (1883,),
    "mcr.microsoft.com/dotnet/samples": (8080,), "php": (80,),
    "registry.k8s.io/kube-state-metrics/kube-state-metrics": (8080, 8081),
    "k8s.gcr.io/kube-state-metrics/kube-state-metrics": (8080, 8081),
    "quay.io/coreos/kube-state-metrics": (8080, 8081),
    "prom/cloudwatch-exporter": (9106,), "oliver006/redis_exporter": (9121,),
    "quay.io/prometheuscommunity/postgres-exporter": (9187,),
    "nginx/nginx-prometheus-exporter": (9113,), "collabora/code": (9980,),
    "openzipkin/zipkin": (9411,), "gitea/gitea": (3000, 22), "n8nio/n8n": (5678,),
    "nodered/node-red": (1880,), "portainer/portainer-ce": (9000, 9443, 8000),
    "metabase/metabase": (3000,), "louislam/uptime-kuma": (3001,), "vaultwarden/server": (80,),
    "matomo": (80,), "odoo": (8069, 8071, 8072), "redmine": (3000,),
    "localstack/localstack": (4566,),
    "wiremock/wiremock": (8080, 8443), "mailhog/mailhog": (8025, 1025),
    "axllent/mailpit": (8025, 1025), "ollama/ollama": (11434,), "qdrant/qdrant": (6333, 6334, 6335),
    "valkey/valkey": (6379,), "swaggerapi/swagger-ui": (8080,), "codercom/code-server": (8080,),
    "gcr.io/kuar-demo/kuard-amd64": (8080,), "stefanprodan/podinfo": (9898, 9797, 9999),
    "ghcr.io/stefanprodan/podinfo": (9898, 9797, 9999), "docker/getting-started": (80,),
    "jmalloc/echo-server": (8080,), "nginxdemos/nginx-hello": (8080,),
    "registry.k8s.io/hpa-example": (80,), "k8s.gcr.io/hpa-example": (80,),
    "opensearchproject/opensearch-dashboards": (5601,), "directus/directus": (8055,),
    "rocket.chat": (3000,), "arangodb": (8529,), "cassandra": (9042, 7000, 7001, 7199, 9160),
}  # fmt: skip
_PHP = frozenset({"php", "wordpress", "nextcloud", "drupal", "joomla", "phpmyadmin"})
_FPM = (9000,)
_KUBE_PROXY = re.compile(r"kube-proxy(-(amd64|arm|arm64|ppc64le|s390x))?")
_CONTROLLERS = (
    "ingress-nginx/controller", "nginx-ingress-controller", "nginx/nginx-ingress", "traefik",
    "haproxytech/kubernetes-ingress", "haproxy-ingress", "kong/kubernetes-ingress-controller",
    "/kong", "kong/kong-gateway",
)  # fmt: skip
_BY_TAG = {"rabbitmq": ("management", 15672)}
"""What a tag holds that opens one more port."""
_DATA = re.compile(
    r"^/(?:var/(?:lib|www|log|cache|run|jenkins_home)|data|tmp|run|srv|home|docker-entrypoint-initdb"
    r"|usr/share/nginx/html|usr/share/elasticsearch/data|usr/local/apache2/htdocs|bitnami|prometheus|mosquitto/(?:data|log))"
)
"""Where a volume holds what is served or kept, no configuration."""


def image_ports(container: Object) -> tuple[int, ...]:
    """The ports of a container whose image nobody tells anything; empty: not known.

    A command or arguments may start something else, and a volume, an `envFrom` or a hook set it up.
    """
    image = text(container, "image")
    if (by_words := _BY_WORDS.get(known_image(image))) is not None:
        return by_words(container)
    if any(array(container, field) for field in ("command", "args", "envFrom")):
        return ()
    if "lifecycle" in container:
        return ()
    if any(not _DATA.match(text(one, "mountPath")) for one in array(container, "volumeMounts")):
        return ()
    ports = _PORTS.get(known_image(image), ())
    if known_image(image) in _PHP:
        if "fpm" in image_tag(image):
            return _FPM
        return ports if known_image(image) != "php" or "apache" in image_tag(image) else ()
    word, more = _BY_TAG.get(known_image(image), ("", 0))
    return (*ports, more) if word and word in image_tag(image) else ports


def usual_port(name: str) -> int | None:
    """The port of an image as hosts are often called: of ``mysql``, or of a word (``my-redis``)."""
    words = (_ALIASES.get(word, word) for word in (name, *name.split("-")))
    return next((_PORTS[word][0] for word in words if word in _PORTS), None)


_ALIASES = {"postgresql": "postgres", "mongodb": "mongo"}


_PROMETHEUS = {
    "prometheus": (9090,), "alertmanager": (9093, 9094), "pushgateway": (9091,),
    "node-exporter": (9100,), "blackbox-exporter": (9115,), "mysqld-exporter": (9104,),
    "snmp-exporter": (9116,), "memcached-exporter": (9150,),
}  # fmt: skip


def _by_flag(*usual: int) -> Callable[[Object], tuple[int, ...]]:
    """Prometheus' programs: no file tells them where to listen, ``--web.listen-address`` alone."""

    def ports(container: Object) -> tuple[int, ...]:
        told = any("listen-address" in str(word) for word in array(container, "args"))
        return () if told or array(container, "command") else usual

    return ports


def _minio(container: Object) -> tuple[int, ...]:
    """``server``: the console is at a port of chance unless ``--console-address`` says one."""
    each = [*array(container, "command"), *array(container, "args")]
    words = [part for word in each if isinstance(word, str) for part in word.split()]
    env = {text(one, "name"): text(one, "value") for one in array(container, "env")}
    if "server" not in words or array(container, "envFrom"):
        return ()
    ports = []
    for option, usual in (("--address", "9000"), ("--console-address", "")):
        told = re.search(rf"{option}[= ]['\"]?\S*?:(\d+)", " ".join(words))
        variable = env.get(f"MINIO_{option[2:].replace('-', '_').upper()}", usual)
        ports.append(told[1] if told is not None else variable.rpartition(":")[2])
    return tuple(one for one in map(whole, ports) if one is not None)


_BY_WORDS: Mapping[str, Callable[[Object], tuple[int, ...]]] = {
    **dict.fromkeys(keycloak.IMAGES, keycloak.ports),
    **dict.fromkeys(("minio/minio", "quay.io/minio/minio"), _minio),
    **{
        f"{registry}/{name}": _by_flag(*ports)
        for registry in ("prom", "quay.io/prometheus")
        for name, ports in _PROMETHEUS.items()
    },
}
"""Images whose command, arguments and env say all that their ports depend on."""


def opened_by(image: str, number: int) -> str:
    """What would let the image's program open the port; empty: not known, or it is open."""
    name = known_image(image)
    word, more = _BY_TAG.get(name, ("", 0))
    if number == more and word not in image_tag(image):
        return f"{number} is opened by the image's tags with {word}"
    if name in _PHP and "fpm" in image_tag(image):
        return (
            "php-fpm speaks FastCGI: put a web server in front of it (nginx with fastcgi_pass to "
            f"{_FPM[0]}), or take the image's tag with apache"
        )
    if _BY_WORDS.get(name) is _minio:
        return f'the console is opened at {number} by --console-address ":{number}"'
    return ""


@record()
class AsksByItself:
    """Whom an image's program asks while nobody tells it otherwise."""

    host: str
    port: int
    variable: str
    """The one that tells it."""
    others: tuple[str, ...] = ()
    """Variables that tell it too, or that it has another way of asking by."""
    since: int = 0
    """The version from which that is so; before, `old` was read."""
    old: str = ""


_KIBANA = AsksByItself(
    "elasticsearch", 9200, "ELASTICSEARCH_HOSTS", since=7, old="ELASTICSEARCH_URL"
)
_ASKS: Mapping[str, AsksByItself] = {
    **dict.fromkeys(
        ("kibana", "docker.elastic.co/kibana/kibana", "docker.elastic.co/kibana/kibana-oss"),
        _KIBANA,
    ),
    **dict.fromkeys(
        ("phpmyadmin", "phpmyadmin/phpmyadmin"),
        AsksByItself("db", 3306, "PMA_HOST", ("PMA_HOSTS", "PMA_ARBITRARY")),
    ),
    "mongo-express": AsksByItself(
        "mongo", 27017, "ME_CONFIG_MONGODB_SERVER", ("ME_CONFIG_MONGODB_URL",)
    ),
    "wordpress": AsksByItself("mysql", 3306, "WORDPRESS_DB_HOST", ("WORDPRESS_CONFIG_EXTRA",)),
}
"""Sources: kibana's kibana.yml in its image (elasticsearch.hosts; ELASTICSEARCH_URL until 6),
phpmyadmin's README (PMA_HOST, "db"), mongo-express' and WordPress' start scripts."""


def asks_by_itself(container: Object) -> AsksByItself | None:
    """None: not known, or somebody tells it, in words, files or variables of its own."""
    image = text(container, "image")
    found = _ASKS.get(known_image(image))
    if found is None or any(array(container, one) for one in ("command", "args", "envFrom")):
        return None
    version = major(image)
    names = {text(one, "name") for one in array(container, "env")}
    is_old = found.since and version is not None and version < found.since
    told = {found.variable, *found.others, *((found.old,) if is_old else ())}
    if told & names:
        return None
    if any(not _DATA.match(text(one, "mountPath")) for one in array(container, "volumeMounts")):
        return None
    return found


_SETTINGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "bitnami/redis": (r"[45]\.|6\.0\.[0-5]\b", ("REDIS_PORT",)),
    "wurstmeister/kafka": ("", ("KAFKA_PORT",)),
    "confluentinc/cp-kafka": ("", ("KAFKA_PORT",)),
    "confluentinc/cp-server": ("", ("KAFKA_PORT",)),
    "confluentinc/cp-schema-registry": ("", ("SCHEMA_REGISTRY_PORT",)),
    "confluentinc/cp-kafka-rest": ("", ("KAFKA_REST_PORT",)),
    "neo4j": (r"5|202|latest|enterprise|community|$", ("NEO4J_PORT",)),
    "apache/superset": ("", ("SUPERSET_PORT",)),
    "mher/flower": ("", ("FLOWER_PORT",)),
    "ghcr.io/mlflow/mlflow": ("", ("MLFLOW_PORT",)),
    "locustio/locust": ("", ("LOCUST_MASTER_PORT", "LOCUST_WEB_PORT")),
    "verdaccio/verdaccio": ("", ("VERDACCIO_PORT",)),
    **dict.fromkeys(
        ("kibana", "docker.elastic.co/kibana/kibana", "opensearchproject/opensearch-dashboards"),
        ("", ("SERVER_PORT",)),
    ),
    "redislabs/redisinsight": (r"1\.", ("REDISINSIGHT_PORT",)),
    **dict.fromkeys(
        ("n8nio/n8n", "docker.n8n.io/n8nio/n8n"), (r"0\.|1\.[0-4]?\d\.", ("N8N_PORT",))
    ),
}  # fmt: skip
"""Settings that images read from env, and end at what a Service of that name gives (``tcp://…``).

With the tags of which that is so. Sources: their start scripts and bug reports (wurstmeister/kafka
start-kafka.sh, confluentinc's docker/configure "PORT is deprecated", bitnami's libredis.sh before
REDIS_PORT_NUMBER, Neo4j's strict validation, Superset's run-server.sh, click's and locust's
variables, Kibana's kibana-docker, RedisInsight's startup.py, n8n issue 8650).
"""


def service_links(container: Object) -> tuple[str, ...]:
    """Those variables that the container does not set itself; whoever uses envFrom may do so.

    What its image reads, and what its own words put where a number has to be: ``--port $(X_PORT)``
    (the kubelet expands Services' variables too, kubelet_pods.go makeEnvironmentVariables).
    """
    image = text(container, "image")
    tags, names = _SETTINGS.get(known_image(image), ("", ()))
    own = {text(one, "name") for one in array(container, "env")}
    if array(container, "envFrom"):
        return ()
    read = names if re.match(tags, image_tag(image)) else ()
    return tuple(name for name in (*read, *_as_numbers(container)) if name not in own)


_AS_NUMBER = re.compile(r"(?:^|\s)--?(?:[\w.-]*[-.])?port[=\s]\$\((\w+_PORT)\)")
_NUMBER_OF = re.compile(r"\$\((\w+_PORT)\)")


def _as_numbers(container: Object) -> Iterator[str]:
    """Variables, as the kubelet expands them, of which a number is made."""
    for field in ("command", "args"):
        words = " ".join(word for word in array(container, field) if isinstance(word, str))
        yield from _AS_NUMBER.findall(words)
    for one in array(container, "env"):
        value = _NUMBER_OF.fullmatch(text(one, "value"))
        if value is not None and text(one, "name").endswith("PORT"):
            yield value[1]


_ROOTS = frozenset(
    {"nginx", "httpd", "caddy", "traefik", "tomcat", "redis", "mongo", "postgres", "mysql",
     "mariadb", "rabbitmq", "couchdb", "neo4j", "zookeeper", "wordpress", "drupal", "joomla",
     "nextcloud", "phpmyadmin", "php", "python", "node", "golang", "ruby", "busybox", "alpine",
     "ubuntu", "debian", "registry", "ghost", "nginxdemos/hello", "traefik/whoami",
     "containous/whoami"}
)  # fmt: skip
"""Images whose program is started as root (their Dockerfile has no USER)."""
_NAMED = {
    "memcached": "memcache", "haproxy": "haproxy", "adminer": "adminer",
    "jenkins/jenkins": "jenkins", "prom/prometheus": "nobody", "prom/alertmanager": "nobody",
    "prom/node-exporter": "nobody",
}  # fmt: skip
"""Images whose USER is a name: whether that is root nobody knows before they are unpacked."""


def image_user(image: str) -> str | None:
    """``root``, or the user's name where no number is written; None: not known, or a number."""
    name = known_image(image)
    return "root" if name in _ROOTS else _NAMED.get(name)


def image_word(image: str) -> str:
    """The last part of its name: ``mysql`` of ``docker.io/library/mysql:8``."""
    return bare_image(image).rpartition("/")[2]


def image_tag(image: str) -> str:
    """``1.25-alpine``; empty: none."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


_MAJOR = re.compile(r"[0-9]+")


def major(image: str) -> int | None:
    """The number that its tag begins with; None: it begins with none, or with no version's."""
    found = _MAJOR.match(image_tag(image))
    return whole(found[0]) if found is not None else None


def known_image(image: str) -> str:
    """Without Docker's own registry, too: ``nginx``."""
    return _HUBS.sub("", bare_image(image))


_LEAST = 5
"""Letters of a name that may be misspelt: ``mono`` is an image, and ``mongo`` another."""
_OFFICIAL = Wordbook(name for name in {*_PORTS, *_ROOTS} if "/" not in name)


def official_typo(name: str) -> str:
    """Docker's official image that a name is a typing error of; empty: none, or it is one."""
    near = _OFFICIAL.typo(name) if len(name) >= _LEAST and "/" not in name else None
    return near if near is not None and near != name else ""


def is_kube_proxy(image: str, words: Iterable[str]) -> bool:
    """Whether a container with that image and command is a kube-proxy.

    In RKE2 an image of all of Kubernetes is told so by its command; others have had an image for
    each machine's kind.
    """
    by_image = _KUBE_PROXY.fullmatch(image_word(image))
    first = next(iter(words), "").split()
    return bool(by_image or (first and first[0].rpartition("/")[2] == "kube-proxy"))


def is_gateway(one: Container) -> bool:
    """Whether it is an Istio gateway; its chart leaves the image to a webhook (``auto``)."""
    return one.image == "auto" or (image_word(one.image) == "proxyv2" and "router" in one.spoken)


def serves_ingresses(one: Container) -> bool:
    """Whether the world comes in by it."""
    return is_ingress_controller(one.image) or is_gateway(one)


def is_ingress_controller(image: str) -> bool:
    """Whether it serves Ingresses: ingress-nginx, NGINX's, Traefik, HAProxy's, Kong."""
    return known_image(image) == "kong" or bare_image(image).endswith(_CONTROLLERS)


def bare_image(image: str) -> str:
    """Without tag and digest: ``registry:5000/nginx`` of ``registry:5000/nginx:1.27@sha256:…``."""
    head, slash, last = image.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
