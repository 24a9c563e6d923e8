"""Rejects of a replay: each is a reject of an earlier run, too, and is sent again only once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from airflow_provider_userdata.delivery import Fate
from airflow_provider_userdata.delivery.recording import Folder, Marks, RejectedLine, StorePath, is_local
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.delivery.resuming import last_fates
from airflow_provider_userdata.errors import UserdataError
from airflow_provider_userdata.sources.paths import path_of
from airflow_provider_userdata.sources.rejects_files import RejectsFolder, attempt_of, attempts_in

_FROM_REJECTS = b"rejects-"
_decode = msgspec.json.Decoder(RejectedLine).decode


class Place(NamedTuple):
    """A line of a rejects file."""

    folder: str
    name: str
    line: int


class State(NamedTuple):
    """What became of the rejects in a folder.

    :param last: the lines that are the last of their positions, which nobody delivered since.
    :param done: what replays did.
    """

    last: set[tuple[str, int]]
    done: Marks

    def fate(self, place: Place) -> Fate | None:
        """Return what became of a reject since; None if nothing did."""
        if (place.name, place.line) not in self.last:
            return Fate.DELIVERED
        return self.done.get(place.name, {}).get(place.line)


class Chains:
    """Finds the earlier rejects that rejects of replays are.

    :param replay: is told of them, so that it has their folders to itself, and marks them, too.
    """

    def __init__(self, folders: Iterable[RejectsFolder], replay: Replay) -> None:
        self._replay = replay
        self._folders: dict[str, Folder] = {}
        self._before: dict[Place, Place] = {}
        self._states: dict[str, State] = {}
        pending = [(folder, name) for folder, names in folders for name in names]
        seen: set[tuple[str, str]] = set()
        while pending:
            folder, name = pending.pop()
            if (key := (str(folder), name)) in seen or str(folder) == replay.own:
                continue
            seen.add(key)
            self._folders[str(folder)] = folder
            replay.add(folder, {str(folder / name): name})
            with suppress(FileNotFoundError, NotADirectoryError):
                pending += self._follow(folder, name)

    def state(self, folder: Folder) -> State:
        """Return what became of the rejects in a folder. Blocks."""
        key = str(folder)
        if key not in self._states:
            last = {(fate.file, fate.line) for fate in last_fates(folder, attempts_in(folder)).values()}
            self._states[key] = State(last, self._replay.done_by(folder))
        return self._states[key]

    def fate(self, folder: Folder, name: str, line: int) -> Fate | None:
        """Return what became of a reject since, also as a reject of an earlier run; None if nothing did. Blocks."""
        fates = [self.state(self._folders[place.folder]).fate(place) for place in self.of(str(folder), name, line)]
        return next((fate for fate in fates if fate is not None), None)

    def of(self, folder: str, name: str, line: int) -> Iterator[Place]:
        """Yield a reject's place, and the places of the earlier rejects that it is."""
        place: Place | None = Place(folder, name, line)
        while place is not None:
            yield place
            place = self._before.get(place)

    def _follow(self, folder: Folder, name: str) -> Iterator[tuple[Folder, str]]:
        """Find the earlier rejects of a file, and yield their files."""
        with (folder / name).open("rb") as file:
            for number, text in enumerate(file, start=1):
                if _FROM_REJECTS not in text:
                    continue
                with suppress(msgspec.DecodeError, UnicodeDecodeError, UserdataError, OSError):
                    line = _decode(text)
                    if line.file is None or line.line is None:
                        continue
                    above, earlier = _parts(line.file)
                    if attempt_of(earlier, above) is not None and (above / earlier).exists():
                        place = Place(str(folder), name, number)
                        self._before[place] = Place(str(above), earlier, line.line)
                        self._replay.follow(str(folder / name), number, str(above / earlier), line.line)
                        yield above, earlier


def _parts(file: str) -> tuple[Folder, str]:
    path: Path = path_of(file)
    return (path.parent if is_local(path) else StorePath(path.parent)), path.name
