"""Data frames, Arrow's tables and DuckDB's relations: every value arrives, exactly."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading.digest import SourceDigest
from airflow_provider_userdata.delivery.reading.source import RowFormat
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources import open_source, read
from airflow_provider_userdata.sources.arrow_times import OutOfCalendar

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
EPOCH = datetime(1970, 1, 1)
TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?!0+Z?$)((?:\d{3}){0,2}(?!000)\d{3}))?(Z|[+-](?!00:00)\d\d:\d\d)?"
)


def rows_of(source: Any, **options: Any) -> list[Any]:
    """Read all rows as dictionaries."""
    rows = [row for chunk in open_source(source, **options).chunks() for row in chunk.rows]
    return [row if isinstance(row, dict) else row.as_dict() for row in rows]


def values_of(column: Any) -> list[Any]:
    """Read the values of a column of Arrow's."""
    return [row["x"] for row in rows_of(pa.table({"x": column}))]


def instant(text: str, unit: str) -> int:
    """Return how many units after 1970 a time is, by its text alone."""
    found = TIME.fullmatch(text)
    assert found is not None, text
    moment = datetime.fromisoformat(found[1] + (found[3] or "Z"))
    seconds = (moment - EPOCH.replace(tzinfo=UTC)) // timedelta(seconds=1)
    nanoseconds = seconds * 10**9 + int((found[2] or "").ljust(9, "0"))
    count, rest = divmod(nanoseconds * PER_SECOND[unit], 10**9)
    assert rest == 0
    return count


