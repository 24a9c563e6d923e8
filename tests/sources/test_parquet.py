"""Parquet files: read as the other formats are, of the wanted columns, in bounded memory."""

from __future__ import annotations

import gzip
import io
import pathlib
import subprocess
import sys
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources import open_source
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.parquet import read_parquet

TABLE = pa.table({"id": [1, 2, 3], "name": ["a", None, "ü"], "data": [{"n": 1}, None, {"n": 3}]})
ROWS = TABLE.to_pylist()


def rows_of(source: Any, **options: Any) -> list[Any]:
    """Read all rows as dictionaries."""
    return [row.as_dict() for chunk in open_source(source, **options).chunks() for row in chunk.rows]


def parquet(table: Any = TABLE, **options: Any) -> bytes:
    """Return a file's content."""
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["x.parquet", "X.PARQUET", "x.snappy.parquet"])
def test_a_file_is_read_by_its_name(tmp_path: pathlib.Path, name: str) -> None:
    """The ending says the kind, and the file how many rows it has."""
    (tmp_path / name).write_bytes(parquet())
    assert rows_of(tmp_path / name) == rows_of(str(tmp_path / name)) == ROWS
    assert open_source(tmp_path / name).total == 3


def test_files_of_a_glob_and_a_list(tmp_path: pathlib.Path) -> None:
    """Folders of a partitioned data set are reached by a glob; schemas may differ if the wanted columns are there."""
    for day in (1, 2):
        (tmp_path / f"day={day}").mkdir()
        extra = TABLE.append_column("day", [[day] * 3]) if day == 2 else TABLE.select(["name", "id"])
        (tmp_path / f"day={day}" / "part.parquet").write_bytes(parquet(extra))
    ids = 2 * [{"id": 1}, {"id": 2}, {"id": 3}]
    source = open_source(f"{tmp_path}/**/*.parquet", columns=["id"], only=True)
    assert source.total == 6
    assert [row.as_dict() for chunk in source.chunks() for row in chunk.rows] == ids
    assert rows_of([tmp_path / "day=1" / "part.parquet", tmp_path / "day=2/*"], columns=["id"], only=True) == ids

    (tmp_path / "x.jsonl").write_text("{}\n")
    assert open_source(f"{tmp_path}/**").total is None


def test_only_the_wanted_columns_are_read(tmp_path: pathlib.Path) -> None:
    """A damaged column that nobody wants hurts nobody; without columns, rows are counted."""
    table = pa.table({"id": range(3), "other": ["x" * 50] * 3})
    data = parquet(table, compression="none", use_dictionary=False, write_page_checksum=True)
    (tmp_path / "x.parquet").write_bytes(data.replace(b"x" * 50, b"\xff" * 50))
    assert rows_of(tmp_path / "x.parquet", columns=["id"], only=True) == [{"id": 0}, {"id": 1}, {"id": 2}]
    assert rows_of(tmp_path / "x.parquet", columns=[], only=True) == [{}, {}, {}]
    with pytest.raises(SourceError, match="it is damaged"):
        rows_of(tmp_path / "x.parquet")


def test_names_with_dots_are_names(tmp_path: pathlib.Path) -> None:
    """To pyarrow they are paths, too: a column and one within another aren't mistaken for each other."""
    table = pa.table({"a.b": [1], "a": [{"b": 2, "c": 3}], "c": [4]})
    (tmp_path / "x.parquet").write_bytes(parquet(table))
    for columns in (["a.b"], ["a"], ["a", "a.b"]):
        expected = [{name: value for name, value in table.to_pylist()[0].items() if name in columns}]
        assert rows_of(tmp_path / "x.parquet", columns=columns, only=True) == expected
    with pytest.raises(SourceError, match=r"it lacks the column 'a\.c'"):
        open_source(tmp_path / "x.parquet", columns=["a.c"], only=True)


