"""Looking into a ledger, and making it forget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from airflow_provider_userdata.errors import LedgerBusyError, LedgerError
from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.ledger import SqlLedger, Stream
from airflow_provider_userdata.ledger.admin import open_admin

NewLedger = Callable[..., SqlLedger]
Keys = Callable[..., bytes]
MOODS = Stream("thymia", "api.example.com", None, "mood")
PROFILES = Stream("ptengine", "api.example.com", 8443)


def mood_key(label: str, record: str, secret: bytes) -> bytes:
    """Make a key whose beginning stands for the user."""
    fingerprints = Fingerprints(secret)
    return fingerprints.of_all_users([label])[:8] + fingerprints.of_all([record.encode()])[:8]


def test_streams_are_listed(new_ledger: NewLedger, keys: Keys, database: str, clock: Any) -> None:
    """With what they are, how many entries they have, of which days, and when they were used."""
    new_ledger(MOODS).mark_delivered(keys("a", "b"))
    clock.pass_days(2)
    new_ledger(MOODS).mark_delivered(keys("c"))
    new_ledger(Stream("gerosense", user="ann", kind="steps"))
    with open_admin(database) as admin:
        moods, steps = admin.streams()
    assert (moods.vendor, moods.address, moods.kind, moods.owner) == ("thymia", "api.example.com", "mood", "")
    assert (moods.entries, moods.first, moods.last) == (3, date(2024, 10, 4), date(2024, 10, 6))
    assert moods.used == datetime(2024, 10, 6, 12, tzinfo=UTC)
    assert (steps.entries, steps.first, steps.last) == (0, None, None)
    assert len(steps.owner) == 32


def test_no_users_id_is_in_the_ledger(new_ledger: NewLedger, database: str) -> None:
    """Only a fingerprint of it."""
    new_ledger(Stream("gerosense", user="zaphod", kind="steps"))
    with open_admin(database) as admin:
        assert "zaphod" not in str(admin.streams())


def test_a_forgotten_stream_is_sent_again(new_ledger: NewLedger, keys: Keys, database: str) -> None:
    """And no other; a run that uses it stops, and the next one begins it again."""
    ledger, other = new_ledger(MOODS), new_ledger(PROFILES)
    ledger.mark_delivered(keys("a", "b"))
    other.mark_delivered(keys("a"))
    with open_admin(database) as admin:
        first = admin.streams()[0]
        assert admin.forget_stream(first.id) == 2
        assert [stream.vendor for stream in admin.streams()] == ["ptengine"]
    with pytest.raises(LedgerBusyError, match="forgotten"):
        ledger.mark_delivered(keys("c"))
    assert new_ledger(MOODS).sift(keys("a")) == [0]
    assert other.sift(keys("a")) == []


def test_a_user_is_forgotten_wherever_they_are(new_ledger: NewLedger, keys: Keys, database: str, secret: bytes) -> None:
    """A user's entry, all entries that begin with them, and a stream that is of them alone."""
    ann, bob = mood_key("ann", "1", secret), mood_key("bob", "1", secret)
    moods = new_ledger(MOODS)
    moods.mark_delivered(ann + mood_key("ann", "2", secret) + bob)
    profiles = new_ledger(PROFILES, keyed=True)
    profiles.sift(keys("ann", "bob"), keys("x", "x"))
    profiles.mark_delivered(keys("ann", "bob"), keys("x", "x"))
    new_ledger(Stream("gerosense", user="ann")).mark_delivered(keys("s", "t", "u"))
    new_ledger(Stream("gerosense", user="bob")).mark_delivered(keys("s"))
    with open_admin(database) as admin:
        assert admin.forget_user("ann", secret, admin.streams()) == 2 + 1 + 3
        assert [stream.entries for stream in admin.streams()] == [1, 1, 1]
    assert moods.sift(ann + bob) == [0]
    assert profiles.sift(keys("ann", "bob"), keys("x", "x")) == [0]


def test_a_user_can_be_forgotten_in_some_streams(new_ledger: NewLedger, database: str, secret: bytes) -> None:
    """Those that are named."""
    ann = mood_key("ann", "1", secret)
    for kind in ("mood", "sleep"):
        new_ledger(Stream("thymia", kind=kind)).mark_delivered(ann)
    with open_admin(database) as admin:
        assert admin.forget_user("ann", secret, admin.streams()[1:]) == 1
        assert [stream.entries for stream in admin.streams()] == [1, 0]


def test_another_secret_forgets_nobody(new_ledger: NewLedger, database: str) -> None:
    """It would find nobody, and say that there is nothing to forget."""
    new_ledger(MOODS)
    with open_admin(database) as admin, pytest.raises(LedgerError, match="another secret"):
        admin.forget_user("ann", b"some other secret", admin.streams())


def test_entries_are_exported(
    new_ledger: NewLedger, keys: Keys, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, also where they are many."""
    monkeypatch.setattr("airflow_provider_userdata.ledger.admin.STEP", 2)
    new_ledger(MOODS).mark_delivered(keys(*"abcd"))
    profiles = new_ledger(PROFILES, keyed=True)
    profiles.sift(keys("ann", "bob"), keys("x", "y"))
    profiles.mark_delivered(keys("ann"), keys("x"))
    with open_admin(database) as admin:
        first, second = (stream.id for stream in admin.streams())
        moods, users = list(admin.export([first])), list(admin.export([second]))
    assert {line["key"] for line in moods} == {keys(text).hex() for text in "abcd"}
    assert moods[0].items() >= {"stream": first, "fingerprint": None, "day": "2024-10-04"}.items()
    assert {line["key"]: line["fingerprint"] for line in users} == {
        keys("ann").hex(): keys("x").hex(),
        keys("bob").hex(): None,
    }


def test_old_entries_are_removed_by_hand(new_ledger: NewLedger, keys: Keys, database: str, clock: Any) -> None:
    """Those of days before."""
    ledger = new_ledger(MOODS)
    ledger.mark_delivered(keys("a", "b"))
    clock.pass_days(5)
    ledger.mark_delivered(keys("c"))
    with open_admin(database) as admin:
        assert admin.expire(4, date(2024, 10, 9), [admin.streams()[0].id]) == 2
    assert ledger.sift(keys("a", "b", "c")) == [0, 1]


def test_a_user_in_doubt_is_found_where_asked(new_ledger: NewLedger, keys: Keys, database: str, secret: bytes) -> None:
    """Whoever was being sent when a run was killed: nobody knows whether it arrived, but there is an entry."""
    new_ledger(keyed=True).sift(keys("ann"), keys("x"))
    with open_admin(database) as admin:
        streams = admin.streams()
        assert admin.find_user("ann", secret, streams) == []
        ((_, count, _),) = admin.find_user("ann", secret, streams, in_doubt=True)
        assert count == 1
        assert admin.forget_user("ann", secret, streams) == 1
        assert admin.find_user("ann", secret, streams, in_doubt=True) == []
