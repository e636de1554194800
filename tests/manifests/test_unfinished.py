"""Patches, templates and alternatives: nothing that a server gets as it stands, so no mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.apiserver import apply

_PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: c, env: [{name: A, value: b}]}]}}}
"""
_IMAGE = _PATCH.replace("env: [{name: A, value: b}]", "image: web:2")
_INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: door}
spec: {rules: [{host: "HOST"}], defaultBackend: {service: {name: web, port: {number: 80}}}}
"""
_SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: SPACE}
spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}
"""


def test_a_part_of_an_object_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "memory.yaml").write_text(_PATCH)
    found = apply([str(tmp_path)])
    assert (found.problems, found.objects) == ((), ())
    assert "a part of an object (a patch), skipped" in found.notes[-1].message


def test_a_kustomization_above_names_its_patches(tmp_path: Path) -> None:
    (tmp_path / "patches").mkdir()
    (tmp_path / "patches" / "image.yaml").write_text(_IMAGE)
    assert apply([str(tmp_path / "patches")]).problems
    (tmp_path / "kustomization.yaml").write_text("patches: [{path: patches/image.yaml}]\n")
    found = apply([str(tmp_path / "patches")])
    assert (found.problems, found.objects) == ((), ())
    # Who names the file itself wants it read.
    assert apply([str(tmp_path / "patches" / "image.yaml")]).problems


@pytest.mark.parametrize(
    "host",
    ["MY_DOMAIN", "__HOST__", "${HOST}", "www.{{domain}}", "www.<your domain>", "@HOST@", "$HOST"],
)
def test_a_placeholder_is_filled_in_by_somebody(host: str, tmp_path: Path) -> None:
    (tmp_path / "door.yaml").write_text(_INGRESS.replace("HOST", host))
    found = apply([str(tmp_path)])
    assert not found.problems
    assert [one.name for one in found.objects] == ["door"]
    assert host in found.notes[0].message


@pytest.mark.parametrize(
    "host", ["Www.example.org", "www_a.example.org", "www..example.org", "A_B"]
)
def test_a_wrong_host_is_none(host: str, tmp_path: Path) -> None:
    (tmp_path / "door.yaml").write_text(_INGRESS.replace("HOST", host))
    assert apply([str(tmp_path)]).problems


def test_a_placeholder_in_a_name_makes_a_template(tmp_path: Path) -> None:
    (tmp_path / "door.yaml").write_text(
        _INGRESS.replace("HOST", "a.b").replace("door", "'${NAME}'")
    )
    found = apply([str(tmp_path)])
    assert (found.problems, found.objects) == ((), ())
    assert "a template, its placeholders are to be filled in" in found.notes[-1].message


def test_marks_that_are_no_yaml_make_a_template(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: @NAME@}\n")
    found = apply([str(tmp_path)])
    assert (found.problems, found.objects) == ((), ())


@pytest.mark.parametrize(("files", "wrong"), [(("a", "b"), False), (("a", "a"), True)])
def test_one_node_port_in_two_alternatives(
    files: tuple[str, str], wrong: bool, tmp_path: Path
) -> None:
    """In files of their own they are two ways to install one thing; in one file it is a mistake."""
    for name, space in zip(files, ("here", "there"), strict=True):
        with (tmp_path / f"{name}.yaml").open("a") as file:
            file.write(f"---\n{_SERVICE.replace('SPACE', space)}")
    found = apply([str(tmp_path)])
    assert bool(found.problems) is wrong
    assert len(found.objects) == 1
