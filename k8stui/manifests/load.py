"""Paths → `Manifests`: files are read here and nowhere else."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import BinaryIO

from k8stui.manifests import events, folders, foreign, packed
from k8stui.manifests.embedded import CONFIGURATIONS, read_embedded
from k8stui.manifests.events import YamlFault
from k8stui.manifests.files import STDIN, InputFile, expand, identity
from k8stui.manifests.found import Found
from k8stui.manifests.manifest import Manifests
from k8stui.manifests.printed import mistaken
from k8stui.manifests.problem import Note, Problem
from k8stui.manifests.progress import Progress, Watch
from k8stui.manifests.reader import read_text
from k8stui.manifests.schema import WITHOUT_PART
from k8stui.manifests.text import Text, UndecodableError, decode

_MUCH = 1_000_000
"""Bytes from which loaded objects are worth keeping out of later collections; no template has so
many."""


_ABOVE = 3
"""Folders in which a file's kustomization may stand: its own and the two above."""


def load(
    paths: Sequence[str],
    *,
    context: str | None = None,
    stdin: BinaryIO | None = None,
    watch: Watch | None = None,
) -> Manifests:
    """Read every object of `paths`: files, folders (recursively, sorted), ``-``.

    What an API server would store of them is `k8stui.apiserver.apply`'s business.

    Never raises for what stands in a file: see `Manifests.problems`. `context` names a cluster of
    the user's kubeconfig, whose objects come first. `stdin` is what ``-`` reads; default the
    process's standard input. `watch` is told how far it is.
    """
    # Collections while millions of small objects are made cost 3.7-4.5 times the load
    # (docs/facts/speed.md section 2).
    collecting = gc.isenabled()
    gc.disable()
    loader = _Loader(stdin, watch)
    try:
        if context is not None:
            loader.live(context)
        inputs = [loader.files(path) for path in paths]
        for files in loader.once(inputs):
            loader.read(files)
        return loader.result()
    finally:
        if loader.bytes > _MUCH:
            gc.freeze()
        if collecting:
            gc.enable()


