"""YAML and JSON that is no Kubernetes object: what it probably is, in one line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from k8stui.manifests.files import STDIN
from k8stui.manifests.problem import Note

_TEMPLATE = re.compile(
    r"\{\{-?\s*(?:\.|\$|/\*|(?:include|if|else|end|range|with|template|define|block|toYaml|default"
    r"|tpl|printf|quote|required)\b)"
)
_YTT = re.compile(
    r"^ *#@ (?:load\(|def\b|if\b|if/end|for\b|end\b)|^ *#@(?:data/values|overlay/|schema/)"
    r"|^ *(?:- )*[\w./-]+: #@ ",
    re.MULTILINE,
)
"""Carvel's ytt: code behind ``#@``, which is a comment to YAML."""
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|(?:^|\s)#.*")
_UNQUOTED = re.compile(r"(?:^\s*|:\s+|-\s+|[\[,]\s*)(?:\{\{|@[A-Z][A-Z0-9_]*@)")
_BY_NAME = {
    "values.yaml": "values of a Helm chart",
    "values.yml": "values of a Helm chart",
    "requirements.yaml": "dependencies of a Helm chart",
    "skaffold.yaml": "a skaffold configuration",
    "mkdocs.yml": "an mkdocs configuration",
    "package.json": "a package.json",
    "tsconfig.json": "a tsconfig.json",
}
_BY_KEYS = (
    ({"services"}, "a compose file"),
    ({"on", "jobs"}, "a GitHub workflow"),
    ({"true", "jobs"}, "a GitHub workflow"),  # `on` is a boolean in YAML 1.1
    ({"stages"}, "a GitLab pipeline"),
    ({"pipelines"}, "a pipeline configuration"),
    ({"openapi"}, "an OpenAPI description"),
    ({"swagger"}, "an OpenAPI description"),
    ({"repos"}, "a pre-commit configuration"),
    ({"plays"}, "a playbook"),
    ({"apiVersion", "entries"}, "the index of a repository of Helm charts"),
    ({"apiVersion", "datasources"}, "what Grafana provisions"),
    ({"apiVersion", "providers"}, "what Grafana provisions"),
)
KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


def is_kustomized(notes: Iterable[Note]) -> bool:
    """Whether a kustomization, which is not applied here, may set namespaces and labels."""
    return any(os.path.basename(note.file) in KUSTOMIZATIONS for note in notes)  # noqa: PTH119


CHART = "Chart.yaml"
CNI_LIST = "CNI network configuration"
"""Kind that a network configuration list is given, which has none of its own."""


DOCKER_OPTIONS = "Docker daemon options"


def runtime_kind(data: Mapping[str, object], file: str) -> str | None:
    """What a container runtime reads and Kubernetes does not; None: it is not that.

    A list as in /etc/cni/net.d (CNI specification, section 1), or dockerd's daemon.json.
    """
    if "cniVersion" in data and isinstance(data.get("plugins"), list):
        return CNI_LIST
    return DOCKER_OPTIONS if os.path.basename(file) == "daemon.json" else None  # noqa: PTH119


def is_template(content: str) -> bool:
    """Whether the text has Helm's (Go template's) marks in it."""
    return "{{" in content and _TEMPLATE.search(content) is not None


def is_ytt(content: str) -> bool:
    """Whether values of the text are made by ytt: they are no values yet."""
    return "#@" in content and _YTT.search(content) is not None


def is_unrendered(piece: str) -> bool:
    """Whether a text that is no YAML has a template's marks where YAML has none.

    Helm's and Jinja's ``{{``, and ``@NAME@`` as scripts around sed and autoconf have it.

    Marks within a value (``a-{{ b }}``) are none to YAML; those in quotes and in the text of block
    scalars (alerts, dashboards) are somebody else's.
    """
    if "{{" not in piece and "@" not in piece:
        return False
    from k8stui.manifests.outline import structural  # noqa: PLC0415 - unreadable texts only

    lines = piece.split("\n")
    return any(_UNQUOTED.search(_QUOTED.sub("", lines[line])) for line in structural(lines))


def folder_note(file: str) -> Note | None:
    """Say how a kustomization's or a chart's folder is rendered, for the file that makes it one."""
    name = os.path.basename(file)  # noqa: PTH119 - pathlib costs 3 ms
    if name not in {*KUSTOMIZATIONS, CHART}:
        return None
    from pathlib import PurePath  # noqa: PLC0415

    folder = str(PurePath(file).parent)
    if name in KUSTOMIZATIONS:
        return Note(
            message="a kustomization, not applied to what is read here",
            file=file,
            hint=f"kubectl kustomize {folder} | k8stui -",
        )
    return Note(
        message="a Helm chart, its templates are not rendered here",
        file=file,
        hint=f"helm template {folder} | k8stui -",
    )


def template_note(file: str, *, chart: str | None) -> Note:
    """A template of a chart; `chart`: its folder, where that is known."""
    hint = f"helm template {chart} | k8stui -" if chart else "render it first, then: | k8stui -"
    return Note(message="an unrendered template, skipped", file=file, hint=hint)


def ytt_note(file: str) -> Note:
    """A template of ytt, or what it reads with them."""
    from pathlib import PurePath  # noqa: PLC0415 - as above

    hint = f"ytt -f {PurePath(file).parent} | k8stui -" if file != STDIN else ""
    return Note(message="an unrendered template of ytt, skipped", file=file, hint=hint)


def name_of(value: object, file: str) -> str:
    """Say what a document without kind and apiVersion is."""
    by_name = _BY_NAME.get(os.path.basename(file))  # noqa: PTH119 - as above
    if by_name:
        return by_name
    if isinstance(value, Mapping):
        keys = set(value)
        for wanted, name in _BY_KEYS:
            if wanted <= keys:
                return name
        lacks = "no kind" if "apiVersion" in keys else "neither apiVersion nor kind"
        return f"not Kubernetes ({lacks})"
    if isinstance(value, list):
        return "not Kubernetes (a list)"
    return "not Kubernetes (a single value)"


def looks_like_object(value: Mapping[str, object]) -> bool:
    """Whether a mapping was meant as an object: it has two of the fields that every object has.

    Or a version of the API; that of what Grafana provisions is a number, and the index of a
    repository of Helm charts has entries.
    """
    folded = {key.lower() for key in value}
    if len(folded & {"apiversion", "kind", "metadata", "spec"}) >= 2:
        return True
    version = value.get("apiVersion")
    return isinstance(version, str) and "entries" not in value


def patches(kustomization: Mapping[str, object]) -> list[str]:
    """Files that a kustomization names as patches: parts of objects, never whole ones."""
    found: list[str] = []
    for field in ("patches", "patchesStrategicMerge", "patchesJson6902", "configurations"):
        listed = kustomization.get(field)
        for one in listed if isinstance(listed, list) else ():
            name = one.get("path") if isinstance(one, dict) else one
            if isinstance(name, str) and "\n" not in name:
                found.append(name)
    return found
