"""The lines of an attempt's files as the next attempt reads them: validated, since a file may be damaged."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

from airflow_provider_userdata.delivery.report import Fate

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number of records or bytes, or a position."""
Range = tuple[Count, Annotated[int, msgspec.Meta(ge=1, le=2**53)]]
"""Positions as `(start, length)`."""


class SentLine(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A line of the file that says what was about to be sent.

    :param ranges: records that are sent for the first time in this attempt.
    :param bytes: of the request that goes; None where the line is about no request.
    :param retry: whether the request was sent before.
    :param again: how many records may now arrive twice; negative to take back a count, if they surely didn't.
    :param returned: records that were sent and surely not accepted.
    :param read: how many rows were read.
    :param digest: of those rows.
    :param left: where in the rejects the lines begin of what is left to the next attempt.
    :param until: records below this position may go without being named here first.
    :param closed: whether the attempt came to its own end.
    """

    ranges: list[Range] = []
    bytes: Count | None = None
    retry: bool = False
    again: int = 0
    returned: list[Range] = []
    read: Count | None = None
    digest: str = ""
    left: Count | None = None
    until: Count | None = None
    closed: bool = False


RECEIPT_FIELDS = ("ranges", "count", "status", "at", "resent", "erased")
"""What each line of the receipts may have. What it has beside these, the vendor's receipt says: a user, an upload."""


class ReceiptLine(msgspec.Struct):
    """A line of the receipts: a request that was accepted."""

    ranges: list[Range]
    count: Count
    status: int = 200


class RejectLine(msgspec.Struct):
    """A line of the rejects, without its record.

    :param erased: whether the record was erased, on behalf of the user whom it was about.
    """

    position: Count
    fate: Fate
    rule: str
    status: int | None = None
    erased: bool = False


Line = TypeVar("Line", SentLine, ReceiptLine, RejectLine)
