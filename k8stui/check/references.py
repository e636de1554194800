"""Environment variables that a container's text refers to.

Source: third_party/forked/golang/expansion (``$(NAME)`` in env values, command and args, ``$$`` is
the escape); ``$NAME`` and ``${NAME}`` in command and args are the shell's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.apiserver.fields import array, text
from k8stui.check.template import ContainerText
from k8stui.record import record

_KUBELET = re.compile(r"(?<!\$)\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_SHELL = re.compile(r"(?<!\$)\$(?:\(([A-Za-z_]\w*)\)|\{([A-Za-z_]\w*)|([A-Za-z_]\w*))", re.ASCII)

_BRACED = re.compile(r"\$\{([A-Za-z_]\w*)\}", re.ASCII)


@record()
class Reference:
    """One mention of a variable."""

    name: str
    path: tuple[str | int, ...]
    """Where it stands in the manifest."""


def references(container: ContainerText) -> Iterator[Reference]:
    """All mentions of variables that the container does not define itself."""
    own = {text(entry, "name") for entry in array(container.data, "env")}
    for index, entry in enumerate(array(container.data, "env")):
        for found in _KUBELET.finditer(text(entry, "value")):
            if found[1] not in own:
                yield Reference(found[1], (*container.path, "env", index, "value"))
    for field in ("command", "args"):
        for index, entry in enumerate(array(container.data, field)):
            for found in _SHELL.finditer(entry if isinstance(entry, str) else ""):
                name = found[1] or found[2] or found[3]
                if name not in own:
                    yield Reference(name, (*container.path, field, index))


def too_early(container: ContainerText) -> Iterator[Reference]:
    """Mentions, in env, of a variable that the same list defines further down: they stay as text.

    A container's env is expanded in its order (pkg/kubelet/kubelet_pods.go makeEnvironment).
    """
    entries = array(container.data, "env")
    names = [text(entry, "name") for entry in entries]
    for index, entry in enumerate(entries):
        for found in _KUBELET.finditer(text(entry, "value")):
            if found[1] in names[index + 1 :] and found[1] not in names[:index]:
                yield Reference(found[1], (*container.path, "env", index, "value"))


def in_shells_way(container: ContainerText) -> Iterator[Reference]:
    """``${NAME}`` in env, of a variable that the container has: the kubelet leaves it as it is."""
    entries = array(container.data, "env")
    names = {text(entry, "name") for entry in entries}
    for index, entry in enumerate(entries):
        for found in _BRACED.finditer(text(entry, "value")):
            if found[1] in names - {text(entry, "name")}:
                yield Reference(found[1], (*container.path, "env", index, "value"))


def env_prefix(service_name: str) -> str:
    """``MY_DB`` for ``my-db`` (pkg/kubelet/envvars makeEnvVariableName)."""
    return service_name.upper().replace("-", "_")
