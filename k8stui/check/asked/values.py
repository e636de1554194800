"""The values of a container's variables, wherever they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from k8stui.apiserver.fields import array, table, text
from k8stui.check.asked.hosts import ID
from k8stui.check.finding import Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import ContainerText, Template
from k8stui.manifests import Manifest

Variable = tuple[str, str, Manifest, tuple[str | int, ...]]
"""Name, value, and where that is written."""
_NEEDS_NONE = re.compile(
    r"(HOST|HOSTNAME|ADDR|ADDRESS|URL|URI|SERVER|ENDPOINT|PORT|DSN)S?$", re.IGNORECASE
)


_QUOTED = re.compile(r"([\"'])(.+)\1\s*")


def in_quotes(
    template: Template, container: ContainerText, given: Iterable[Variable]
) -> Iterator[Finding]:
    """``'"http://users:3001"'``: quotes that Compose takes off are part of a value here."""
    for name, value, holder, path in given:
        found = _QUOTED.fullmatch(value)
        if found is None or not _NEEDS_NONE.search(name) or holder.kind == "Secret":
            continue
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=template.subject,
            place=holder.place(*path),
            why=f"{name} of container {container.name} begins and ends in {found[1]}, which is "
            "part of the value: no such name or number is found",
            fix="write the value without the quotes inside",
        )


_HOST_AND_PORT = re.compile(r"([a-z0-9][-a-z0-9.]*):(\d{1,5})")


def with_its_port_twice(
    template: Template, container: ContainerText, given: Sequence[Variable]
) -> Iterator[Finding]:
    """``DB_HOST: db:5432`` beside ``DB_PORT: 5432``: who joins them asks ``db:5432:5432``."""
    values = {name: value for name, value, *_ in given}
    for name, value, holder, path in given:
        stem = name.upper().removesuffix("NAME").removesuffix("HOST")
        found = _HOST_AND_PORT.fullmatch(value)
        if found is None or stem == name.upper() or values.get(f"{stem}PORT") != found[2]:
            continue
        yield Finding(
            rule=ID,
            severity=Severity.INFO,
            subject=template.subject,
            place=holder.place(*path),
            why=f"{name} of container {container.name} holds port {found[2]}, which {stem}PORT "
            f"beside it says too: who takes {name} for a host looks for the name {value}, and who "
            f"joins them for {value}:{found[2]}",
            fix=f"write {name}: {found[1]}",
        )


def with_white_space(
    template: Template, container: ContainerText, given: Iterable[Variable]
) -> Iterator[Finding]:
    """A host, URL or port that ends in a line feed or a blank: no resolver finds such a name.

    ``|`` in a ConfigMap and ``echo`` without ``-n`` before base64 put a line feed there.
    """
    for name, value, holder, path in given:
        if value.strip() in ("", value) and not value.endswith("\n"):
            continue
        if "\n" in value.strip() or not _NEEDS_NONE.search(name):
            continue
        feed = value.endswith("\n")
        secret = holder.kind == "Secret"
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=template.subject,
            place=holder.place(*path),
            why=f"{name} of container {container.name} ends in a "
            f"{'line feed' if feed else 'blank'}"
            + (f" ({holder.kind} {holder.name})" if holder is not template.manifest else "")
            + ", which is part of the value: no such name or number is found",
            fix="encode it again without the line feed (echo -n), or write it into stringData"
            if secret
            else "write |- or the value on the key's own line"
            if feed
            else "leave the blank out",
        )


def variables(ground: Ground, template: Template, container: ContainerText) -> Iterator[Variable]:
    """Each variable with its value, and where that is written: here, in a ConfigMap or a Secret.

    Of a Secret no value is known, but whether it ends in a line feed.
    """
    for index, one in enumerate(array(container.data, "env")):
        source = table(one, "valueFrom")
        name = text(one, "name")
        if not source:
            path = (*container.path, "env", index, "value")
            yield name, text(one, "value"), template.manifest, path
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            held = ground.of_kind(kind).get(f"{template.namespace}/{text(source, field, 'name')}")
            key = text(source, field, "key")
            if held is not None:
                yield from ((name, value, held, path) for value, path in _under(held, key))
    for one in array(container.data, "envFrom"):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            held = ground.of_kind(kind).get(f"{template.namespace}/{text(one, field, 'name')}")
            if held is not None:
                prefix = text(one, "prefix")
                yield from ((prefix + key, value, held, path) for key, value, path in _held(held))


def _under(manifest: Manifest, key: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for part in ("data", "stringData"):
        value = table(manifest.data, part).get(key)
        if isinstance(value, str):
            yield value, (part, key)


def _held(manifest: Manifest) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for part in ("data", "stringData"):
        for key, value in table(manifest.data, part).items():
            if isinstance(value, str):
                yield key, value, (part, key)
