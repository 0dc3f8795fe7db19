"""The forms in which servers write dates, and all the others."""

import locale
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txt_dashboard.servers.dates import DateError, parse_date

LEAP_DAY = datetime(2016, 2, 29, 22, 29, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2016-02-29T22:29:26.365+0000", LEAP_DAY.replace(microsecond=365000)),
        ("2016-03-01T06:29:26.365+08:00", LEAP_DAY.replace(microsecond=365000)),
        ("2016-02-29T22:29:26Z", LEAP_DAY),
        ("2016-02-29T14:59:26-0730", LEAP_DAY),
        ("2016-02-29T22:29:26.365123789Z", LEAP_DAY.replace(microsecond=365123)),
        (1456784966365, LEAP_DAY.replace(microsecond=365000)),
        ("Mon Feb 29 22:29:26 2016", LEAP_DAY),
        ("Tue Mar  1 22:29:26 2016", datetime(2016, 3, 1, 22, 29, 26, tzinfo=UTC)),
    ],
)
def test_it_reads_the_known_forms_as_utc(written, moment):
    parsed = parse_date(written)
    assert parsed == moment
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "written",
    [
        "",
        "yesterday",
        "2016-02-29T22:29:26",  # no zone
        "2016-02-29T22:29:26.365",
        "2015-02-29T22:29:26Z",
        "2016-02-30T22:29:26Z",
        "2016-02-29T24:29:26Z",
        "2016-02-29T22:29:60Z",
        "2016-02-29T22:29:26+9900",
        "2016-02-29 22:29:26Z",
        "2016-02-29",
        "20160229T222926Z",
        "2016-W09-1T22:29:26Z",
        "2016-02-29T22:29:26,365Z",
        "２０１６-02-29T22:29:26Z",
        "2016-02-29T22:29:26Z\n",
        "1999-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "0001-01-01T00:00:00+2300",
        "9999-12-31T23:59:59-2300",
        "Tue Feb 29 22:29:26 2016",  # it was a Monday
        "Mon Feb 30 22:29:26 2016",
        "Lun Feb 29 22:29:26 2016",
        "Mon Fév 29 22:29:26 2016",
        "1456784966365",
        0,
        -1,
        1456784966,  # seconds
        10**30,
    ],
)
def test_it_refuses_all_others(written):
    with pytest.raises(DateError):
        parse_date(written)


def test_the_locale_does_not_matter():
    before = locale.setlocale(locale.LC_TIME)
    try:
        locale.setlocale(locale.LC_TIME, "C.UTF-8")
        assert parse_date("Mon Feb 29 22:29:26 2016") == LEAP_DAY
    finally:
        locale.setlocale(locale.LC_TIME, before)


@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)),  # noqa: DTZ001 - hypothesis wants bounds without a zone
    st.integers(-14 * 60, 14 * 60),
)
def test_it_reads_what_servers_write(naive, minutes):
    moment = naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_date(moment.isoformat(timespec="milliseconds")) == moment
    assert parse_date((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)) == moment
    assert parse_date(moment.astimezone(UTC).ctime()) == moment.replace(microsecond=0)


@given(st.text() | st.integers())
def test_nothing_makes_it_fail_otherwise(written):
    try:
        moment = parse_date(written)
    except DateError:
        return
    assert 2000 <= moment.year < 2100
