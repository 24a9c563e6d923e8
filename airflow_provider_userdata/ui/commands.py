"""The commands that help with an upload, for people to copy into a shell."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from airflow_provider_userdata.ui.rows import Row
from airflow_provider_userdata.ui.shell import clear_command, userdata_command
from airflow_provider_userdata.upload_status import UploadStatus

_SEE = "See what was not delivered"
_GO_ON = "Let the task go on"
_CLEAR = "Correct the source, and clear the task"
_TABLE = "Correct the records in a spreadsheet"
_UNKNOWN = "Records of which nobody knows whether they arrived"
_HELD = "Samples that wait for the next run"
_FILE = "rejects.csv"


class Command(msgspec.Struct, frozen=True):
    """A command for a shell.

    :param part: the heading that it stands below.
    :param title: what it does.
    :param when: when to use it, in a sentence or two.
    """

    part: str
    title: str
    when: str
    command: str


def commands_for(row: Row[UploadStatus], base_url: str) -> list[Command]:
    """Return the commands that do something for an upload, in the order in which people need them.

    :param base_url: where Airflow's web server is.
    """
    status = row.upload
    if status is None:
        return []
    commands = list(_to_see(row, status))
    if status.validate_only:
        return commands
    ways = [list(_to_clear(row, status, base_url)), list(_to_edit(row, status))]
    if _sends_all(status):
        ways.reverse()
    return [*commands, *ways[0], *ways[1], *_for_the_rest(row, status)]


def _to_see(row: Row[UploadStatus], status: UploadStatus) -> Iterator[Command]:
    finished = _is_finished(row, status)
    if not (status.rejected or status.unknown or (status.held and not finished)):
        return
    yield Command(
        _SEE,
        "Show the reasons",
        "Begin with this: how many records for each reason, and the file and line of the first ones. "
        "With --values it shows these records, too.",
        userdata_command(row, "rejects show"),
    )
    if finished and not status.validate_only:
        yield Command(
            _SEE,
            "Count what is delivered by now",
            "Use it after you have sent records again: it counts what replays delivered, which this page can't see.",
            userdata_command(row, "report"),
        )


def _to_clear(row: Row[UploadStatus], status: UploadStatus, base_url: str) -> Iterator[Command]:
    """Yield the command that clears the task, where that sends what is missing."""
    how = "It does what Airflow's button Clear task does, and takes an API token in AIRFLOW_TOKEN."
    if row.state == "failed" and status.state not in ("done", "rejected"):  # also if it was killed without a word
        title = "Send everything again" if _sends_all(status) else "Go on where it ended"
        when = f"Use it once the cause is mended{_because(status)}. {how}"
        yield Command(_GO_ON, title, when, clear_command(row, base_url))
    elif status.rejected and (
        (row.state == "failed" and status.state == "rejected") or (row.state == "success" and status.incremental)
    ):
        # A green task that isn't incremental would send everything again.
        title = "Send everything again" if _sends_all(status) else "Send what was not delivered"
        when = f"Use it once the source is corrected{_because(status)}. {how}"
        yield Command(_CLEAR, title, when, clear_command(row, base_url))


def _to_edit(row: Row[UploadStatus], status: UploadStatus) -> Iterator[Command]:
    """Yield the commands by which rejects are corrected in a spreadsheet, and sent again."""
    if not (status.rejected and _is_finished(row, status)):
        return
    yield Command(
        _TABLE,
        "1. Write them to a table",
        f"Use it if the source can't be corrected. {_FILE} will hold the records themselves, with what is wrong in the "
        "last columns: edit it in a spreadsheet, and leave those columns in. For Excel, write --xlsx rejects.xlsx in "
        "place of --csv: there ids keep their zeros.",
        userdata_command(row, "rejects export", "--csv", _FILE),
    )
    yield Command(
        _TABLE,
        "2. Check the table",
        "It says what the table changes and what is still wrong, and sends nothing.",
        userdata_command(row, "replay", "--fix", _FILE, "--dry-run"),
    )
    yield Command(
        _TABLE,
        "3. Send it",
        "Each record goes once: a second call sends only what is still missing. A row that you removed isn't sent.",
        userdata_command(row, "replay", "--fix", _FILE),
    )


def _for_the_rest(row: Row[UploadStatus], status: UploadStatus) -> Iterator[Command]:
    """Yield the commands for records that were not rejected, and not delivered."""
    if not _is_finished(row, status):
        return
    if status.unknown:
        yield Command(
            _UNKNOWN,
            "Send them again",
            "Use it only if a record that arrives twice does no harm, or if the vendor says that they are missing.",
            userdata_command(row, "replay", "--fate", "unknown"),
        )
    if status.held:
        yield Command(
            _HELD,
            "List them",
            "Nothing has to be done: they are too few for a request, and the task's next run sends them first. "
            "If none comes, held send sends them. If the task has its own output_path, add --output-path.",
            userdata_command(row, "held list", run=False),
        )


def _is_finished(row: Row[UploadStatus], status: UploadStatus) -> bool:
    """Return whether each record has its fate: no attempt follows, and none was broken off."""
    return status.state in ("done", "rejected") and row.state in ("success", "failed")


def _sends_all(status: UploadStatus) -> bool:
    """Return whether the task, once cleared, sends also what was delivered."""
    return not (status.resume or status.incremental)


def _because(status: UploadStatus) -> str:
    return "; the task has resume=False" if _sends_all(status) else ""
