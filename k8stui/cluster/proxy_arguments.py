"""What a kube-proxy is told by its own arguments, where no ``--config`` leads it to a file.

Source: cmd/kube-proxy/app/options.go (AddFlags; Complete: a file goes before all of them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, at, table, text
from k8stui.cluster.mentions import template_path
from k8stui.cluster.model import ProxyConfiguration
from k8stui.cluster.programs.images import is_kube_proxy
from k8stui.origin import Origin, defaulted
from k8stui.record import record
from k8stui.settings import PROXY, Setting
from k8stui.whole import whole

if TYPE_CHECKING:
    from k8stui.apiserver.inventory import Inventory
    from k8stui.manifests import Manifest

_KINDS = ("DaemonSet", "Pod")
_FILE = "--config"
_NAME = "--hostname-override"
_REFERENCE = re.compile(r"\$\((\w+)\)")
_SWITCH = {"": True, "true": True, "1": True, "t": True, "false": False, "0": False, "f": False}
"""As Go reads them (strconv.ParseBool), in lower case."""
_WORDS = re.compile(r"""(?:[^\s"';|&>]|"[^"]*"|'[^']*')+""")

_Path = tuple[str | int, ...]


@record()
class _Said:
    """An argument's value, and where it stands."""

    value: str
    path: _Path


def told_by_arguments(inventory: Inventory) -> ProxyConfiguration | None:
    """What the first kube-proxy of the input is told; None: there is none, or a file tells it.

    Nor where an argument is set by what only its node knows (``$(POD_CIDR)`` of no plain value).
    """
    for manifest, container, path in _proxies(inventory):
        said = _arguments(container, path)
        if said is None or _FILE in said:
            return None
        return _read(manifest, said, path)
    return None


@record()
class NodesName:
    """The name that a kube-proxy is told for its node's by an argument."""

    written: str
    field: str
    """Of its pod's fields, where it is one of them: ``spec.nodeName``, ``status.hostIP``."""
    origin: Origin


def named_by_argument(inventory: Inventory) -> NodesName | None:
    """What goes before the name in its file; None: no kube-proxy of the input is told one.

    Source: cmd/kube-proxy/app/options.go processHostnameOverrideFlag.
    """
    for manifest, container, path in _proxies(inventory):
        words = _words(container, path)
        for word, after in pairwise([*words, _Said("", path)]):
            name, equals, value = word.value.partition("=")
            if name == _NAME:
                env = {text(one, "name"): table(one) for one in array(container, "env")}
                written = (value if equals else after.value).strip("\"'")
                used = _REFERENCE.fullmatch(written)
                one = env.get(used[1], {}) if used else {}
                return NodesName(
                    text(one, "value") or written,
                    text(one, "valueFrom", "fieldRef", "fieldPath"),
                    manifest.origin(*word.path),
                )
    return None


def is_shared(inventory: Inventory) -> bool:
    """Whether one template, with one file, is that of the kube-proxies of all nodes."""
    return any(manifest.kind == "DaemonSet" for manifest, _, _ in _proxies(inventory))


def _proxies(inventory: Inventory) -> Iterator[tuple[Manifest, Object, _Path]]:
    for kind in _KINDS:
        for manifest in inventory.of(kind).values():
            base = (*template_path(kind), "spec")
            spec = at(manifest.data, *base)
            if text(spec, "nodeSelector", "kubernetes.io/os") == "windows":
                continue
            for index, one in enumerate(array(spec, "containers")):
                container = table(one)
                words = map(str, array(container, "command"))
                if is_kube_proxy(text(container, "image"), words):
                    yield manifest, container, (*base, "containers", index)


def _arguments(container: Object, path: _Path) -> Mapping[str, _Said] | None:
    """By their names; None: there are none, or one of them is not to be known from here."""
    env = {text(one, "name"): text(one, "value") for one in array(container, "env")}
    words = _words(container, path)
    if not words:
        return None
    found: dict[str, _Said] = {}
    for word, after in pairwise([*words, _Said("", path)]):
        name, equals, value = word.value.partition("=")
        if not name.startswith("--"):
            continue
        if not equals and name in _VALUED:
            value = after.value
        value = _REFERENCE.sub(lambda one: env.get(one[1]) or one[0], value.strip("\"'"))
        if "$" in value and (name == _FILE or name in _VALUED):
            return None
        found[name] = _Said(value, word.path)
    return found


def _words(container: Object, path: _Path) -> list[_Said]:
    return [
        _Said(word, (*path, field, index))
        for field in ("command", "args")
        for index, line in enumerate(array(container, field))
        for word in _WORDS.findall(str(line))
    ]


def _read(manifest: Manifest, said: Mapping[str, _Said], path: _Path) -> ProxyConfiguration:
    origins: dict[str, Origin] = {}
    values: dict[str, object] = {}
    place = manifest.origin(*path).place
    for setting in filter(lambda one: one.argument, PROXY):
        argument = said.get(setting.argument)
        value = None if argument is None else _value(setting, argument.value)
        if argument is None or value is None:
            unsaid = f"no such argument: kube-proxy's default of {setting.argument}"
            origins[setting.name] = defaulted(unsaid, place)
        else:
            origins[setting.name] = manifest.origin(*argument.path)
            values[setting.name] = value
    made = ProxyConfiguration(origin=manifest.origin(*path), origins=origins)
    return replace(made, **values)  # type: ignore[arg-type]


def _value(setting: Setting[object], written: str) -> object:
    """None: its default counts, or it does not start with that."""
    match setting.default:
        case bool():
            return _SWITCH.get(written.lower())
        case int():
            return whole(written)
        case str():
            return written or None
        case _:
            return tuple(filter(None, written.split(",")))


_VALUED = {one.argument for one in PROXY if not isinstance(one.default, bool)} - {""} | {_FILE}
"""Behind which a value may stand as a word of its own."""
