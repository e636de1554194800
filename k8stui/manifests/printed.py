"""What kubectl prints for people, or prints in part, taken for manifests: the mistake in words.

Sources: k8s.io/cli-runtime pkg/printers (tablewriter.go, name.go), k8s.io/kubectl
pkg/describe/describe.go, pkg/cmd/util/helpers.go; the order of a List's keys is that of
sigs.k8s.io/yaml: apiVersion, items, kind, metadata.
"""

from __future__ import annotations

import re

from k8stui.manifests.files import STDIN
from k8stui.manifests.problem import Problem

_YAML = "kubectl get … -o yaml | k8stui -"
_TITLES = r"(?:NAMESPACE +)?NAME(?: {2,}[A-Z(][A-Z0-9()_-]*(?: [A-Z(][A-Z()-]*)*)+ *$"
"""``NAMESPACE   NAME   READY   PORT(S)   NOMINATED NODE``. No pattern is compiled at start-up."""
_NAME = r"[a-z]+(?:\.[a-z0-9.-]+)?/[a-z0-9.-]+$"
_DESCRIBED = r"Name: {2,}\S.*\n(?:Namespace|Labels|Annotations|Roles|Priority): "
_SAYINGS = (
    "Error from server",
    "error: ",
    "Unable to connect to the server: ",
    "The connection to the server ",
    "Warning: ",
    "No resources found",
)
_LIST = "apiVersion: v1\nitems:\n"
_LINE = 4096
"""Characters of a line that are looked at."""


def mistaken(file: str, content: str) -> Problem | None:
    """Tell what `content` is where it is no manifest but something that kubectl has printed."""
    if not content or content.isspace():
        if file != STDIN:
            return None
        message = "nothing came through the pipe"
        return Problem(file=file, message=message, hint="did the command before it fail?")
    start = next(at for at, one in enumerate(content) if not one.isspace())
    first = content[start : start + _LINE].partition("\n")[0].rstrip()
    at = start
    if (said := _said(content, first, start)) is not None:
        first, at = said
        what, hint = "a message of kubectl, no object", "leave 2>&1 away from its command"
    elif content.startswith(_LIST, start):
        return _list(file, content, start)
    elif first.startswith("NAME") and re.match(_TITLES, first):
        what, hint = "a table for people, without what the objects say", _YAML
    elif "/" in first and re.match(_NAME, first):
        what, hint = "names alone, without what the objects say", _YAML
    elif first.startswith("Name: ") and re.match(_DESCRIBED, content[start : start + _LINE]):
        what, hint = "what kubectl describe prints for people", _YAML
    else:
        return None
    line = content.count("\n", 0, at) + 1
    return Problem(file=file, line=line, column=1, message=what, hint=hint, source_line=first)


def _said(content: str, first: str, start: int) -> tuple[str, int] | None:
    """Find a message of kubectl in the first or the last line; gives it and its offset."""
    if _is_said(first):
        return first, start
    last = content[-_LINE:].rstrip().rpartition("\n")[2]
    return (last, content.rfind(last)) if _is_said(last) else None


def _is_said(line: str) -> bool:
    logged = line[:1] in {"E", "W", "I", "F"} and line[1:5].isdigit() and line[8:9] == ":"  # klog
    return logged or line.startswith(_SAYINGS)


def _list(file: str, content: str, start: int) -> Problem | None:
    """See whether a List of ``kubectl get -o yaml`` is whole, and alone in its document."""
    second = content.find(f"\n{_LIST}", start)
    while second >= 0:
        mark = content.rfind("\n---", start, second)
        between = content[mark + 4 : second].splitlines()
        if mark < 0 or any(line.strip() and line.lstrip()[0] != "#" for line in between):
            return Problem(
                file=file,
                line=content.count("\n", 0, second) + 2,
                column=1,
                message="a second List without --- before it: of both only this one would count",
                hint="(kubectl get …; echo ---; kubectl get …) | k8stui -",
                source_line=_LIST.partition("\n")[0],
            )
        second = content.find(f"\n{_LIST}", second + 1)
    if content.rfind("\nkind: ", start) < 0:
        message = "the List breaks off: its kind, which stands behind the items, is missing"
        hint = "was the command that prints it stopped?"
        return Problem(file=file, message=message, hint=hint)
    return None
