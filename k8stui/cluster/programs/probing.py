"""Probes that cannot succeed, by what they ask and how.

The kubelet asks from the node (host names and localhost are its own), looks a port's name up among
those of the one container (pkg/probe/util.go ResolveContainerPort), and runs a command without a
shell (pkg/kubelet/prober runProbe; only ``$(NAME)`` is put in, ExpandContainerCommandOnlyStatic).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, at, table, text
from k8stui.cluster.programs import keycloak
from k8stui.cluster.programs.evidence import port_in_text
from k8stui.cluster.programs.images import image_ports, image_tag, known_image
from k8stui.cluster.programs.starting import Unready, only_waits
from k8stui.record import record
from k8stui.suggest import is_digit_slip, nearest

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_OF_CLUSTER_DNS = re.compile(r"\.svc(?:\.|$)")
PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
HANDLERS = ("httpGet", "tcpSocket")
_TLS = (443, 8443)


def _name(container: Object) -> str:
    return f"container {text(container, 'name')}"


@record(kw_only=True)
class FailingProbe(Unready):
    """A probe that cannot succeed."""

    probe: str
    errs: bool = False
    """It cannot even be asked: the kubelet throws that away (prober/worker.go doProbe)."""

    @property
    def keeps_away(self) -> bool:
        """Whether its pod serves nobody: a liveness probe has it ended again and again."""
        return self.probe != "livenessProbe" or not self.errs


def failing_probes(spec: Object, container: Object) -> Iterator[FailingProbe]:
    """Those of one container: of the node instead of the pod, of ports that it has not, by exec."""
    yield from _commands(container)
    asked = [(p, how) for p in PROBES if p in container for how in table(container, p)]
    asked = [(probe, handler) for probe, handler in asked if handler in HANDLERS]
    if not asked:
        return
    waits = only_waits(container) if len(array(spec, "containers")) == 1 else ""
    if waits:
        yield FailingProbe(
            why=f"the {asked[0][0]} of {_name(container)} asks a port, and its command does "
            f"nothing but wait ({waits})",
            mend="start the server in its command",
            path=("command",) if array(container, "command") else ("args",),
            sure=False,
            probe=asked[0][0],
        )
        return
    opened = image_ports(container) if len(array(spec, "containers")) == 1 else ()
    names = [text(port, "name") for port in array(container, "ports") if text(port, "name")]
    for probe, handler in asked:
        host = text(container, probe, handler, "host")
        whose = ""
        if host in LOOPBACK and at(spec, "hostNetwork") is not True:
            whose = "which is the node itself: the kubelet asks from there"
        elif _OF_CLUSTER_DNS.search(host):
            whose = (
                "a name of cluster DNS: the kubelet asks the node's own resolver, which does not "
                "know it"
            )
        if whose:
            yield FailingProbe(
                why=f"the {probe} of {_name(container)} asks host {host}, {whose}",
                mend="leave host out of the probe: the kubelet then asks the pod's own address",
                path=(probe, handler, "host"),
                sure=False,
                probe=probe,
            )
        port = at(container, probe, handler, "port")
        astray = _astray(container, table(container, probe, handler), handler)
        if astray is not None:
            yield FailingProbe(
                why=f"the {probe} of {_name(container)} asks {astray[0]}",
                mend=astray[1],
                path=(probe, handler, "port"),
                sure=False,
                probe=probe,
            )
            continue
        web = table(container, probe, handler) if handler == "httpGet" else {}
        if (turned := _below(container, web) or _for_hosts(container, web)) is not None:
            yield FailingProbe(
                why=f"the {probe} of {_name(container)} asks {turned[0]}",
                mend=turned[1],
                path=(probe, handler),
                sure=False,
                probe=probe,
            )
            continue
        number = _number(container, port)
        if (
            text(container, probe, handler, "scheme") == "HTTPS"
            and number in opened
            and number not in _TLS
        ):
            yield FailingProbe(
                why=f"the {probe} of {_name(container)} asks by HTTPS, and image "
                f"{text(container, 'image')} speaks plain HTTP on port {number} unless told "
                "otherwise",
                mend="write scheme: HTTP, or leave it out",
                path=(probe, handler, "scheme"),
                sure=False,
                probe=probe,
            )
        if web and port == "https" and port in names and text(web, "scheme") != "HTTPS":
            yield FailingProbe(
                why=f"the {probe} of {_name(container)} asks port {port} by plain HTTP, which who "
                "speaks TLS answers with 400",
                mend="write scheme: HTTPS",
                path=(probe, handler),
                sure=False,
                probe=probe,
            )
        if isinstance(port, int) and opened and port not in opened:
            image = text(container, "image")
            yield FailingProbe(
                why=f"the {probe} of {_name(container)} asks port {port}, and image {image} "
                f"listens on {opened[0]} unless told otherwise, which nothing here does",
                mend=f"write port: {opened[0]}",
                path=(probe, handler, "port"),
                sure=False,
                probe=probe,
            )
        if not isinstance(port, str) or port.isdecimal() or port in names:
            continue
        near = nearest(port, names) or (names[0] if len(names) == 1 else None)
        yield FailingProbe(
            why=f"the {probe} of {_name(container)} asks port {port}, and no port of that "
            "container is called so",
            mend=f"write port: {near}" if near else f"name the container's port {port}",
            path=(probe, handler, "port"),
            probe=probe,
            errs=True,
        )


_SHELLS = re.compile(r"(?:/\S*/)?(?:ba|da|a|z)?sh|(?:/\S*/)?env")
_FOR_A_SHELL = re.compile(r"\$\{?[A-Za-z_]\w*\}?")
_ANSWER_ALL = frozenset({"mysqladmin", "redis-cli"})
"""Programs that end well though the password is wrong (man mysqladmin, ping)."""


def _commands(container: Object) -> Iterator[FailingProbe]:
    """A command line in one word; a variable that only a shell would put in."""
    for probe in PROBES:
        words = [str(one) for one in array(container, probe, "exec", "command")]
        if not words:
            continue
        who = f"the {probe} of {_name(container)} runs"
        if len(words) == 1 and " " in words[0].strip():
            yield FailingProbe(
                why=f"{who} {words[0].split()[0]} and the rest as one word: no file is called so",
                mend="write each word of the command by itself, or [sh, -c, the line]",
                path=(probe, "exec", "command"),
                probe=probe,
                errs=True,
            )
            continue
        if _SHELLS.fullmatch(words[0]) or words[0].rpartition("/")[2] in _ANSWER_ALL:
            continue
        for index, word in enumerate(words):
            found = _FOR_A_SHELL.search(word)
            if found is not None:
                yield FailingProbe(
                    why=f"{who} {words[0]} without a shell: {found[0]} stays as it is written",
                    mend=f"write [sh, -c, the line], or $({found[0].strip('${}')})",
                    path=(probe, "exec", "command", index),
                    sure=False,
                    probe=probe,
                )


def _said(container: Object) -> list[object]:
    said = [*array(container, "command"), *array(container, "args")]
    return [*said, *(at(entry, "value") for entry in array(container, "env"))]


def is_named(container: Object, number: int) -> bool:
    """Whether anything but a probe says that the container may listen on a port."""
    ports = [at(entry, "containerPort") for entry in array(container, "ports")]
    word = port_in_text(number)
    return (
        number in ports
        or any(word.search(str(one)) for one in _said(container))
        or number in image_ports(container)
    )


_NEIGHBOUR = 9


def slipped(container: Object, number: int, *, or_near: bool = False) -> int | None:
    """The declared port that a probe's number is a digit away from, if nothing else speaks of it.

    A neighbour (8081 beside 8080) is often a port for probes alone, so it counts only where
    another probe asks the declared one; `or_near`: it counts always.
    """
    ports = [at(entry, "containerPort") for entry in array(container, "ports")]
    asked = [at(container, probe, how, "port") for probe in PROBES for how in HANDLERS]
    said = _said(container)
    if asked.count(number) > 1 or is_named(container, number):
        return None
    commands = " ".join(
        str(word) for probe in PROBES for word in array(container, probe, "exec", "command")
    )
    asked += [
        port for port in ports if isinstance(port, int) and port_in_text(port).search(commands)
    ]
    for port in asked:
        if not isinstance(port, int) or not any(str(port) in str(one) for one in said):
            continue
        if is_digit_slip(number, port) and abs(number - port) > _NEIGHBOUR:
            return port
    for port in ports:
        if not isinstance(port, int) or not is_digit_slip(number, port):
            continue
        if or_near or port in asked or abs(number - port) > _NEIGHBOUR:
            return port
    return None


_MANAGEMENT = "MANAGEMENT_SERVER_PORT"
_HEALTH = re.compile(
    r"(?P<option>--health(?:z|-probe)?(?:-bind)?-addr(?:ess)?)[= ][^\s=]*?:(?P<port>\d{1,5})(?!\S)"
)
"""Where a controller answers /healthz and /readyz (controller-runtime's scaffolded main.go)."""
_HEALTH_PATHS = frozenset({"/healthz", "/readyz"})
_SECURED = frozenset({"elasticsearch", "docker.elastic.co/elasticsearch/elasticsearch"})
_UNSECURED = re.compile(r"[1-7]\.")
_ELASTIC = 9200


def _astray(container: Object, asked: Object, handler: str) -> tuple[str, str] | None:
    """What a probe asks by HTTP of a program that answers it elsewhere, or otherwise; the mend.

    Spring Boot's actuator (management.server.port), a controller's health probes, Keycloak's
    health, Elasticsearch, which has TLS and passwords by itself since 8.0.
    """
    if handler != "httpGet":
        return None
    path, image = text(asked, "path"), known_image(text(container, "image"))
    number = _number(container, asked.get("port"))
    env = {text(one, "name"): text(one, "value") for one in array(container, "env")}
    told = env.get(_MANAGEMENT, "")
    if "/actuator" in path and told.isdecimal() and number not in (None, int(told[:_DIGITS])):
        return (
            f"port {number} for {path}, and {_MANAGEMENT} has Spring answer that on {told}",
            f"write port: {told}",
        )
    said = " ".join(map(str, (*array(container, "command"), *array(container, "args"))))
    health = _HEALTH.search(said)
    if health is not None and path in _HEALTH_PATHS and number is not None:
        if number == int(health["port"]):
            if text(asked, "scheme") != "HTTPS":
                return None
            said = f"port {number} for {path} by HTTPS, and {health['option']} has it answered by "
            return f"{said}plain HTTP", "write scheme: HTTP, or leave it out"
        return (
            f"port {number} for {path}, and {health['option']} has it answered on {health['port']}",
            f"write port: {health['port']}",
        )
    if image in keycloak.IMAGES:
        found = keycloak.probe(container, path, number)
        return (f"{path} of port {number}, {found[0]}", found[1]) if found is not None else None
    if image in _SECURED and number == _ELASTIC and not _UNSECURED.match(_tag(container)):
        is_told = any("xpack.security" in name for name in env) or array(container, "envFrom")
        has_own = any(
            "/config" in text(one, "mountPath") for one in array(container, "volumeMounts")
        )
        if not is_told and not has_own:
            said = (
                f"port {number} by HTTP, and Elasticsearch has TLS and asks for a password unless "
            )
            mend = (
                'set xpack.security.enabled: "false" in its env for a try, else let the probe be '
            )
            return f"{said}told otherwise (since 8.0)", f"{mend}a tcpSocket"
    return None


_ANY_HOST = re.compile(r"[*$]|^[\d.]+$")
"""All of them, what is put in later, addresses."""
_ALLOWED = re.compile(r"(?:.*_)?ALLOWED_?HOSTS", re.IGNORECASE)
"""Django's ALLOWED_HOSTS as it is mostly filled, and ASP.NET's AllowedHosts."""


def _for_hosts(container: Object, asked: Object) -> tuple[str, str] | None:
    """What a program says to a probe that answers for certain hosts alone; the mend.

    Django's HttpRequest.get_host, ASP.NET's HostFilteringMiddleware. The kubelet asks for the pod's
    address unless a header says otherwise.
    """
    if text(asked, "host") or not asked:
        return None
    if any(text(one, "name").lower() == "host" for one in array(asked, "httpHeaders")):
        return None
    for one in array(container, "env"):
        hosts = re.findall(r"[^\s,;'\"\[\]]+", text(one, "value"))
        named = [host for host in hosts if host not in LOOPBACK]
        if _ALLOWED.fullmatch(text(one, "name")) is None or any(map(_ANY_HOST.search, named)):
            continue
        if hosts:
            host = (named or hosts)[0].lstrip(".")
            said = f"by the pod's own address, and {text(one, 'name')} lets in who asks for {host}"
            mend = f"write httpHeaders: [{{name: Host, value: {host}}}] into the probe"
            return f"{said} alone: it is answered with 400", mend
    return None


_CONTEXTS = (
    "SERVER_SERVLET_CONTEXT_PATH", "SERVER_SERVLET_CONTEXTPATH", "SPRING_WEBFLUX_BASE_PATH",
    "QUARKUS_HTTP_ROOT_PATH", "MICRONAUT_SERVER_CONTEXT_PATH",
)  # fmt: skip
_CONTEXT = re.compile(
    r"(?:--|-D)(server\.servlet\.context-path|spring\.webflux\.base-path|quarkus\.http\.root-path"
    r"|micronaut\.server\.context-path|web\.route-prefix|prefix)=(/\S*)"
)
_EXTERNAL_URL = re.compile(r"--(web\.external-url)=\w+://[^/\s]+(/\S*)")
"""Below which path everything of an application is (Spring Boot, Quarkus, Micronaut; Prometheus'
programs, which take it from the URL for others where no route prefix is said; Jenkins)."""


def _below(container: Object, asked: Object) -> tuple[str, str] | None:
    """A probe's path that is not below the application's; not of a port of its own."""
    env = {text(one, "name"): text(one, "value") for one in array(container, "env")}
    if not asked or _MANAGEMENT in env:
        return None
    said = [*array(container, "command"), *array(container, "args"), *env.values()]
    told = [(name, env[name]) for name in _CONTEXTS if env.get(name, "").strip("/")]
    line = " ".join(map(str, said))
    told += _CONTEXT.findall(line)
    told = told or _EXTERNAL_URL.findall(line)
    path = text(asked, "path") or "/"
    for name, context in told:
        base = "/" + context.strip("/")
        if base != "/" and "$" not in base and not f"{path}/".startswith(f"{base}/"):
            return (
                f"for {path}, and {name} has everything below {base}: it is answered with 404",
                f"write path: {base}{path}",
            )
    return None


_DIGITS = 5


def _tag(container: Object) -> str:
    return image_tag(text(container, "image"))


def _number(container: Object, port: object) -> int | None:
    if isinstance(port, int):
        return port
    ports = (one for one in array(container, "ports") if text(one, "name") == port)
    found = next((at(one, "containerPort") for one in ports), None)
    return found if isinstance(found, int) else None