def test_files_that_others_write(tmp_path: pathlib.Path) -> None:
    """Those of pandas, with an index of a filter, and of DuckDB, with a UUID, JSON and a time zone."""
    frame = pd.DataFrame({"kind": pd.Categorical(["a", "b", None, "a"]), "at": pd.to_datetime(["2024-05-01"] * 4)})
    frame[frame.kind.notna()].to_parquet(tmp_path / "pandas.parquet")
    assert "__index_level_0__" in pq.read_schema(tmp_path / "pandas.parquet").names
    assert rows_of(tmp_path / "pandas.parquet") == [{"kind": kind, "at": "2024-05-01T00:00:00"} for kind in "aba"]

    query = """SELECT '0b0f8a2c-58c9-4b5c-8a1a-3c6f7d5e9a11'::UUID AS id, '{"n":1}'::JSON AS note,
        '2024-05-01 08:00:00.5+00'::TIMESTAMPTZ AS at, MAP {'a': 1} AS map, 12.50::DECIMAL(10, 2) AS price"""
    duckdb.execute(f"COPY ({query}) TO '{tmp_path / 'duckdb.parquet'}'")
    [row] = rows_of(tmp_path / "duckdb.parquet")
    assert {**row, "price": str(row["price"])} == {
        "id": "0b0f8a2c-58c9-4b5c-8a1a-3c6f7d5e9a11",
        "note": '{"n":1}',
        "at": "2024-05-01T08:00:00.500Z",
        "map": {"a": 1},
        "price": "12.50",
    }


@pytest.mark.parametrize("group", [1000, 10**6])
def test_rows_come_in_chunks(tmp_path: pathlib.Path, group: int) -> None:
    """Whatever the size of the file's row groups; large rows in chunks of few."""
    (tmp_path / "x.parquet").write_bytes(parquet(pa.table({"x": range(9000)}), row_group_size=group))
    sizes = [len(chunk.rows) for chunk in open_source(tmp_path / "x.parquet").chunks()]
    assert sum(sizes) == 9000
    assert max(sizes) <= 4000
    assert len(sizes) <= 9
    large = pa.table({"x": [f"{number}" * 2**19 for number in range(20, 40)]})
    (tmp_path / "y.parquet").write_bytes(parquet(large, row_group_size=group))
    assert [len(chunk.rows) for chunk in open_source(tmp_path / "y.parquet").chunks()] == [7, 7, 6]


