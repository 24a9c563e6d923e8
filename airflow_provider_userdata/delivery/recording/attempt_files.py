"""The files of one attempt: receipts, rejects with their original rows, and what was about to be sent."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from airflow_provider_userdata.delivery.recording.append_log import Folder, is_local, least_sizes, open_log, reached
from airflow_provider_userdata.delivery.recording.integrity import check_folder
from airflow_provider_userdata.delivery.recording.originals import originals_name

MOST_EARLIER = 60
"""How many files of earlier attempts are checked: their names are in the checkpoint, which is small."""


def receipts_name(attempt: str) -> str:
    """Return the name of the file of accepted requests."""
    return f"receipts-{attempt}"


def rejects_name(attempt: str) -> str:
    """Return the name of the file of rejected, held and unknown records."""
    return f"rejects-{attempt}"


def sent_name(attempt: str) -> str:
    """Return the name of the file of what was about to be sent."""
    return f"sent-{attempt}"


def attempts_of(names: Iterable[str]) -> list[str]:
    """Return the attempts that have a file of what was about to be sent."""
    return [name.removeprefix("sent-") for name in names if name.startswith("sent-")]


class Beside(Protocol):
    """Files elsewhere, of what the attempt's files say, too. All methods block."""

    def flush(self) -> None:
        """Write everything to disk."""

    def close(self) -> None:
        """Write what is waiting, and close the files."""


def number_of(attempt: str) -> int:
    """Return Airflow's number in an attempt's name; 0 if it has none."""
    found = re.match(r"\d+", attempt)
    return 0 if found is None else int(found[0])


class AttemptFiles:
    """The files of one attempt.

    :param beside: is made durable before they are.
    """

    def __init__(self, folder: Folder, attempt: str, beside: Beside | None = None) -> None:
        self._folder = folder
        self._attempt = attempt
        self._beside = beside
        self.receipts = open_log(folder, receipts_name(attempt))
        self.rejects = open_log(folder, rejects_name(attempt))
        self.sent = open_log(folder, sent_name(attempt))
        self.originals = open_log(folder, originals_name(attempt))
        self._created = False
        self.goes_on = False
        """Whether an earlier attempt has files in the folder, too."""
        self.earlier: dict[str, int] = {}
        """How far the receipts and rejects of earlier attempts went, by name, if they must be in this folder."""

    @property
    def local_folder(self) -> Path | None:
        """Where files of no run may be made; None if the folder is in an object store."""
        return self._folder if is_local(self._folder) else None

    @property
    def receipts_path(self) -> str | None:
        """Where the receipts of all attempts are; None where there are none."""
        return str(self._folder / "receipts-*.jsonl") if self.goes_on else self.receipts.path

    @property
    def rejects_path(self) -> str | None:
        """Where the rejects of all attempts are; None where there are none."""
        return str(self._folder / "rejects-*.jsonl") if self.goes_on else self.rejects.path

    def go_on(self, host: str, folder: str, journals: Mapping[str, int], earlier: Mapping[str, int]) -> None:
        """Keep the files of earlier attempts under check, unless they are on the disk of another machine. Blocks.

        :param host: where the last attempt wrote.
        :param folder: the folder that it wrote to.
        :param journals: how far each of its files went, by the file's name.
        :param earlier: how far those of attempts before it went.
        """
        self.goes_on = True
        here = folder == str(self._folder) and (not is_local(self._folder) or host == socket.gethostname())
        if not here and not any(reached(self._folder, name) for name in journals):
            return
        ends = {**earlier, **journals}
        written = {name: max(until, reached(self._folder, name)) for name, until in ends.items()}
        kept = [(name, until) for name, until in written.items() if not attempts_of([name])]
        self.earlier = dict(kept[-MOST_EARLIER:])

    def create(self) -> None:
        """Create the files. Blocks."""
        self._created = True
        self.receipts.create()
        self.sent.append(b'{"ranges":[]}')
        self.sent.seal()
        self.sent.flush()

    def seal(self) -> dict[str, int]:
        """Return how far each file goes, by name: those that prove what became of a record."""
        self.originals.seal()
        return {
            receipts_name(self._attempt): self.receipts.seal(),
            rejects_name(self._attempt): self.rejects.seal(),
            sent_name(self._attempt): self.sent.seal(),
        }

    @property
    def to_be_read(self) -> dict[str, int]:
        """How far the receipts and rejects of all attempts go, by name."""
        return {**self.earlier, **{name: end for name, end in self.seal().items() if not attempts_of([name])}}

    def mark_left(self) -> None:
        """Record where in the rejects the left records begin: the next attempt removes these lines."""
        self.sent.append(b'{"left":%d}' % self.rejects.seal())

    def flush(self) -> None:
        """Make durable what was sealed. Blocks."""
        if self._beside is not None:
            self._beside.flush()
        # Where the left ones begin is known before they are, and the original of each reject, too.
        for journal in (self.sent, self.receipts, self.originals, self.rejects):
            journal.flush()

    def check(self) -> None:
        """Check that everything that this attempt and earlier ones wrote is there. Blocks.

        :raises OutputError: if it isn't.
        """
        self.receipts.check()
        self.rejects.check()
        check_folder(self._folder, least_sizes(self._folder, self.earlier))

    def close(self) -> None:
        """Write what is waiting, and that nothing is in flight, and close the files. Blocks."""
        if self._beside is not None:
            self._beside.close()
        if self._created:
            self.sent.append(b'{"closed":true}')
        for journal in (self.sent, self.receipts, self.originals, self.rejects):
            journal.close()

    def remove_unneeded(self) -> None:
        """Remove the files that only a next attempt of a run that isn't finished would need. Blocks."""
        if self._folder.exists():
            for path in [path for path in self._folder.iterdir() if path.name.startswith("sent-")]:
                path.unlink()
