"""The table of reasons why records are not delivered, with where the first ones are and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from airflow_provider_userdata.cli.printing import printable, table
from airflow_provider_userdata.cli.reject_groups import Group, place_of
from airflow_provider_userdata.delivery.recording import RejectedLine
from airflow_provider_userdata.ui import rules

Place = Callable[[RejectedLine], str]
"""Says where a record is."""


def reasons(groups: Sequence[Group], place: Place, *, attempts: bool = False) -> Iterator[str]:
    """Return the lines for a person: a row for each group, and then what to do about each rule.

    :param groups: at least one.
    :param attempts: whether to name the attempts.
    """
    yield table([_row(group, place, attempts=attempts) for group in groups])
    for name, rule in rules.of([group.rule for group in groups]).items():
        yield f"\n{name}: {rule.says}\n    What to do: {rule.do}"


class ShortPlaces:
    """Says where records are, with a file's name alone where that tells it apart from the others.

    :param records: of which the places are wanted.
    """

    def __init__(self, records: Iterable[RejectedLine]) -> None:
        files = dict.fromkeys([record.file for record in records if record.file is not None])
        count = Counter(map(_last_part, files))
        self._names = {file: name if count[name := _last_part(file)] == 1 else file for file in files}

    def of(self, record: RejectedLine) -> str:
        """Return where a record is."""
        return place_of(record, None if record.file is None else self._names[record.file])

    def legend(self) -> Iterator[str]:
        """Return the whole paths of the files that have short names."""
        short = [file for file, name in self._names.items() if name != file]
        if short:
            yield f"\nFrom: {', '.join(map(printable, short))}"


def _last_part(file: str) -> str:
    return file.rstrip("/").rpartition("/")[2] or file


def _row(group: Group, place: Place, *, attempts: bool) -> dict[str, object]:
    return {
        **({"attempt": group.attempt} if attempts else {}),
        "count": f"{group.count:,}",
        "rule": group.rule,
        "fate": group.fate,
        "where": group.path,
        "what is wrong": group.reason,
        "first": ", ".join(map(place, group.first)),
    }