class TestValues:
    """What becomes of a value."""

    LEAVES: tuple[tuple[pa.DataType, st.SearchStrategy[Any]], ...] = (
        (pa.null(), st.none()),
        (pa.bool_(), st.booleans()),
        (pa.int8(), st.integers(-(2**7), 2**7 - 1)),
        (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
        (pa.uint64(), st.integers(0, 2**64 - 1)),
        (pa.float32(), st.floats(width=32, allow_nan=False)),
        (pa.float64(), st.floats(allow_nan=False)),
        (pa.decimal128(38, 6), st.decimals(-(10**30), 10**30, places=6)),
        (pa.decimal256(60, 2), st.decimals(-(10**50), 10**50, places=2)),
        (pa.string(), st.text(st.characters(codec="utf-8"))),
        (pa.large_string(), st.text(st.characters(codec="utf-8"))),
        (pa.string_view(), st.text(st.characters(codec="utf-8"), max_size=20)),
        (pa.dictionary(pa.int16(), pa.string()), st.sampled_from(["", "a", "b\n", "ü"])),
    )

    @staticmethod
    def nested(leaf: tuple[pa.DataType, st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[pa.DataType, Any]]:
        """Return types around one, each with what makes its values."""
        kind, values = leaf
        value = st.none() | values
        around = [(kind, value), (pa.list_(kind), st.none() | st.lists(value, max_size=3))]
        if not pa.types.is_dictionary(kind):
            around += [
                (pa.large_list(kind), st.none() | st.lists(value, max_size=3)),
                (pa.list_(kind, 2), st.lists(value, min_size=2, max_size=2)),
                (pa.struct([("a", kind), ("b", pa.list_(kind))]), st.fixed_dictionaries({"a": value, "b": st.none()})),
                (pa.map_(pa.string(), kind), st.dictionaries(st.text("abc", max_size=2), value, max_size=3)),
            ]
        return st.sampled_from(around)

    @given(data=st.data())
    def test_any_table_arrives_value_for_value(self, data: st.DataObject) -> None:
        """Of any types, with nulls anywhere, in batches of any size."""
        table: dict[str, list[Any]] = {}
        columns = {}
        count = data.draw(st.integers(1, 12))
        for name in data.draw(st.lists(st.text("abc. ", min_size=1), min_size=1, max_size=4, unique=True)):
            kind, values = data.draw(st.sampled_from(self.LEAVES).flatmap(self.nested))
            table[name] = data.draw(st.lists(st.none() | values, min_size=count, max_size=count))
            given = [list(row.items()) if pa.types.is_map(kind) and row else row for row in table[name]]
            columns[name] = pa.array(given, kind)
        cut = data.draw(st.integers(0, count))
        whole = pa.table(columns)
        wanted = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]

        assert rows_of(pa.concat_tables([whole.slice(0, cut), whole.slice(cut)])) == wanted
        assert rows_of(whole.slice(cut)) == wanted[cut:]

    @given(data=st.data(), unit=st.sampled_from(list(PER_SECOND)))
    @pytest.mark.parametrize(
        "zone", [None, "UTC", "Etc/UTC", "Asia/Tokyo", "America/New_York", "Africa/Monrovia", "+05:30", "-0330"]
    )
    def test_a_timestamp_is_the_same_instant_in_iso_8601(
        self, zone: str | None, data: st.DataObject, unit: str
    ) -> None:
        """With its zone's offset; without a zone, without an offset."""
        far = 10**5 if unit == "ns" else 700_000
        second = PER_SECOND[unit]
        moments = st.integers(-far, 28_00_000 if unit != "ns" else far).map(lambda day: day * 86400 * second)
        fractions = st.sampled_from([0, second // 2, second - 1, 86399 * second]) | st.integers(0, 86400 * second)
        numbers = data.draw(st.lists(st.none() | st.builds(int.__add__, moments, fractions), min_size=1, max_size=9))

        texts = values_of(pa.array(numbers, pa.timestamp(unit, zone)))

        assert [None if text is None else instant(text, unit) for text in texts] == numbers
        known = [text for text in texts if text is not None]
        assert all((text[-1] == "Z" or text[-6] in "+-") is (zone is not None) for text in known)
        for text, number in zip(texts, numbers, strict=True):
            # Arrow's own time zones know no summer time after 2037: the instant is the same.
            if zone in ("Asia/Tokyo", "America/New_York") and number is not None and number < 2**31 * second:
                local = (EPOCH.replace(tzinfo=UTC) + timedelta(seconds=number // second)).astimezone(ZoneInfo(zone))
                if not (local.utcoffset() or timedelta()) % timedelta(minutes=1):
                    assert text.startswith(local.replace(tzinfo=None).isoformat())

    @pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo", "America/New_York"])
    def test_the_ends_of_the_calendar(self, zone: str | None) -> None:
        """The first and the last second arrive, in UTC where the zone's clock is beyond; what lies outside doesn't."""
        first, last = -62135596800, 253402300799
        texts = values_of(pa.array([first, last, first - 1, last + 1, None, -(2**63)], pa.timestamp("s", zone)))
        assert [instant(text, "s") for text in texts[:2]] == [first, last]
        assert texts[2:] == [OutOfCalendar(first - 1), OutOfCalendar(last + 1), None, OutOfCalendar(-(2**63))]

    @pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "+14:00", "-14:00"])
    def test_the_ends_of_what_nanoseconds_reach(self, zone: str) -> None:
        """There a zone's clocks are beyond what Arrow can count."""
        numbers = [-(2**63), 2**63 - 1, -(2**63) + 40_000 * 10**9, 2**63 - 40_000 * 10**9]
        assert [instant(text, "ns") for text in values_of(pa.array(numbers, pa.timestamp("ns", zone)))] == numbers

    def test_dates_and_times_of_day(self) -> None:
        """As ISO 8601 writes them."""
        days = [date(1, 1, 1), date(9999, 12, 31), None, date(2024, 2, 29)]
        texts = ["0001-01-01", "9999-12-31", None, "2024-02-29"]
        assert values_of(pa.array(days, pa.date32())) == texts
        assert values_of(pa.array(days, pa.date64())) == texts
        assert values_of(pa.array([2932897, -719163], pa.int32()).view(pa.date32())) == [
            OutOfCalendar(2932897),
            OutOfCalendar(-719163),
        ]
        times = [time(0, 0), time(23, 59, 59, 120), None, time(12, 0, 0, 500_000)]
        assert values_of(pa.array(times, pa.time64("us"))) == ["00:00:00", "23:59:59.000120", None, "12:00:00.500"]
        assert values_of(pa.array([1], pa.time64("ns"))) == ["00:00:00.000000001"]
        assert values_of(pa.array([3600], pa.time32("s"))) == ["01:00:00"]

    def test_types_beside_arrows_own(self) -> None:
        """A UUID, JSON and a boolean of a byte arrive as what they hold."""
        number = UUID(int=7)
        assert values_of(pa.array([number.bytes, None], pa.uuid())) == [str(number), None]
        assert values_of(pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a":1}', None]))) == ['{"a":1}', None]
        assert values_of(pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8()))) == [
            True,
            False,
            None,
        ]
        assert values_of(pa.RunEndEncodedArray.from_arrays([2, 3], pa.array(["a", None]))) == ["a", "a", None]

    def test_times_within_nested_values(self) -> None:
        """They are texts there, too."""
        moment = datetime(2024, 5, 1, 8, tzinfo=UTC)
        row = {"at": [moment], "by": {"k": moment}}
        kind = pa.timestamp("ms", "UTC")
        column = pa.array(
            [{**row, "by": [("k", moment)]}], pa.struct([("at", pa.list_(kind)), ("by", pa.map_(pa.string(), kind))])
        )
        assert values_of(column) == [{"at": ["2024-05-01T08:00:00Z"], "by": {"k": "2024-05-01T08:00:00Z"}}]

    def test_nan(self) -> None:
        """It is a missing value in a frame of pandas, and a number elsewhere."""
        assert rows_of(pd.DataFrame({"x": [1.5, math.nan]})) == [{"x": 1.5}, {"x": None}]
        for table in (pl.DataFrame({"x": [math.nan]}), pa.table({"x": [math.nan]})):
            assert math.isnan(rows_of(table)[0]["x"])


FRAMES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "Table": pa.table,
    "RecordBatch": pa.record_batch,
    "RecordBatchReader": lambda columns: pa.table(columns).to_reader(1),
    "DuckDB": lambda columns: duckdb.from_arrow(pa.table(columns)),
}


@pytest.mark.parametrize("kind", FRAMES)
class TestEachKindOfFrame:
    """The same from whatever library."""

    COLUMNS: ClassVar[dict[str, Any]] = {
        "id": [1, 2],
        "at": [datetime(2024, 5, 1, 8, tzinfo=UTC), None],
        "name": ["a", "ü"],
    }
    ROWS: ClassVar[list[dict[str, Any]]] = [
        {"id": 1, "at": "2024-05-01T08:00:00Z", "name": "a"},
        {"id": 2, "at": None, "name": "ü"},
    ]

    def test_its_rows_arrive(self, kind: str) -> None:
        """In order, from the frame, a list of frames, a function that returns it or yields some, and to a function."""
        make = FRAMES[kind]
        assert rows_of(make(self.COLUMNS)) == self.ROWS
        assert rows_of([make(self.COLUMNS), make(self.COLUMNS)]) == 2 * self.ROWS
        assert rows_of(lambda: make(self.COLUMNS)) == self.ROWS
        assert rows_of(lambda: (make(self.COLUMNS) for _ in range(2))) == 2 * self.ROWS
        assert list(read(make(self.COLUMNS))) == self.ROWS

    def test_only_the_wanted_columns(self, kind: str) -> None:
        """Where `fields` names them."""
        for source in (FRAMES[kind](self.COLUMNS), lambda: FRAMES[kind](self.COLUMNS)):
            assert rows_of(source, columns=["name"], only=True) == [{"name": "a"}, {"name": "ü"}]
        assert rows_of(FRAMES[kind](self.COLUMNS), columns=[], only=True) == [{}, {}]

    def test_a_column_that_is_missing(self, kind: str) -> None:
        """It is named before anything is read, and so are the columns that are there."""
        advice = (
            r"If another column holds it, say so: fields={'unit': 'its name'}, in commands --fields 'unit=its name'"
        )
        lacks = r"^source: the \w+: it lacks the column 'unit'; it has 'id', 'at', 'name'\."
        with pytest.raises(SourceError, match=f"{lacks} {advice}$"):
            open_source(FRAMES[kind](self.COLUMNS), columns=["id", "unit"])

    def test_an_empty_frame_has_no_records(self, kind: str) -> None:
        """It is no error."""
        assert rows_of(FRAMES[kind]({"id": pa.array([], pa.int64())})) == []


def test_how_many_rows_there_are_is_known() -> None:
    """So that progress shows a share; a relation of DuckDB's would have to be computed for it."""
    totals = {kind: open_source(make({"x": [1, 2, 3]})).total for kind, make in FRAMES.items()}
    assert totals == {**dict.fromkeys(FRAMES, 3), "RecordBatchReader": None, "DuckDB": None}


def test_chunks_have_few_large_rows_and_many_small_ones() -> None:
    """So that the memory that rows need is bounded."""
    small = [len(chunk.rows) for chunk in open_source(pa.table({"x": range(9000)})).chunks()]
    assert small == [4000, 4000, 1000]
    large = [len(chunk.rows) for chunk in open_source(pa.table({"x": ["a" * 2**20] * 20})).chunks()]
    assert large == [7, 7, 6]


@given(sizes=st.lists(st.integers(1, 50), min_size=1))
def test_a_frame_that_is_read_again_has_the_same_digest(sizes: list[int]) -> None:
    """Whatever its batches."""
    table = pa.table({"x": range(sum(sizes)), "y": [f"{number}" for number in range(sum(sizes))]})
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    cut = pa.concat_tables([table.slice(start, size) for start, size in zip(starts, sizes, strict=True)])
    marks = []
    for each in (table, cut):
        digest = SourceDigest()
        for chunk in open_source(each).chunks():
            assert chunk.form is RowFormat.VALUES
            digest.take(chunk.rows, (), chunk.text)
        marks.append(digest.mark)
    assert marks[0] == marks[1]


@pytest.mark.parametrize("source", [pl.DataFrame({"x": range(90)}), lambda: iter([pl.DataFrame({"x": range(90)})])])
def test_a_digest_is_the_same_wherever_it_was_looked_at(source: Any) -> None:
    """So that a second attempt, which looks at where the first one ended, knows the rows again."""
    rows = [(chunk.rows, chunk.text) for chunk in open_source(source).chunks()]
    whole, looked_at = SourceDigest(), SourceDigest()
    for each, text in rows:
        whole.take(each, (), text)
        looked_at.take(each, (1, 50), text)
    assert whole.mark == looked_at.mark


class TestPandas:
    """What only its frames have."""

    def test_an_index_is_a_column_if_it_has_a_name(self) -> None:
        """As in pandas' own stream; one without a name, as a filter leaves it, is none."""
        frame = pd.DataFrame({"x": [1, 2, 3]})
        filtered = pd.DataFrame({"x": [1, 2, 3, 4]}).query("x != 3")
        assert "__index_level_0__" in pa.table(filtered).column_names
        assert rows_of(filtered) == [{"x": 1}, {"x": 2}, {"x": 4}]
        assert rows_of(frame.set_index(pd.Index(["a", "b", "c"], name="id"))) == [
            {"x": 1, "id": "a"},
            {"x": 2, "id": "b"},
            {"x": 3, "id": "c"},
        ]

    def test_its_own_types(self) -> None:
        """Categories, its text and numbers that may be missing, and objects of one type."""
        frame = pd.DataFrame(
            {
                "category": pd.Categorical(["a", None]),
                "text": pd.array(["b", None], dtype="string"),
                "number": pd.array([2**62, None], dtype="Int64"),
                "objects": [Decimal("1.50"), None],
                "ids": [UUID(int=7), None],
                "at": pd.to_datetime(["2024-05-01T08:00:00.123456789", None]).tz_localize("Asia/Tokyo"),
            }
        )
        assert rows_of(frame) == [
            {
                "category": "a",
                "text": "b",
                "number": 2**62,
                "objects": Decimal("1.50"),
                "ids": str(UUID(int=7)),
                "at": "2024-05-01T08:00:00.123456789+09:00",
            },
            dict.fromkeys(frame.columns),
        ]

    def test_a_column_of_several_types(self) -> None:
        """It is named, and no value of it; nobody trips over it where it isn't wanted."""
        frame = pd.DataFrame({"x": [1, 2], "y": [1, "geheim"]})
        with pytest.raises(
            SourceError, match="convert its column 'y' to one type that Arrow has, such as text"
        ) as caught:
            open_source(frame)
        assert "geheim" not in str(caught.value)
        assert rows_of(frame, columns=["x"], only=True) == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize(
    "frame", [pa.table([[1], [2], [3]], ["a", "a", "b"]), pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])]
)
def test_a_column_that_is_named_twice(frame: Any) -> None:
    """It is refused if it is wanted, and ignored if not."""
    for only in (False, True):
        with pytest.raises(SourceError, match="it has two columns named 'a'; rename one"):
            open_source(frame, columns=["a"], only=only)
    assert rows_of(frame, columns=["b"], only=True) == [{"b": 3}]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([b"x"]), "its column 'x' is of Arrow's type binary, which has no form as JSON; cast it"),
        (pa.array([timedelta(1)]), "its column 'x' is of Arrow's type duration"),
        (pa.array([pa.MonthDayNano([1, 2, 3])]), "its column 'x' is of Arrow's type month_day_nano_interval"),
        (pa.array([[{"a": b"x"}]]), "its column 'x' is of Arrow's type binary"),
        (pa.array([[(1, 2)]], pa.map_(pa.int64(), pa.int64())), "its column 'x' has a map whose keys aren't texts"),
        (
            pa.array([], pa.struct([("a", pa.int8()), ("a", pa.int8())])),
            "has a struct with two fields of the same name",
        ),
        (pa.array([0], pa.timestamp("s", "No/Where")), "has the time zone 'No/Where', which this machine doesn't know"),
    ],
)
def test_types_that_no_vendor_takes(column: Any, message: str) -> None:
    """They are refused before anything is read, unless the column isn't wanted."""
    table = pa.table({"x": column, "y": pa.array([1] * len(column), pa.int8())})
    with pytest.raises(SourceError, match=message):
        open_source(table)
    assert rows_of(table, columns=["y"], only=True) == [{"y": 1}] * len(column)


