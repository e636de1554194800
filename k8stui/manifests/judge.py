"""Whether a mapping is one of our objects, what is wrong with it, and what of it is kept."""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Mapping

from k8stui.manifests import events, foreign, source
from k8stui.manifests.check import Fault
from k8stui.manifests.found import LARGE, Report
from k8stui.manifests.identity import faults_of, kind_of
from k8stui.manifests.manifest import NO_BASE64, Manifest, Path
from k8stui.manifests.schema.objects import Kind
from k8stui.manifests.skip import LAST_APPLIED
from k8stui.manifests.source import SourceText
from k8stui.manifests.suspicion import suspicious


class ObjectJudge:
    """Judges the objects of one text."""

    def __init__(self, report: Report, *, any_kind: bool) -> None:
        self.report, self.text, self.found = report, report.text, report.found
        self.any_kind = any_kind
        self.secret: list[tuple[int, int]] = []

    def rest(self) -> None:
        """Let go of what no one may see: the values of Secrets."""
        if self.secret:
            self.text.blank(self.secret)
            source.forget()
            events.forget()

    def one_object(
        self,
        data: dict[str, object],
        one: SourceText,
        filled: Mapping[str, object] | None = None,
        *,
        sure: bool = False,
    ) -> bool:
        """Judge and keep one object; tells whether the schema had nothing against it.

        `filled`: what its list says for it. `sure`: the schema has nothing against it, if it comes
        from a cluster.
        """
        kind = kind_of(data)
        if self.any_kind and kind is None:
            self._keep(data, None, one, observed=False)
            return True
        if kind is None and not foreign.looks_like_object(data):
            runtime = foreign.runtime_kind(data, self.text.file)
            if runtime is not None:
                data = {"kind": runtime, "metadata": {"name": data.get("name")}} | data
                self._keep(data, None, one, observed=False)
            else:
                self.stranger(data, one)
            return True
        observed = is_observed(data)
        faults = [] if sure and observed else faults_of(data)
        if faults is None:
            version, name = data.get("apiVersion"), data.get("kind")
            self.found.strangers.append((str(version or ""), str(name)))
            return True
        if observed:
            faults = [fault for fault in faults if not fault.note]
        look = faults or not (observed or one.json)
        if look and self._faulty(data, faults, one, filled or {}):
            if kind is not None and faults and all(fault.wrong or fault.note for fault in faults):
                self._keep(data, kind, one, observed=observed, spoiled=True)
        elif kind is not None:
            self._keep(data, kind, one, observed=observed)
        return not faults

    def stranger(self, value: object, one: SourceText) -> None:
        if self.any_kind:
            return
        if isinstance(value, str) and foreign.is_template(value):
            self.found.templates += 1
            return
        line, _ = self.text.position(one.start)
        self.report.note(
            f"{foreign.name_of(value, self.text.file)}: skipped", line if line > 1 else 0
        )

    def _faulty(
        self,
        data: Mapping[str, object],
        faults: list[Fault],
        one: SourceText,
        filled: Mapping[str, object],
    ) -> bool:
        """Report what is wrong; True when the object cannot be used."""
        piece, base = one.piece()
        if not faults and (len(piece) > LARGE or not suspicious(piece)):
            return False
        from k8stui.manifests.broken import examine  # noqa: PLC0415 - 7 ms, for mistakes only

        def judge(value: Mapping[str, object]) -> list[Fault]:
            return faults_of({**filled, **value}) or []

        secret = data.get("kind") == "Secret"
        findings = examine(piece, judge, secret=secret) if len(piece) <= LARGE else []
        subject = _subject(data)
        self.report.findings(findings, base, subject)
        broken = any(not finding.note for finding in findings)
        if not broken and any(not fault.note for fault in faults):
            # The exact look saw nothing (JSON that YAML cannot read): say it without a line.
            for fault in faults:
                offset = one.offset(fault.path)
                self.report.problem(offset, fault.message, fault.hint, subject)
            return True
        return broken

    def _keep(
        self,
        data: dict[str, object],
        kind: Kind | None,
        one: SourceText,
        *,
        observed: bool,
        spoiled: bool = False,
    ) -> None:
        metadata = data.get("metadata")
        meta: Mapping[str, object] = metadata if isinstance(metadata, dict) else {}
        name = meta.get("name")
        if not name and isinstance(prefix := meta.get("generateName"), str) and kind:
            # The API server adds five random characters; a stable stand-in keeps output stable.
            name = f"{prefix}00000"
            line, _ = one.find(("metadata", "generateName"))
            self.report.note(f"generateName {prefix!r}: called {name!r} here", line)
        namespace = meta.get("namespace")
        if kind is not None and kind.name == "Secret":
            data = self._without_values(data, one)
        (self.found.spoiled if spoiled else self.found.objects).append(
            Manifest(
                api_version=_text(data.get("apiVersion")),
                kind=kind.name if kind is not None else _text(data.get("kind")),
                name=_text(name),
                namespace=namespace if isinstance(namespace, str) and namespace else None,
                data=data,
                file=self.text.file,
                observed=observed,
                locator=one,
            )
        )

    def _without_values(self, data: dict[str, object], one: SourceText) -> dict[str, object]:
        """Drop a Secret's values from the data and from the text that is kept for places."""
        data = dict(data)
        paths: list[Path] = [("metadata", "annotations", LAST_APPLIED)]
        for part in ("data", "stringData"):
            values = data.get(part)
            if values is not None:
                data[part] = (
                    {key: _end_of(value, part) for key, value in values.items()}
                    if isinstance(values, dict)
                    else None
                )
                paths.append((part,))
        metadata = data.get("metadata")
        notes = metadata.get("annotations") if isinstance(metadata, dict) else None
        if isinstance(metadata, dict) and isinstance(notes, dict):
            kept = {key: value for key, value in notes.items() if key != LAST_APPLIED}
            data["metadata"] = {**metadata, "annotations": kept}
        for path in paths:
            if one.has(path):
                self.secret += one.scalars(path)
        return data