DAMAGED = {
    "cut.parquet": (parquet()[:-100], "it isn't a whole Parquet file: it is damaged, or its end is missing"),
    "head.parquet": (parquet()[:4], "it isn't a whole Parquet file"),
    "text.parquet": (b'{"id": 1}\n', "it isn't a Parquet file"),
    "book.parquet": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "it looks like an old Excel workbook"),
    "secret.parquet": (b"PARE" + parquet()[4:-4] + b"PARE", "it is an encrypted Parquet file"),
    "empty.parquet": (b"", "it is empty"),
    "packed.parquet.gz": (gzip.compress(parquet()), "a Parquet file is compressed within"),
    "misnamed.csv": (parquet(), "it looks like a Parquet file; let its name end in .parquet"),
    "lacks.parquet": (parquet(TABLE.select(["name"])), "it lacks the column 'id'; it has 'name'"),
    "twice.parquet": (parquet(pa.table([[1], [2]], ["id", "id"])), "it has two columns named 'id'; rename one"),
    "binary.parquet": (parquet(pa.table({"id": [b"1"]})), "its column 'id' is of Arrow's type binary"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_that_cannot_be_read(tmp_path: pathlib.Path, name: str) -> None:
    """It is refused by its name before anything is read, also behind a sound one; no retry helps."""
    (tmp_path / "0.parquet").write_bytes(parquet())
    (tmp_path / name).write_bytes(DAMAGED[name][0])
    if name == "empty.parquet":  # left out, unless there is no other
        assert rows_of(f"{tmp_path}/*.parquet") == ROWS
        (tmp_path / "0.parquet").unlink()
    with pytest.raises(SourceError) as caught:
        open_source(f"{tmp_path}/*", columns=["id"])
    assert str(caught.value).startswith(f"source: '{tmp_path / name}': {DAMAGED[name][1]}")
    assert not caught.value.retriable


def test_a_file_that_is_damaged_in_its_middle(tmp_path: pathlib.Path) -> None:
    """Rows before the fault are read; the message has the position."""
    table = pa.table({"x": [f"{number:050}" for number in range(9000)]})
    options: dict[str, Any] = {"row_group_size": 4000, "use_dictionary": False, "write_page_checksum": True}
    data = parquet(table, compression="none", **options)
    (tmp_path / "x.parquet").write_bytes(data.replace(f"{8500:050}".encode(), f"{85:050}".encode()))
    got: list[Any] = []
    source = open_source(tmp_path / "x.parquet")
    with pytest.raises(SourceError, match="at position 8000: it is damaged"):
        got.extend(row for chunk in source.chunks() for row in chunk.rows)
    assert len(got) == 8000


def test_a_folder_is_named_with_the_glob_for_it(tmp_path: pathlib.Path) -> None:
    """Spark writes a folder where it is asked for a file."""
    (tmp_path / "x.parquet").mkdir()
    with pytest.raises(SourceError, match=r"it is a folder; name its files, as in '.*/x\.parquet/\*\.parquet'"):
        open_source(tmp_path / "x.parquet")


def test_a_place_that_fails_is_no_damaged_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another attempt may succeed."""
    (tmp_path / "x.parquet").write_bytes(parquet())

    class Stream(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            if whence == io.SEEK_END:  # on the way to the footer
                raise ConnectionResetError
            return super().seek(offset, whence)

    monkeypatch.setattr(pathlib.Path, "open", lambda path, mode: Stream(parquet()))
    with pytest.raises(SourceBrokeError, match=r"x\.parquet' can't be opened: ConnectionResetError$"):
        open_source(tmp_path / "x.parquet")


def test_without_pyarrow(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    (tmp_path / "x.parquet").write_bytes(parquet())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SourceError, match=r"x\.parquet': .*`pip install 'airflow-provider-userdata\[arrow\]'"):
        open_source(tmp_path / "x.parquet")


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_pandas_is_not_imported_for_a_file(tmp_path: pathlib.Path, zone: str | None) -> None:
    """It would take half a second and 40 MB, and pyarrow imports it for little, where it is installed."""
    table = pa.table({"x": pa.array([0, None], pa.timestamp("us", zone)), "y": ["a", None], "z": [None, [1.5]]})
    (tmp_path / "x.parquet").write_bytes(parquet(table))
    code = (
        "import sys; from airflow_provider_userdata.sources import open_source; "
        f"list(open_source({str(tmp_path / 'x.parquet')!r}).chunks()); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_in_an_object_store(bucket: Any) -> None:
    """By a path or a glob, and of several row groups."""
    table = pa.table({"id": range(9000), "name": [f"{number}" for number in range(9000)]})
    (bucket / "a.parquet").write_bytes(parquet(table, row_group_size=2000))
    (bucket / "b.parquet").write_bytes(parquet(table.slice(0, 5)))
    assert rows_of(bucket / "a.parquet") == table.to_pylist()
    assert rows_of(bucket / "*.parquet", columns=["id"], only=True) == [{"id": n} for n in [*range(9000), *range(5)]]
    (bucket / "c.parquet").write_bytes(parquet()[:-9])
    with pytest.raises(SourceError, match=r"c\.parquet': it isn't a whole Parquet file"):
        open_source(bucket / "*.parquet")


class Watched(io.BytesIO):
    """A file that keeps how much was read of it at a time."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and keep how much."""
        data = super().read(size)
        self.most = max(self.most, len(data))
        return data


def test_a_row_group_is_not_read_as_a_whole() -> None:
    """Its size is the writer's choice: many a file has a single one, of more than fits into memory."""
    numbers = np.random.default_rng(1).integers(2**62, size=2**20)
    data = parquet(pa.table({"one": numbers, "other": numbers[::-1]}))
    file = Watched(data)

    count = sum(len(chunk.rows) for chunk in read_parquet(file, Wanted()))

    assert count == 2**20
    assert len(data) > 16 * 2**20
    assert file.most < 2 * 2**20
