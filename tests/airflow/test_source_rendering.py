"""What Airflow's own renderer and serializer do to sources. Importing Airflow takes seconds."""

from __future__ import annotations

import os
import pathlib
import tempfile
from typing import Any

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp())

import pytest
from airflow.providers.common.compat.sdk import BaseOperator, ObjectStoragePath

from airflow_provider_userdata.delivery.reading.source import Source
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import FileSource, Parts, SqlSource, hold, open_source, unhold

serialize_template_field = pytest.importorskip("airflow.serialization.helpers").serialize_template_field


class Upload(BaseOperator):
    """An operator with a held source."""

    template_fields = ("source",)

    def __init__(self, source: object, **options: Any) -> None:
        super().__init__(**options)
        self.source = source

    @property
    def source(self) -> object:
        """Give the source, held."""
        return self._source

    @source.setter
    def source(self, value: object) -> None:
        self._source = hold(value)


def rendered(source: object) -> Any:
    """Let Airflow render an operator's source."""
    task = Upload(source=source, task_id="upload")
    task.render_template_fields({"ds": "2024-05-01", "task": task})
    return task.source


def rows_of(source: Source) -> list[Any]:
    """Read all rows; of lines, without their ends."""
    rows = [row for chunk in source.chunks() for row in chunk.rows]
    return [row.removesuffix(b"\n") if isinstance(row, bytes) else row for row in rows]


def test_records_are_neither_rendered_nor_stored() -> None:
    """Templates in somebody's data aren't run, and Airflow stores the holder's text alone."""
    records = [{"name": "{{ 7 * 7 }}", "file": "x.sql"}]
    source = rendered(records)
    assert unhold(source) is records
    assert records == [{"name": "{{ 7 * 7 }}", "file": "x.sql"}]
    assert serialize_template_field(source, "source") == "<1 record>"


def test_a_callable_is_not_called_by_the_renderer() -> None:
    """Airflow calls whatever is callable in a template field, with arguments of its own."""

    def extract() -> list[int]:
        return [1]

    source = rendered(extract)
    assert serialize_template_field(source, "source") == "<callable extract>"
    assert rows_of(open_source(source)) == [1]


def test_paths_are_rendered() -> None:
    """A path is a template, alone or in a list, as text or in an object store."""
    assert rendered("data/{{ ds }}.csv") == "data/2024-05-01.csv"
    assert rendered(["{{ ds }}.csv", "b.csv"]) == ["2024-05-01.csv", "b.csv"]
    assert str(rendered(ObjectStoragePath("file:///data/{{ ds }}.csv"))) == "file:///data/2024-05-01.csv"


@pytest.mark.airflow_3
def test_a_query_is_rendered_into_a_copy() -> None:
    """One query given to two tasks, or run twice in a process, keeps its template."""
    query = SqlSource("SELECT '{{ ds }}'", "db", {"day": "{{ ds }}", "n": 1})
    source = rendered(query)
    assert (source.sql, source.conn_id, source.parameters) == (
        "SELECT '2024-05-01'",
        "db",
        {"day": "2024-05-01", "n": 1},
    )
    assert query.sql == "SELECT '{{ ds }}'"
    assert serialize_template_field(query, "source") == "SqlSource(sql=\"SELECT '{{ ds }}'\", conn_id='db')"


@pytest.mark.airflow_3
@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/data/{{ ds }}.txt", "/data/2024-05-01.txt"),
        (pathlib.Path("/data/{{ ds }}.txt"), "/data/2024-05-01.txt"),
        (["/{{ ds }}.txt", pathlib.Path("b.txt")], ["/2024-05-01.txt", "b.txt"]),
        (ObjectStoragePath("file:///data/{{ ds }}.csv"), ObjectStoragePath("file:///data/2024-05-01.csv")),
    ],
)
def test_a_file_sources_path_is_rendered_into_a_copy(path: object, wanted: object) -> None:
    """All its options stay, and it keeps its template for other tasks and runs."""
    files = FileSource(path, "csv", "cp932", ";", "'", "\\", 3)
    before = files.path
    source = rendered(files)
    assert (source.path, files.path) == (wanted, before)
    assert type(source.path) is type(wanted)
    options = ("format", "encoding", "delimiter", "quote", "escape", "skip_lines", "records")
    assert [getattr(source, name) for name in options] == ["csv", "cp932", ";", "'", "\\", 3, None]
    several: Any = unhold(rendered([files, "{{ ds }}.csv"]))
    assert isinstance(unhold(hold(several, [files, "{{ ds }}.csv"])), Parts)  # they are sources, not records
    assert (several[0].path, several[1]) == (wanted, "2024-05-01.csv")


def test_paths_of_an_object_store_are_read(tmp_path: pathlib.Path) -> None:
    """As text with a scheme or as Airflow's own class, one file, a pattern or a list."""
    (tmp_path / "below").mkdir()
    for name in ("b.jsonl", "a.jsonl", ".hidden.jsonl", "below/c.jsonl"):
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / "t.csv").write_text("id\n1\n")
    uri = f"file://{tmp_path}"
    assert rows_of(open_source(f"{uri}/a.jsonl")) == [b"a.jsonl"]
    assert rows_of(open_source(hold(ObjectStoragePath(f"{uri}/?.jsonl")))) == [b"a.jsonl", b"b.jsonl"]
    assert rows_of(open_source([ObjectStoragePath(f"{uri}/b.jsonl"), f"{uri}/[a-b].jsonl"])) == [b"b.jsonl", b"a.jsonl"]
    assert rows_of(open_source(f"{uri}/**/*.jsonl")) == [b"a.jsonl", b"b.jsonl", b"below/c.jsonl"]
    assert [row.as_dict() for row in rows_of(open_source(f"{uri}/t.csv", columns=["id"]))] == [{"id": "1"}]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.jsonl", "there is no such file"),
        ("*.jsonl", "no file matches"),
        ("folder", "it is a folder"),
        ("folder.csv", "it is a folder"),
        ("x.xlsx", "its name ends in none of"),
    ],
)
def test_what_an_object_store_lacks_is_refused(tmp_path: pathlib.Path, name: str, message: str) -> None:
    """The checks are those of local files."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "x.xlsx").touch()
    with pytest.raises(SourceError, match=message):
        open_source(f"file://{tmp_path}/{name}")


@pytest.mark.airflow_3
@pytest.mark.parametrize("path", ["nosuch://bucket/x.csv", "nosuch://bucket/*.csv"])
def test_an_unknown_scheme_is_refused(path: str) -> None:
    """The message names what may be missing."""
    with pytest.raises(SourceError, match="is the provider of its file system installed"):
        open_source(path)
