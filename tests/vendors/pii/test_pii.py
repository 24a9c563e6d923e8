"""What the guard takes for personally identifiable data (T8), where it finds it, and what it leaves alone."""

import uuid
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.vendors.pii.guard import Guard
from airflow_provider_userdata.vendors.pii.names import kind_of
from airflow_provider_userdata.vendors.pii.values import likeness
from airflow_provider_userdata.vendors.validation import Fault

GUARD = Guard()
EMAIL, TELEPHONE = "an e-mail address", "a telephone number"
SOCIAL, CARD, ACCOUNT = "a social security number", "a payment card's number", "a bank account's number"
PERSON, ADDRESS, POSTCODE, BIRTH = "a person's name", "an address", "a postcode", "a date of birth"
NATIONAL, BANK = "a national or personal number", "a payment card or bank account"


def paths(data: dict[str, Any], *allowed: str) -> list[str]:
    """List where the guard finds something in a record's data."""
    return [finding.path for finding in Guard(frozenset(allowed)).find("user-1", data)]


def named_for(name: str, above: str = "") -> str | None:
    """Tell what a field is named for."""
    kind = kind_of(above, name)
    return None if kind is None else kind.thing


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("jo@example.com", EMAIL),
        ("<jo.doe+tag@mail.example.co.uk>", EMAIL),
        ('"jo doe"@example.com', EMAIL),
        ("jo@[192.0.2.1]", EMAIL),
        ("https://example.com/?user=jo%40example.com", EMAIL),
        ("連絡先はjo＠example.com", EMAIL),  # noqa: RUF001 - full width, as typed in Japanese
        ("jürgen@müller.de", EMAIL),
        ("+49 171 1234567", TELEPHONE),
        ("+4915112345678", TELEPHONE),
        ("+12345678", TELEPHONE),
        ("030 123456", TELEPHONE),
        ("call +1 (555) 123-4567 now", TELEPHONE),
        ("tel:+44-20-7946-0958", TELEPHONE),
        ("+44 (0)20 7946 0958", TELEPHONE),
        ("+81\N{EN DASH}3\N{EN DASH}1234\N{EN DASH}5678", TELEPHONE),
        ("0044 20 7946 0958", TELEPHONE),
        ("(555) 123-4567", TELEPHONE),
        ("(555)123-4567", TELEPHONE),
        ("555-123-4567", TELEPHONE),
        ("1-555-123-4567", TELEPHONE),
        ("555.123.4567", TELEPHONE),
        ("555 123 4567", TELEPHONE),
        ("03-1234-5678", TELEPHONE),
        ("090-1234-5678", TELEPHONE),
        ("電話は０９０－１２３４－５６７８です", TELEPHONE),  # noqa: RUF001 - full width, as typed in Japanese
        ("020 7946 0958", TELEPHONE),
        ("(020) 7946 0958", TELEPHONE),
        ("07700 900123", TELEPHONE),
        ("0171/1234567", TELEPHONE),
        ("0171 - 1234567", TELEPHONE),
        ("01 23 45 67 89", TELEPHONE),
        ("01.23.45.67.89", TELEPHONE),
        ("my number is 078-05-1120", SOCIAL),
        ("4111 1111 1111 1111", CARD),
        ("4111-1111-1111-1111", CARD),
        ("3782 822463 10005", CARD),
        ("card 5555555555554444.", CARD),
        ("DE89 3704 0044 0532 0130 00", ACCOUNT),
        ("pay to GB82WEST12345698765432 PLEASE", ACCOUNT),
        ("MT84 MALT 0110 0001 2345 MTLC AST0 01S", ACCOUNT),
    ],
)
def test_a_form_of_its_own_is_found_in_any_text(text: str, thing: str) -> None:
    """Alone and in a sentence, without the value in what is reported."""
    for value in (text, f"so: {text}", f"{text}, he said"):
        assert GUARD.find("user-1", {"note": value}) == [Fault("T8", ("data", "note"), f"looks like {thing}")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "calm and rested",
        "@home",
        "icon@2x.png",
        "lodash@4.17.21",
        "lodash@4.17.x",
        "+1234567",
        "+01234567890",
        "+12345678901234567",
        "SITE-078-05-1120",
        "078-05-1120-3",
        "X555-123-4567",
        "1234-555-123-4567",
        "100 200 300 4000",
        "10 012 345 6789",
        "012-345-6789-0",
        "0123 4567 8901",
        "me@localhost",
        "5551234567",
        "1685629800123",
        "1234567890123456",
        "4111111111111112",
        "4111 1111 1111 1112",
        "DE89 3704 0044 0532 0130 01",
        "XX89 3704 0044 0532 0130 00",
        "2023-06-01",
        "01-06-2023",
        "01.06.2023 14:30",
        "2023-06-01T14:30:00.123456+09:00",
        "2023-06-01/2023-07-01",
        "20230601T143000+0900",
        "7d444840-9dc0-11d1-b245-5ffdce74fad2",
        "12345678-0123-4567-8901-012345678901",
        "192.168.100.200",
        "1.12.123.4567",
        "10.15.7.19042",
        "120-80",
        "score 100-120, 80-95",
        "10 20 30 40 50 60 70 80",
        "200 300 4000 500",
        "+0.123456789",
        "+1.23456789",
        "012.3456789",
        "-122.4194155 37.7749295",
        "1,234,567,890.12",
        "P-0123-456789",
        "001-00123-02",
        "001-234-5678",
        "+15 -20 +35 -40",
        "0123456789abcdef0123456789abcdef",
        "SE-X1 4-7-8 9-10-11",
        "001234567890",
    ],
)
def test_numbers_dates_and_codes_are_left_alone(text: str) -> None:
    """A number is a telephone number only where it is written as one."""
    assert likeness(text) is None


