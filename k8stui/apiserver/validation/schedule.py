"""When a CronJob makes its Jobs.

Source: pkg/apis/batch/validation/validation.go validateScheduleFormat, validateTimeZone;
github.com/robfig/cron/v3 parser.go ParseStandard, spec.go (bounds of the fields).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.apiserver.fields import Object, text
from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.record import record
from k8stui.whole import whole

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905
_DAYS = "sun mon tue wed thu fri sat".split()  # noqa: SIM905
_WORDS = frozenset(
    f"@{word}"
    for word in ("yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly")
)
_UNITS = ("ns", "us", "ms", "s", "m", "h")


@record()
class _Field:
    name: str
    low: int
    high: int
    words: Mapping[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, {word: n for n, word in enumerate(_MONTHS, 1)}),
    _Field("day of the week", 0, 6, {word: n for n, word in enumerate(_DAYS)}),
)


def check_schedule(spec: Object) -> Iterator[Mistake]:
    """``schedule`` and ``timeZone`` of a CronJob's `spec`."""
    schedule, path = text(spec, "schedule"), ("spec", "schedule")
    if not schedule:
        yield Mistake(path, Wrong.REQUIRED, "has to be written", hint='write schedule: "0 * * * *"')
    elif "TZ" in schedule:
        yield Mistake(path, Wrong.INVALID, "may not name a time zone: timeZone does")
    elif wrong := _wrong(schedule):
        yield Mistake(path, Wrong.INVALID, wrong)
    zone = spec.get("timeZone")
    path = ("spec", "timeZone")
    if zone == "":
        yield Mistake(path, Wrong.INVALID, "may be left out, but not be empty")
    elif isinstance(zone, str) and zone.lower() == "local":
        message = f"is {zone!r}; it has to be a name such as Europe/Berlin"
        yield Mistake(path, Wrong.INVALID, message)
    elif isinstance(zone, str) and not _is_zone(zone):
        yield Mistake(path, Wrong.INVALID, f"{zone!r} is no time zone such as Europe/Berlin")


def _is_zone(name: str) -> bool:
    from zoneinfo import (  # noqa: PLC0415 - for CronJobs with a timeZone only
        ZoneInfo,
        ZoneInfoNotFoundError,
        available_timezones,
    )

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Without a database of zones nothing can be said.
        return not available_timezones()
    return True


def _wrong(schedule: str) -> str:
    if schedule.startswith("@"):
        if schedule in _WORDS:
            return ""
        interval = schedule.removeprefix("@every ")
        if interval != schedule and interval[:1].isdigit() and interval.endswith(_UNITS):
            return ""
        return f"{schedule!r} is none of {', '.join(sorted(_WORDS))}, @every DURATION"
    written = schedule.split()
    if len(written) != len(_FIELDS):
        return f"has {len(written)} fields; a schedule has {len(_FIELDS)}"
    for field, part in zip(_FIELDS, written, strict=True):
        for one in part.split(","):
            if one and (wrong := _range(field, one)):
                return f"has {part!r} as {field.name}: {wrong}"
    return ""


def _range(field: _Field, written: str) -> str:
    """``*``, ``5``, ``1-5``, ``*/2``, ``mon-fri``: what is wrong with one part of a field."""
    span, slash, step = written.partition("/")
    first, dash, last = span.partition("-")
    if slash and not whole(step):
        return f"{step!r} is no step"
    if first in ("*", "?"):
        return f"nothing may stand behind {first}" if dash else ""
    ends = []
    for one in (first, last) if dash else (first,):
        value = field.words.get(one.lower(), whole(one))
        if value is None:
            return f"{one!r} is no number"
        if not field.low <= value <= field.high:
            return f"{one} is not in the range {field.low}-{field.high}"
        ends.append(value)
    return f"{first} comes after {last}" if ends != sorted(ends) else ""
