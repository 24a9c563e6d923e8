"""What this project is, as people run it: its operators in a real Airflow task, with everything on that they have."""

from __future__ import annotations

import itertools
import json
import os
from typing import Any

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from benchmarks.contestants.our_sources import source_of
from benchmarks.contestants.worker import TOKEN, Clock, Job, serve
from benchmarks.places import BenchmarkError

OPERATORS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "gerosense": (GerosenseSamplesOperator, {"data_type": "steps"}),
    "ptengine": (PtengineProfilesOperator, {}),
    "thymia": (ThymiaUploadOperator, {"upload_type": "mood"}),
}
_numbers = itertools.count()


def run(job: Job, clock: Clock) -> None:
    """Run a DAG of one task; `execute` is what is measured.

    :raises BenchmarkError: if the task fails.
    """
    os.environ[f"AIRFLOW_CONN_{job.vendor.upper()}_DEFAULT"] = json.dumps(
        {"conn_type": job.vendor, "host": job.url, "password": TOKEN}
    )
    kind, arguments = OPERATORS[job.vendor]
    with DAG(f"{job.vendor}_{next(_numbers)}", schedule=None) as dag:
        _measured(kind, clock)(
            task_id="upload",
            source=source_of(job),
            max_in_flight=job.in_flight,
            output_path=job.output,
            **arguments,
            **job.options,
        )
    _register(dag)
    state = dag.test().state
    if state != "success":
        raise BenchmarkError(f"the task ended as {state}; its log says why")


def _measured(kind: type[Any], clock: Clock) -> type[Any]:
    """Give an operator that differs in being watched."""

    class Measured(kind):  # type: ignore[misc]  # the class is a value here
        def execute(self, context: Any) -> Any:
            with clock:
                report = super().execute(context)
            clock.figures["report"] = {name: report[name] for name in ("read", "delivered", "rejected", "requests")}
            return report

    return Measured


def _register(dag: DAG) -> None:
    DagBundlesManager().sync_bundles_to_db()  # type: ignore[no-untyped-call]
    bag = DagBag(dag_folder="/nonexistent")
    bag.bag_dag(dag)
    sync_bag_to_db(bag, "dags-folder", None)


def warm_up() -> None:
    """Run a first task, which makes Airflow's in-process API: the ones that follow don't pay for it."""
    from airflow.providers.common.compat.sdk import task

    with DAG("warm_up", schedule=None) as dag:
        task(task_id="nothing")(lambda: None)()
    _register(dag)
    dag.test()


if __name__ == "__main__":
    warm_up()
    serve(run)
