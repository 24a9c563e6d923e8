"""Which texts are timestamps (G7), which instant they mean, and which of two comes first (G6)."""

import traceback
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.vendors.validation import timestamps
from airflow_provider_userdata.vendors.validation.timestamps import NotInProfile

TOKYO, BERLIN, DUBLIN = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Dublin")
OFFSETS = st.integers(-(24 * 60 - 1), 24 * 60 - 1)
LOCAL_TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))


@st.composite
def stamps(draw: st.DrawFn) -> tuple[str, Fraction]:
    """Draw a text in any form of the profile, and its instant in seconds since year 1, by arithmetic of our own."""
    local, minutes, digits = draw(LOCAL_TIMES), draw(OFFSETS), draw(st.text("0123456789", max_size=12))
    instant = Fraction((local.replace(second=0, microsecond=0) - datetime.min) // timedelta(seconds=1)) - minutes * 60
    text = f"{local.year:04}-{local.month:02}-{local.day:02}T{local.hour:02}:{local.minute:02}"
    if draw(st.booleans()):
        text += f":{local.second:02}"
        instant += local.second
        if digits:
            text += f".{digits}"
            instant += Fraction(int(digits), 10 ** len(digits))
    return text + draw(st.sampled_from(offset_forms(minutes))), instant


def offset_forms(minutes: int) -> list[str]:
    """List every way in which the profile writes an offset from UTC."""
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    forms = [f"{sign}{hours:02}:{rest:02}", f"{sign}{hours:02}{rest:02}"]
    forms += [] if rest else [f"{sign}{hours:02}"]
    return forms if minutes else [*forms, "Z"]


def fault(text: str) -> str:
    """Give the reason for which a text is refused."""
    with pytest.raises(NotInProfile) as refused:
        timestamps.parse(text)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2023-06-01T14:30:00Z", datetime(2023, 6, 1, 14, 30, tzinfo=UTC)),
        ("2023-06-01T14:30Z", datetime(2023, 6, 1, 14, 30, tzinfo=UTC)),
        ("2023-06-01T14:30:15+09:00", datetime(2023, 6, 1, 5, 30, 15, tzinfo=UTC)),
        ("2023-06-01T14:30:15+0900", datetime(2023, 6, 1, 5, 30, 15, tzinfo=UTC)),
        ("2023-06-01T14:30:15+09", datetime(2023, 6, 1, 5, 30, 15, tzinfo=UTC)),
        ("2023-06-01T14:30-03:30", datetime(2023, 6, 1, 18, 0, tzinfo=UTC)),
        ("2023-06-01T14:30:15.1Z", datetime(2023, 6, 1, 14, 30, 15, 100000, tzinfo=UTC)),
        ("2023-06-01T14:30:15.123456789Z", datetime(2023, 6, 1, 14, 30, 15, 123456, tzinfo=UTC)),
        ("2024-02-29T23:59:59-00:00", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("2023-06-01T14:30:15+23:59", datetime(2023, 5, 31, 14, 31, 15, tzinfo=UTC)),
    ],
)
def test_every_form_of_the_profile_is_read(text: str, instant: datetime) -> None:
    """Seconds, fraction and the offset's forms are free."""
    assert timestamps.parse(text) == instant


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2023-06-01 14:30:00Z", "has a space instead of the T"),
        ("2023-06-01 14:30+0900", "has a space instead of the T"),
        ("2023-06-01t14:30:00Z", "has a lowercase t or z"),
        ("2023-06-01T14:30:00z", "has a lowercase t or z"),
        ("2023-06-01T14:30z", "has a lowercase t or z"),
        ("2023-06-01T14:30:00", "has no offset from UTC"),
        ("2023-06-01T14:30", "has no offset from UTC"),
        ("2023-06-01", "is a date without a time"),
        (" 2023-06-01T14:30:00Z", "has whitespace around it"),
        ("2023-06-01T14:30:00Z ", "has whitespace around it"),
        ("2023-06-01T14:30:00Z\n", "has whitespace around it"),
        ("2023-02-29T14:30:00Z", "is not a valid calendar date"),
        ("2023-02-29T14:30", "is not a valid calendar date"),
        ("2023-13-01T14:30:00Z", "is not a valid calendar date"),
        ("2023-00-10T14:30:00+09", "is not a valid calendar date"),
        ("0000-01-01T14:30:00Z", "is not a valid calendar date"),
        ("2023-06-01T24:00:00Z", "is not a valid time of day"),
        ("2023-06-01T14:60Z", "is not a valid time of day"),
        ("2023-06-30T23:59:60Z", "is not a valid time of day"),
        ("2023-06-01T25:00", "is not a valid time of day"),
        ("2023-06-01T14:30:00+24:00", "has an offset from UTC that is out of range"),
        ("2023-06-01T14:30:00+23:60", "has an offset from UTC that is out of range"),
        ("2023-06-01T14:30:00-24", "has an offset from UTC that is out of range"),
        ("2023-06-01T14:30:00+04:00:30", "has an offset from UTC with seconds"),
        ("2023-06-01T14:30:00+9:00", "has an offset from UTC that is not ±hh:mm, ±hhmm or ±hh"),
        ("", "is empty"),
        ("20230601T143000Z", "is not ISO 8601 in the extended form"),
        ("2023-06-01T143000Z", "is not ISO 8601 in the extended form"),
        ("2023-06-01T14Z", "is not ISO 8601 in the extended form"),
        ("2023-06-01T14:30.5Z", "is not ISO 8601 in the extended form"),
        ("2023-06-01T14:30:00,5Z", "is not ISO 8601 in the extended form"),
        ("2023-06-01T14:30:00.Z", "is not ISO 8601 in the extended form"),
        ("2023-06-01T14:30:00 Z", "is not ISO 8601 in the extended form"),
        ("2023-06-01T14:30:00Z\0", "is not ISO 8601 in the extended form"),
        ("2023-W22-4T14:30:00Z", "is not ISO 8601 in the extended form"),
        ("2023-152T14:30:00Z", "is not ISO 8601 in the extended form"),
        ("+2023-06-01T14:30:00Z", "is not ISO 8601 in the extended form"),
        ("12023-06-01T14:30:00Z", "is not ISO 8601 in the extended form"),
        ("\N{FULLWIDTH DIGIT TWO}023-06-01T14:30:00Z", "is not ISO 8601 in the extended form"),
        ("2023-06-01T14:3\N{ARABIC-INDIC DIGIT ZERO}:00Z", "is not ISO 8601 in the extended form"),
        ("2023-06-01T14:30:00\N{MINUS SIGN}09:00", "is not ISO 8601 in the extended form"),
        ("1685629800", "is not ISO 8601 in the extended form"),
        ("\ud800", "is not ISO 8601 in the extended form"),
    ],
)
def test_everything_else_is_refused_with_its_reason(text: str, reason: str) -> None:
    """What looks like a timestamp and is outside the profile is told apart, wherever it stands."""
    assert fault(text) == reason
    for pair in ((text, "2023-06-01T14:30:00Z"), ("2023-06-01T14:30:00Z", text), (text, text)):
        assert not timestamps.in_order(*pair)


