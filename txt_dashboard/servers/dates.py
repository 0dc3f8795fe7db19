"""Dates as attestation servers write them, always with a zone, in years that can be meant."""

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})"
)
_C_FORM = re.compile(r"([A-Z][a-z]{2}) ([A-Z][a-z]{2}) ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([0-9]{4})")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_END = datetime(2100, 1, 1, tzinfo=UTC)
_FIRST_MILLISECOND = int(_FIRST.timestamp()) * 1000
_END_MILLISECOND = int(_END.timestamp()) * 1000


class DateError(ValueError):
    """A date that can't be used; the sentence says why."""


def parse_date(written: str | int) -> datetime:
    """The moment, in UTC, that a server wrote in one of the three forms that they are known to use.

    ISO 8601 with a zone (`2016-02-29T22:29:26.365+0000`), milliseconds since 1970 (a number), or C's
    `%c` (`Mon Feb 29 22:29:26 2016`, always UTC and English). Raises `DateError` for all else, for dates
    that don't exist and for years outside 2000 to 2099.
    """
    if isinstance(written, int):
        return _from_milliseconds(written)
    try:
        moment = datetime.fromisoformat(written) if _ISO.fullmatch(written) else _from_c_form(written)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise DateError("its date does not exist, or has another form than the known ones") from None
    if not _FIRST <= moment < _END:
        raise DateError("its date lies outside the years 2000 to 2099")
    return moment


def _from_milliseconds(milliseconds: int) -> datetime:
    if not _FIRST_MILLISECOND <= milliseconds < _END_MILLISECOND:
        raise DateError("its date lies outside the years 2000 to 2099")
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _from_c_form(written: str) -> datetime:
    matched = _C_FORM.fullmatch(written)
    if matched is None:
        raise ValueError("not the %c form")
    day_name, month_name, day, *clock, year = matched.groups()
    hour, minute, second = (int(part) for part in clock)
    moment = datetime(int(year), _MONTHS.index(month_name) + 1, int(day), hour, minute, second, tzinfo=UTC)
    if _DAYS[moment.weekday()] != day_name:
        raise ValueError("not that day of the week")
    return moment
