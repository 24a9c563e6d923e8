"""Declares the command that sends rejects again."""

from __future__ import annotations

from airflow_provider_userdata.cli.declared import OUTPUT, SUBDIR, Command, argument

REPLAY = Command(
    "replay",
    "Send what a task's run rejected or held again, corrected, with the task's own operator and connection",
    "replay.replay",
    (
        argument("dag_id", help="the DAG"),
        argument("task_id", help="the task"),
        argument("--run-id", help="the DAG's run (default: the one that wrote last)"),
        argument(
            "--map-index",
            type=int,
            metavar="NUMBER",
            help="of a mapped task, the instance whose rejects are sent (default: those of all)",
        ),
        argument("--fix", metavar="FILE", help="the edited table of `rejects export`; what it lacks is left out"),
        argument(
            "--reformatted",
            choices=("original", "table"),
            help="for values of which a spreadsheet only changed the form, such as 000046 to 46: send the original "
            "ones, or those of the table (default: nothing is sent)",
        ),
        argument("--rule", action="append", help="only what this rule kept back; may be repeated (default: any)"),
        argument(
            "--fate",
            action="append",
            choices=("rejected", "held", "unknown"),
            help="only records of this fate; may be repeated (default: rejected and held; an unknown one may be there)",
        ),
        argument("--limit", type=int, metavar="NUMBER", help="the most records to send (default: all)"),
        argument("--dry-run", action="store_true", help="check the records, and send none"),
        SUBDIR,
        OUTPUT,
    ),
    "example: replay crm_daily upload_profiles --fix fix.csv --dry-run\n\n"
    "What is delivered is marked beside the rejects: another replay leaves it out.\nExits with 1 if anything is left.",
)
