"""What happens to a sandbox vendor's next POSTs."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from airflow_provider_userdata.sandbox.faults import ScriptedFault


class Chance:
    """Draws each fault with its probability: the same ones, in the same order, for the same seed."""

    def __init__(self, seed: int, faults: Sequence[ScriptedFault], shares: Sequence[float]) -> None:
        rest = 1 - sum(shares)
        if not all(share >= 0 for share in shares) or rest < -1e-9:
            raise ValueError("chances are between 0 and 1, and so is their sum")
        self.faults = list(zip(faults, shares, strict=True))
        self._outcomes, self._weights = [*faults, ScriptedFault()], [*shares, max(rest, 0)]
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def draw(self) -> ScriptedFault:
        """Return the next fault; mostly none."""
        return self._random.choices(self._outcomes, self._weights)[0]


class Scripted:
    """Has a script, which is used up in order; after it, chance decides, if asked to."""

    _script: deque[ScriptedFault]
    chance: Chance | None

    def script(self, *faults: ScriptedFault | str) -> None:
        """Say what happens to the next POSTs, in order; after that, the vendor answers as it should.

        :param faults: faults or their text form, such as ``"429 retry-after=2"`` or ``"503 x30"``.
        :raises ValueError: where one is not understood; then none is taken.
        """
        self._script.extend(self._understood(faults))

    def rescript(self, *faults: ScriptedFault | str) -> None:
        """Replace what is left of the script.

        :param faults: as for :meth:`script`.
        """
        self._script = deque(self._understood(faults))

    def random_faults(self, *, seed: int, chances: Mapping[str, float]) -> None:
        """Let chance decide, whenever the script is empty; the same seed decides the same way.

        :param seed: makes it repeatable.
        :param chances: each fault's probability, such as ``{"503": 0.03, "cut after accepting": 0.02}``; empty: none.
        """
        self.chance = self.chance_of(seed, chances)

    def chance_of(self, seed: int, chances: Mapping[str, float]) -> Chance | None:
        """Return what :meth:`random_faults` lets decide.

        :raises ValueError: where a fault is not understood, or the probabilities can't be.
        """
        return Chance(seed, self._understood(chances), list(map(float, chances.values()))) if chances else None

    def clear_faults(self) -> None:
        """Forget the script and the random faults."""
        self._script = deque()
        self.chance = None

    @property
    def pending(self) -> list[str]:
        """What is left of the script."""
        return [str(fault) for fault in tuple(self._script)]

    @property
    def chances(self) -> dict[str, float]:
        """The random faults, with their probabilities."""
        return {str(fault): share for fault, share in self.chance.faults} if self.chance else {}

    def coming_fault(self) -> ScriptedFault:
        """Return the script's next fault without using it up; chance is not asked."""
        return replace(self._script[0], times=1) if self._script else ScriptedFault()

    def next_fault(self) -> ScriptedFault:
        """Use up the next fault."""
        if not self._script:
            return self.chance.draw() if self.chance else ScriptedFault()
        fault = self._script.popleft()
        if fault.times > 1:
            self._script.appendleft(replace(fault, times=fault.times - 1))
        return replace(fault, times=1)

    def check_fault(self, fault: ScriptedFault) -> None:
        """Raise ValueError for a fault that means nothing at this vendor."""

    def _understood(self, faults: Iterable[ScriptedFault | str]) -> list[ScriptedFault]:
        read = [fault if isinstance(fault, ScriptedFault) else ScriptedFault.parse(fault) for fault in faults]
        for fault in read:
            self.check_fault(fault)
        return read
