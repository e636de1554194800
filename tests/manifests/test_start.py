"""What reading a sound manifest loads: nothing that only mistakes need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOR_MISTAKES = {
    "difflib",
    "k8stui.manifests.broken",
    "k8stui.manifests.outline",
    "k8stui.manifests.repair",
    "k8stui.suggest",
}
SOUND = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"


def loaded_by(path: Path) -> set[str]:
    use = f"from k8stui.apiserver import apply\napply([{str(path)!r}])"
    code = f"import sys\n{use}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SOUND, set()),
        (SOUND.replace("kind:", "kinds:"), FOR_MISTAKES),
    ],
    ids=["sound", "mistaken"],
)
def test_what_only_mistakes_need_is_loaded_for_them_alone(
    tmp_path: Path, text: str, expected: set[str]
) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(text)
    assert loaded_by(path) & FOR_MISTAKES == expected
