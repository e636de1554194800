"""Files that a container names and that the volume mounted over their folder has not.

A volume takes the place of the folder that the image has there: what stood in it is not seen any
more (mount(2)). A ConfigMap's volume holds its keys and nothing else, and nobody can write to it
(pkg/volume/configmap, since 1.9.6); its files cannot be run unless defaultMode says so (0644).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from k8stui.apiserver.fields import Object, array, number, table, text
from k8stui.cluster.model import Mount, NamedFile
from k8stui.cluster.programs.images import known_image
from k8stui.manifests import Manifest

EMPTY = "emptyDir"
_SOURCES = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"))
_READABLE = 0o644
_RUNS = 0o111


def mounts(
    manifest: Manifest, spec: Object, container: Object, base: tuple[str | int, ...]
) -> tuple[Mount, ...]:
    """The volumes of a container, the innermost first."""
    entries = array(container, "volumeMounts")
    if not entries:
        return ()
    volumes = {text(one, "name"): table(one) for one in array(spec, "volumes")}
    found = []
    for index, one in enumerate(entries):
        kind, name, source = _source(volumes.get(text(one, "name"), {}))
        if kind == EMPTY and _is_filled(spec, container, text(one, "name")):
            kind = ""
        mode = number(source, "defaultMode")
        items = [table(item) for item in array(source, "items")]
        modes = [_READABLE if mode is None else mode, *(number(one, "mode") or 0 for one in items)]
        found.append(
            Mount(
                path=text(one, "mountPath").rstrip("/"),
                kind=kind,
                name=name,
                key=text(one, "subPath") or text(one, "subPathExpr"),
                items=tuple((text(item, "path"), text(item, "key")) for item in items),
                runs=any(each & _RUNS for each in modes),
                origin=manifest.origin(*base, "volumeMounts", index, "mountPath"),
            )
        )
    return tuple(sorted(found, key=lambda mount: -len(mount.path)))


def _source(volume: Object) -> tuple[str, str, Object]:
    for field, kind, name in _SOURCES:
        source = table(volume, field)
        if text(source, name) and source.get("optional") is not True:
            return kind, text(source, name), source
    return EMPTY if EMPTY in volume else "", "", {}


def _is_filled(spec: Object, container: Object, volume: str) -> bool:
    """Whether another container of the pod has the volume too, and may put files there."""
    return any(
        text(mount, "name") == volume
        for field in ("initContainers", "containers")
        for other in array(spec, field)
        if other is not container
        for mount in array(other, "volumeMounts")
    )


def mount_of(path: str, those: Collection[Mount]) -> tuple[Mount, str] | None:
    """The volume that a path leads into, and its key there; None: it is the image's own.

    An empty key: the volume's `items` have no such path.
    """
    for one in those:
        if path == one.path and one.key:
            return one, one.key
        if path.startswith(f"{one.path}/"):
            inside = path[len(one.path) + 1 :]
            return one, dict(one.items).get(inside, "") if one.items else inside
    return None


_INTERPRETERS = re.compile(r"(?:\S*/)?(?:(?:ba|da|a|z)?sh|python[\d.]*|node|ruby|perl|php)")
_PATH = re.compile(r"/[\w.@+-]+(?:/[\w.@+-]+)+")
_FILE = re.compile(r"[^/]\.[A-Za-z]\w{0,9}$")
"""A name with an ending: what has none may be a folder."""
_OPTION = re.compile(r"--?[\w.-]+=(?P<value>/\S+)")


def named_files(container: Object) -> Iterator[NamedFile]:
    """Those that its command or arguments name, or its image where it has neither."""
    command = [str(word) for word in array(container, "command")]
    words = [*command, *(str(word) for word in array(container, "args"))]
    if not words:
        image = text(container, "image")
        for path in _NEEDED.get(known_image(image), ()):
            yield NamedFile(path, f"image {image} starts with", of_image=True)
    first = command[0] if command else ""
    if _PATH.fullmatch(first):
        yield NamedFile(first, "its command is", is_program=True)
    folder = text(container, "workingDir").rstrip("/")
    script = words[1] if len(words) > 1 and _INTERPRETERS.fullmatch(words[0]) else ""
    if script and not script.startswith(("/", "-")) and folder:
        whole = f"{folder}/{script.removeprefix('./')}"
        yield NamedFile(whole, "its command runs", is_script=True)
    for word in words[1:] if command else words:
        option = _OPTION.fullmatch(word)
        path = option["value"] if option is not None else word
        if _PATH.fullmatch(path) and (_FILE.search(path) or path == script):
            yield NamedFile(path, "its command names", is_script=path == script)


_ELASTIC = ("/usr/share/elasticsearch/config/log4j2.properties",)
_NEEDED: Mapping[str, Collection[str]] = {
    "nginx": ("/etc/nginx/nginx.conf",),
    "nginxinc/nginx-unprivileged": ("/etc/nginx/nginx.conf",),
    "httpd": ("/usr/local/apache2/conf/httpd.conf",),
    "haproxy": ("/usr/local/etc/haproxy/haproxy.cfg",),
    "eclipse-mosquitto": ("/mosquitto/config/mosquitto.conf",),
    "prom/prometheus": ("/etc/prometheus/prometheus.yml",),
    "prom/alertmanager": ("/etc/alertmanager/alertmanager.yml",),
    "tomcat": ("/usr/local/tomcat/conf/server.xml",),
    "caddy": ("/etc/caddy/Caddyfile",),
    "grafana/grafana": ("/etc/grafana/grafana.ini",),
    "grafana/loki": ("/etc/loki/local-config.yaml",),
    "telegraf": ("/etc/telegraf/telegraf.conf",),
    "fluent/fluent-bit": ("/fluent-bit/etc/fluent-bit.conf",),
    "fluent/fluentd": ("/fluentd/etc/fluent.conf",),
    "envoyproxy/envoy": ("/etc/envoy/envoy.yaml",),
    "otel/opentelemetry-collector": ("/etc/otelcol/config.yaml",),
    "otel/opentelemetry-collector-contrib": ("/etc/otelcol-contrib/config.yaml",),
    "elasticsearch": _ELASTIC,
    "docker.elastic.co/elasticsearch/elasticsearch": _ELASTIC,
}
"""Files without which the images' programs end, told nothing else (their Dockerfiles' CMD)."""
NGINX = "/etc/nginx"
_INCLUDE = re.compile(r"^[ \t]*include\s+(?P<path>[^\s;*$]+)\s*;", re.MULTILINE)


def included(texts: Mapping[str, object]) -> Iterator[tuple[str, str, int]]:
    """(key, path, offset) of what nginx's files take in by name; a pattern may find nothing."""
    for key, value in texts.items():
        for one in _INCLUDE.finditer(value) if isinstance(value, str) else ():
            path = one["path"].strip("\"'")
            yield key, path if path.startswith("/") else f"{NGINX}/{path}", one.start("path")