@pytest.mark.parametrize(
    ("names", "thing"),
    [
        (
            "email e-mail eMail E_MAIL emails contact_email emailAddress email_work mail_address courriel hashedEmail",
            EMAIL,
        ),
        ("correo_electronico メールアドレス 連絡先メールアドレス", EMAIL),
        (
            "phone phoneNumber phone_2 mobile home-phone telephone fax TelNo handynummer téléfono",
            TELEPHONE,
        ),
        ("numero_de_telephone 電話番号 自宅電話番号 携帯", TELEPHONE),
        (
            "name names first_name lastName LASTNAME middle-name full_name GivenName family_name maidenName",
            PERSON,
        ),
        (
            "surname name_first forename firstname first_name_kana displayName nickname patient_name contact_name",
            PERSON,
        ),
        ("vorname Nachname prénom nom nom_de_famille apellidos nombre 氏名 氏名（カナ） 姓", PERSON),  # noqa: RUF001
        (
            "address home_address postalAddress addresses address_line_1 mailing.address ip ip_address ipAddress",
            ADDRESS,
        ),
        ("MACAddress mac_address street street_name Straße dirección 住所 自宅住所", ADDRESS),
        ("postcode post_code zip ZIPCode postal_code plz code_postal 郵便番号", POSTCODE),
        ("birth_date dateOfBirth DOB birthday geburtsdatum date_de_naissance fecha_nacimiento 生年月日", BIRTH),
        ("ssn SSN patientSSN social_security_number nino nhs_number passport passportNo driver's_license", NATIONAL),
        ("driving_licence tax_id national_id personal_identity_number personnummer codiceFiscale my_number", NATIONAL),
        ("credit_card creditCardNumber iban bank_account account_number", BANK),
    ],
)
def test_a_field_is_named_for_a_thing_in_any_style(names: str, thing: str) -> None:
    """Camels, snakes, kebabs, capitals, plurals, qualifiers and a few languages."""
    for name in names.split():
        assert (name, named_for(name)) == (name, thing)


@pytest.mark.parametrize(
    "names",
    [
        "device_name fileName event_name game-name GameName stimulus_name username user_name email_count",
        "has_email is_mobile phone_model phone_os address_count count_addresses number_of_addresses email_verified",
        "yearOfBirth year_of_birth birth_year age age_group mood score bpm heart_rate session_id user_id recorded_at",
        "named surnames_hidden mobility cellar telemetry street_noise_level zipped passport_country 商品名 value",
        "language country city home line_1 1 _ \N{PARTY POPPER}",
    ],
)
def test_other_fields_are_named_for_nothing(names: str) -> None:
    """What a name merely contains, or what stands before its end, doesn't count."""
    assert {name: named_for(name) for name in ["", *names.split()]} == dict.fromkeys(["", *names.split()])


