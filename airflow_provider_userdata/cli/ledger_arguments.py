"""Declares the commands of the ledger."""

from __future__ import annotations

from airflow_provider_userdata import registry
from airflow_provider_userdata.cli.declared import OUTPUT, OUTPUT_PATH, SUBDIR, VERY_SURE, Command, Group, argument

_STREAMS = argument(
    "--stream",
    type=int,
    action="append",
    metavar="NUMBER",
    help="a stream's number, as `streams` lists it; may be repeated",
)
_VENDOR = argument("--vendor", help=f"all streams of a vendor: {registry.names()}")
_USER = argument(
    "--user", metavar="ID", help="only this user, by the vendor's id or label; `-` reads it from the input"
)
_DAYS = argument("--older-than", type=int, metavar="DAYS", help="only entries that are older")

LEDGER = Group(
    "ledger",
    "What earlier runs delivered, as recorded by tasks with incremental=True",
    (
        Command("streams", "List what the ledger remembers: streams, entries, days", "ledger.streams", (OUTPUT,)),
        Command(
            "forget",
            "Forget streams, or a user in them, or entries older than a number of days",
            "ledger.forget",
            (_STREAMS, _VENDOR, _USER, _DAYS, VERY_SURE),
        ),
        Command(
            "adopt",
            "Fill a stream with what a finished run delivered, so that incremental=True can be switched on later; or "
            "give a stream a name, so that a task to which ledger_stream is added later goes on with it",
            "adopt.adopt",
            (
                argument("--run", nargs=2, metavar=("DAG", "TASK"), help="the task whose run delivered"),
                argument("--run-id", metavar="RUN", help="the DAG's run (default: the one that wrote last)"),
                argument("--map-index", type=int, metavar="NUMBER", help="of a mapped task (default: all instances)"),
                argument("--dry-run", action="store_true", help="say what would be entered, and enter nothing"),
                SUBDIR,
                OUTPUT_PATH,
                argument("--stream", type=int, metavar="NUMBER", help="the stream to name, as `streams` lists it"),
                argument("--name", metavar="TEXT", help="its name: the task's ledger_stream"),
                VERY_SURE,
            ),
            "The run's source is read again, and must be what the run read. Nothing is sent.\n"
            "  airflow userdata ledger adopt --run crm_daily upload_profiles\n"
            '  airflow userdata ledger adopt --stream 3 --name "crm of project 17"',
        ),
        Command(
            "begin",
            "Begin a new ledger after the previous one was emptied, replaced or lost: everything is sent again",
            "ledger.begin",
            (VERY_SURE,),
        ),
        Command(
            "export",
            "Write the entries as JSON lines: stream, key, fingerprint, day",
            "ledger.export",
            (_STREAMS, _VENDOR),
        ),
    ),
)
