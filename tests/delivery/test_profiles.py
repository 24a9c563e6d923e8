"""Ptengine's users go out by their exact set of keys, up to the limits, and never altered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.vendors.ptengine import Ptengine

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
JsonLines = Callable[[str | None], list[dict[str, Any]]]


def bodies(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Give the requests' bodies."""
    return [json.loads(request.body) for request in sandbox.ptengine.requests]


def test_a_missing_key_is_not_an_empty_value(sandbox: Sandbox, deliver: Deliver) -> None:
    """`None` and `""` empty an attribute; a user without the key keeps it: they go in other requests (P5)."""
    users = [
        {"user_id": "1", "plan": None},
        {"user_id": "2"},
        {"plan": "", "user_id": "3"},
        {"user_id": "4", "plan": "geheim"},
        {"user_id": "5", "visits": 0},
    ]

    ended = deliver("ptengine", users)

    assert ended.report.delivered == 5
    assert sorted(sandbox.ptengine.arrived(), key=lambda user: user["user_id"]) == [
        {"user_id": "1", "plan": ""},
        {"user_id": "2"},
        {"user_id": "3", "plan": ""},
        {"user_id": "4", "plan": "geheim"},
        {"user_id": "5", "visits": "0"},
    ]
    assert sorted(len(body["values"]) for body in bodies(sandbox)) == [1, 1, 3]


def test_fifty_fields_go_out_and_fifty_one_do_not(sandbox: Sandbox, deliver: Deliver, lines: JsonLines) -> None:
    """At most 50 fields, `user_id` among them (P3)."""
    fields = {f"field{number}": "geheim" for number in range(49)}
    users = [{"user_id": "1", **fields}, {"user_id": "2", **fields, "more": ""}]

    ended = deliver("ptengine", users)

    assert [user["user_id"] for user in sandbox.ptengine.arrived()] == ["1"]
    assert len(bodies(sandbox)[0]["field_name"]) == 50
    (rejected,) = lines(ended.report.rejects)
    assert (rejected["position"], rejected["rule"], rejected["record"]) == (1, "P3", users[1])


@pytest.mark.parametrize("fields", [None, {"plan": "tariff", "user_id": "user_id", "town": "city"}])
def test_users_of_a_table(
    sandbox: Sandbox, deliver: Deliver, lines: JsonLines, tmp_path: Path, fields: dict[str, str] | None
) -> None:
    """Cells go out under their columns' names or the chosen ones, and a reject is kept with the columns' own."""
    path = tmp_path / "users.csv"
    path.write_text("user_id,secret,tariff\n1,geheim,free\n ,geheim,\n3,geheim,\n4\n")

    ended = deliver("ptengine", str(path), fields=fields)

    name, others = ("tariff", {"secret": "geheim"}) if fields is None else ("plan", {})
    assert sandbox.ptengine.arrived() == [
        {"user_id": "1", name: "free", **others},
        {"user_id": "3", name: "", **others},
    ]
    assert [(line["position"], line["rule"], line["record"]) for line in lines(ended.report.rejects)] == [
        (1, "P7", {"user_id": " ", "secret": "geheim", "tariff": ""}),
        (3, "A7", ["4"]),
    ]