class _Loader:
    def __init__(self, stdin: BinaryIO | None, watch: Watch | None) -> None:
        self.stdin, self.watch = stdin, watch
        self.found = Found()
        self.bytes = 0
        self.total = 0
        self.next_tick = 0.0
        self.strangers: dict[tuple[str, str], Counter[str]] = {}
        self.charts: Counter[str] = Counter()

    def files(self, given: str) -> list[InputFile]:
        """Find what one path stands for."""
        files: list[InputFile] = []
        for one in expand(given):
            if isinstance(one, Problem):
                self.found.problems.append(one)
            elif isinstance(one, Note):
                self.found.notes.append(one)
            else:
                files.append(one)
        if self.watch:
            self.total += sum(_size(file.path) for file in files if file.path != STDIN)
        return files

    def once(self, inputs: list[list[InputFile]]) -> list[list[InputFile]]:
        """Leave out files that stand there twice: by two paths or links, by name and in a folder.

        kubectl would send their objects twice, to the same end. The first place counts; what is
        named somewhere is taken as named.
        """
        met = [[(file, identity(file)) for file in files] for files in inputs]
        named = {key for files in met for file, key in files if file.named and key is not None}
        first: dict[Hashable, str] = {}
        left = []
        for files in met:
            kept, again = [], []
            for file, key in files:
                if key in first:
                    again.append(file)
                    continue
                if key is not None:
                    first[key] = file.path
                kept.append(replace(file, named=True) if key in named else file)
            self.again(again, first)
            left.append(kept)
        return left

    def again(self, files: list[InputFile], first: Mapping[Hashable, str]) -> None:
        """Say what of one path was found before."""
        if not files:
            return
        file, count = files[0], len(files)
        known = first[identity(file)]
        said = "given twice" if file.path == known else f"the same file as {known}"
        more = f" (and {count - 1} more such)" if count > 1 else ""
        self.found.notes.append(
            Note(message=f"{said}: read once{more}", file=file.path, count=count)
        )

    def read(self, files: list[InputFile]) -> None:
        """Read the files of one path."""
        patches = self.patches(files)
        for file in files:
            if patches and not file.named and os.path.abspath(file.path) in patches:  # noqa: PTH100
                message = "a kustomization's patch, part of an object: skipped"
                self.found.notes.append(Note(message=message, file=file.path))
            else:
                self.file(file)
            if self.watch:
                self.watch(Progress(self.bytes, self.total, self.found.objects))

    def live(self, context: str) -> None:
        """Read what the user's kubectl gets of a cluster."""
        from k8stui.manifests.kubectl import Kubectl  # noqa: PLC0415 - 8 ms, for live clusters

        with Kubectl(context, self.waiting) as kubectl:
            for file in kubectl.answers():
                self.file(file)
        self.found.problems += kubectl.problems
        self.found.notes += kubectl.notes

    def waiting(self, said: str) -> None:
        if self.watch:
            self.watch(Progress(self.bytes, self.total, self.found.objects, said))

    def patches(self, files: list[InputFile]) -> set[str]:
        """Files that a kustomization beside or above them names as patches."""
        found: set[str] = set()
        for path in _kustomizations(files):
            try:
                value = events.read(decode(packed.read(path))).value
            except (OSError, UndecodableError, YamlFault):
                continue  # told when the file's turn comes
            if isinstance(value, dict):
                named = foreign.patches(value)
                folder = os.path.dirname(path)  # noqa: PTH120
                found |= {os.path.abspath(os.path.join(folder, one)) for one in named}  # noqa: PTH100, PTH118
        return found

    def file(self, file: InputFile) -> None:
        if note := foreign.folder_note(file.path):
            self.found.notes.append(note)
            return
        try:
            if file.stream is not None:
                raw = packed.whole(file.stream)
            elif file.path == STDIN:
                raw = packed.whole(self.stdin or sys.stdin.buffer)
            else:
                raw = folders.read(file.path)
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            self.found.problems.append(Problem(file=file.path, message=message))
            return
        size = len(raw)
        self.bytes += size
        try:
            content = decode(raw)
        except UndecodableError as error:
            self.undecodable(file, raw, error)
            return
        raw = b""  # a big dump need not be there twice
        if file.named and (problem := mistaken(file.path, content)):
            self.found.problems.append(problem)
            return
        if not content or content.isspace():
            self.found.notes.append(Note(message="empty", file=file.path))
            return
        template = len(content) < _MUCH and foreign.is_template(content)
        if template and (chart := self.chart(file)):
            self.charts[chart] += 1
            return
        if len(content) < _MUCH and foreign.is_ytt(content):
            self.found.notes.append(foreign.ytt_note(file.path))
            return
        before = len(self.found.objects)
        text = Text(file.path, content)
        read_text(text, self.found, named=file.named, tick=partial(self.tick, self.bytes - size))
        self.round_off(before, file.path)

    def tick(self, done: int, offset: int) -> None:
        """Tell whoever watches, some fifty times a second."""
        if self.watch and (now := time.monotonic()) >= self.next_tick:
            self.next_tick = now + 0.02
            self.watch(Progress(done + offset, self.total, self.found.objects))

    def undecodable(self, file: InputFile, raw: bytes, error: UndecodableError) -> None:
        if b"\0" in raw[:4096]:
            message = "a binary file, no text"
            if not file.named:
                self.found.notes.append(Note(message=f"{message}: skipped", file=file.path))
                return
            self.found.problems.append(Problem(file=file.path, message=message))
            return
        # As far as it can be read, it tells whether a Secret stands there.
        shown = Text(file.path, error.readable).shown(error.offset)[0] if error.readable else None
        self.found.problems.append(
            Problem(
                file=file.path,
                line=error.line,
                column=error.column,
                message=error.message,
                hint="save the file as UTF-8",
                source_line=shown.line if shown else "",
                caret=shown.column if shown else 0,
            )
        )

    def chart(self, file: InputFile) -> str | None:
        """Find the Helm chart that a file is a template of."""
        if file.path == STDIN:
            return None
        from pathlib import Path  # noqa: PLC0415 - 3 ms, for templates only

        parts = Path(file.path).parents
        return next(
            (str(parent) for parent in parts if (parent / foreign.CHART).is_file()),
            None,
        )

    def round_off(self, before: int, file: str) -> None:
        """See to what one file brought besides its objects, those from `before` on."""
        found = self.found
        for one in found.objects[before:]:
            if one.kind == "ConfigMap" and one.name in CONFIGURATIONS:
                for key in CONFIGURATIONS[one.name]:
                    inner = read_embedded(one, key)
                    found.problems += inner.problems
                    found.notes += inner.notes
        for stranger in found.strangers:
            self.strangers.setdefault(stranger, Counter())[file] += 1
        found.strangers.clear()
        if found.templates:
            found.notes.append(foreign.template_note(file, chart=None))
            found.templates = 0

    def result(self) -> Manifests:
        notes = self.found.notes
        for chart, count in self.charts.items():
            some = "an unrendered template" if count == 1 else f"{count} unrendered templates"
            notes.append(
                Note(
                    message=f"{some} of a Helm chart: skipped",
                    file=chart,
                    count=count,
                    hint=f"helm template {chart} | k8stui -",
                )
            )
        for (version, kind), files in self.strangers.items():
            notes.append(_stranger(version, kind, files))
        return Manifests(
            objects=tuple(self.found.objects),
            problems=tuple(self.found.problems),
            skipped=frozenset(self.strangers),
            notes=tuple(notes),
            spoiled=tuple(self.found.spoiled),
        )


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - pathlib is 3 ms
    except OSError:
        return 0  # told when the file's turn comes


def _stranger(version: str, kind: str, files: Counter[str]) -> Note:
    count = files.total()
    why = "no part in how packets move" if kind in WITHOUT_PART else "a kind k8stui does not know"
    full = f"{kind} ({version})" if version else kind
    return Note(
        message=f"{count} {full} skipped: {why}",
        file=next(iter(files)) if len(files) == 1 else "",
        count=count,
    )


def _kustomizations(files: Iterable[InputFile]) -> list[str]:
    """Those among the files, and those of the folders above: ``patches/`` is often read alone."""
    folders: dict[str, None] = {}
    for file in files:
        if not file.named:
            folder = os.path.dirname(file.path)  # noqa: PTH120 - pathlib costs 3 ms
            for _ in range(_ABOVE):
                folders[folder] = None
                folder = os.path.join(folder, os.pardir)  # noqa: PTH118
    paths = (os.path.join(folder, name) for folder in folders for name in foreign.KUSTOMIZATIONS)  # noqa: PTH118
    return [path for path in paths if os.path.isfile(path)]  # noqa: PTH113
