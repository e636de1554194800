"""Pod Security admission: what the level that a namespace enforces has against a pod.

Sources: the Pod Security Standards, k8s.io/pod-security-admission/policy (check_*.go: what each
check forbids and its words; registry.go: their order, and which ones a restricted one replaces),
admission.go (``violates PodSecurity``). Only Pods are refused; a workload is taken, and gets none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from k8stui.apiserver.fields import Object, array, at, flag, number, table, text, texts

LABEL = "pod-security.kubernetes.io/enforce"
_BASELINE, _RESTRICTED = "baseline", "restricted"
_USUAL = frozenset(
    """AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID
    SETPCAP SETUID SYS_CHROOT""".split()  # noqa: SIM905
)
_SYSCTLS = frozenset(
    """kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies
    net.ipv4.ping_group_range net.ipv4.ip_unprivileged_port_start net.ipv4.ip_local_reserved_ports
    net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl
    net.ipv4.tcp_keepalive_probes net.ipv4.tcp_rmem net.ipv4.tcp_wmem""".split()  # noqa: SIM905
)
_VOLUMES = frozenset(
    """configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected
    secret""".split()  # noqa: SIM905
)
_SELINUX = frozenset({"", "container_t", "container_init_t", "container_kvm_t",
                      "container_engine_t"})  # fmt: skip
_PROFILES = ("RuntimeDefault", "Localhost")


def violation(namespace: Mapping[str, str], spec: Object) -> str:
    """The event's words for a pod that the labels of its namespace keep out; empty: it is taken."""
    level = namespace.get(LABEL, "")
    if level not in (_BASELINE, _RESTRICTED):
        return ""
    said = [words for check in _CHECKS[level] if (words := check(spec))]
    version = namespace.get(f"{LABEL}-version", "latest")
    return f'violates PodSecurity "{level}:{version}": {", ".join(said)}' if said else ""


def _containers(spec: Object) -> Iterator[Object]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for one in array(spec, field):
            yield table(one)


def _named(names: list[str], word: str = "container") -> str:
    """``container "a"``, ``containers "a", "b"``."""
    listed = ", ".join(f'"{name}"' for name in names)
    return f"{word}{'s' if len(names) > 1 else ''} {listed}"


def _those(spec: Object, is_bad: Callable[[Object], bool]) -> list[str]:
    return [text(one, "name") for one in _containers(spec) if is_bad(table(one))]


def _host_namespaces(spec: Object) -> str:
    fields = [f for f in ("hostNetwork", "hostPID", "hostIPC") if flag(spec, f)]
    return f"host namespaces ({', '.join(f'{f}=true' for f in fields)})" if fields else ""


def _privileged(spec: Object) -> str:
    bad = _those(spec, lambda one: flag(one, "securityContext", "privileged") is True)
    return f"privileged ({_named(bad)} must not set securityContext.privileged=true)" if bad else ""


def _added(one: Object) -> set[str]:
    return set(texts(one, "securityContext", "capabilities", "add"))


def _capabilities(spec: Object) -> str:
    bad = _those(spec, lambda one: bool(_added(one) - _USUAL))
    extra = sorted({name for one in _containers(spec) for name in _added(one) - _USUAL})
    listed = ", ".join(f'"{name}"' for name in extra)
    return (
        f"non-default capabilities ({_named(bad)} must not include {listed} in "
        "securityContext.capabilities.add)"
        if bad
        else ""
    )


