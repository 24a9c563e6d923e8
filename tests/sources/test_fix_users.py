"""What a table changes in the column that names users is worth a warning, or it isn't."""

from __future__ import annotations

import pytest

from airflow_provider_userdata.sources import UserCells

Cells = list[tuple[str, str]]


def compared(cells: Cells, fault: str | None = None) -> UserCells:
    """Compare cells, before and after, from row 2 on."""
    users = UserCells("Customer ID", "$.user_id")
    for row, (before, after) in enumerate(cells, start=2):
        users.add(row, before, after, fault)
    return users


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ([("00000046", "00000046"), ("10000047", "10000047"), ("", "7001")], [(4, 8, "row 4")]),
        ([("00000046", "00000046"), ("", "7001"), ("", "7002"), ("", "8")], [(1, 8, "row 5"), (4, 8, "rows 3, 4")]),
        ([("00000046", "00000046"), ("x" * 200, "7001")], [(4, 8, "row 3")]),
        ([("46", "00000046"), ("", "7001")], [(4, 8, "row 3")]),
        ([("00000046", "00000046"), ("", "00007001")], []),
        ([("00000046", "00000046"), ("", "10007001")], []),
        ([("00000046", "00000046"), ("7002", "7002"), ("", "7001")], []),
        ([("10000046", "10000046"), ("", "7001")], []),
        ([("00000046", "00000046"), ("anna", "anna"), ("", "7001")], []),
        ([("00000046", "00000046"), ("", "anna")], []),
        ([("", "7001"), ("", "7002")], []),
    ],
)
def test_a_number_that_lost_its_zeros_is_shorter_than_all_others(
    cells: Cells, found: list[tuple[int, int, str]]
) -> None:
    """Where the others have one length, and zeros at their beginning."""
    assert [(width, common, rows.rows) for width, common, rows in compared(cells).shorter()] == found


@pytest.mark.parametrize(
    ("fault", "others"),
    [("$.user_id", 0), ("$.user_id.part", 0), ("$.user_id_of_friend", 1), ("$.plan", 1), (None, 1)],
)
def test_an_invalid_user_may_be_replaced(fault: str | None, others: int) -> None:
    """Another user is worth a warning where the earlier one was valid."""
    assert compared([("x" * 200, "anna")], fault).others.count == others


def test_who_is_filled_in_or_removed_is_no_other_user() -> None:
    """Neither is somebody who stays."""
    assert compared([("", "anna"), ("anna", ""), ("berta", "berta")], "$.plan").others.count == 0
