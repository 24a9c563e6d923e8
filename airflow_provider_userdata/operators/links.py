"""The button *Upload* of a task, which opens the upload in the page *User data*."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from airflow_provider_userdata.airflow_compat import BaseOperatorLink
from airflow_provider_userdata.delivery import Status
from airflow_provider_userdata.ui import support


class UploadLink(BaseOperatorLink):
    """Opens the upload of a task instance. Airflow writes the link when the task ends, and `LinkObserver` before."""

    name = "Upload"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002  # Airflow passes it
        """Return the link. It is relative: browsers know Airflow's address, a worker may not.

        :param ti_key: the task instance, or its key.
        """
        names = {"dag_id": ti_key.dag_id, "run_id": ti_key.run_id, "task_id": ti_key.task_id}
        return f"plugin/userdata?{urlencode({**names, 'map_index': ti_key.map_index})}"


def upload_links() -> tuple[UploadLink, ...]:
    """Return the button, if this Airflow has the page that it opens."""
    return (UploadLink(),) if support.has_pages() else ()


class LinkObserver:
    """Writes the link at the start of an upload, so that its button works while it runs.

    :param ti: the task instance.
    """

    def __init__(self, ti: Any) -> None:
        self._ti = ti

    def started(self, status: Status) -> None:  # noqa: ARG002  # an observer's form
        """Write the link."""
        for link in upload_links():
            self._ti.xcom_push(key=link.xcom_key, value=link.get_link(None, ti_key=self._ti))

    def progressed(self, status: Status) -> None:
        """Leave it."""

    def ended(self, status: Status, error: BaseException | None) -> None:
        """Leave it."""