def test_what_is_no_table() -> None:
    """A frame that isn't computed yet, a column alone, and a type that pyarrow doesn't know."""
    with pytest.raises(SourceError, match=r"^source: the LazyFrame isn't computed yet; pass its `\.collect\(\)`"):
        open_source(pl.LazyFrame({"x": [1]}))
    with pytest.raises(SourceError, match=r"^source: the ChunkedArray: it has no table of Arrow's \(ArrowInvalid\)"):
        open_source(pa.chunked_array([[1]]))
    with pytest.raises(SourceError, match="convert its column 'x' to one type"):
        open_source(pl.DataFrame({"y": [1]}).with_columns(x=pl.col("y").cast(pl.Int128)))


def test_a_frame_of_a_function_that_lacks_a_column() -> None:
    """The message says which function."""

    def extract() -> Any:
        return pd.DataFrame({"x": [1]})

    with pytest.raises(SourceError, match=r"^source: what the callable extract returned: it lacks the column 'unit'"):
        rows_of(extract, columns=["unit"])


def test_many_columns_are_not_all_listed() -> None:
    """Twenty are enough."""
    with pytest.raises(SourceError, match=r"it has 'c0', .*'c19' and 5 more\. If"):
        open_source(pa.table({f"c{number}": [1] for number in range(25)}), columns=["x"])


