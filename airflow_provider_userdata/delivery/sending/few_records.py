"""Keeps records of users who have too few for a request: a bounded number in memory, all others in a file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sqlite3
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from airflow_provider_userdata.errors import OutputError
from airflow_provider_userdata.records import Record

MOST_RECORDS = 200_000
"""Records in memory. If there are more, half of them go into the file: of users who were not seen for longest."""
_KEYS = 500
"""Users who are looked up at once: any SQLite takes as many."""
_PRIVATE = 0o600


class FewRecords:
    """Keeps records by user. Blocks for as long as a file's cache does.

    :param folder: where the file is made, if it is needed; None takes the system's folder for temporary files.
    :param most: the most records in memory; None takes `MOST_RECORDS`.
    """

    def __init__(self, folder: Path | None = None, most: int | None = None) -> None:
        self._folder = folder
        self._most = MOST_RECORDS if most is None else most
        self._users: dict[str | None, list[Record]] = {}  # who was seen last comes last
        self._lasting: dict[str | None, list[Record]] = {}  # those that no file can hold
        self._count = 0
        self._file: _File | None = None

    def __iter__(self) -> Iterator[list[Record]]:
        """Yield each user's records."""
        if self._file is not None:
            yield from self._file
        yield from self._lasting.values()
        yield from self._users.values()

    def bring_back(self, users: Collection[str | None]) -> None:
        """Bring records of these users from the file into memory.

        :raises OutputError: if the file can't be used.
        """
        if self._file is not None:
            for records in self._file.taken([user for user in users if user not in self._users]):
                self.put(records[0].user, records)

    def take(self, user: str | None) -> list[Record]:
        """Take a user's records out of memory, where `bring_back` has brought them."""
        records = self._users.pop(user, None)
        if records is None:
            return self._lasting.pop(user, [])
        self._count -= len(records)
        return records

    def put(self, user: str | None, records: list[Record]) -> None:
        """Keep a user's records in memory."""
        self._users[user] = records
        self._count += len(records)

    def shrink(self) -> None:
        """Write records into the file, if there are too many in memory.

        :raises OutputError: if the file can't be used.
        """
        if self._count <= self._most:
            return
        if self._file is None:
            self._file = _File(self._folder)
        self._file.add(self._texts_of(list(islice(self._users, (len(self._users) + 1) // 2))))

    def _texts_of(self, users: Sequence[str | None]) -> Iterator[tuple[str | None, bytes]]:
        """Take users' records out of memory, and yield them as bytes."""
        for user in users:
            records = self.take(user)
            try:
                text = pickle.dumps(records, pickle.HIGHEST_PROTOCOL)
            except Exception:  # noqa: BLE001  # a row may be any object of a DAG author's, and raise anything
                self._lasting[user] = records
            else:
                yield user, text


class _File:
    """Records by user, in a file without a name, which is gone when the process is."""

    def __init__(self, folder: Path | None) -> None:
        with _usable():
            number, name = tempfile.mkstemp(prefix=".few-", dir=folder)
            os.close(number)
            try:
                self._database = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
                for statement in (
                    "PRAGMA journal_mode=OFF",
                    "PRAGMA synchronous=OFF",
                    "PRAGMA cache_size=-16384",
                    "CREATE TABLE few (id INTEGER PRIMARY KEY, user INTEGER NOT NULL, records BLOB NOT NULL)",
                    "CREATE INDEX few_user ON few (user)",
                ):
                    self._database.execute(statement)
            finally:
                Path(name).unlink()

    def __iter__(self) -> Iterator[list[Record]]:
        with _usable():
            for (text,) in self._database.execute("SELECT records FROM few ORDER BY id"):
                yield pickle.loads(text)  # noqa: S301  # `add` wrote it, into a file that nobody else can open

    def add(self, texts: Iterable[tuple[str | None, bytes]]) -> None:
        """Add users' records."""
        rows = ((_number(user), text) for user, text in texts)
        with _usable():
            self._database.execute("BEGIN")
            self._database.executemany("INSERT INTO few (user, records) VALUES (?, ?)", rows)
            self._database.execute("COMMIT")

    def taken(self, users: list[str | None]) -> Iterator[list[Record]]:
        """Take out, and yield, the records of some users."""
        numbers = list(map(_number, users))
        wanted = set(users)
        for start in range(0, len(numbers), _KEYS):
            asked = numbers[start : start + _KEYS]
            marks = ",".join("?" * len(asked))
            with _usable():
                query = f"SELECT id, records FROM few WHERE user IN ({marks})"  # noqa: S608  # marks alone
                found = [(number, pickle.loads(text)) for number, text in self._database.execute(query, asked)]  # noqa: S301
                theirs = [(number, records) for number, records in found if records[0].user in wanted]
                self._database.executemany("DELETE FROM few WHERE id = ?", [(number,) for number, _ in theirs])
            yield from (records for _, records in theirs)


def _number(user: str | None) -> int:
    """Return a number of 64 bits for a user: two users hardly ever have the same one."""
    return int.from_bytes(hashlib.blake2b((user or "").encode(), digest_size=8).digest(), signed=True)


@contextlib.contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        what = "the file for records that wait for others of their user"
        raise OutputError(f"output_path: {what} can't be used: {type(error).__name__}") from error
