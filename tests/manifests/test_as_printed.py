"""The four printed manifests: each broken spot with line, caret and mended line."""

from __future__ import annotations

import pytest
import truth

from k8stui.apiserver import apply

EXPECTED = {
    "mysql-rc.yaml": [
        (6, 13, "    replicas: 1"),
        (8, 12, "        app: mysql"),
        (12, 20, "                app: mysql"),
        (15, 19, "            - name: mysql"),
        (16, 20, "              image: mysql"),
        (18, 30, "              - containerPort: 3306"),
        (21, 22, '                value: "…"'),  # values of env are hidden
    ],
    "mysql-svc.yaml": [(7, 9, "        - port: 3306")],
    "myweb-rc.yaml": [
        (6, 13, "    replicas: 1"),
        (8, 12, "        app: myweb"),
        (12, 20, "                app: myweb"),
        (18, 30, "              - containerPort: 8080"),
    ],
    # Two columns to the left, so that nodePort below belongs to the same item.
    "myweb-svc.yaml": [(8, 9, "      - port: 8080")],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_broken_spot(name: str) -> None:
    path = truth.folder("webapp-as-printed") / name
    found = apply([str(path)])
    assert not found.objects
    assert [(p.line, p.column, p.hint.rpartition("\n")[2]) for p in found.problems] == EXPECTED[
        name
    ]
    lines = path.read_text().splitlines()
    for problem in found.problems:
        shown = problem.render().splitlines()
        assert shown[0].startswith(f"{path}:{problem.line}:{problem.column}: ")
        line = lines[problem.line - 1].replace('"123456"', "…")
        assert shown[1].endswith(line)
        assert shown[2].index("^") - shown[1].index(line) == problem.column - 1
        assert "123456" not in problem.render()


@pytest.mark.parametrize("name", EXPECTED)
def test_the_mended_lines_make_a_good_file(name: str, tmp_path: object) -> None:
    lines = (truth.folder("webapp-as-printed") / name).read_text().splitlines()
    for line, _, mended in EXPECTED[name]:
        lines[line - 1] = mended
    file = tmp_path / name  # type: ignore[operator]
    file.write_text("\n".join(lines))
    found = apply([str(file)])
    assert (len(found.objects), found.problems, found.notes) == (1, (), ())


def test_mended_service_has_one_port_with_both_numbers(tmp_path: object) -> None:
    lines = (truth.folder("webapp-as-printed") / "myweb-svc.yaml").read_text().splitlines()
    lines[7] = EXPECTED["myweb-svc.yaml"][0][2]
    file = tmp_path / "s.yaml"  # type: ignore[operator]
    file.write_text("\n".join(lines))
    (service,) = apply([str(file)]).objects
    assert service.data["spec"]["ports"] == [{"port": 8080, "nodePort": 30001}]  # type: ignore[index]
