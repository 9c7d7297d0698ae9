"""Date-times are read as dateutil reads them, with the same result everywhere and on every day."""

import time
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from dateutil import parser
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.media.mapping import datetimes
from jwp_pipeline.media.mapping.datetimes import date_time
from jwp_pipeline.media.mapping.fields import Unreadable


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-03-01 10:00:00+00:00", utc(2018, 3, 1, 10)),
        ("2018-08-06T15:30:00+01:00", utc(2018, 8, 6, 14, 30)),
        ("2018-08-06T15:30:00.123456Z", utc(2018, 8, 6, 15, 30, 0, 123456)),
        ("2018-08-06", utc(2018, 8, 6)),
        ("03/04/2018", utc(2018, 3, 4)),
        ("Mon, 06 Aug 2018 15:30:00 GMT", utc(2018, 8, 6, 15, 30)),
        ("Mon, 06 Aug 2018 15:30:00 +0100", utc(2018, 8, 6, 14, 30)),
        ("6 Aug 69", utc(1969, 8, 6)),
        ("0001-01-01", utc(1, 1, 1)),
    ],
)
def test_a_date_time_is_read_in_utc(text, expected):
    assert date_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "soon",
        "None",
        "10:30",
        "2018-08",
        "August",
        "2018-02-30",
        "0000-01-01",
        "12018-01-01",
        "1" * 5000,
        "2018-13-01",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2018-01-01T24:00:01",
        "2018-01-01T00:00:00+99:00",
    ],
)
def test_other_texts_are_unreadable(text):
    with pytest.raises(Unreadable):
        date_time(text)


@pytest.fixture
def london(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/London")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("london")
def test_the_zone_of_the_machine_does_not_matter():
    assert date_time("2018-08-06 15:30:00 BST") == date_time("2018-08-06 15:30:00") == utc(2018, 8, 6, 15, 30)


def two_digits(last):
    return st.integers(0, last).map("{:02}".format)


iso_texts = st.builds(
    "".join,
    st.tuples(
        st.integers(0, 9999).map("{:04}-".format),
        two_digits(13).map("{}-".format),
        two_digits(32),
        st.one_of(
            st.just(""),
            st.builds(
                "{}{}:{}{}{}".format,
                st.sampled_from("T "),
                two_digits(24),
                two_digits(60),
                st.one_of(
                    st.just(""),
                    st.builds(
                        ":{}{}".format,
                        two_digits(60),
                        st.just("")
                        | st.from_regex(r"[.,][0-9]{0,10}", fullmatch=True, alphabet=st.characters(max_codepoint=127)),
                    ),
                ),
                st.one_of(
                    st.sampled_from(["", "Z", "z", "-00:00", "+0100", "+01", "-1", "+100", " UTC", " +01:00"]),
                    st.builds(
                        "{}{}{}{}".format,
                        st.sampled_from("+-"),
                        two_digits(25),
                        st.sampled_from(["", ":"]),
                        two_digits(60),
                    ),
                ),
            ),
        ),
    ),
)


@given(iso_texts)
def test_iso_texts_are_read_just_as_dateutil_reads_them(text):
    try:
        parsed = parser.parse(text, default=datetime(2000, 1, 1))  # noqa: DTZ001
        expected = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        with pytest.raises(Unreadable):
            date_time(text)
    else:
        assert date_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("2018-08-06", "2018-08-06 15:30", "2018-08-06T15:30:00", "2018-08-06T15:30:00Z", "2018-08-06T15:30:00.5Z"),
        *("2018-08-06T15:30:00+01:00", "2018-08-06T15:30:00+0100", "2018-08-06 15:30:00.123456789+01"),
    ],
)
def test_common_forms_are_read_without_dateutil(text, monkeypatch):
    """dateutil takes about fifty times as long, and every video of a library has a date-time."""
    monkeypatch.setattr(datetimes, "_PARSER", None)
    assert date_time(text).date() == date(2018, 8, 6)


@given(st.text(alphabet="0123456789-:/ .,TZ+apmJanMonGMT", max_size=30) | st.text(max_size=210))
def test_any_text_is_read_or_unreadable(text):
    with suppress(Unreadable):
        assert date_time(text).tzinfo is UTC