def _restricted_capabilities(spec: Object) -> str:
    kept = _those(
        spec, lambda one: "ALL" not in texts(one, "securityContext", "capabilities", "drop")
    )
    adding = _those(spec, lambda one: bool(_added(one) - {"NET_BIND_SERVICE"}))
    said = []
    if kept:
        said.append(f'{_named(kept)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        extra = {name for one in _containers(spec) for name in _added(one)} - {"NET_BIND_SERVICE"}
        listed = ", ".join(f'"{name}"' for name in sorted(extra))
        said.append(
            f"{_named(adding)} must not include {listed} in securityContext.capabilities.add"
        )
    return f"unrestricted capabilities ({'; '.join(said)})" if said else ""


def _host_paths(spec: Object) -> str:
    bad = [text(one, "name") for one in array(spec, "volumes") if "hostPath" in table(one)]
    return f"hostPath volumes ({_named(bad, 'volume')})" if bad else ""


def _restricted_volumes(spec: Object) -> str:
    bad: dict[str, list[str]] = {}
    for one in array(spec, "volumes"):
        kinds = [key for key in table(one) if key != "name"]
        if kinds and kinds[0] not in _VOLUMES:
            bad.setdefault(kinds[0], []).append(text(one, "name"))
    names = [name for listed in bad.values() for name in listed]
    types = ", ".join(f'"{kind}"' for kind in bad)
    use = "uses restricted volume type" if len(names) == 1 else "use restricted volume types"
    return f"restricted volume types ({_named(names, 'volume')} {use} {types})" if bad else ""


def _host_ports(spec: Object) -> str:
    ports: list[int] = []
    bad = []
    for one in _containers(spec):
        own = [number(port, "hostPort") or 0 for port in array(one, "ports")]
        if any(own):
            bad.append(text(one, "name"))
            ports += [port for port in own if port]
    use, word = ("uses", "hostPort") if len(bad) == 1 else ("use", "hostPorts")
    word = "hostPorts" if len(ports) > 1 else word
    listed = ", ".join(map(str, dict.fromkeys(ports)))
    return f"hostPort ({_named(bad)} {use} {word} {listed})" if bad else ""


def _proc_mount(spec: Object) -> str:
    bad = _those(spec, lambda one: text(one, "securityContext", "procMount") not in ("", "Default"))
    return f"procMount ({_named(bad)} must not set securityContext.procMount)" if bad else ""


def _selinux(spec: Object) -> str:
    contexts = [
        table(spec, "securityContext"),
        *(table(c, "securityContext") for c in _containers(spec)),
    ]
    options = [table(one, "seLinuxOptions") for one in contexts]
    types = [text(o, "type") for o in options if text(o, "type") not in _SELINUX]
    others = any(text(o, "user") or text(o, "role") for o in options)
    return "seLinuxOptions (forbidden type, user or role)" if types or others else ""


def _profile_of(holder: Object) -> str:
    return text(holder, "securityContext", "seccompProfile", "type")


def _seccomp(spec: Object) -> str:
    bad = _those(spec, lambda one: _profile_of(one) == "Unconfined")
    own = _profile_of(spec) == "Unconfined"
    who = " and ".join(filter(None, ["pod" if own else "", _named(bad) if bad else ""]))
    said = 'must not set securityContext.seccompProfile.type to "Unconfined"'
    return f"seccompProfile ({who} {said})" if who else ""


def _restricted_seccomp(spec: Object) -> str:
    pod = _profile_of(spec)
    wrong = _those(spec, lambda one: _profile_of(one) not in ("", *_PROFILES))
    unset = _those(spec, lambda one: not _profile_of(one)) if pod not in _PROFILES else []
    bad = wrong or unset
    if not bad:
        return ""
    who = f"pod or {_named(bad)} must" if not wrong else f"{_named(bad)} must"
    return (
        f"seccompProfile ({who} set securityContext.seccompProfile.type to "
        '"RuntimeDefault" or "Localhost")'
    )


def _sysctls(spec: Object) -> str:
    names = [text(one, "name") for one in array(spec, "securityContext", "sysctls")]
    bad = [name for name in names if name not in _SYSCTLS]
    return f"forbidden sysctls ({', '.join(bad)})" if bad else ""


def _escalation(spec: Object) -> str:
    bad = _those(
        spec, lambda one: at(one, "securityContext", "allowPrivilegeEscalation") is not False
    )
    said = "must set securityContext.allowPrivilegeEscalation=false"
    return f"allowPrivilegeEscalation != false ({_named(bad)} {said})" if bad else ""


def _not_root(spec: Object) -> str:
    of_pod = at(spec, "securityContext", "runAsNonRoot")

    def own(one: Object) -> object:
        return at(one, "securityContext", "runAsNonRoot")

    wrong = _those(spec, lambda one: own(one) is False)
    unset = _those(spec, lambda one: own(one) is None) if of_pod is not True else []
    if wrong:
        said = "must not set securityContext.runAsNonRoot=false"
        return f"runAsNonRoot != true ({_named(wrong)} {said})"
    said = "must set securityContext.runAsNonRoot=true"
    return f"runAsNonRoot != true (pod or {_named(unset)} {said})" if unset else ""


def _user(spec: Object) -> str:
    bad = _those(spec, lambda one: number(one, "securityContext", "runAsUser") == 0)
    own = number(spec, "securityContext", "runAsUser") == 0
    who = " and ".join(filter(None, ["pod" if own else "", _named(bad) if bad else ""]))
    return f"runAsUser=0 ({who} must not set runAsUser=0)" if who else ""


_Check = Callable[[Object], str]
_CHECKS: Mapping[str, tuple[_Check, ...]] = {
    # Each in the order of its id; restricted replaces capabilities, host paths and seccomp.
    _BASELINE: (
        *(_capabilities, _host_namespaces, _host_paths, _host_ports, _privileged, _proc_mount),
        *(_selinux, _seccomp, _sysctls),
    ),
    _RESTRICTED: (
        *(_escalation, _restricted_capabilities, _host_namespaces, _host_ports, _privileged),
        *(_proc_mount, _restricted_volumes, _not_root, _user, _selinux, _restricted_seccomp),
        _sysctls,
    ),
}
