"""Declares the commands for what runs left in their folders."""

from __future__ import annotations

from airflow_provider_userdata.cli.declared import OUTPUT, OUTPUT_PATH, Command, Group, argument

_DAG = argument("dag_id", help="the DAG")
_TASK = argument("task_id", help="the task")
_RUN = argument("--run-id", required=True, help="the DAG's run")
_INDEX = argument("--map-index", type=int, metavar="NUMBER", help="of a mapped task, the instance")
_RULE = argument("--rule", help="only what this rule kept back, such as G8")

REJECTS = Group(
    "rejects",
    "Records of a task's run that were not delivered",
    (
        Command(
            "show",
            "Show why records were not delivered: how many for each reason, where the first ones are, what to do",
            "rejects.show",
            (
                *(_DAG, _TASK, _RUN, _INDEX, _RULE),
                argument("--limit", type=int, default=20, metavar="NUMBER", help="of reasons (default: %(default)s)"),
                argument("--values", action="store_true", help="also show the first records themselves"),
                OUTPUT_PATH,
                OUTPUT,
            ),
        ),
    ),
)
