"""What stands in for the world in tests of several folders: stores, sources, crashes, and odd values, tables."""

from tests.doubles.crashes import Crash, Steps, crashing
from tests.doubles.sources import Chunks
from tests.doubles.stores import MemoryStore
from tests.doubles.tables import table_of_rows
from tests.doubles.values import Float, Int, Odd, XComLike

__all__ = ["Chunks", "Crash", "Float", "Int", "MemoryStore", "Odd", "Steps", "XComLike", "crashing", "table_of_rows"]