@pytest.mark.parametrize(
    ("above", "name", "thing"),
    [
        ("", "name", PERSON),
        ("profile", "name", PERSON),
        ("details", "name", PERSON),
        ("personal_info", "name", PERSON),
        ("user", "name", PERSON),
        ("emergencyContacts", "name", PERSON),
        ("children", "name", PERSON),
        ("device", "name", None),
        ("activities", "name", None),
        ("sensor_data", "name", None),
        ("name", "first", PERSON),
        ("phone", "number", TELEPHONE),
        ("phone", "home", TELEPHONE),
        ("phone", "model", None),
        ("email", "value", EMAIL),
        ("email", "opened", None),
        ("birth", "date", BIRTH),
        ("birth", "year", None),
        ("card", "number", BANK),
        ("device", "email", EMAIL),
    ],
)
def test_the_field_above_is_read_along(above: str, name: str, thing: str | None) -> None:
    """`name` alone is a person's in a record, and not in a device."""
    assert named_for(name, above) == thing


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("email", "jo at example", True),
        ("email", "", False),
        ("email", "---", False),
        ("email", None, False),
        ("email", True, False),
        ("email", 12, False),
        ("email", "12", False),
        ("first_name", "Jo", True),
        ("first_name", 3.0, False),
        ("phone", 5551234567, True),
        ("phone", "5551234567", True),
        ("phone", 45, False),
        ("phone", "Pixel 7", False),
        ("phone", {"model": "Pixel 7"}, False),
        ("phone", {"number": "555 1234"}, True),
        ("phone", ["555 1234"], True),
        ("zip", 90210, True),
        ("zip", "90210", True),
        ("zip", 1010, True),
        ("zip", 101, False),
        ("zip", "101", False),
        ("dob", 19900101, True),
        ("dob", "1990-01-01", True),
        ("dob", {"year": 1990, "month": 1}, True),
        ("birthday", 1990, False),
        ("birthday", "1990", False),
        ("ssn", -123456789, True),
        ("address", {"anything": [{"x": "1 High Street"}]}, True),
        ("address", {"street": None, "more": [], "city": "", "verified": False}, False),
        ("address", {}, False),
        ("address", ["1 High Street", "London"], True),
        ("name", ["Jo", "Doe"], True),
        ("name", {"de": "Ruhe", "en": "calm"}, False),
    ],
)
def test_a_named_field_is_found_where_its_value_can_be_one(name: str, value: object, found: bool) -> None:
    """Flags, counts and empty values tell of nobody."""
    assert bool(paths({name: value})) is found


def test_a_finding_says_where_and_why_and_never_what() -> None:
    """In the record's order, with the path from its root."""
    data = {
        "contact": {"email": "jo@example.com", "ok": True},
        "items": [1, {"phone": "555-123-4567"}, [["mail jo@example.com"]]],
        "first_name": "Jo",
    }
    assert GUARD.find("+49 171 1234567", data) == [
        Fault("T8", ("user", "userLabel"), "looks like a telephone number"),
        Fault("T8", ("data", "contact", "email"), "is named for an e-mail address"),
        Fault("T8", ("data", "items", 1, "phone"), "is named for a telephone number"),
        Fault("T8", ("data", "items", 2, 0, 0), "looks like an e-mail address"),
        Fault("T8", ("data", "first_name"), "is named for a person's name"),
    ]
    assert paths(data) == [
        "$.data.contact.email",
        "$.data.items[1].phone",
        "$.data.items[2][0][0]",
        "$.data.first_name",
    ]


def test_a_key_that_is_content_is_found_and_not_shown() -> None:
    """Neither in its own path nor in those below it, whatever its length."""
    for key in ("jo@example.com", "+49 171 1234567", "x" * 200 + "@example.com"):
        found = GUARD.find("user-1", {"friends": {key: {"score": 3, "note": "078-05-1120"}, "n": [1]}})
        assert [finding.path for finding in found] == ["$.data.friends.*", "$.data.friends.*.note"]
        assert found[0].reason.startswith("has a key that looks like ")
        assert key not in repr(found)
        assert len(GUARD.find("user-1", {key: ["calm", 2]})) == 1


@pytest.mark.parametrize(
    ("allowed", "left"),
    [
        ((), ["$.data.contact.email", "$.data.items[0].email", "$.data.items[0].notes[0]", "$.data.address"]),
        (("email",), ["$.data.items[0].notes[0]", "$.data.address"]),
        (("contact.email",), ["$.data.items[0].email", "$.data.items[0].notes[0]", "$.data.address"]),
        (("items.email",), ["$.data.contact.email", "$.data.items[0].notes[0]", "$.data.address"]),
        (("items",), ["$.data.contact.email", "$.data.address"]),
        (("items.notes", "address", "email"), []),
        (
            ("Email", "mail", "tact.email", "data.contact.email", "addresses"),
            ["$.data.contact.email", "$.data.items[0].email", "$.data.items[0].notes[0]", "$.data.address"],
        ),
    ],
)
def test_allowed_fields_are_let_through_with_all_below_them(allowed: tuple[str, ...], left: list[str]) -> None:
    """By exact name anywhere, or by the dotted path below the data."""
    data = {
        "contact": {"email": "jo@example.com"},
        "items": [{"email": "jo@example.com", "notes": ["jo@example.com"]}],
        "address": {"street": "High Street"},
    }
    assert paths(data, *allowed) == left


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("jo@example.com", True),
        ("+4915112345678", True),
        ("＋49 171 1234567", True),  # noqa: RUF001 - full width
        ("078-05-1120", True),
        ("user-0001", False),
        ("555-123-4567", False),
        ("5551234567", False),
        ("7d444840-9dc0-11d1-b245-5ffdce74fad2", False),
        ("", False),
    ],
)
def test_a_label_is_a_pseudonym(label: str, found: bool) -> None:
    """A code with digits and hyphens is none of a person's own, unless the author says that even such labels may go."""
    assert bool(GUARD.find(label, {})) is found
    assert Guard(frozenset({"userLabel"})).find(label, {}) == []


