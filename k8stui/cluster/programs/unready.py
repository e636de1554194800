"""What keeps a pod from ever being ready, by its own words.

A command that is no file, an argument that is two, a limit in which no process starts, a user that
the kubelet does not allow, a probe that cannot succeed.
"""

from __future__ import annotations

import re

from k8stui.apiserver import quantity
from k8stui.apiserver.fields import Object, array, at, table, text
from k8stui.cluster.programs.images import image_user
from k8stui.cluster.programs.probing import failing_probes
from k8stui.cluster.programs.starting import Unready, by_image, without_program
from k8stui.whole import whole

_Path = tuple[str | int, ...]
_KEEP_AWAY = ("startupProbe", "readinessProbe", "livenessProbe")
"""In the order in which they keep a pod away."""
_LEAST_MEMORY = quantity.parse("1Mi")
"""Below this no container starts: the runtime's own process needs more."""
_MANY_CPUS = 100
_PLAIN = re.compile(r"[\w/.][\w/.-]*", re.ASCII)
_TWO_WORDS = re.compile(r"--?[A-Za-z][\w.-]+[ \t]+[^\s=]\S*")
"""An option and its value: ``--port 9000``. Of a letter alone the value may begin with a blank."""


def by_own_words(spec: Object) -> Unready | None:
    """The first of them; None: the pod becomes ready, as far as it says itself."""
    if array(spec, "readinessGates"):
        return Unready(
            why="its readinessGates are conditions that nobody has set yet",
            mend="install the controller that sets that condition (a load balancer's), or take the "
            "readinessGates off",
            path=("readinessGates",),
        )
    for field in ("initContainers", "containers"):
        for index, container in enumerate(array(spec, field)):
            found = _of_container(spec, table(container), field == "initContainers")
            if found is not None:
                return found.below(field, index)
    return None


def _of_container(spec: Object, container: Object, init: bool) -> Unready | None:
    found = _command(container) or _as_root(spec, container) or _memory(container)
    found = found or _processors(container) or _folder(spec, container)
    found = found or _without_rights(spec, container, init=init)
    if init:
        return found or next(without_program(container), None)
    if found is not None:
        return found
    probes = {p.probe: p for p in reversed([*failing_probes(spec, container)]) if p.keeps_away}
    found = next(by_image(spec, container), None)
    found = found or next((probes[one] for one in _KEEP_AWAY if one in probes), None)
    return found or _two_words(container)


def _name(container: Object) -> str:
    return f"container {text(container, 'name')}"


def _command(container: Object) -> Unready | None:
    words = array(container, "command")
    first = next(iter(words), "")
    if len(words) != 1 or not isinstance(first, str) or " " not in first.strip():
        return None
    return Unready(
        why=f"the command of {_name(container)} is the one word {_begun(first)!r}: no file is "
        "called so",
        mend="write each word of the command by itself: [npm, start], or [sh, -c, npm start]",
        path=("command",),
    )


def _begun(line: str) -> str:
    """How a command line begins: what comes after its program and one word may be a password."""
    plain = []
    for word in line.split()[:2]:
        if not _PLAIN.fullmatch(word):
            break
        plain.append(word)
    begun = " ".join(plain)
    return begun if begun == line else f"{begun} …".lstrip()


def _two_words(container: Object) -> Unready | None:
    """Not where a shell splits it, nor Envoy, whose options end at a blank too (TCLAP).

    A program of one's own may, so it is not sure.
    """
    words = [w for field in ("command", "args") for w in array(container, field)]
    if "envoy" in f"{next(iter(words), '')} {text(container, 'image')}":
        return None
    if any(isinstance(word, str) and re.fullmatch(r"-\w*c", word) for word in words):
        return None
    for field in ("command", "args"):
        for index, word in enumerate(array(container, field)):
            if isinstance(word, str) and _TWO_WORDS.fullmatch(word.strip()):
                option = word.split(maxsplit=1)[0]
                return Unready(
                    why=f"{_name(container)} is given {option} and its value as one word, and no "
                    "option is called so: most programs end there",
                    mend=f"write two words, {option} and then the value, or {option}=VALUE",
                    path=(field, index),
                    sure=False,
                )
    return None


def _memory(container: Object) -> Unready | None:
    limit = at(container, "resources", "limits", "memory")
    if not quantity.is_quantity(limit) or quantity.parse(limit) >= _LEAST_MEMORY:
        return None
    unit = ", where m is a thousandth of a byte" if str(limit).endswith("m") else " bytes"
    return Unready(
        why=f"the memory limit of {_name(container)} is {limit}{unit}: no process starts in that",
        mend="write the limit with its unit: 128Mi",
        path=("resources", "limits", "memory"),
    )


def _processors(container: Object) -> Unready | None:
    asked = at(container, "resources", "requests", "cpu")
    if not isinstance(asked, int | str) or (whole(str(asked)) or 0) < _MANY_CPUS:
        return None
    return Unready(
        why=f"{_name(container)} asks for {asked} whole CPUs, which no node has: it stays Pending",
        mend=f"write cpu: {asked}m, thousandths of one",
        path=("resources", "requests", "cpu"),
        sure=False,
    )