@pytest.mark.parametrize("letter", ["a", "名", "é", "😀"])
def test_lengths_are_counted_in_characters(letter: str, sandbox: Sandbox, deliver: Deliver, lines: JsonLines) -> None:
    """Names of 50 and values of 128 characters go out whole, one more of either doesn't go: characters, not bytes."""
    users = [
        {"user_id": "1", letter * 50: letter * 128},
        {"user_id": letter * 128},
        {"user_id": "3", letter * 51: ""},
        {"user_id": "4", "name": letter * 129},
        {"user_id": letter * 129},
    ]

    ended = deliver("ptengine", users)

    assert sorted(sandbox.ptengine.arrived(), key=len) == [users[1], users[0]]
    assert [(line["position"], line["rule"]) for line in lines(ended.report.rejects)] == [
        (2, "P3"),
        (3, "P4"),
        (4, "P4"),
    ]
    assert [line["record"] for line in lines(ended.report.rejects)] == users[2:]


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"plan": "geheim"},
        {"user_id": " "},
        {"user_id": ""},
        {"user_id": None},
        {"user_id": True},
        {"user_id": 1.5},
        {"user_id": "1", "tags": ["geheim"]},
        {"user_id": "1", "score": float("nan")},
        {"user_id": "1", "raw": b"geheim"},
        {"user_id": "1", "": "geheim"},
        "geheim",
        None,
    ],
)
def test_what_is_no_profile_is_rejected_alone(user: Any, sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """A user that Ptengine would refuse doesn't go out, and everybody else does (P6, P7)."""
    ended = deliver("ptengine", [*rows("ptengine", 2), user, *rows("ptengine", 2, first=5)])

    assert (ended.report.rejected, ended.report.delivered) == (1, 4)
    assert sandbox.ptengine.counts.records == 4


def test_fifty_sets_of_keys_that_interleave_fill_their_requests(sandbox: Sandbox, deliver: Deliver) -> None:
    """Sets of keys that alternate row by row still share requests, each with its own."""
    users = [{"user_id": f"geheim-{number}", f"field{number % 50}": "x"} for number in range(5_000)]

    ended = deliver("ptengine", users)

    assert ended.report.delivered == 5_000
    assert sandbox.ptengine.counts.distinct == 5_000
    assert ended.report.requests == 50


def test_too_many_rejects_are_told_with_what_their_rules_say(deliver: Deliver, rows: Rows) -> None:
    """Nobody has to look up `P4` to know what is wrong, neither in the error nor in the summary."""
    users = [{**row, "plan": "x" * 129} for row in rows("ptengine", 12)]

    ended = deliver("ptengine", [*users, {"user_id": ""}], max_rejected=0)

    assert "By rule: P4, longer than 128 characters: 12; P7, user_id blank" in str(ended.error)
    assert "by rule: P4, longer than 128 characters: 12; P7, user_id blank" in ended.report.summary()
    assert ended.report.reasons == {"P4": 12, "P7": 1}


def test_empty_values_may_leave_attributes_as_they_are(sandbox: Sandbox, deliver: Deliver, tmp_path: Path) -> None:
    """With `empty_values="omit"` nulls and empty cells are no attributes, in a request for each set of keys (P5)."""
    users = [
        {"user_id": str(number), "plan": "pro" if number % 2 else None, "town": "Ulm" if number % 3 else ""}
        for number in range(120)
    ]
    path = tmp_path / "users.csv"
    path.write_text(
        "\n".join(["user_id,plan,town", *(",".join(value or "" for value in user.values()) for user in users)])
    )
    kept = [{name: value for name, value in user.items() if value} for user in users]

    for source in (users, str(path)):
        sandbox.reset()
        ended = deliver(Ptengine(omits_empty=True), source, output=tmp_path / str(type(source)))

        assert ended.report.delivered == 120
        assert sorted(sandbox.ptengine.arrived(), key=lambda user: int(user["user_id"])) == kept
        assert ended.report.requests == 4


def test_names_of_the_authors_own_are_shown(sandbox: Sandbox, deliver: Deliver) -> None:
    """What `fields` names stands in the log's words; without it, a key may be anybody's data, and shows as `*` (A6)."""
    names = ["user_id", *(f"field{number}" for number in range(6))]
    users = [dict.fromkeys(names, "geheim"), {**dict.fromkeys(names, "geheim"), "field3": "x" * 129}]

    named = deliver("ptengine", users, fields={name: name for name in names}, validate_only=True)
    bare = deliver("ptengine", users, validate_only=True)

    assert list(named.faults) == ["P4 $.field3 has 129 characters, at most 128 are allowed"]
    assert list(bare.faults) == ["P4 $.* has 129 characters, at most 128 are allowed"]
    assert named.first_fault == "position 1, $.field3, rule P4"
    assert all(f'"{name}"' in str(named.first_request) for name in names)
    assert "field0" not in str(bare.first_request)
    assert "geheim" not in str(named.first_request)
