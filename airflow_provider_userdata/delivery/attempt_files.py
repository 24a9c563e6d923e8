"""The files of one attempt: receipts, rejects, and what was about to be sent."""

from __future__ import annotations

from airflow_provider_userdata.delivery.journal import Folder, open_journal, remove_journals


def receipts_name(attempt: str) -> str:
    """Name the file of accepted requests."""
    return f"receipts-{attempt}"


def rejects_name(attempt: str) -> str:
    """Name the file of rejected, held and unknown records."""
    return f"rejects-{attempt}"


def sent_name(attempt: str) -> str:
    """Name the file that says what was about to be sent."""
    return f"sent-{attempt}"


class AttemptFiles:
    """The files of one attempt."""

    def __init__(self, folder: Folder, attempt: str) -> None:
        self._folder = folder
        self._attempt = attempt
        self.receipts = open_journal(folder, receipts_name(attempt))
        self.rejects = open_journal(folder, rejects_name(attempt))
        self.sent = open_journal(folder, sent_name(attempt))

    def create(self) -> None:
        """Make the files. Blocks."""
        self.receipts.create()
        self.sent.append(b'{"ranges":[]}')
        self.sent.seal()
        self.sent.flush()

    def seal(self) -> dict[str, int]:
        """Give how far each file goes, by its name."""
        return {
            receipts_name(self._attempt): self.receipts.seal(),
            rejects_name(self._attempt): self.rejects.seal(),
            sent_name(self._attempt): self.sent.seal(),
        }

    def mark_left(self) -> None:
        """Say where in the rejects the records begin that are left to the next attempt, which takes the lines out."""
        self.sent.append(b'{"left":%d}' % self.rejects.seal())

    def flush(self) -> None:
        """Make durable what was sealed. Blocks."""
        for journal in (self.receipts, self.rejects, self.sent):
            journal.flush()

    def close(self) -> None:
        """Write what waits, and end. Blocks."""
        for journal in (self.receipts, self.rejects, self.sent):
            journal.close()

    def remove_sent(self) -> None:
        """Remove what only the next attempt would need. Blocks."""
        remove_journals(self._folder, "sent-")
