"""Jobs and CronJobs.

Source: pkg/apis/batch/validation/validation.go ValidateJob, validateJobSpec,
validateGeneratedSelector, validateCronJobSpec, ValidateJobTemplateSpec (1.36).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, number, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong, not_negative, one_of
from k8stui.apiserver.validation.schedule import check_schedule
from k8stui.apiserver.validation.selectors import check_selector, matches
from k8stui.apiserver.validation.workload import check_template, mismatch
from k8stui.manifests.manifest import Path

_NOT_NEGATIVE = (
    "backoffLimit",
    "activeDeadlineSeconds",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_CRON_NOT_NEGATIVE = (
    "startingDeadlineSeconds",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
)
_MOST_INDEXED = 100_000


def check_job(data: Object) -> Iterator[Mistake]:
    """A Job (batch/validation ValidateJob)."""
    spec = table(data, "spec")
    yield from _job(spec, ("spec",))
    name = text(table(data, "metadata"), "name")
    if wrong := formats.label_value(name):
        # The server puts the name into the labels of the template first.
        message = f"are to hold the Job's name, which {wrong}"
        at = ("metadata", "name")
        yield Mistake(("spec", "template", "labels"), Wrong.INVALID, message, at)
    completions = number(spec, "completions") or 0
    if text(spec, "completionMode") == "Indexed" and completions > 0:
        longest = f"{name}-{completions - 1}"
        if wrong := formats.dns_label(longest):
            message = f"makes pods up to {longest}, which is no hostname: it {wrong}"
            yield Mistake(("metadata", "name"), Wrong.INVALID, message)
    if spec.get("manualSelector") is True:
        if not isinstance(spec.get("selector"), dict):
            message = "has to be written when manualSelector is true"
            yield Mistake(("spec", "selector"), Wrong.REQUIRED, message)
        else:
            selector = table(spec, "selector")
            yield from check_selector(selector, ("spec", "selector"))
            carried = table(spec, "template", "metadata", "labels")
            if not matches(selector, carried):
                yield mismatch(data, table(selector, "matchLabels"), carried)


def check_cron_job(data: Object) -> Iterator[Mistake]:
    """A CronJob with the Job that it makes (batch/validation ValidateCronJobCreate)."""
    spec = table(data, "spec")
    yield from check_schedule(spec)
    policy = text(spec, "concurrencyPolicy")
    yield from one_of(("spec", "concurrencyPolicy"), policy, ("Allow", "Forbid", "Replace"))
    yield from not_negative(spec, _CRON_NOT_NEGATIVE, ("spec",))
    inner, base = table(spec, "jobTemplate", "spec"), ("spec", "jobTemplate", "spec")
    yield from _job(inner, base)
    if inner.get("manualSelector") is True:
        message = "may not be true in a CronJob: each Job gets a selector of its own"
        yield Mistake((*base, "manualSelector"), Wrong.UNSUPPORTED, message)


def _job(spec: Object, base: Path) -> Iterator[Mistake]:
    # The pod template's Always is filled in where nothing is written: refused as missing.
    policy = text(table(spec, "template", "spec"), "restartPolicy")
    path = (*base, "template", "spec", "restartPolicy")
    if policy in ("", "Always"):
        message = "has to be OnFailure or Never for a Job" + (
            "; not written it is Always" if not policy else ""
        )
        hint = "write restartPolicy: Never beside containers" if not policy else ""
        yield Mistake(path, Wrong.REQUIRED, message, mended="Never" if policy else "", hint=hint)
    if isinstance(spec.get("podFailurePolicy"), dict) and policy != "Never":
        message = "has to be Never when there is a podFailurePolicy"
        yield Mistake(path, Wrong.INVALID, message)
    if spec.get("selector") is not None and spec.get("manualSelector") is not True:
        message = "is made by the server; leave it out, or write manualSelector: true too"
        yield Mistake((*base, "selector"), Wrong.INVALID, message)
    yield from _indices(spec, base)
    replacement = text(spec, "podReplacementPolicy")
    allowed: tuple[str, ...] = ("Failed", "TerminatingOrFailed")
    if isinstance(spec.get("podFailurePolicy"), dict):
        allowed = ("Failed",)
    yield from one_of((*base, "podReplacementPolicy"), replacement, allowed)
    yield from check_template(spec, base)
    yield from not_negative(spec, _NOT_NEGATIVE, base)


def _indices(spec: Object, base: Path) -> Iterator[Mistake]:
    mode = text(spec, "completionMode")
    yield from one_of((*base, "completionMode"), mode, ("NonIndexed", "Indexed"))
    completions, failed = number(spec, "completions"), number(spec, "maxFailedIndexes")
    if mode == "Indexed":
        if completions is None:
            message = "has to be written when completionMode is Indexed"
            yield Mistake((*base, "completions"), Wrong.REQUIRED, message)
        elif failed is not None and failed > completions:
            message = f"is {failed}, which is more than completions, {completions}"
            yield Mistake((*base, "maxFailedIndexes"), Wrong.INVALID, message)
        if (number(spec, "parallelism") or 0) > _MOST_INDEXED:
            message = f"may be {_MOST_INDEXED} at most when completionMode is Indexed"
            yield Mistake((*base, "parallelism"), Wrong.INVALID, message)
    elif mode in ("", "NonIndexed"):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
            if spec.get(field) is not None:
                message = "may only be written when completionMode is Indexed"
                yield Mistake((*base, field), Wrong.INVALID, message)
    if failed is not None and spec.get("backoffLimitPerIndex") is None:
        message = "has to be written when maxFailedIndexes is"
        yield Mistake((*base, "backoffLimitPerIndex"), Wrong.REQUIRED, message)
