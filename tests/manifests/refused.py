"""Small objects to put a mistake into."""

from __future__ import annotations

import io

from k8stui.apiserver import apply
from k8stui.manifests import Manifests

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
ONE = "  containers: [{name: c, image: i}]\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: "
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n"
TEMPLATE = (
    "  template:\n    metadata: {labels: {a: b}}\n    spec: {containers: [{name: c, image: i}]}\n"
)
SELECTED = "  selector: {matchLabels: {a: b}}\n" + TEMPLATE
JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n"
SLICE = (
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
    "metadata: {name: x, labels: {kubernetes.io/service-name: s}}\n"
)
ENDPOINTS = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: s}\nsubsets: "
INGRESS = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: "
POLICY = (
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}\n"
    "spec: {podSelector: {}, ingress: "
)
REQUIRED, INVALID, FORBIDDEN = "Required value", "Invalid value", "Forbidden"
DUPLICATE, UNSUPPORTED = "Duplicate value", "Unsupported value"


def read(text: str) -> Manifests:
    return apply(["-"], stdin=io.BytesIO(text.encode()))
