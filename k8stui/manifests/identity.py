"""What an object says that it is: kind, apiVersion and name, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.manifests.check import Fault, Mend, check
from k8stui.manifests.schema import (
    KINDS,
    TWINS,
    WITHOUT_PART,
    balancers,
    calico,
    meshes,
    monitoring,
    networking,
    secrets,
)
from k8stui.manifests.schema.objects import Kind

_GROUPS = frozenset(
    version.rpartition("/")[0] for kind in KINDS.values() for version in kind.versions
) | {"autoscaling", "policy", "rbac.authorization.k8s.io", "storage.k8s.io"}
# They have more kinds than are known, and names alike.
_GROUPS -= calico.GROUPS | balancers.GROUPS | monitoring.GROUPS | networking.TRAEFIK
_GROUPS -= {"networking.istio.io"} | secrets.GROUPS | meshes.GROUPS


def kind_of(data: Mapping[str, object]) -> Kind | None:
    """The kind, when `data` names one of the table in a version that served it."""
    name = data.get("kind")
    kinds = (KINDS.get(name), TWINS.get(name)) if isinstance(name, str) else ()
    version = data.get("apiVersion")
    return next((one for one in kinds if one is not None and version in one.versions), None)


def list_defaults(root: Mapping[str, object]) -> dict[str, object]:
    """Give what the elements of a typed list need not say: of a PodList neither says Pod."""
    kind, version = root.get("kind"), root.get("apiVersion")
    if kind == "List" or not isinstance(kind, str) or not isinstance(version, str):
        return {}
    return {"apiVersion": version, "kind": kind.removesuffix("List")}


def faults_of(data: Mapping[str, object]) -> list[Fault] | None:
    """Everything wrong with one object; None when its kind is none of the table (and no typo)."""
    kind = kind_of(data)
    if kind is None:
        found = _misnamed(data)
        return None if found is None else [found]
    faults = check(data, kind)
    if kind.named:
        metadata = data.get("metadata")
        if metadata is None and "metadata" in data and "name" in data:
            message = "metadata is empty, and its name stands beside it"
            hint = "put two blanks before name, and before all else that belongs to metadata"
            faults.append(Fault(path=("name",), message=message, hint=hint, at_key=True))
        elif metadata is None:
            faults.append(_nameless((), "the object has no metadata.name"))
        elif isinstance(metadata, dict) and all(
            metadata.get(key) in (None, "") for key in ("name", "generateName")
        ):
            faults.append(_nameless(("metadata",), "metadata has no name"))
    return faults


def _nameless(path: tuple[str, ...], message: str) -> Fault:
    hint = "every object needs one:\nmetadata:\n  name: NAME"
    return Fault(path=path, message=message, hint=hint, missing=True)


def _misnamed(data: Mapping[str, object]) -> Fault | None:
    """Say what is wrong with kind or apiVersion; None for a kind that is simply not known."""
    from k8stui.suggest import nearest  # noqa: PLC0415 - difflib, for mistakes only

    name, version = data.get("kind"), data.get("apiVersion")
    if name is None and "kind" in data:
        return _empty("kind", "such as Service")
    if name is None:
        for key in data:
            if nearest(key, ["kind"]):
                return Fault(
                    path=(key,),
                    message=f"no field {key!r} in an object; did you mean 'kind'?",
                    mend=Mend.RENAME,
                    text="kind",
                    at_key=True,
                )
        return Fault(path=(), message="the object has no kind", hint=_guess(data))
    if not isinstance(name, str) or not name:
        return Fault(path=("kind",), message="kind needs the name of a kind, such as Service")
    meant = name if name in KINDS else None
    if meant is None:
        if name in WITHOUT_PART or (name == "Config" and "contexts" in data):  # a kubeconfig
            return None
        meant = nearest(name, [*KINDS, *WITHOUT_PART])
        group = str(version or "").rpartition("/")[0]
        if meant is None or not (version is None or group in _GROUPS):
            return None
        return Fault(
            path=("kind",),
            message=f"there is no kind {name!r}; did you mean {meant}?",
            mend=Mend.REPLACE,
            text=meant,
        )
    today = KINDS[meant].versions[0]
    if version is None and "apiVersion" in data:
        return _empty("apiVersion", f"here {today}")
    if version is None:
        for key in data:
            if key.lower() == "apiversion" or nearest(key, ["apiVersion"]):
                return Fault(
                    path=(key,),
                    message=f"no field {key!r} in an object; did you mean 'apiVersion'?",
                    mend=Mend.RENAME,
                    text="apiVersion",
                    at_key=True,
                )
        hint = f"add the line:\napiVersion: {today}"
        return Fault(path=(), message=f"the {meant} has no apiVersion", hint=hint)
    group = str(version).rpartition("/")[0]
    if group not in _GROUPS and "." in group and not group.endswith((".k8s.io", ".kubernetes.io")):
        return None  # another project's kind of the same name: serving.knative.dev Service
    return Fault(
        path=("apiVersion",),
        message=f"{meant} is not in {version}; it is in {' or '.join(KINDS[meant].versions)}",
        mend=Mend.REPLACE,
        text=today,
    )


def _empty(field: str, such: str) -> Fault:
    return Fault(path=(field,), message=f"{field} is empty: write it, {such}", at_key=True)


def _guess(data: Mapping[str, object]) -> str:
    """Guess the kind from its fields."""
    spec = data.get("spec")
    if not isinstance(spec, dict):
        return "add the line:\nkind: KIND"
    if "containers" in spec:
        kind = "Pod"
    elif "template" in spec:
        kind = "Deployment"
    elif "ports" in spec:
        kind = "Service"
    else:
        kind = "KIND"
    return f"add the line:\nkind: {kind}"