def test_depth_is_no_limit() -> None:
    """A record nested deeper than Python can call is looked through to its end."""
    data: dict[str, Any] = {"note": "jo@example.com"}
    for level in range(20_000):
        data = {"below": data} if level % 2 else {"below": [data]}
    (found,) = GUARD.find("user-1", data)
    assert found.where[-1] == "note"
    assert len(found.where) == 30_002
    assert paths({"address": data}) == ["$.data.address"]


LOWERCASE = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)
HARMLESS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.datetimes(timezones=st.sampled_from([None, UTC, ZoneInfo("Asia/Tokyo"), ZoneInfo("America/St_Johns")])).map(
        datetime.isoformat
    )
    | st.datetimes().map(lambda moment: f"{moment:%d.%m.%Y %H:%M:%S}")
    | st.dates().map(str)
    | st.uuids().map(str)
    | st.integers().map(str).filter(lambda digits: len(digits) != 16)
    | st.floats().map(str)
    | st.binary(min_size=1, max_size=32).map(lambda raw: "x" + raw.hex())
    | st.ip_addresses().map(str)
    | st.lists(LOWERCASE).map(" ".join)
    | st.tuples(st.integers(0, 999), st.integers(0, 999)).map(lambda pair: f"{pair[0]}-{pair[1]}")
)
FIELDS = st.sampled_from(["mood", "score", "recorded_at", "device", "answers", "value", "session_id", "duration_s"])


@given(
    st.dictionaries(FIELDS, HARMLESS | st.lists(HARMLESS, max_size=3) | st.dictionaries(FIELDS, HARMLESS, max_size=3))
)
def test_nothing_is_found_in_what_identifies_nobody(data: dict[str, Any]) -> None:
    """Numbers, timestamps, UUIDs, codes, words and ranges, however they are nested."""
    assert GUARD.find(str(uuid.UUID(int=7)), data) == []


@given(
    st.text(),
    st.text("abcxyz0189._+-", min_size=1),
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True),
    st.sampled_from(["com", "de", "co.jp", "museum", "xn--p1ai"]),
    st.text(),
)
def test_an_address_is_found_whatever_stands_around_it(
    before: str, local: str, host: str, top: str, after: str
) -> None:
    """Even where nothing parts it from the text."""
    assert likeness(f"{before}{local}@{host}.{top}{after}") == EMAIL


@given(
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
        r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{8}(-[0-9]{4}){3}-[0-9]{12}",
        fullmatch=True,
    )
)
def test_nothing_is_found_in_dates_and_uuids_however_they_are_looked_at(text: str) -> None:
    """What is passed over for its form has none of the others; behind a line's end it is not passed over."""
    assert likeness(text) is likeness(f"{text}\n") is None


@pytest.mark.parametrize("text", ["a@b.cc", "＠", "a＠b.cc"])  # noqa: RUF001 - full width
def test_a_short_text_is_looked_at_as_a_reader_would(text: str) -> None:
    """The shortest address is found, also in full width."""
    assert (likeness(text) is not None) is (len(text) > 1)


CONTENT = st.sampled_from(["jo@example.com", "078-05-1120", "+49 171 1234567"])
NESTED = st.recursive(
    st.text(max_size=9) | CONTENT | st.none() | st.floats() | st.integers(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=9) | CONTENT, below, max_size=3),
    max_leaves=8,
)


@given(NESTED)
def test_no_record_makes_it_fail_or_tell(value: object) -> None:
    """Whatever the keys and values, what is found is reported without its text."""
    found = GUARD.find("user-1", {"value": value})
    assert bool(found) or not any(content in repr(value) for content in ("jo@", "078-", "+49 "))
    assert not any(content in repr(found) for content in ("jo@", "078-", "+49 "))
