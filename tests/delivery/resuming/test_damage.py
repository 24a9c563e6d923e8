"""A checkpoint or a file that was damaged ends the attempt before anything is sent, or does no harm."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet, packed, unpacked
from airflow_provider_userdata.errors import ResumeError
from airflow_provider_userdata.sandbox import Sandbox

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
COUNT = 1_200


@pytest.fixture
def left(crash: Callable[..., None], rows: Rows, store: Any, sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Let an attempt be killed that has delivered some, and return its checkpoint; its files are kept aside."""
    sandbox.ptengine.script("ok x3", "400", "ok x99")
    records = [*rows("ptengine", 250), *["geheim"] * 5, *rows("ptengine", COUNT - 255, first=255)]
    crash("ptengine", records, 5, max_in_flight=2)
    crash("ptengine", records, 4, max_in_flight=2)
    shutil.copytree(tmp_path / "run", tmp_path / "aside")
    value: dict[str, Any] = store.load()
    return value


@pytest.fixture
def go_on(
    left: dict[str, Any], attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox, tmp_path: Path
) -> Callable[[Any], Result]:
    """Go on from a checkpoint, and see that nothing is lost, and nothing uncounted, or nothing sent."""
    before = sandbox.ptengine.counts
    twice_before, missing = before.records - before.distinct, COUNT - 5 - before.distinct
    records = [*rows("ptengine", 250), *["geheim"] * 5, *rows("ptengine", COUNT - 255, first=255)]

    def gone_on(value: Any) -> Result:
        sandbox.ptengine.clear_faults()
        now = sandbox.ptengine.counts
        requests, arrived = now.requests, now.records
        store.texts[:] = [json.dumps(value).encode()]
        ended = attempt("ptengine", records)
        if isinstance(ended.error, ResumeError):
            assert "resume=False" in str(ended.error)
            assert sandbox.ptengine.counts.requests == requests
            return ended
        assert ended.error is None
        counts = sandbox.ptengine.counts
        assert (ended.report.read, ended.report.rejected) == (COUNT, 5)
        assert counts.distinct == ended.report.delivered == COUNT - 5
        assert twice_before + counts.records - arrived - missing <= ended.report.resent
        return ended

    return gone_on


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the ways to all values in a value."""
    if not isinstance(value, dict):
        return [path]
    return [path] * bool(path) + [way for key, part in value.items() for way in leaves(part, (*path, key))]


def changed(value: dict[str, Any], path: tuple[Any, ...], new: Any) -> dict[str, Any]:
    """Return a copy in which one value is another; none, where that is what is new."""
    copy: dict[str, Any] = json.loads(json.dumps(value))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return copy


ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["2026-01-01T00:00:00", "2999-01-01T00:00:00+00:00", [], {}, [[0, 1]], {"delivered": 5}])
)


@pytest.mark.slow
def test_any_value_of_a_checkpoint_may_be_damaged(
    left: dict[str, Any], go_on: Callable[[Any], Result], tmp_path: Path
) -> None:
    """Whichever value was changed, cut or flipped: it is refused, or nothing is lost and nothing uncounted."""

    @settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(path=st.sampled_from(leaves(left)), odd=ODD, flip=st.integers(0, 400), how=st.integers(0, 3))
    def check(path: tuple[Any, ...], odd: Any, flip: int, how: int) -> None:
        old = left
        for key in path:
            old = old[key]
        new = odd
        if how and isinstance(old, str) and old:
            place = flip % len(old)
            new = old[:place] if how == 1 else old[:place] + chr(ord(old[place]) ^ 1) + old[place + 1 :]
        elif how and isinstance(old, int) and not isinstance(old, bool):
            new = [old - 1, old ^ (1 << flip % 40), -old][how - 1]
        shutil.rmtree(tmp_path / "run")
        shutil.copytree(tmp_path / "aside", tmp_path / "run")
        ended = go_on(changed(left, path, new))
        only_times = path in (("waiting_since",), ("at",)) or path[-1] == "seconds"
        of_an_earlier_version = path == ("checksum",) and new == ""
        assert new == old or only_times or of_an_earlier_version or ended.error is not None

    check()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("beyond", "!", "packed positions"),
        ("beyond", "c" * 2000, "packed positions"),
        ("in_flight", packed(IntervalSet([(0, 10**7)]), 0), "beyond what was read"),
        ("in_flight", packed(IntervalSet([(0, 1)]), 0), "in_flight"),
        ("below", -5, "can't be read"),
        ("below", 10**12, "below"),
        ("read", 2**80, "can't be read"),
        ("waiting_since", "2026-01-01T00:00:00", "can't be read"),
        ("digest", "odd", "digest"),
        ("journals", {}, "journals"),
        ("journals", {"sent-../../x": 0}, "journals"),
        ("attempt", "../../x", "journals"),
        ("tally", {"fates": {"delivered": "5"}}, "fates"),
        ("tally", {"fates": {"lost": 5}}, "fates"),
        ("tally", {"fates": {"delivered": -5}}, "fates"),
        ("tally", {}, "settled"),
    ],
)
def test_what_does_not_hold_together_is_named(
    name: str, value: Any, says: str, left: dict[str, Any], go_on: Callable[[Any], Result]
) -> None:
    """Of an earlier version's checkpoint too, which has no checksum, the error says what is wrong with it."""
    ended = go_on({**left, "checksum": "", name: value})

    assert isinstance(ended.error, ResumeError)
    assert says in str(ended.error)


