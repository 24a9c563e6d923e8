"""The command `userdata rejects export`: a table for who corrects records in a spreadsheet."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain

import msgspec

from airflow_provider_userdata.cli.asked_run import asked_run
from airflow_provider_userdata.cli.printing import counted, said, tool
from airflow_provider_userdata.cli.reject_tables import csv_table, xlsx_table
from airflow_provider_userdata.cli.run_counts import counts_of
from airflow_provider_userdata.cli.run_folders import RunFolder, each
from airflow_provider_userdata.delivery.recording import RejectedLine
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.sources import ABOUT, MISFIT, cell_of, fields_of, is_misfit, mark_of, misfit_of
from airflow_provider_userdata.ui import rules, shell

_ABOUT = ("position", "file", "line", "fate", "rule", "where", "what is wrong", "what to do", "mark")
_OF_MISFITS = f"Put each value into its column, then empty the cell in the column '{MISFIT}'."


@said()
def export(asked: Namespace) -> None:
    """Write the records that a run didn't deliver as a table."""
    if (asked.csv is None) is (asked.xlsx is None):
        raise ArgumentError("say --csv FILE or --xlsx FILE")
    then = _next_command(asked)
    run = asked_run(asked)
    for once in each([run], "Counting"):
        last, erased = _last_lines(once, asked)
    columns: dict[str, None] = {}
    misfits = 0
    for once in each([run], "Reading"):
        for record in _records(once, last):
            columns.update(dict.fromkeys(fields_of(record)))
            misfits += is_misfit(record)
    about = _about_columns(records_only=asked.records_only, any_misfits=misfits > 0)
    table, name = (xlsx_table, asked.xlsx) if asked.csv is None else (csv_table, asked.csv)
    with table(name, [*columns, *about]) as write:
        for record in chain.from_iterable(_records(once, last) for once in each([run], "Writing")):
            if not (asked.records_only and is_misfit(record)):
                fields, told = fields_of(record), _about(record)
                write([cell_of(value) for value in (*map(fields.get, columns), *map(told.get, about))])
    _tell(asked, name, len(last), misfits, erased)
    if last and name != "-" and not asked.records_only:
        print(f"Correct them, then: {then}")


def _next_command(asked: Namespace) -> str:
    """Return the command that tries the corrections, of the same run and records, as the tool was called."""
    options = [
        *([] if asked.run_id is None else shell.option("--run-id", asked.run_id)),
        *([] if asked.map_index is None else shell.option("--map-index", str(asked.map_index))),
        *([] if asked.rule is None else shell.option("--rule", asked.rule)),
        *chain.from_iterable(shell.option("--fate", fate) for fate in asked.fate or ()),
        *shell.option("--fix", asked.xlsx if asked.csv is None else asked.csv),
        "--dry-run",
    ]
    return shell.command_line(f"{tool()} replay", [asked.dag_id, asked.task_id], options)


def _tell(asked: Namespace, name: str, count: int, misfits: int, erased: int) -> None:
    """Say what was written, and what was not."""
    out = sys.stderr if name == "-" else sys.stdout
    if asked.records_only and misfits:
        print(f"Left out: {counted(misfits, 'row')} with more or fewer cells than columns.", file=out)
        count -= misfits
    if name != "-":
        records = counted(count, "record is", "records are")
        print(f"{records} in {name}, with all values: keep the file as safe as the source.")
    if erased:
        print(f"Left out: {counted(erased, 'record that was', 'records that were')} erased, for the users.", file=out)


def _last_lines(folder: RunFolder, asked: Namespace) -> tuple[dict[int, int], int]:
    """Return the positions that are not delivered and wanted, each with the number of its last line.

    :return: and how many others were erased.
    """
    counts = counts_of(folder, places=True)
    fates = asked.fate or ("rejected", "held", "unknown")
    wanted = [
        position
        for position, (fate, rule) in counts.last.items()
        if fate in fates and asked.rule in (None, rule) and position not in counts.delivered
    ]
    last = {position: counts.places[position] for position in wanted if position not in counts.erased}
    return last, len(wanted) - len(last)


def _records(folder: RunFolder, last: Mapping[int, int]) -> Iterator[RejectedLine]:
    """Yield the last line of each position that is wanted."""
    wanted = set(last.values())
    decoder = msgspec.json.Decoder(RejectedLine)
    for number, text in enumerate(folder.lines("rejects")):
        if number in wanted:
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                yield decoder.decode(text)


def _about_columns(*, records_only: bool, any_misfits: bool) -> list[str]:
    """Return the columns that are not the records' own."""
    if records_only:
        return []
    return [*([MISFIT] if any_misfits else []), *(ABOUT + name for name in _ABOUT)]


def _about(record: RejectedLine) -> dict[str, object]:
    """Return what these columns say of a record."""
    rule = rules.all_rules().get(record.rule)
    misfit = misfit_of(record)
    do = _OF_MISFITS if misfit else "" if rule is None else rule.do
    place, why = (record.position, record.file, record.line), (record.fate, record.rule, record.path, record.reason)
    told = zip(_ABOUT, (*place, *why, do, mark_of(record)), strict=True)
    return {MISFIT: misfit, **{ABOUT + name: one for name, one in told}}
