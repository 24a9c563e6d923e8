"""Declares the commands for what runs left in their folders."""

from __future__ import annotations

from airflow_provider_userdata.cli.declared import OUTPUT, OUTPUT_PATH, SUBDIR, VERY_SURE, Command, Group, argument

_DAG = argument("dag_id", help="the DAG")
_TASK = argument("task_id", help="the task")
_RUN = argument("--run-id", help="the DAG's run (default: the one that wrote last)")
_INDEX = argument("--map-index", type=int, metavar="NUMBER", help="the instance of a mapped task, from 0")
_ROOT = argument("--output-path", metavar="PATH", help="the folder to look in (default: Airflow's setting)")
_ANY_DAG = argument("dag_id", nargs="?", help="only this DAG")
_ANY_TASK = argument("task_id", nargs="?", help="only this task")
_OLD = "last written more than so many days ago"
_RULE = argument("--rule", help="only what this rule kept back, such as G8")

_USER = argument(
    *("--user", "-u"),
    required=True,
    metavar="ID",
    help="the user's id or label, as records have it; `-` reads it from the input; one that begins with - is written "
    "--user=-x",
)
_FIELD = argument(
    "--field",
    action="append",
    metavar="NAME",
    help="a field of records that holds users, so that other values don't count; may be repeated (default: any field)",
)
_KEPT = argument(
    "--kept",
    action="append",
    metavar="FOLDER",
    help="look into a folder of `check --keep`, too; may be repeated",
)

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
                argument(
                    "--limit", type=int, default=20, metavar="NUMBER", help="the most reasons (default: %(default)s)"
                ),
                argument("--values", action="store_true", help="also show the first records themselves"),
                OUTPUT_PATH,
                OUTPUT,
            ),
            "example: rejects show crm_daily upload_profiles --rule P7 --values",
        ),
        Command(
            "export",
            "Write the records that a run didn't deliver as a table, to correct them in a spreadsheet",
            "reject_export.export",
            (
                *(_DAG, _TASK, _RUN, _INDEX, _RULE),
                argument("--csv", metavar="FILE", help="write a CSV; `-` prints it"),
                argument(
                    "--xlsx",
                    metavar="FILE",
                    help="write a file of Excel's, with texts that no spreadsheet changes; needs the extra `excel`",
                ),
                argument(
                    "--fate",
                    action="append",
                    choices=("rejected", "held", "unknown"),
                    help="only records of this fate; may be repeated (default: all three)",
                ),
                argument("--records-only", action="store_true", help="leave out the columns that say what is wrong"),
                OUTPUT_PATH,
            ),
            "example: rejects export crm_daily upload_profiles --csv fix.csv\n"
            "Edit the table, then: replay crm_daily upload_profiles --fix fix.csv",
        ),
    ),
)
RUNS = Command(
    "runs",
    "List the runs that left files: when, and what became of their records",
    "runs.runs",
    (
        *(_ANY_DAG, _ANY_TASK, _ROOT),
        argument("--limit", type=int, metavar="NUMBER", help="the most runs (default: 50 in a table, else all)"),
        OUTPUT,
    ),
    "example: runs crm_daily upload_profiles --limit 5",
)
REPORT = Command(
    "report",
    "Say what became of a run's records, by the files that it left",
    "runs.report",
    (_DAG, _TASK, _RUN, _INDEX, OUTPUT_PATH, OUTPUT),
    "example: report crm_daily upload_profiles --run-id manual__2026-11-30T09:12:44+00:00",
)
HELD = Group(
    "held",
    "Valid records that are too few for a request, and wait for their task's next run",
    (
        Command(
            "list",
            "List the records that wait: since when, and until when they may",
            "held.show",
            (_ANY_DAG, _ANY_TASK, _ROOT, OUTPUT),
        ),
        Command(
            "send",
            "Send a task's records that wait now, with its own operator and connection, as its next run would",
            "held.send",
            (_DAG, _TASK, _INDEX, SUBDIR),
            "Those that are still too few for a request wait on.\nExits with 1 if any are rejected.",
        ),
        Command(
            "drop",
            "Remove records that wait, so that no run sends them",
            "held.drop",
            (
                *(_ANY_DAG, _ANY_TASK),
                argument("--older-than", type=int, metavar="DAYS", help="only those that wait for so many days"),
                _ROOT,
                VERY_SURE,
            ),
            "example: held drop wearables_daily upload_steps --older-than 30",
        ),
    ),
)
CLEAN = Command(
    "clean",
    "Remove receipts and rejects of old runs; what waits for a next run stays",
    "runs.clean",
    (
        _ANY_DAG,
        argument("--older-than", type=int, required=True, metavar="DAYS", help="runs " + _OLD),
        argument("--dry-run", action="store_true", help="only list them"),
        _ROOT,
        VERY_SURE,
    ),
    "example: clean --older-than 90 --dry-run",
)
FIND = Command(
    "find",
    "Say whether a user was sent, when, with which receipt; and if not, why",
    "find.find",
    (
        *(_ANY_DAG, _ANY_TASK),
        *(_USER, _FIELD, _KEPT),
        _ROOT,
        OUTPUT,
    ),
    "example: find --user u-4711\n\n"
    "It looks in receipts, rejects, held records and the ledger.\nThe exit code is 1 if the user is in none of them.",
)
ERASE = Command(
    "erase",
    "Erase a user from receipts, rejects, held records and the ledger",
    "erase.erase",
    (
        *(_USER, _FIELD, _KEPT),
        argument("--dry-run", action="store_true", help="only say what would be erased"),
        _ROOT,
        VERY_SURE,
        OUTPUT,
    ),
    "It says what it found where, asks, and ends with what it can't reach, such as the vendor.\n"
    "The exit code is 1 if the user is nowhere, 2 if the command can't work, 3 if something was left.",
)