def _subject(data: Mapping[str, object]) -> str:
    """Kind and key of an object: ``Service default/web``; empty where it has no name."""
    kind, metadata = data.get("kind"), data.get("metadata")
    meta: Mapping[str, object] = metadata if isinstance(metadata, dict) else {}
    name, namespace = _text(meta.get("name")), _text(meta.get("namespace")) or "default"
    return f"{kind} {namespace}/{name}" if isinstance(kind, str) and name else ""


_FILLED_IN = re.compile(
    r"\$\{?[A-Za-z_]\w*\}?|\$\(\w+\)|\{\{|<[^<>]+>|@[A-Za-z_]\w*@|%[A-Za-z_]\w*%|^[A-Z0-9_]+$|^ENC\["
    r"|\.\.\.|…|^\*+$"
)
"""A value that somebody fills in or decrypts first: ``${PASSWORD}``, ``ENC[…``, ``CHANGE_ME``."""


def _end_of(value: object, part: str) -> str | None:
    """All that is kept of a Secret's value: whether it is one line that ends in a line feed.

    And whether the API server reads it at all: Go's base64.StdEncoding, which leaves line ends out.
    """
    if not isinstance(value, str):
        return None
    if part == "data":
        try:
            held = a2b_base64(value.replace("\n", "").replace("\r", ""), strict_mode=True)
        except ValueError:
            return NO_BASE64 if _FILLED_IN.search(value) is None else None
        try:
            value = held.decode()
        except ValueError:
            return None
    return "\n" if value.find("\n") == len(value) - 1 > 0 else None


def is_observed(data: Mapping[str, object]) -> bool:
    """Whether an API server has written into the object.

    ``kubectl create --dry-run=client -o yaml`` prints ``creationTimestamp: null`` and an empty
    status: that is no dump.
    """
    metadata = data.get("metadata")
    if isinstance(metadata, dict) and any(
        metadata.get(key) for key in ("uid", "resourceVersion", "creationTimestamp")
    ):
        return True
    return _says_something(data.get("status"))


def _says_something(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    if isinstance(value, list):
        return any(map(_says_something, value))
    return bool(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
