"""The endpoints that the page and the tab read. Airflow gives a plugin's routes no protection: each here has its own.

Uses Airflow's internals, which have no stable form: only `plugin.py` imports this, and does without if it fails.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urljoin

import msgspec
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, get_user, requires_access_dag
from airflow.configuration import conf
from airflow.utils.session import create_session
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response

from airflow_provider_userdata.ui import rules, uploads
from airflow_provider_userdata.ui.commands import commands_for
from airflow_provider_userdata.ui.plugin import BUNDLE, digest_of

MOST_DAYS = 365
MOST_UPLOADS = 500
_A_YEAR = "private, max-age=31536000, immutable"
"""How long browsers keep the bundle: its URL changes with its content."""

app = FastAPI(title="User data", docs_url=None, redoc_url=None, openapi_url=None)
# What is shown comes from XComs and task instances. Where the path names a DAG, the rights on that DAG count.
_endpoints = APIRouter(
    prefix="/api/uploads",
    dependencies=[
        Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.XCOM)),
        Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.TASK_INSTANCE)),
    ],
)
_may_clear = requires_access_dag(method="PUT", access_entity=DagAccessEntity.TASK_INSTANCE)


@_endpoints.get("")
def recent_uploads(
    user: GetUserDep,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 30,
    limit: Annotated[int, Query(ge=1, le=MOST_UPLOADS)] = MOST_UPLOADS,
    dag: str = "",
) -> Response:
    """Return the newest uploads of the DAGs that the viewer may read, and which DAGs these are.

    :param dag: the only DAG whose uploads are wanted: a task that is mapped over thousands of files can leave no place
        for others.
    """
    now = datetime.now(UTC)
    with create_session(scoped=False) as session:
        found = uploads.dags_with_uploads(session, now - timedelta(days=days))
        if found:
            found &= get_auth_manager().get_authorized_dag_ids(user=user, method="GET")
        wanted = found & {dag} if dag else found
        recent, more = uploads.recent(session, wanted, now - timedelta(days=days), limit)
    return _json({"uploads": recent, "more": more, "dags": sorted(found), "now": now})


# A run's id may hold slashes.
@_endpoints.get("/{dag_id}/{run_id:path}/{task_id}/{map_index}")
def one_upload(request: Request, user: GetUserDep, dag_id: str, run_id: str, task_id: str, map_index: int) -> Response:
    """Return an upload; null where a task has none, because browsers log a 404 as an error."""
    now = datetime.now(UTC)
    with create_session(scoped=False) as session:
        row = uploads.one(session, dag_id, run_id, task_id, map_index)
    if row is None:
        return _json(None)
    may_act = _allows(_may_clear, request, user)
    return _json(
        {
            **msgspec.structs.asdict(row),
            "rules": rules.of(row.upload.reasons if row.upload else ()),
            "commands": commands_for(row, _base_url(request)) if may_act else [],
            "now": now,
        }
    )


@app.get(f"/static/{BUNDLE.name}", dependencies=[Depends(get_user)])
def bundle(v: str = "") -> Response:
    """Return the bundle of the page and the tab.

    :param v: its digest. While servers of two versions run beside each other, a browser may ask one for the other's
        bundle, and mustn't keep what it gets.
    """
    if not BUNDLE.exists():
        raise HTTPException(404, "This installation has no user interface")
    content = BUNDLE.read_bytes()
    caching = _A_YEAR if v == digest_of(content) else "no-store"
    return Response(content, media_type="text/javascript", headers={"Cache-Control": caching})


app.include_router(_endpoints)


def _allows(requirement: Any, request: Request, user: Any) -> bool:
    """Return whether the viewer fulfils one of Airflow's requirements."""
    try:
        requirement(request, user)
    except HTTPException:
        return False
    return True


def _base_url(request: Request) -> str:
    """Return where the browser finds Airflow."""
    return conf.get("api", "base_url", fallback="") or urljoin(str(request.base_url), "/")


def _json(value: object) -> Response:
    """Return the answer. FastAPI's own way would check each of thousands of values again."""
    return Response(msgspec.json.encode(value), media_type="application/json", headers={"Cache-Control": "no-store"})
