"""Whose a sample is: every way to check many at once has the verdict of the check of one (G14)."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors.answers import (
    Accepted,
    Answer,
    Meaning,
    Retry,
    Stop,
    UserRefused,
)
from airflow_provider_userdata.vendors.contract import Checked, Table
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_direct import GeroSenseDirect
from airflow_provider_userdata.vendors.gerosense_user import Person, UserColumns
from airflow_provider_userdata.vendors.validation import Invalid

DIRECT = GeroSenseDirect(GeroSense("steps"), UserColumns("uid"))
REGISTERING = GeroSenseDirect(GeroSense("steps"), UserColumns("uid", "sex", "born"))
SAMPLE = {"device_name": "d", "start_date": "2024-05-01T08:00:00Z", "unit": "count", "value": 3}


def verdicts(checked: Checked, count: int) -> list[object]:
    """Give each row's record, as user and body, or its faults."""
    found: list[object] = [None] * count
    for record in checked.records:
        found[record.position] = seen(record)
    for place, invalid in checked.invalid:
        found[place] = invalid.faults
    assert None not in found
    return found


def seen(record: Record) -> object:
    """Give what is compared of a record."""
    user = record.user
    return user, getattr(user, "biological_sex", None), getattr(user, "year_of_birth", None), record.body


USERS: Any = st.sampled_from(["a", "b", " ", "", None, 5, 5.0, True, "é"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {"device_name": st.sampled_from(["d", ""]), "value": st.sampled_from([1, 2.5, 0, 40_000, "3", None])},
        optional={
            "uid": USERS,
            "sex": st.sampled_from(["Male", "Female", "x", None, 1]),
            "born": st.sampled_from([1990, 1990.0, True, "1990", 90, None]),
            "device_version": st.sampled_from(["1", None]),
            "more": st.just(1),
        },
    ).map(lambda row: {**SAMPLE, **row}),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, registers=st.booleans())
def test_many_texts_are_judged_as_each_alone(rows: list[dict[str, Any]], registers: bool) -> None:
    """By the same words, whatever stands beside a row."""
    vendor = REGISTERING if registers else DIRECT
    texts = [json.dumps(row).encode() for row in rows]

    together = verdicts(vendor.prepare_texts(texts, range(len(rows))), len(rows))

    alone = [vendor.prepare_json(text) for text in texts]
    assert together == [one.faults if isinstance(one, Invalid) else seen(one) for one in alone]


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(USERS, st.sampled_from([3, 0, "3"])), min_size=1, max_size=8), texts=st.booleans())
def test_a_table_is_judged_as_each_row_alone(rows: list[tuple[Any, Any]], texts: bool) -> None:
    """A CSV file's cells are texts, of which only a value may stand for a number."""
    made = [{**SAMPLE, "uid": user, "value": value} for user, value in rows]
    if texts:
        made = [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in made]
    names = tuple(made[0])
    table = Table(names, [[row[name] for row in made] for name in names], len(made), texts)

    together = verdicts(DIRECT.prepare_table(table, made, range(len(made))), len(made))

    alone = [DIRECT.prepare_row(table, place) for place in range(len(made))]
    assert together == [one.faults if isinstance(one, Invalid) else seen(one) for one in alone]


@pytest.mark.parametrize("vendor", [DIRECT, REGISTERING])
def test_held_samples_are_read_as_they_were_written(vendor: GeroSenseDirect) -> None:
    """With their users, and what registers these; also by a run that registers, if the one before didn't."""
    user = UUID("85b4453a-46de-484c-bbc2-12666ebc7ed9")
    row = {**SAMPLE, "uid": user, "sex": "Male", "born": 1990}
    record = vendor.prepare_value({name: row[name] for name in row if name in {*SAMPLE, *vendor.columns.names}})
    assert isinstance(record, Record)

    texts = vendor.held_texts([record] * 3)
    (again, *_), invalid = REGISTERING.of_held().prepare_texts(texts, range(3))

    assert invalid == []
    assert seen(again) == seen(record)
    assert (REGISTERING.introduction([again]) is None) is (vendor is DIRECT)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Accepted), (201, Accepted), (400, Accepted), (409, Accepted), (422, UserRefused), (413, UserRefused),
        (401, Stop), (403, Stop), (404, Stop), (302, Stop), (429, Retry), (503, Retry), (500, Retry),
    ],
)  # fmt: skip
def test_what_an_answer_to_a_registration_means(status: int, kind: type[Meaning]) -> None:
    """Only what is surely about the user's values rejects that user's samples."""
    assert isinstance(DIRECT.introduced(Answer(status, {}, b"")), kind)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"access_token": "x", "token_type": "Bearer"}', dict),
        (200, b"{}", Stop), (200, b'{"access_token": ""}', Stop), (200, b'{"access_token": "a\\nb"}', Stop),
        (200, b"<html>", Stop), (401, b"", Stop), (403, b"", Stop), (422, b"", Stop), (404, b"", Stop),
        (207, b"", Stop), (429, b"", Retry), (503, b"", Retry), (500, b"", Retry),
    ],
)  # fmt: skip
def test_what_an_answer_to_a_login_means(status: int, body: bytes, kind: type) -> None:
    """A token, a stop, or another try; nothing of the body stands in what may be logged."""
    found = DIRECT.token(Answer(status, {}, body))
    assert isinstance(found, kind)
    assert isinstance(found, dict) or "html" not in found.reason  # type: ignore[union-attr]


def test_a_person_is_its_id() -> None:
    """So that users are told apart by their ids alone."""
    alice = Person.of("alice", "Female", 1990)
    assert {alice: 1} == {"alice": 1}