_RIGHTS = (
    (re.compile(r"sysctl\s+(?:-\w+\s+)*(?:-w\s+)?[\w./-]+\s*=|.*>\s*/proc/sys/"), "",
     "/proc/sys is read-only"),
    (re.compile(r"(?:ip6?tables(?:-\w+)?|nft)\s|ip\s+(?:route|link|addr\w*|rule)\s+(?:add|del|set)"),
     "NET_ADMIN", "that takes NET_ADMIN"),
    (re.compile(r"mount\s+-?\S"), "SYS_ADMIN", "that takes SYS_ADMIN"),
    (re.compile(r"modprobe\s"), "SYS_MODULE", "that takes SYS_MODULE"),
)  # fmt: skip
"""Commands that a container may not give, the capability that lets it (empty: none does), why."""


def _without_rights(spec: Object, container: Object, *, init: bool) -> Unready | None:
    """``sysctl -w`` of a container that is not privileged (man capabilities(7), proc_sys(5))."""
    merged = {**table(spec, "securityContext"), **table(container, "securityContext")}
    if merged.get("privileged") is True:
        return None
    added = {str(one).removeprefix("CAP_") for one in array(merged, "capabilities", "add")}
    for line in _decisive(container):
        for pattern, capability, why in _RIGHTS:
            if not pattern.match(line) or added & {capability, "ALL"}:
                continue
            rights = f", or capabilities: add: [{capability}]" if capability else ""
            who = f"init {_name(container)}" if init else _name(container)
            return Unready(
                why=f"{who} runs {line.split()[0]}, and is not privileged: {why}, so it "
                "fails" + (", and the others wait for it" if init else ""),
                mend=f"write securityContext: privileged: true into it{rights}, or set that on the "
                "nodes themselves",
                path=("command",) if array(container, "command") else ("args",),
                sure=False,
            )
    return None


def _decisive(container: Object) -> list[str]:
    """The commands whose failure is the container's: the last one, and those before an ``&&``."""
    words = [str(w) for field in ("command", "args") for w in array(container, field)]
    if len(words) == _OF_A_SCRIPT and re.fullmatch(r"-\w*c", words[1]):
        if "||" in words[-1]:
            return []
        last = [one for one in re.split(r"[;\n]", words[-1]) if one.strip()][-1:]
        return [line.strip() for one in last for line in one.split("&&")]
    return [" ".join(words)]


_OF_A_SCRIPT = 3
_FILE = re.compile(
    r"/[^/]+\.(?:conf|cnf|cfg|ini|ya?ml|json|xml|properties|toml|env|js|py|php|sh|crt|pem|key|html)$"
)


def _folder(spec: Object, container: Object) -> Unready | None:
    """A ConfigMap's or Secret's volume at the path of a file: a volume is a folder."""
    held = {
        text(one, "name")
        for one in array(spec, "volumes")
        if "configMap" in table(one) or "secret" in table(one)
    }
    for index, one in enumerate(array(container, "volumeMounts")):
        path = text(one, "mountPath")
        if text(one, "name") in held and not text(one, "subPath") and _FILE.search(path):
            name = path.rpartition("/")[2]
            return Unready(
                why=f"{_name(container)} mounts a whole volume at {path}: that is a folder, and "
                "where a file is expected the container does not start, or its program ends",
                mend=f"write subPath: {name} (the key) beside mountPath, or mount the volume at "
                f"{path.rpartition('/')[0] or '/'}",
                path=("volumeMounts", index, "mountPath"),
                sure=False,
            )
    return None


def _as_root(spec: Object, container: Object) -> Unready | None:
    """``runAsNonRoot``, and whoever runs is root, or is not known to be none.

    pkg/kubelet/kuberuntime security_context_others.go verifyRunAsNonRoot: the container's own
    securityContext is before the pod's, and runAsUser before the image's user.
    """
    merged = {**table(spec, "securityContext"), **table(container, "securityContext")}
    if merged.get("runAsNonRoot") is not True:
        return None
    user = merged.get("runAsUser")
    said = f"{_name(container)} has runAsNonRoot: true"
    if user is not None:
        if user != 0:
            return None
        return Unready(
            why=f"{said} and runAsUser: 0, which is root: the kubelet does not start it",
            mend="write another runAsUser, or leave runAsNonRoot out",
            path=("securityContext",) if "securityContext" in container else (),
        )
    known = image_user(text(container, "image"))
    if known is None:
        return None
    runs = "runs as root" if known == "root" else f"names its user {known} by no number"
    return Unready(
        why=f"{said}, and image {text(container, 'image')} {runs}: the kubelet does not start it "
        "(CreateContainerConfigError)",
        mend="write runAsUser with a number that the image can run as, or take an image that names "
        "one (for nginx: nginxinc/nginx-unprivileged, which listens on 8080), or leave "
        "runAsNonRoot out",
        path=("image",),
        sure=False,
    )
