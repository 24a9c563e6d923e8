"""Of records that are kept as a whole: what an incremental run has under way, or proven and not yet marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from airflow_provider_userdata.delivery.incremental.in_flight import InFlight, LookedUp, Proofs, Sifted, divided, mask
from airflow_provider_userdata.records import Keys, Part, Record, entries_of, with_entries

Entries = Keys | list[bytes]


class _Piece(msgspec.Struct, eq=False):
    """Records that were looked up together, no two of them alike.

    :param span: the least and the greatest of their contents.
    :param left: bytes of those keys that are under way still, or not yet marked.
    :param ended: where the others are.
    """

    keys: Keys
    span: tuple[bytes, bytes]
    left: int
    ended: list[Part]


class RecordsInFlight(InFlight):
    """`Record.entry` is the key.

    Most sources have an order, such as time. What comes in it is known by where it lies among all contents: nothing
    that lies elsewhere says the same, and no key has to be looked at. Of the others there is one set: keys come in no
    order, and each step in a large set waits for memory, so a batch is looked at as a whole. Which keys are proven is
    found out only where something says the same as one of them.
    """

    def __init__(self) -> None:
        self._proven: list[Entries] = []  # by time, nearly the source's order: the ledger is faster for it
        self._unmarked = 0
        self._pieces: dict[int, _Piece] = {}  # by the identity of the bytes that their keys are parts of
        self._known: set[bytes] = set()  # of all that is in no piece
        self._among_proven: set[bytes] = set()  # the first so many of the proven
        self._looked_through = 0
        self._followers: dict[bytes, list[Record]] = {}

    @property
    def unmarked(self) -> int:
        """How many records were delivered that the ledger doesn't have yet."""
        return self._unmarked

    def divide(self, records: Sequence[Record], looked_up: LookedUp, /) -> Sifted:
        """Give the records to be sent, and those that are unchanged; what follows another is in neither."""
        keys, chosen, span = looked_up.keys, looked_up.chosen, looked_up.span
        if not chosen:
            return [], records
        unchanged: Sequence[Record] = []
        if len(chosen) < len(records):
            wanted = mask(chosen, len(records))
            keys = keys.where(wanted)
            records, unchanged = divided(records, wanted)
        if span is not None and self._lies_apart(span) and (not self._known or self._known.isdisjoint(keys)):
            (whole,) = keys.parts
            self._pieces[id(whole.origin)] = _Piece(keys, span, whole.stop - whole.start, [])
            return with_entries(records, keys), unchanged
        self._make_known()
        before, one_by_one = len(self._known), list(keys)
        if self._known.isdisjoint(one_by_one):
            self._known.update(one_by_one)
            if len(self._known) == before + len(one_by_one):
                return with_entries(records, keys), unchanged
            self._known.difference_update(one_by_one)  # there are twins among them
        return self._first_of_each(records, one_by_one, unchanged)

    def _lies_apart(self, span: tuple[bytes, bytes]) -> bool:
        """Say whether nothing that lies there is alike to what is in a piece."""
        return all(piece.span[1] < span[0] or span[1] < piece.span[0] for piece in self._pieces.values())

    def _make_known(self) -> None:
        """Put the keys of all pieces into the set."""
        for piece in self._pieces.values():
            ended = {key for part in piece.ended for key in piece.keys.of_part(part)}
            self._known.update(piece.keys if not ended else [key for key in piece.keys if key not in ended])
        self._pieces.clear()

    def _first_of_each(self, records: Sequence[Record], keys: Iterable[bytes], unchanged: Sequence[Record]) -> Sifted:
        for entries in self._proven[self._looked_through :]:
            self._among_proven.update(entries)
        self._looked_through = len(self._proven)
        to_send: list[Record] = []
        unchanged = list(unchanged)
        for record, key in zip(records, keys, strict=True):
            if key not in self._known:
                record.entry = key
                self._known.add(key)
                to_send.append(record)
            elif key in self._among_proven:
                unchanged.append(record)
            else:
                self._followers.setdefault(key, []).append(record)
        return to_send, unchanged

    def delivered(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:  # noqa: ARG002  # of states
        """Note the proof that records were delivered; give those that followed them."""
        entries = _entries(records)
        self._prove(entries)
        return self._followers_of(entries)

    def given_up(self, records: Sequence[Record], *, in_doubt: bool) -> list[Record]:  # noqa: ARG002  # of states
        """Note that records were not delivered, as far as is known; give those that followed them."""
        entries = _entries(records)
        self._forget(entries)
        return self._followers_of(entries)

    def proven_before(self, keys: Keys) -> None:
        """Note what an attempt before has delivered, and may not have marked."""
        self._known.update(keys)
        self._prove(keys)

    def to_mark(self, most: int) -> Proofs:
        """Give what was proven first, of about so many records at most."""
        first: list[Entries] = []
        count = 0
        for entries in self._proven:
            if count >= most:
                break
            first.append(entries)
            count += len(entries)
        return Proofs(count, first, b"".join([_joined(entries) for entries in first]))

    def marked(self, proofs: Proofs) -> None:
        """Forget what the ledger has now."""
        del self._proven[: len(proofs.entries)]
        self._unmarked -= proofs.count
        self._looked_through = max(0, self._looked_through - len(proofs.entries))
        for entries in proofs.entries:
            self._forget(entries)
            if self._among_proven:
                self._among_proven.difference_update(entries)

    def _prove(self, entries: Entries) -> None:
        if entries:
            self._proven.append(entries)
            self._unmarked += len(entries)

    def _followers_of(self, keys: Iterable[bytes]) -> list[Record]:
        if not self._followers:
            return []
        return [record for key in keys for record in self._followers.pop(key, ())]

    def _forget(self, entries: Entries) -> None:
        if isinstance(entries, Keys):
            for part in entries.parts:
                self._forget_part(entries, part)
        elif entries:
            self._make_known()  # one by one, they no longer tell of what they were a part
            self._known.difference_update(entries)

    def _forget_part(self, keys: Keys, part: Part) -> None:
        piece = self._pieces.get(id(part.origin))
        if piece is None:
            self._known.difference_update(keys.of_part(part))
            return
        piece.ended.append(part)
        piece.left -= part.stop - part.start
        if not piece.left:
            del self._pieces[id(part.origin)]


def _entries(records: Sequence[Record]) -> Entries:
    """Give the keys of records; those that were never looked up have none."""
    entries = entries_of(records)
    return entries if isinstance(entries, Keys) else [entry for entry in entries if entry is not None]


def _joined(entries: Entries) -> bytes:
    return entries.joined if isinstance(entries, Keys) else b"".join(entries)