def test_a_reader_that_fails() -> None:
    """Rows before the fault arrive; the message has the position, and no value."""

    def batches() -> Any:
        yield pa.record_batch({"x": [1, 2]})
        raise ValueError("geheim")

    got: list[Any] = []
    source = open_source(pa.RecordBatchReader.from_batches(pa.schema({"x": pa.int64()}), batches()))
    with pytest.raises(SourceBrokeError, match="the RecordBatchReader failed at position 2: ") as caught:
        got.extend(row for chunk in source.chunks() for row in chunk.rows)
    assert len(got) == 2
    assert "geheim" not in str(caught.value)


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    frame = pd.DataFrame({"x": [1]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SourceError, match=r"pip install 'airflow-provider-userdata\[arrow\]'"):
        open_source(frame)


def test_nothing_imports_pyarrow_before_it_is_needed(tmp_path: Any) -> None:
    """Neither an import of the sources, nor another file."""
    (tmp_path / "x.csv").write_text("a\n1\n")
    code = (
        "import sys; from airflow_provider_userdata.sources import open_source; "
        f"list(open_source({str(tmp_path / 'x.csv')!r}).chunks()); sys.exit('pyarrow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_frame_of_pandas_says_which_columns_it_has() -> None:
    """Where one is missing, the others are named, also those that nobody asked for."""
    with pytest.raises(SourceError, match="it lacks the column 'b'; it has 'a'"):
        open_source(pd.DataFrame({"a": [1]}), columns=["b"], only=True)


def test_a_part_of_a_column_does_not_cost_all_its_categories() -> None:
    """A column of many categories comes in parts, each with all of them."""
    names = [f"u{number}" for number in range(10_000)]
    column = pa.array(names).dictionary_encode().slice(5_000, 3)

    assert values_of(column) == names[5_000:5_003]
