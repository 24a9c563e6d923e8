"""Limits the search for refused records: a refused batch is halved, until it is clear that no record is at fault."""

from __future__ import annotations

from airflow_provider_userdata.delivery.sending.batcher import Batch
from airflow_provider_userdata.vendors import BatchLimits

EXTRA_REQUESTS = 2000
"""The most requests that a run sends for halves (A4)."""
BLIND_LEVELS = 3
"""How often a batch is halved, if every part is refused, before the whole batch counts as refused."""
BLIND_REQUESTS = 2 ** (BLIND_LEVELS + 1) - 2
"""The requests that this takes. After as many 413s and no acceptance, the whole batch counts as refused, too."""
REFUSED_BATCHES_IN_A_ROW = 3
REFUSED_RECORDS_IN_A_ROW = 100
"""The run stops when at least this many batches, with at least this many records in all, are refused in a row (A4).
Batches whose answers are not the vendor's count, too."""

REFUSED_USERS_IN_A_ROW = 50
"""The run stops when all records of this many users are refused in a row (G14): the fault is not a user's then."""


class BisectionBudget:
    """Counts the requests that a run has left for halves, and the batches and users refused in a row."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._left = EXTRA_REQUESTS
        self._batches_in_a_row = 0
        self._records_in_a_row = 0
        self._users_in_a_row: set[str | None] = set()

    def halves(self, batch: Batch, level: int, *, any_accepted: bool) -> list[Batch]:
        """Return the halves of a refused batch, or nothing if it must not be halved.

        :param level: how often it was halved already.
        :param any_accepted: whether any part of the original batch was accepted.
        """
        too_small = len(batch) < 2 * self._limits.minimum
        blind = level >= BLIND_LEVELS and not any_accepted
        if too_small or blind or self._left < 2:
            return []
        self._left -= 2
        middle = (len(batch) + 1) // 2
        return [batch[:middle], batch[middle:]]

    def accepted(self) -> None:
        """Record that the vendor accepted a request: the counts of refused batches and users start over."""
        self._batches_in_a_row = self._records_in_a_row = 0
        self._users_in_a_row.clear()

    def user_refused(self, user: str | None) -> bool:
        """Record that the vendor takes none of a user's records, and return whether the run should stop."""
        self._users_in_a_row.add(user)
        return len(self._users_in_a_row) >= REFUSED_USERS_IN_A_ROW

    def none_accepted(self, records: int) -> bool:
        """Record that no part of a batch of some records was accepted, and return whether the run should stop."""
        self._batches_in_a_row += 1
        self._records_in_a_row += records
        return self._batches_in_a_row >= REFUSED_BATCHES_IN_A_ROW and self._records_in_a_row >= REFUSED_RECORDS_IN_A_ROW