@pytest.mark.parametrize("name", ["receipts", "sent", "rejects"])
@pytest.mark.parametrize(
    "line",
    [
        {"ranges": [[0, 10**9]], "count": 10**9, "status": 200},
        {"ranges": [[COUNT - 1, 1]], "count": 1, "status": 200, "position": COUNT, "fate": "rejected", "rule": "P3"},
        {"ranges": [[-5, 10]], "count": 10, "position": -1, "fate": "rejected", "rule": "P3"},
        {"ranges": [[5, -10]], "count": -10, "position": "1", "fate": "rejected", "rule": "P3"},
        {"ranges": [["0", 1]], "count": 1, "position": 1, "fate": "lost", "rule": "P3"},
        {"ranges": 5, "count": 5, "position": 1, "fate": "rejected", "rule": 5},
    ],
)
def test_a_line_that_can_not_be_is_not_believed(
    name: str, line: dict[str, Any], left: dict[str, Any], go_on: Callable[[Any], Result], tmp_path: Path
) -> None:
    """Records that were never read, or never sent, aren't taken for delivered, sent or rejected."""
    path = tmp_path / "run" / f"{name}-{left['attempt']}.jsonl"
    with path.open("ab") as file:
        file.write(json.dumps(line).encode() + b"\n")

    ended = go_on(left)

    if name == "sent" and line["ranges"] == [[COUNT - 1, 1]]:
        return  # it was read, and is in doubt: that does no harm
    assert isinstance(ended.error, ResumeError)
    assert path.stem in str(ended.error)


@pytest.mark.parametrize("what", ["shorter", "unreadable", "left"])
def test_a_file_of_what_was_sent_that_is_damaged_is_not_gone_on_from(
    what: str, left: dict[str, Any], go_on: Callable[[Any], Result], tmp_path: Path
) -> None:
    """Without it, nobody can tell what may have arrived."""
    path = tmp_path / "run" / f"sent-{left['attempt']}.jsonl"
    text = path.read_bytes()
    path.write_bytes(
        {
            "shorter": text,
            "unreadable": text + b'{"ranges":[[5,1}\n{"read":5}\n',
            "left": text + b'{"left":0}\n',
        }[what]
    )
    value = changed(left, ("journals", f"rejects-{left['attempt']}"), 1) if what == "left" else left
    value = changed(left, ("journals", path.stem), len(text) + 1) if what == "shorter" else value

    assert isinstance(go_on({**value, "checksum": ""}).error, ResumeError)


@pytest.mark.parametrize(
    "report", [{}, {"read": "5"}, {"read": 5, "delivered": 9}, {"delivered": -5, "rejected": 5}, {"reasons": 5}]
)
def test_a_marker_that_is_damaged_is_not_taken_for_an_end(
    report: dict[str, Any], attempt: Attempt, rows: Rows, store: Any, sandbox: Sandbox
) -> None:
    """A report whose counts don't add up is none."""
    whole = attempt("thymia", rows("thymia", 5)).report.as_dict()
    marker = store.load()
    store.texts[:] = [json.dumps({**marker, "done": {**whole, **report} if report else {}}).encode()]

    ended = attempt("thymia", rows("thymia", 5))

    assert isinstance(ended.error, ResumeError)
    assert sandbox.thymia.counts.records == 5


@given(
    text=st.text("abcXYZ019!#$%&", max_size=40) | st.just(packed(IntervalSet([(0, 9**7)]), 0)), end=st.integers(0, 99)
)
def test_packed_positions_are_within_bounds_or_refused(text: str, end: int) -> None:
    """However they were damaged, and however much they would be, unpacked."""
    try:
        found = [*unpacked(text, 0, end)]
    except ValueError:
        return
    assert all(0 <= start < start + length <= end for start, length in found)
