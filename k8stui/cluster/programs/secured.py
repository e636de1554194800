"""Ports that a container answers by TLS alone, as its words, its env or a ConfigMap say.

Whoever asks there by plain HTTP is turned away (400, or an alert), a kubelet's probe too.

Sources: Kibana's server.ssl.enabled, Elasticsearch's xpack.security.http.ssl.enabled, Grafana's
[server] protocol, Spring Boot's server.ssl, Zitadel's TLS.Enabled, Mailpit's MP_UI_TLS_CERT, Kong's
status_listen, Hydra's serve (TLS unless --dangerous-force-http, before 2.0), nginx'
``listen … ssl``, uvicorn's, gunicorn's and the API server's options for a certificate and its key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.model import Container, Pod
from k8stui.cluster.programs.evidence import read_by
from k8stui.cluster.programs.images import image_tag, known_image
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Protocol

_YES = r"[\"']?(?:true|True|TRUE|1|yes|on)[\"']?"
_VARIABLES: Sequence[tuple[str, re.Pattern[str], int]] = [
    (name, re.compile(value), usual)
    for name, value, usual in (
        ("SERVER_SSL_ENABLED", _YES, 0),
        ("SERVER_SSL_KEY_STORE", r".+", 0),
        ("SERVER_SSL_KEYSTORE", r".+", 0),
        ("ZITADEL_TLS_ENABLED", _YES, 8080),
        ("MP_UI_TLS_CERT", r".+", 8025),
        ("GF_SERVER_PROTOCOL", r"https|h2", 3000),
        ("xpack.security.http.ssl.enabled", _YES, 9200),
    )
]
"""Variables, the values that have TLS spoken, and at which port of several (0: not known)."""
_LISTENS = re.compile(r"(?:^|,)\s*[^\s,]*:(\d{1,5})((?:\s+\w+)*)")
"""One of ``KONG_STATUS_LISTEN``, with its words."""
_OWN_PORT = "MANAGEMENT_SERVER_PORT"
"""Spring's port for probes, whose TLS is a setting of its own."""
_PAIRS = (
    ("--tls-cert-file", "--tls-private-key-file"),
    ("--tls-cert-file", "--tls-key-file"),
    ("--tls-cert", "--tls-key"),
    ("--ssl-certfile", "--ssl-keyfile"),
    ("--certfile", "--keyfile"),
)
"""Options with which a server, and no client, is given a certificate and its key."""
_ELSEWHERE = re.compile(r"--(?:[\w-]*(?:health|probe|insecure|metrics)[\w-]*)")
"""Options that open a port beside."""
_FILES: Sequence[tuple[re.Pattern[str], re.Pattern[str], int]] = [
    (re.compile(key), re.compile(said, re.MULTILINE), usual)
    for key, said, usual in (
        (r"kibana\.yml$", rf"^server\.ssl\.enabled:\s*{_YES}\s*$", 5601),
        (r"elasticsearch\.yml$", rf"^xpack\.security\.http\.ssl\.enabled:\s*{_YES}\s*$", 9200),
        (r"grafana\.ini$", r"^protocol\s*=\s*(?:https|h2)\s*$", 3000),
        (
            r"application(?:-[\w-]+)?\.properties$",
            rf"^server\.ssl\.(?:enabled\s*[=:]\s*{_YES}|key-store\s*[=:]\s*\S+)\s*$",
            0,
        ),
        (
            r"zitadel[\w.-]*\.ya?ml$",
            rf"^TLS:[ \t]*\n(?:[ \t].*\n)*?[ \t]+Enabled:\s*{_YES}\s*$",
            8080,
        ),
    )
]
"""Keys of ConfigMaps, what stands in them, and at which port of several."""
_NGINX = re.compile(r"^[ \t]*listen\s+(?:\S*:)?(\d{1,5})\s(?:[^;\n]*\s)?ssl\b", re.MULTILINE)
_PLAIN_TOO = re.compile(r"^[ \t]*error_page\s+497\b", re.MULTILINE)
"""nginx' own answer for plain HTTP at a port of TLS: it may be a good one."""


def by_tls_alone(
    config_maps: Mapping[str, ConfigMap], pod: Pod, container: Container, number: int
) -> str:
    """Who says that the port is answered by TLS alone, in words; empty: nobody does."""
    env = dict(container.env)
    for one in _LISTENS.finditer(env.get("KONG_STATUS_LISTEN", "")):
        if int(one[1]) == number:
            return "KONG_STATUS_LISTEN says so" if "ssl" in one[2].split() else ""
    for _, held, only in read_by(config_maps, pod, container):
        if not only and number in (ports := _listens.of(held)):
            return f"{ports[number]} says so"
    if _OWN_PORT in env:
        return ""
    alone = {p.number for p in container.ports if p.protocol is Protocol.TCP} == {number}
    found = _said(config_maps, pod, container, env, alone=alone)
    # With more ports nobody knows which is meant, unless the program has one for that.
    return next((said for said, usual in found if alone or usual == number), "")


def _said(
    config_maps: Mapping[str, ConfigMap],
    pod: Pod,
    container: Container,
    env: Mapping[str, str],
    *,
    alone: bool,
) -> Iterator[tuple[str, int]]:
    """What says it, and the port that is probably meant; `alone`: the container has but one."""
    for name, value, usual in _VARIABLES:
        if value.fullmatch(env.get(name, "")):
            yield f"{name} says so", usual
    for name, held, only in read_by(config_maps, pod, container):
        for key, usual in _secured.of(held):
            if only in ("", key):
                yield f"{key} of ConfigMap {name} says so", usual
    words = [word for text in container.spoken for word in text.split()]
    options = {word.partition("=")[0] for word in words}
    if alone and not any(map(_ELSEWHERE.match, options)):
        pairs = (pair for pair in _PAIRS if options.issuperset(pair))
        yield from ((f"{cert} and {key} say so", 0) for cert, key in pairs)
    if known_image(container.image) != "oryd/hydra" or "serve" not in words:
        return
    plain = {"--dangerous-force-http", "--dev"} & options or "DANGEROUS_FORCE_HTTP" in env
    if image_tag(container.image).startswith(("v0", "v1")) and not plain:
        for usual in (4444, 4445):
            yield f"image {container.image} does unless it is told --dangerous-force-http", usual


def _listens_of(held: ConfigMap) -> Mapping[int, str]:
    texts = ((key, value) for key, value in held.data.items() if isinstance(value, str))
    return {
        int(one[1]): f"{key} of ConfigMap {held.manifest.name}"
        for key, value in texts
        if "ssl_certificate" in value and not _PLAIN_TOO.search(value)
        for one in _NGINX.finditer(value)
    }


_listens: Derived[ConfigMap, Mapping[int, str]] = Derived(_listens_of)
"""nginx' ports with TLS, once a ConfigMap."""


def _secured_in(held: ConfigMap) -> Sequence[tuple[str, int]]:
    return [
        (key, usual)
        for key, value in held.data.items()
        for name, said, usual in _FILES
        if isinstance(value, str) and name.match(key) and said.search(value)
    ]


_secured: Derived[ConfigMap, Sequence[tuple[str, int]]] = Derived(_secured_in)
"""Keys whose text has the program answer by TLS, and its usual port."""
