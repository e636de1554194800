"""What people write freely, passwords too, is shown on request only: wherever they write it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz.node_files import command
from tui.literal import Here

from k8stui.manifests.secrecy import Veil
from k8stui.tui.source_lines import UnreadableError, lines_around

MARK = "qx7Lagoon"
HEAD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: c
    image: i
"""
IN_A_CONTAINER = {
    "next argument": f"    args:\n    - --password\n    - {MARK}\n",
    "short option": f'    command: [mysql, -p{MARK}, "-p", {MARK}]\n',
    "assigned": f"    args: [--token={MARK}, -u=a:{MARK}]\n",
    "shell": f'    command: [sh, -c, "exec curl -u me:{MARK} http://web:80/"]\n',
    "script": f"    command:\n    - sh\n    - -c\n    - |\n      export PW={MARK}\n      run\n",
    "env": f"    env:\n    - name: A\n      value: {MARK}\n    - {{name: B, value: 'x{MARK}'}}\n",
    "escaped": '    env: [{name: A, value: "qx\\x37Lagoon"}]\n',
    "header": "    livenessProbe:\n      httpGet:\n        port: 81\n        httpHeaders:\n"
    f"        - name: Authorization\n          value: Bearer {MARK}\n",
    "probe": f"    livenessProbe: {{exec: {{command: [redis-cli, -a, {MARK}, ping]}}}}\n",
    "hook": f"    lifecycle: {{postStart: {{exec: {{command: [sh, -c, {MARK}]}}}}}}\n",
    "misspelt": f"    comand: [mysql, -p{MARK}]\n    arg: [{MARK}]\n    envs: {{A: {MARK}}}\n",
    "mapping": f"    env:\n      A: {MARK}\n",
    "text": f"    env: A={MARK}\n    args: --pw {MARK}\n",
    "commented out": f"    # args: [{MARK}]\n    env:\n    - name: A\n      value: x  # {MARK}\n",
    "volume": f"  volumes:\n  - name: v\n    csi: {{driver: d, volumeAttributes: {{p: {MARK}}}}}\n",
}
OBJECTS = {
    "annotation": f"apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n  annotations:\n"
    f"    auth: me:{MARK}\nspec:\n  ports: [{{port: 80}}]\n",
    "key": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  tls.key: |\n"
    f"    -----BEGIN PRIVATE KEY-----\n    {MARK}\n    -----END PRIVATE KEY-----\n",
    "registry": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"
    f'  config.json: \'{{"auths": {{"r": {{"auth": "{MARK}"}}}}}}\'\n',
    "kubeconfig": f"apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user: {{token: {MARK}}}\n",
    "custom": f"apiVersion: x.io/v1\nkind: Thing\nmetadata: {{name: t}}\nspec:\n  pw: {MARK}\n"
    f"  list: [{MARK}]\n",
    "values": f"image: nginx\nadminPw: {MARK}\nauth:\n  root: {MARK}\n",
    "kubeadm": "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
    f"certificateKey: {MARK}\napiServer: {{extraArgs: {{p: {MARK}}}}}\n",
    "token for a key": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n"
    f"  password\n  {MARK}:\n",
    "sealed": f"apiVersion: b/v1\nkind: SealedSecret\nmetadata: {{name: s}}\nspec: {{a: {MARK}}}\n",
}
TEXTS = {**{name: HEAD + text for name, text in IN_A_CONTAINER.items()}, **OBJECTS}


def broken(text: str) -> Iterator[str]:
    """The text as it is, and with each line broken in the ways in which lines break."""
    yield text
    lines = text.rstrip("\n").split("\n")
    for at, line in enumerate(lines):
        for other in (
            line.replace(": ", ":", 1),
            f"{line} }}",
            f" {line}",
            f'{line} "',
            re.sub(r"^(\s*(?:- )?)", r"\1@", line),
            line.replace("[", "", 1),
            line.replace("}", "", 1),
        ):
            yield "\n".join([*lines[:at], other, *lines[at + 1 :], ""])
        yield "\n".join([*lines[:at], *lines[at + 1 :], ""])


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_message_and_no_view_shows_it(text: str, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    for one in broken(text):
        file.write_text(one)
        _, out, err = command(["check", str(file)])
        said = [out, err]
        with contextlib.suppress(UnreadableError):
            said += [line.text for line in lines_around(Here(str(file), 6), around=40)]
        assert MARK not in "\n".join(said)
        assert "this is a bug" not in err


def test_what_tells_no_secret_stays() -> None:
    text = (
        HEAD + "    command: [/bin/server, --port=8080, -v, --name=x]\n    ports: [{name: http}]\n"
    )
    shown = "\n".join(Veil(text).lines())
    assert "command: [/bin/server, --port=8080, -v, --name=…]" in shown
    assert "ports: [{name: http}]" in shown
    assert "\n".join(Veil(text, values=True).lines()) == text
