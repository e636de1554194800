"""The schema holds what Kubernetes' own OpenAPI definitions say: every field, and its type.

``openapi.json.xz``: names and types of fields of Kubernetes 1.36 (api/openapi-spec/swagger.json),
for the kinds that k8stui knows, without any description; ``[]`` is a list, ``{}`` a map. The
three configurations, which no server serves, are as in k8s.io/kube-proxy/config/v1alpha1,
k8s.io/kubelet/config/v1beta1 and cmd/kubeadm/app/apis/kubeadm/v1beta4 (types.go): what is not read
there is an object.
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest

from k8stui.manifests.schema import KINDS, balancers, calico, cilium, meshes, monitoring, secrets
from k8stui.manifests.schema.networking import BESIDE_ROUTES, ROUTES
from k8stui.manifests.schema.types import Anything, ListOf, MapOf, OneOf, Scalar, Struct, Type

_FILE = Path(__file__).with_name("openapi.json.xz")
_NO_LONGER = re.compile(
    r"metadata\.clusterName|spec\.workloadRef|spec\.topologyKeys|endpoints\[\]\.topology|spec\.rollbackTo"
    r"|spec\.templateGeneration"
    r"|\w+\.status|conditions\[\]\.\w+|spec\.resources\.claims|spec\.backend|(service(Name|Port))"
    r"|volumeClaimTemplate\.(apiVersion|kind|status)|HorizontalPodAutoscaler\.spec\.targetCPU\w+"
    r"|Configuration\.(metadata|udpIdleTimeout|resourceContainer|configSyncPeriodSeconds)"
    r"|Configuration\.(conntrack\.max|apiServer\w+|controllerManagerExtraArgs|useHyperKubeImage)$"
)
"""What other versions of the API have: dumps of their clusters are read too. A status is the
server's, and so are its conditions; a claim's template is read as a claim."""
_NO_PART_OF_KUBERNETES = {
    "Gateway",
    "GatewayClass",
    "Cluster",
    *ROUTES,
    *BESIDE_ROUTES,
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "ClusterNetworkPolicy",
    *(kind.name for kind in (*balancers.KINDS, *calico.KINDS, *cilium.KINDS, *meshes.KINDS)),
    *(kind.name for kind in (*monitoring.KINDS, *secrets.KINDS)),
}
"""Kinds that CustomResourceDefinitions make: they are in no release of Kubernetes."""
_SCALARS: Mapping[str, tuple[set[type], ...]] = {
    "int": ({int},),
    "bool": ({bool},),
    "str": ({str}, {str, int, float}),
    "datetime": ({str},),
    "object": ({int, str},),
}
"""A quantity is a str that may be written as a number; int-or-string is an object."""


def _api() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    read = json.loads(lzma.decompress(_FILE.read_bytes()))
    return cast("dict[str, str]", read["roots"]), cast("dict[str, dict[str, str]]", read["types"])


ROOTS, TYPES = _api()


def differences(ours: Type, theirs: str, path: str, above: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(ours, Anything):
        return
    if theirs.startswith("[]"):
        if isinstance(ours, ListOf):
            yield from differences(ours.item, theirs[2:], f"{path}[]", above)
        else:
            yield f"{path}: is a list"
    elif theirs.startswith("{}"):
        if isinstance(ours, MapOf):
            yield from differences(ours.value, theirs[2:], f"{path}{{}}", above)
        else:
            yield f"{path}: is a map"
    elif theirs in TYPES:
        if isinstance(ours, Struct):
            yield from _fields(ours, theirs, path, above)
        else:
            yield f"{path}: is a {theirs}"
    elif isinstance(ours, OneOf):
        if theirs != "str":
            yield f"{path}: is a {theirs}"
    elif not isinstance(ours, Scalar) or set(ours.types) not in _SCALARS[theirs]:
        yield f"{path}: is a {theirs}"


def _fields(ours: Struct, theirs: str, path: str, above: tuple[str, ...]) -> Iterator[str]:
    there = TYPES[theirs]
    for name in there.keys() - ours.fields.keys():
        yield f"{path}.{name}: is missing"
    for name in ours.fields.keys() - there.keys():
        if not _NO_LONGER.search(f"{path}.{name}"):
            yield f"{path}.{name}: is none of the API"
    for name in ours.fields.keys() & there.keys():
        yield from differences(ours.fields[name], there[name], f"{path}.{name}", (*above, theirs))


def test_every_kind_is_held_against_its_definition() -> None:
    assert set(ROOTS) == set(KINDS) - _NO_PART_OF_KUBERNETES


@pytest.mark.parametrize("kind", ROOTS)
def test_every_field_is_known_with_its_type(kind: str) -> None:
    found = set(differences(KINDS[kind].fields, ROOTS[kind], kind))
    assert found == set(), "\n".join(sorted(found))
