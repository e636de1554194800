"""Options that a program does not know any more: it ends, and says so.

What an old page says does for an old image; without a tag the image is the newest. Sources: release
notes of MongoDB 3.6, 4.2 and 6.1 (removed options), MySQL 8.0 and 8.4 ("Options and Variables
Removed"), Traefik's migration guide from v1 to v2, Prometheus' from 1.x to 2.0 (kingpin's flags).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.model import Container, Pod
from k8stui.cluster.programs import keycloak
from k8stui.cluster.programs.evidence import read_by
from k8stui.cluster.programs.images import image_tag, known_image
from k8stui.kernel.derived import Derived
from k8stui.origin import Origin
from k8stui.record import record

_Version = tuple[int, int]


@record()
class Outdated:
    """An option, the version since which nobody knows it, and where it is written."""

    option: str
    since: str
    instead: str
    origin: Origin


@record()
class _Removed:
    option: re.Pattern[str]
    since: _Version
    instead: str = ""
    """What does it now; empty: it goes without."""


def _those(since: _Version, *options: str, instead: str = "") -> _Removed:
    return _Removed(re.compile("|".join(options)), since, instead)


_MYSQL = (
    _those((8, 4), "default[-_]authentication[-_]plugin",
           instead="--mysql-native-password=ON (8.4), or users made WITH caching_sha2_password"),
    _those((8, 4), "expire[-_]logs[-_]days", instead="binlog_expire_logs_seconds"),
    _those((8, 0), "query[-_]cache[-_]\\w+", "innodb[-_](?:file[-_]format|large[-_]prefix)",
           "secure[-_]auth", "log[-_]warnings", "sync[-_]frm"),
)  # fmt: skip
_REMOVED: Mapping[str, Sequence[_Removed]] = {
    "mongo": (
        _those((4, 2), "smallfiles", "noprealloc", "nssize"),
        _those((6, 1), "nojournal", "journal"),
        _those((3, 6), "rest", "httpinterface"),
    ),
    "mysql": _MYSQL,
    "traefik": (
        _those((2, 0), "web", "kubernetes", "logLevel", "docker",
               instead="--providers.kubernetesingress, --log.level, --api.insecure"),
    ),
    "prom/prometheus": (
        _those((2, 0), "storage\\.local\\.\\S+", "alertmanager\\.url",
               instead="--storage.tsdb.path, and alerting in prometheus.yml"),
    ),
}  # fmt: skip
_KEYCLOAK = {
    "DB_VENDOR": "KC_DB", "DB_ADDR": "KC_DB_URL_HOST", "DB_PORT": "KC_DB_URL_PORT",
    "DB_DATABASE": "KC_DB_URL_DATABASE", "DB_USER": "KC_DB_USERNAME",
    "DB_PASSWORD": "KC_DB_PASSWORD", "KEYCLOAK_USER": "KEYCLOAK_ADMIN",
    "KEYCLOAK_PASSWORD": "KEYCLOAK_ADMIN_PASSWORD",
}  # fmt: skip
_UNREAD: Mapping[str, tuple[_Version, Mapping[str, str]]] = {
    **dict.fromkeys(keycloak.IMAGES, ((17, 0), _KEYCLOAK)),
    "influxdb": ((2, 0), {
        "INFLUXDB_DB": "DOCKER_INFLUXDB_INIT_BUCKET",
        "INFLUXDB_ADMIN_USER": "DOCKER_INFLUXDB_INIT_USERNAME",
        "INFLUXDB_ADMIN_PASSWORD": "DOCKER_INFLUXDB_INIT_PASSWORD",
    }),
}  # fmt: skip
"""Variables that images have read, since when they do not, and what is read instead. Sources:
Keycloak's migration guide from WildFly to Quarkus, influxdb's README."""


def unread(image: str, names: Collection[str]) -> Mapping[str, tuple[str, str]]:
    """Of an image's variables those that nobody reads any more: since when, and what instead."""
    since, instead = _UNREAD.get(known_image(image), ((0, 0), {}))
    if not instead or _version(image) < since:
        return {}
    said = ".".join(map(str, since)).removesuffix(".0")
    told = {one: instead[one] for one in names if one in instead}
    return {one: (said, new) for one, new in told.items() if new not in names}


_OPTION = re.compile(r"(?P<option>--?(?P<name>[A-Za-z][\w.-]*))(?:=.*)?", re.DOTALL)
_SETTING = re.compile(r"\s*(?:loose[-_])?(?P<name>[a-z][\w-]*)\s*(?:=.*)?$")
_FILES = re.compile(r"\.cnf$")
_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?")


def is_dated(image: str) -> bool:
    """Whether options of its program are known that are gone."""
    return known_image(image) in _REMOVED


def outdated(
    config_maps: Mapping[str, ConfigMap], pod: Pod, container: Container
) -> Iterator[Outdated]:
    """Those of its command and arguments, and of the my.cnf that it mounts."""
    name = known_image(container.image)
    removed = _REMOVED.get(name, ())
    if not removed:
        return
    version = _version(container.image)
    words = [word for text in container.spoken for word in text.split()]
    options = [one for one in map(_OPTION.fullmatch, words) if one is not None]
    said = [(one["option"], one["name"], container.origin) for one in options]
    if name == "mysql":
        for _, held, only in read_by(config_maps, pod, container):
            settings = _settings.of(held) if not only else ()
            said += [(one, one, held.origin(key, at)) for one, key, at in settings]
    for option, called, origin in said:
        for one in removed:
            if version >= one.since and one.option.fullmatch(called):
                since = ".".join(map(str, one.since))
                yield Outdated(option, since, one.instead, origin)


def _version(image: str) -> _Version:
    """By its tag; the newest where that does not say."""
    tag = _VERSION.match(image_tag(image))
    return (int(tag[1]), int(tag[2] or _ANY)) if tag is not None else (_ANY, _ANY)


_ANY = 1_000
"""A version above all others: no tag, or ``8`` for the newest 8."""


def _settings_in(held: ConfigMap) -> Sequence[tuple[str, str, int]]:
    return [
        (one["name"], line.key, line.offset)
        for line in held.lines()
        if _FILES.search(line.key) and (one := _SETTING.match(line.text)) is not None
    ]


_settings: Derived[ConfigMap, Sequence[tuple[str, str, int]]] = Derived(_settings_in)
"""Once a ConfigMap."""
