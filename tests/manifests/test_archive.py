"""Archives as folders: what they hold is read in place; hostile ones end in a sentence."""

from __future__ import annotations

import contextlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from k8stui.manifests import archive, folders, load

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"


def tarred(file: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(file, mode) as made:  # type: ignore[call-overload]
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            made.addfile(entry, io.BytesIO(text))
    return file


def zipped(file: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(name, text)
    return file


@pytest.mark.parametrize("end", [".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip"])
def test_its_files_are_read_in_place(end: str, tmp_path: Path) -> None:
    files = {"top/b/map.yaml": MANIFEST.encode(), "top/b/notes.txt": b"no manifest", "top/a": b"x"}
    file = tmp_path / f"state{end}"
    mode = {".tar": "w", ".tar.xz": "w:xz", ".tar.bz2": "w:bz2"}.get(end, "w:gz")
    made = zipped(file, files) if end == ".zip" else tarred(file, files, mode)
    found = load([str(made)])
    assert not found.problems
    (one,) = found.objects
    # What a single folder at the top is called does not count.
    assert (one.file, one.name) == (f"{made}/b/map.yaml", "web")
    assert folders.names(str(made)) == [("a", False), ("b", True)]
    assert folders.is_folder(f"{made}/b")
    assert not folders.is_folder(f"{made}/a")
    assert folders.is_file(f"{made}/a")
    assert folders.read(f"{made}/a") == b"x"
    assert {one.name for one in tmp_path.iterdir()} == {file.name}


def test_what_is_packed_in_it_is_unpacked_and_big_files_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    monkeypatch.setattr(archive, "_KEPT", 100)
    big = b"y" * 101
    made = tarred(tmp_path / "a.tar", {"n.txt.gz": gzip.compress(b"text"), "big": big}, "w")
    assert folders.read(f"{made}/n.txt.gz") == b"text"
    assert folders.read(f"{made}/big") == big
    with pytest.raises(FileNotFoundError):
        folders.read(f"{made}/none")


def test_a_packed_one_is_gone_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A way through it for each of its files would cost the square of their number."""
    made = tarred(tmp_path / "a.tgz", {f"{i}.yaml": MANIFEST.encode() for i in range(20)})
    ways, opened = [], archive._opened_tar

    def counting(path: str) -> contextlib.AbstractContextManager[tarfile.TarFile]:
        ways.append(path)
        return opened(path)

    monkeypatch.setattr(archive, "_opened_tar", counting)
    assert len(load([str(made)]).objects) == 20
    assert len(ways) == 1


def test_what_leads_out_of_it_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "a.tar.gz"
    with tarfile.open(file, "w:gz") as made:
        for name in (
            "../out.yaml",
            "/etc/out.yaml",
            "b/../../out.yaml",
            "ok/x.yaml",
            "x",
            "z" * 5000,
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(MANIFEST)
            made.addfile(entry, io.BytesIO(MANIFEST.encode()))
        link = tarfile.TarInfo("passwd.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)
    found = load([str(file)])
    assert [one.name for one in found.objects] == ["web"]
    (note,) = [one for one in found.notes if one.file == str(file)]
    assert (note.count, "not read" in note.message) == (5, True)


@pytest.mark.parametrize("end", [".tar.gz", ".zip"])
def test_what_swells_beyond_measure_is_refused(end: str, tmp_path: Path) -> None:
    text = bytes(50_000_000)
    file = tmp_path / f"bomb{end}"
    made = zipped(file, {"a.yaml": text}) if end == ".zip" else tarred(file, {"a.yaml": text})
    (problem,) = load([str(made)]).problems
    assert "holds more than" in problem.message


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar.xz", "a.zip", "a.tar", "a.tar.bz2"])
@pytest.mark.parametrize("text", [b"", b"no archive", b"\x1f\x8b\x08\x00garbage"])
def test_a_damaged_one_is_said(name: str, text: bytes, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(text)
    found = load([str(file)])
    assert not found.objects
    assert [one.file for one in found.problems] == [str(file)]


def test_of_too_many_entries_none_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_ENTRIES", 3)
    made = tarred(tmp_path / "many.tgz", {f"{n}.yaml": MANIFEST.encode() for n in range(4)})
    (problem,) = load([str(made)]).problems
    assert "more than 3 files" in problem.message


def test_kinds_that_are_not_read_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.tar.zst").write_bytes(b"x")
    (problem,) = load([str(tmp_path / "a.tar.zst")]).problems
    assert ".tar.gz" in problem.hint