@pytest.mark.parametrize(
    "text",
    ["2023-02-29T14:30:00Z", "2023-06-01T14:30:00Zsecret", "2023-06-01T14:30:00+secret", "secret", "0000-01-01T00:00Z"],
)
def test_no_traceback_holds_the_value(text: str) -> None:
    """Neither the message nor an exception before it quotes the text, for tracebacks reach logs (A6)."""
    with pytest.raises(NotInProfile) as refused:
        timestamps.parse(text)
    shown = "".join(traceback.format_exception(refused.value))
    assert "secret" not in shown
    assert shown.count("Traceback") == 1


@given(stamps())
def test_what_is_written_in_the_profile_is_read_as_datetime_reads_it(stamp: tuple[str, Fraction]) -> None:
    """Any form of any time from year 1 to 9999 is accepted, and is the instant that arithmetic gives."""
    text, instant = stamp
    moment = timestamps.parse(text)
    assert moment == datetime.fromisoformat(text)
    assert instant - Fraction(1, 10**6) < exact(moment) <= instant


def exact(moment: datetime) -> Fraction:
    """Count the seconds since year 1, without leaving the range of `datetime`."""
    offset = moment.utcoffset() or timedelta()
    return Fraction((moment.replace(tzinfo=None) - datetime.min - offset) // timedelta(microseconds=1), 10**6)


@given(stamps(), stamps())
def test_order_is_that_of_the_instants(one: tuple[str, Fraction], other: tuple[str, Fraction]) -> None:
    """Not of the texts, and safe at both ends of the calendar."""
    assert timestamps.in_order(one[0], other[0]) is (one[1] <= other[1])


@given(st.text("0123456789", max_size=9), st.text("0123456789", max_size=9), OFFSETS, st.sampled_from("Z+"))
def test_order_is_exact_below_microseconds(one: str, other: str, minutes: int, form: str) -> None:
    """Instants that a `datetime` can't tell apart are compared by every digit, whatever their offsets."""
    here = timezone(timedelta(minutes=minutes))
    moment = datetime(2023, 6, 1, 14, 30, tzinfo=UTC)
    start = f"2023-06-01T14:30:00.123456{one}Z"
    end = f"{moment.astimezone(here):%Y-%m-%dT%H:%M:%S}.123456{other}{offset_forms(minutes)[form == 'Z']}"
    assert timestamps.in_order(start, end) is (as_fraction(one) <= as_fraction(other))
    assert timestamps.in_order(end, start) is (as_fraction(other) <= as_fraction(one))


def as_fraction(digits: str) -> Fraction:
    """Give digits the places after a leading one."""
    return Fraction(int("1" + digits), 10 ** len(digits))


@given(stamps(), st.integers(0, 60), st.characters() | st.sampled_from("TtZz :.+-0123456789"))
def test_what_is_read_fast_is_in_the_profile_too(stamp: tuple[str, Fraction], place: int, character: str) -> None:
    """A text with one character changed is accepted only if our own pattern accepts it."""
    text = stamp[0][:place] + character + stamp[0][place + 1 :]
    try:
        moment = timestamps.parse(text)
    except NotInProfile:
        return
    assert timestamps._PROFILE.fullmatch(text)
    assert moment == datetime.fromisoformat(text)


TEXTS = (
    stamps().map(lambda stamp: stamp[0])
    | st.sampled_from(["", "T", "2023-11-01 08:04:51Z", "2023-11-01t08:04:51Z", "2023-11-01T08:04:51z"])
    | st.text(max_size=30)
)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
def test_many_pairs_are_sure_only_where_each_alone_is_in_order(pairs: list[tuple[str, str]]) -> None:
    """The quick look at a chunk's columns lets nothing pass that a look at the pair alone refuses."""
    unsure = timestamps.maybe_not_in_order([start for start, _ in pairs], [end for _, end in pairs])

    assert all(timestamps.in_order(*pair) for place, pair in enumerate(pairs) if place not in unsure)
    assert unsure <= set(range(len(pairs)))


def test_usual_pairs_are_sure_whatever_stands_beside_them() -> None:
    """The usual sample needs no second look, also in a chunk with others that do."""
    usual = ("2023-11-01T08:04:51.000+04:00", "2023-11-01T04:04:58Z")
    odd = [("", ""), ("2023-11-01 08:04:51Z",) * 2, ("2023-11-01T08:04:51z",) * 2, usual[::-1], ("no",) * 2]
    same = (usual[0], usual[0])
    starts, ends = zip(usual, *odd, same, strict=True)

    assert timestamps.maybe_not_in_order(starts, ends) == set(range(1, 1 + len(odd)))


ODD = ["\ud800", "2023-11-01T08:04:51\udcff", "\uff12023-11-01T08:04:51Z", "2023-11-01T08:04:51Z\0and more"]


@pytest.mark.parametrize("odd", ODD)
def test_the_parser_gets_only_what_every_release_reads(odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its older releases kill the process where a text is not UTF-8: half a surrogate pair never gets there.

    Nor does a NUL, behind which they don't look.
    """
    asked: list[str] = []

    def parsed(text: str) -> datetime:
        asked.append(text)
        return datetime.fromisoformat(text)

    monkeypatch.setattr(timestamps, "parse_rfc3339", parsed)
    usual = "2023-11-01T08:04:51Z"

    assert fault(odd) == timestamps.fault(odd)
    assert not timestamps.in_order(odd, usual)
    assert not timestamps.in_order(usual, odd)
    assert timestamps.maybe_not_in_order([usual, odd, usual], [usual, usual, odd]) >= {1, 2}
    with pytest.raises(NotInProfile):
        timestamps.with_zone(odd, TOKYO)
    assert all(text.isascii() and "\0" not in text for text in asked)


@pytest.mark.parametrize(
    ("start", "end", "verdict"),
    [
        ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z", True),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00+23:59", False),
        ("9999-12-31T23:59:59.999999999-23:59", "9999-12-31T23:59:59Z", False),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", True),
        ("2023-06-01T14:30:00Z", "2023-06-01T23:30:00+09:00", True),
        ("2023-06-01T23:30:00+09:00", "2023-06-01T14:30:00Z", True),
        ("2023-06-01T14:30:00.1234568Z", "2023-06-01T14:30:00.1234567Z", False),
        ("2023-06-01T14:30:00.00000010Z", "2023-06-01T14:30:00.0000001Z", True),
    ],
)
def test_order_at_the_edges(start: str, end: str, verdict: bool) -> None:
    """The calendar's ends, equal instants and closing zeros."""
    assert timestamps.in_order(start, end) is verdict


@pytest.mark.parametrize(
    ("text", "zone", "completed"),
    [
        ("2023-06-01T14:30:00", TOKYO, "2023-06-01T14:30:00+09:00"),
        ("2023-06-01T14:30", TOKYO, "2023-06-01T14:30+09:00"),
        ("2023-06-01T14:30:00.1234567890", TOKYO, "2023-06-01T14:30:00.1234567890+09:00"),
        ("2023-06-01T14:30:00", BERLIN, "2023-06-01T14:30:00+02:00"),
        ("2023-12-01T14:30:00", BERLIN, "2023-12-01T14:30:00+01:00"),
        ("2023-12-01T14:30:00", ZoneInfo("America/St_Johns"), "2023-12-01T14:30:00-03:30"),
        ("2023-12-01T14:30:00", ZoneInfo("UTC"), "2023-12-01T14:30:00+00:00"),
        ("9999-12-31T23:59:59", TOKYO, "9999-12-31T23:59:59+09:00"),
        ("2023-10-29T02:30:00", BERLIN, "2023-10-29T02:30:00+02:00"),
        ("2023-10-29T01:30:00", DUBLIN, "2023-10-29T01:30:00+01:00"),
        ("2023-06-01T14:30:00Z", TOKYO, "2023-06-01T14:30:00Z"),
        ("2023-06-01T14:30-0330", TOKYO, "2023-06-01T14:30-0330"),
        ("2023-06-01T14:30:00.5-03", TOKYO, "2023-06-01T14:30:00.5-03"),
    ],
)
def test_a_zone_completes_what_has_no_offset_and_nothing_else(text: str, zone: ZoneInfo, completed: str) -> None:
    """The offset is that of the zone at the local time, the earlier one where it comes twice."""
    assert timestamps.with_zone(text, zone) == completed


@pytest.mark.parametrize(
    ("text", "zone", "reason"),
    [
        ("2023-03-26T02:30:00", BERLIN, "is a local time that the zone skips"),
        ("2023-03-26T01:30:00", DUBLIN, "is a local time that the zone skips"),
        ("2011-12-30T12:00", ZoneInfo("Pacific/Apia"), "is a local time that the zone skips"),
        ("1850-01-01T00:00:00", TOKYO, "has an offset from UTC with seconds"),
        ("0001-01-01T00:00:00", TOKYO, "has an offset from UTC with seconds"),
        ("2023-02-29T00:00:00", TOKYO, "is not a valid calendar date"),
        ("2023-02-29T00:00:00Z", TOKYO, "is not a valid calendar date"),
        ("2023-02-28T00:00+24", TOKYO, "has an offset from UTC that is out of range"),
        ("2023-06-01 14:30:00", TOKYO, "has a space instead of the T"),
        ("2023-06-01", TOKYO, "is a date without a time"),
        ("noon", TOKYO, "is not ISO 8601 in the extended form"),
        ("", TOKYO, "is empty"),
    ],
)
def test_a_zone_mends_nothing_else(text: str, zone: ZoneInfo, reason: str) -> None:
    """A time that the zone skips, an offset that can't be written, and any other fault are refused."""
    with pytest.raises(NotInProfile, match=reason):
        timestamps.with_zone(text, zone)


@given(LOCAL_TIMES, st.sampled_from([TOKYO, BERLIN, DUBLIN, ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Apia")]))
def test_a_completed_time_is_the_zones_instant(local: datetime, zone: ZoneInfo) -> None:
    """What a zone completes means what `zoneinfo` means by that local time."""
    try:
        completed = timestamps.with_zone(local.isoformat(), zone)
    except NotInProfile:
        return
    assert exact(timestamps.parse(completed)) == exact(local.replace(tzinfo=zone))


@given(LOCAL_TIMES, OFFSETS)
def test_a_datetime_keeps_its_own_offset(local: datetime, minutes: int) -> None:
    """A named zone is for naive ones alone."""
    value = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    for zone in (None, TOKYO):
        assert timestamps.from_datetime(value, zone) == value.isoformat()
    assert timestamps.parse(value.isoformat()) == value


def test_a_naive_datetime_takes_the_zone_and_its_own_fold() -> None:
    """The second of two equal local times can be meant, unlike in a text."""
    twice = datetime(2023, 10, 29, 2, 30)
    assert timestamps.from_datetime(twice, BERLIN) == "2023-10-29T02:30:00+02:00"
    assert timestamps.from_datetime(twice.replace(fold=1), BERLIN) == "2023-10-29T02:30:00+01:00"


@pytest.mark.parametrize(
    ("value", "zone", "reason"),
    [
        (datetime(2023, 6, 1), None, "has no offset from UTC"),
        (datetime(2023, 3, 26, 2, 30), BERLIN, "is a local time that the zone skips"),
        (datetime(1850, 1, 1), TOKYO, "has an offset from UTC with seconds"),
        (datetime(1850, 1, 1, tzinfo=TOKYO), None, "has an offset from UTC with seconds"),
        (datetime(1850, 1, 1, tzinfo=TOKYO), BERLIN, "has an offset from UTC with seconds"),
    ],
)
def test_a_datetime_that_the_profile_cannot_write_is_refused(
    value: datetime, zone: ZoneInfo | None, reason: str
) -> None:
    """No offset and no zone, a skipped time, and offsets with seconds."""
    with pytest.raises(NotInProfile, match=reason):
        timestamps.from_datetime(value, zone)
