"""Finds uploads in Airflow's database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from airflow.configuration import conf
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import Text, and_, cast, literal, select, true, tuple_
from sqlalchemy.orm import Session

from airflow_provider_userdata.ui.rows import ListedStatus, Row, Shown, is_text, status_in
from airflow_provider_userdata.upload_status import KEY, UploadStatus

_SAME_TASK_INSTANCE = and_(
    TaskInstance.dag_id == XComModel.dag_id,
    TaskInstance.task_id == XComModel.task_id,
    TaskInstance.run_id == XComModel.run_id,
    TaskInstance.map_index == XComModel.map_index,
)
_SHOWN: tuple[Any, ...] = (
    XComModel.dag_id,
    XComModel.run_id,
    XComModel.task_id,
    XComModel.map_index,
    XComModel.timestamp,
    XComModel.dag_run_id,
    cast(XComModel.value, Text).label("value"),
    TaskInstance.rendered_map_index,
    TaskInstance.state,
    TaskInstance.start_date,
    TaskInstance.end_date,
    TaskInstance.try_number,
    TaskInstance.max_tries,
    TaskInstance.operator,
    TaskInstance.custom_operator_name,
)
_ORDER: tuple[Any, ...] = (XComModel.timestamp, XComModel.dag_run_id, XComModel.task_id, XComModel.map_index)
"""By the last sign of life. No two XComs of one key have all four in common."""
_MOST_QUERIES = 10
"""For one list, if most of what is under the key was written by others."""


def dags_with_uploads(session: Session, since: datetime) -> set[str]:
    """Return the DAGs that have uploads.

    :param since: the time of the last sign of life.
    """
    return set(session.scalars(select(XComModel.dag_id).where(*_recent(since)).distinct()))


def recent(session: Session, dags: Collection[str], since: datetime, limit: int) -> tuple[list[Row[Any]], bool]:
    """Return the uploads with the newest signs of life first, and whether there are more.

    :param dags: the DAGs that the viewer may read.
    :param since: the time of the last sign of life.
    """
    rows: list[Row[Any]] = []
    asked = select(*_SHOWN).join(TaskInstance, _SAME_TASK_INSTANCE)
    asked = asked.where(*_recent(since), XComModel.dag_id.in_(dags)).order_by(*(each.desc() for each in _ORDER))
    after: Any = true()
    for _ in range(_MOST_QUERIES if dags else 0):
        found = session.execute(asked.where(after).limit(limit + 1)).all()
        rows += _rows(found, ListedStatus)
        if len(rows) > limit or len(found) <= limit:
            return rows[:limit], len(rows) > limit
        # What others wrote took the place of uploads: go on after the last of it.
        last = [literal(getattr(found[-1], column.key), column.type) for column in _ORDER]
        after = tuple_(*_ORDER) < tuple_(*last)
    return rows, bool(dags)


def one(session: Session, dag_id: str, run_id: str, task_id: str, map_index: int) -> Row[UploadStatus] | None:
    """Return the upload of a task instance, or None if it shows none."""
    found = session.execute(
        select(*_SHOWN)
        .join(TaskInstance, _SAME_TASK_INSTANCE)
        .where(
            XComModel.key == KEY,
            XComModel.dag_id == dag_id,
            XComModel.run_id == run_id,
            XComModel.task_id == task_id,
            XComModel.map_index == map_index,
        )
    ).all()
    return next(_rows(found, UploadStatus), None)


def _recent(since: datetime) -> tuple[Any, ...]:
    # The key is indexed, and only uploads have it: their times are compared, however many other XComs there are.
    return XComModel.key == KEY, XComModel.timestamp >= since


def _rows(found: Iterable[Any], kind: type[Shown]) -> Iterator[Row[Shown]]:
    """Return the rows, without those that somebody else wrote under the key."""
    has_store = conf.get("core", "xcom_backend", fallback="").rpartition(".")[2] not in ("", "BaseXCom")
    decoder = msgspec.json.Decoder(kind)
    for row in found:
        status = status_in(row.value or "", decoder)
        elsewhere = status is None and has_store and is_text(row.value)
        if status is not None or elsewhere:
            yield _row(row, status, elsewhere=elsewhere)


def _row(row: Any, status: Shown | None, *, elsewhere: bool) -> Row[Shown]:
    label = row.rendered_map_index
    return Row(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        map_label=None if label is None or label == str(row.map_index) else label,
        state=row.state and str(row.state),
        started=row.start_date,
        ended=row.end_date,
        try_number=row.try_number,
        max_tries=row.max_tries,
        operator=row.custom_operator_name or row.operator,
        upload=status,
        elsewhere=elsewhere,
    )
