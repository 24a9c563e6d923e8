"""A warehouse's table to Ptengine: the rows of a query, where a null leaves an attribute as it is.

Needs the connections `ptengine_default` and `warehouse`, a database of any kind that Airflow has a hook for. The first
task here makes the table, as your transformations would.
"""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import BaseHook, dag, task

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sources import SqlSource

DATA = Path(__file__).parent / "data"


@dag(schedule=None, default_args={"retries": 2, "retry_delay": timedelta(minutes=1)}, tags=["userdata"])
def warehouse_profiles() -> None:
    """Make a table, and upload what a query selects from it."""

    @task
    def make_table() -> None:
        """Write the customers into the warehouse; an empty cell becomes a null."""
        hook: Any = BaseHook.get_connection("warehouse").get_hook()  # type: ignore[no-untyped-call]
        with (DATA / "users.csv").open(encoding="utf-8", newline="") as file:
            names, *rows = csv.reader(file)
        hook.run(["DROP TABLE IF EXISTS customers", f"CREATE TABLE customers ({', '.join(names)})"])
        hook.insert_rows("customers", [[cell or None for cell in row] for row in rows], names)

    upload = PtengineProfilesOperator(
        task_id="upload_profiles",
        source=SqlSource(
            "SELECT user_id, plan, CAST(orders AS INTEGER) AS orders, favourite_genre AS genre FROM customers"
            " ORDER BY user_id",  # a fixed order, so that a retry goes on where the attempt before it ended
            conn_id="warehouse",
        ),
        empty_values="omit",  # a customer without a favourite genre keeps the one that Ptengine knows
        max_rejected=4,
    )
    make_table() >> upload


warehouse_profiles()
