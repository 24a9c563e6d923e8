"""What a delivery costs that can't drift with the machine: requests, encodings, calls to Airflow, records in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat
from airflow_provider_userdata.delivery.recording.append_log import LocalLog
from airflow_provider_userdata.delivery.resuming import checkpoint_writer
from airflow_provider_userdata.delivery.sending.dispatcher import MOST_READY
from airflow_provider_userdata.records import json_lines
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.vendors import gerosense, ptengine, thymia
from airflow_provider_userdata.vendors.contract import Vendor
from airflow_provider_userdata.vendors.validation import json_values
from tests.doubles import Chunks, MemoryStore

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]

BATCH = {"gerosense": 1000, "ptengine": 100, "thymia": 1}
AT_ONCE = {"gerosense": 250, "ptengine": 100}
"""How many records are encoded in one call."""
VENDORS: dict[str, Vendor] = {
    "gerosense": gerosense.GeroSense("steps"),
    "ptengine": ptengine.Ptengine(),
    "thymia": thymia.Thymia("mood"),
}


class Counting:
    """Counts the calls of a function, and how much it is given."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.calls = 0
        self.size = 0

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Call it."""
        self.calls += 1
        self.size += len(given[0])
        return self._function(*given, **named)


@pytest.mark.parametrize("vendor", BATCH)
def test_a_batch_is_one_request(vendor: str, sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """Where nothing goes wrong there are as many requests as full batches, and no others but for the status."""
    count = 3 * BATCH[vendor]

    report = deliver(vendor, rows(vendor, count)).report

    assert (report.delivered, report.requests, report.retries) == (count, 3, 0)


@pytest.mark.parametrize("vendor", ["gerosense", "ptengine"])
def test_records_of_a_batch_are_encoded_once(
    vendor: str,
    sandbox: Sandbox,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
    rows: Rows,
) -> None:
    """Many in one call, whatever their requests go through."""
    counting = Counting(msgspec.json.Encoder().encode_lines)
    monkeypatch.setattr(f"{json_lines.__name__}._encode_lines", counting)
    records = 3 * BATCH[vendor]
    some = rows(vendor, records)
    if vendor == "gerosense":
        source = tmp_path / "records.jsonl"
        source.write_bytes(msgspec.json.Encoder().encode_lines(some))
    else:
        source = tmp_path / "records.csv"
        source.write_text("\n".join([",".join(some[0]), *[",".join(map(str, row.values())) for row in some], ""]))
    sandbox.vendors[vendor].script("503", "ok", "429")

    report = deliver(vendor, str(source)).report

    assert (report.delivered, report.requests) == (records, 5)
    assert counting.size == records
    assert counting.calls * AT_ONCE[vendor] == records


def test_a_users_data_are_encoded_once(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Thymia record is encoded in one call, whatever its request goes through."""
    counting = Counting(json_values.encoded)
    monkeypatch.setattr(thymia, "encoded", counting)
    sandbox.thymia.script("503", "ok", "429")

    report = deliver("thymia", rows("thymia", 4)).report

    assert (report.delivered, report.requests, counting.calls) == (4, 6, 4)


def test_the_checkpoint_is_saved_no_more_than_once_a_second(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first save and the last there is at most one for each interval, however many requests there are."""
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.1)
    store, began = MemoryStore(), time.monotonic()

    report = deliver("thymia", rows("thymia", 600), store=store).report

    assert report.requests == 600
    assert len(store.texts) <= (time.monotonic() - began) / 0.1 + 3  # the first, the last, and the done marker


def test_what_is_invalid_is_written_a_chunk_at_a_time(
    deliver: Deliver, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many parts of a chunk are checked: the next checkpoint, or the next chunk, has all of their lines."""
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 60)
    lines_written: list[int] = []
    append = LocalLog.append

    def noting(journal: LocalLog, line: bytes) -> None:
        if "rejects" in journal._path.name:
            lines_written.append(line.count(b"\n") + 1)
        append(journal, line)

    monkeypatch.setattr(LocalLog, "append", noting)
    samples = [row if number % 20 else {**row, "value": 0} for number, row in enumerate(rows("gerosense", 6000))]

    report = deliver("gerosense", Chunks(samples, 3000)).report

    assert (report.rejected, lines_written) == (300, [150, 150])


def test_a_checkpoint_covers_what_is_invalid_though_no_chunk_follows(
    deliver: Deliver, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow source's rejects are on record a second later, for whoever looks, and for an attempt that goes on."""
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.01)
    store, saved = MemoryStore(), threading.Event()

    def look(value: dict[str, Any]) -> None:
        if value.get("tally", {}).get("fates", {}).get("rejected"):
            saved.set()

    store.before_save = look

    class Slow:
        total = None

        def chunks(self) -> Iterator[Chunk]:
            yield Chunk(RowFormat.OBJECTS, [{**row, "value": 0} for row in rows("gerosense", 3)])
            assert saved.wait(20)
            yield Chunk(RowFormat.OBJECTS, rows("gerosense", 3, 3))

    report = deliver("gerosense", Slow(), store=store).report

    assert (report.rejected, report.delivered) == (3, 3)


@pytest.mark.parametrize("vendor", BATCH)
def test_memory_holds_what_is_under_way_and_no_more(
    vendor: str, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """However long the source is, it is read a chunk ahead, and a window ahead of what is in flight or ready."""
    in_flight, chunk = 2, 100 if BATCH[vendor] == 1 else 500
    window = 50 * BATCH[vendor] if VENDORS[vendor].limits.user_once else BATCH[vendor]
    most = (in_flight + MOST_READY) * BATCH[vendor] + window + 3 * chunk
    alive: list[int] = []

    class Watched:
        total = None

        def chunks(self) -> Iterator[Chunk]:
            for start in range(0, 12_000 if BATCH[vendor] > 1 else 3000, chunk):
                alive.append(start - sandbox.vendors[vendor].counts.records)
                yield Chunk(RowFormat.OBJECTS, rows(vendor, chunk, start))

    deliver(vendor, Watched(), max_in_flight=in_flight)

    assert max(alive) <= most
