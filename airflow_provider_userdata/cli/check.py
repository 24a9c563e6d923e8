"""The command `userdata check`: the delivery itself, which only checks. It needs no Airflow for files."""

from __future__ import annotations

import math
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_userdata import registry
from airflow_provider_userdata.cli.check_arguments import OF_FILES
from airflow_provider_userdata.cli.contracts import Contract, contract_of
from airflow_provider_userdata.cli.printing import counted, said, structured
from airflow_provider_userdata.cli.progress import Progress
from airflow_provider_userdata.cli.reasons import reasons
from airflow_provider_userdata.cli.reject_groups import Group, RejectGroups, place_of
from airflow_provider_userdata.delivery import Delivery, Plan, Result
from airflow_provider_userdata.delivery.sending import Endpoint
from airflow_provider_userdata.errors import ArgumentError, OutputError
from airflow_provider_userdata.sources import FileSource, SqlSource, open_source
from airflow_provider_userdata.ui import rules
from airflow_provider_userdata.vendors import BatchLimits

REJECTED = 1
"""The exit code if records are rejected."""
FAILED = 2
"""The exit code if the check can't be made, or not to its end."""


@dataclass(frozen=True)
class Checked:
    """What a check found.

    :param limits: of a request.
    :param groups: the reasons, the most frequent ones first.
    :param kept: where the rejected records are, if they are kept.
    """

    ended: Result
    limits: BatchLimits
    groups: Sequence[Group]
    kept: str | None


@said(FAILED)
def check(asked: Namespace) -> None:
    """Check records, and exit with a code that says how it went."""
    if asked.limit < 1:
        raise ArgumentError("--limit: must be at least 1")
    contract = contract_of(asked)
    with _folder(asked.keep) as folder:
        with redirect_stdout(sys.stderr):  # where Airflow logs to otherwise, between the results
            ended = checked(contract, _source(asked), folder)
        groups = RejectGroups()
        for path in sorted(folder.glob("rejects-*.jsonl")):
            with path.open("rb") as lines:
                groups.add(1, lines)
    found = Checked(ended, contract.vendor.limits, groups.most_frequent(), ended.report.rejects if asked.keep else None)
    if asked.output == "table":
        print("\n".join(_printed(found, asked)))
    else:
        print(structured(_as_dict(found, asked.limit), asked.output))
    if ended.error is not None:
        print(f"userdata: the check ended before its end: {ended.error}", file=sys.stderr)
        sys.exit(FAILED)
    sys.exit(REJECTED if ended.report.rejected else 0)


def checked(contract: Contract, source: object, folder: Path) -> Result:
    """Check a source by a contract: what a task with these arguments would find.

    :param folder: where the rejected records are written.
    :raises UserdataError: if the source can't be read at all.
    """
    opened = open_source(source, columns=contract.columns, only=contract.fields is not None)
    plan = Plan(
        vendor=contract.vendor,
        endpoint=Endpoint("https://nothing-is-sent.invalid", {}),
        source=opened,
        output=folder,
        attempt="1-check",
        fields=contract.fields,
        validate_only=True,
        observers=[Progress()],
    )
    return Delivery(plan).run()


def _source(asked: Namespace) -> object:
    """Return what the command line names as the source."""
    options = {name: getattr(asked, name) for name in OF_FILES if getattr(asked, name) is not None}
    if asked.conn_id is None:
        if options.get("quote") == "none":
            options["quote"] = None
        path: Any = asked.source[0] if len(asked.source) == 1 else asked.source
        return FileSource(path, **options)
    if options:
        raise ArgumentError(f"--{next(iter(options)).replace('_', '-')} is for files, and --conn-id for queries")
    if len(asked.source) > 1:
        raise ArgumentError("--conn-id: the source is one query; write it in quotes")
    return SqlSource(asked.source[0], asked.conn_id)


@contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    """Give the folder for rejected records, which is removed if nobody wants them.

    :raises OutputError: if it can't be used.
    """
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="userdata-check-", ignore_cleanup_errors=True) as name:
            yield Path(name)
        return
    folder = Path(keep).expanduser().absolute()
    try:
        for old in folder.glob("*-1-check.jsonl"):
            old.unlink()
    except OSError as error:
        raise OutputError(f"--keep: {folder} can't be used: {error.strerror}") from None
    yield folder
    for empty in ("receipts", "sent", "originals"):  # what only a run needs
        (folder / f"{empty}-1-check.jsonl").unlink(missing_ok=True)


def _as_dict(found: Checked, limit: int) -> dict[str, Any]:
    report, words = found.ended.report, rules.all_rules()
    counts = {name: getattr(report, name) for name in ("read", "valid", "rejected", "held")}
    reasons = [
        {**group.as_dict(values=False), "do": words[group.rule].do if group.rule in words else None}
        for group in found.groups[:limit]
    ]
    return {
        **counts,
        "requests": report.would_send,
        "seconds": report.seconds,
        "reasons": [{name: value for name, value in one.items() if name != "attempt"} for one in reasons],
        "more": max(len(found.groups) - limit, 0),
        "first_request": found.ended.first_request,
        "rejects": found.kept,
    }


def _printed(found: Checked, asked: Namespace) -> Iterator[str]:
    """Return the lines for a person."""
    report, shown = found.ended.report, found.groups[: asked.limit]
    title = registry.registration(asked.vendor).title
    yield f"{counted(report.read, 'record')} checked for {title} in {report.seconds:.1f} s; nothing was sent."
    width = len(f"{report.read:,}")
    requests = f"{counted(report.would_send, 'request')} would carry them"
    yield f"  {report.valid:>{width},} valid{f': {requests}' if report.would_send else ''}"
    if found.limits.user_once and report.would_send > (fewest := math.ceil(report.valid / found.limits.maximum)):
        why = "users who occur again, and rows with other columns, can't share one"
        yield f"{'':{width}}    more than {fewest:,}: {why}"
    yield f"  {report.rejected:>{width},} rejected{': they would not be sent' * bool(report.rejected)}"
    if report.held:
        yield f"  {report.held:>{width},} held: valid, but too few to be sent before the task's next run"
    if shown:
        yield ""
        yield from reasons(shown, place_of)
    if (more := len(found.groups) - len(shown)) > 0:
        yield f"\n{counted(more, 'more reason')}: raise --limit"
    if found.kept:
        yield f"\nThe rejected records, each with its reason: {found.kept}"
    if found.ended.first_request is not None:
        yield f"\nThe first request, with its values masked: {found.ended.first_request}"
