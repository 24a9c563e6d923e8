"""Finds the records at fault in a refused batch by sending halves, and knows when the fault is not a record's."""

from __future__ import annotations

from airflow_provider_userdata.delivery.sending.batcher import Batch
from airflow_provider_userdata.vendors import BatchLimits

EXTRA_REQUESTS = 2000
"""How many requests a run may spend on halves (A4)."""
BLIND_LEVELS = 3
"""How often a batch is halved with every part refused, before it counts as wholly refused."""
BLIND_REQUESTS = 2 ** (BLIND_LEVELS + 1) - 2
"""So many requests that takes; as many 413s, and nothing accepted, and a batch is wholly refused, too."""
REFUSED_BATCHES_IN_A_ROW = 3
REFUSED_RECORDS_IN_A_ROW = 100
"""How many batches, with how many records in all, are refused in a row before the run stops (A4). The same holds for
batches whose answers are not the vendor's."""


class BisectionBudget:
    """Keeps a run's budget for splitting, and counts what is refused in a row."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._left = EXTRA_REQUESTS
        self._batches_in_a_row = 0
        self._records_in_a_row = 0

    def halves(self, batch: Batch, level: int, *, any_accepted: bool) -> list[Batch]:
        """Give the halves of a refused batch that may be sent, or none.

        :param level: how often it was halved already.
        :param any_accepted: whether any part of the batch that it came from was accepted.
        """
        too_small = len(batch) < 2 * self._limits.minimum
        blind = level >= BLIND_LEVELS and not any_accepted
        if too_small or blind or self._left < 2:
            return []
        self._left -= 2
        middle = (len(batch) + 1) // 2
        return [batch[:middle], batch[middle:]]

    def accepted(self) -> None:
        """Note that the vendor accepts requests: nothing is refused in a row."""
        self._batches_in_a_row = self._records_in_a_row = 0

    def none_accepted(self, records: int) -> bool:
        """Note that no part of a batch was accepted; return whether the run should stop."""
        self._batches_in_a_row += 1
        self._records_in_a_row += records
        return self._batches_in_a_row >= REFUSED_BATCHES_IN_A_ROW and self._records_in_a_row >= REFUSED_RECORDS_IN_A_ROW
