"""Records that a function returns or yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.iterables import ItemsSource
from airflow_provider_userdata.sources.not_records import records_of
from airflow_provider_userdata.sources.untemplated import callable_name


class CallableSource:
    """A function that returns an iterable of records, or yields them.

    It is called in the thread that reads the records, not before.

    :param call: the function, with its arguments bound.
    :param name: its name in messages. Default: the function's own name.
    """

    __slots__ = ("_call", "_name")

    def __init__(self, call: Callable[[], object], name: str | None = None) -> None:
        self._call = call
        self._name = f"the callable {name or callable_name(call)}"

    @property
    def total(self) -> int | None:
        """Unknown before the call."""
        return None

    def chunks(self) -> Iterator[Chunk]:
        """Call the function, and yield the records that it returned."""
        try:
            result = self._call()
        except UserdataError:
            raise
        except BaseException as error:  # also SystemExit, which would end the process without a report
            raise SourceBrokeError(f"source: {self._name} raised {type(error).__name__}") from error
        if result is None:
            raise SourceError(f"source: {self._name} returned nothing; return or yield the records, or an empty list")
        yield from ItemsSource(records_of(result, f"what {self._name} returned is"), self._name).chunks()
