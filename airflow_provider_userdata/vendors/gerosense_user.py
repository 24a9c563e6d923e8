"""Whose a GeroSense sample is, and what registers its user with the direct API (G14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_userdata.vendors.validation import NAN, Fault, cell_value, is_nan, is_utf_8, plain, user_name

USER_ID = "user_id"
BIOLOGICAL_SEX = "biological_sex"
YEAR_OF_BIRTH = "year_of_birth"
USER_FIELDS = frozenset({USER_ID, BIOLOGICAL_SEX, YEAR_OF_BIRTH})
SEXES = ("Male", "Female")
_YEARS = range(1000, 10_000)
"""A year has four digits: what has others is a date, or an age."""


class Person(str):
    """A user's id, with what registers the user. It equals the id alone."""

    __slots__ = (BIOLOGICAL_SEX, YEAR_OF_BIRTH)
    biological_sex: str
    year_of_birth: int

    @classmethod
    def of(cls, user: str, sex: str, year: int) -> Person:
        """Return a user whom these values register."""
        person = cls(user)
        person.biological_sex, person.year_of_birth = sex, year
        return person


@dataclass(frozen=True, slots=True)
class UserColumns:
    """Where a record says whose it is.

    :param user_id: the user's id.
    :param biological_sex: what registers the user; None registers nobody.
    :param year_of_birth: the same.
    :param must_register: whether a record is invalid that doesn't say what registers its user.
    """

    user_id: str = USER_ID
    biological_sex: str | None = None
    year_of_birth: str | None = None
    must_register: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are not the sample's."""
        return tuple(name for name in (self.user_id, self.biological_sex, self.year_of_birth) if name is not None)

    def user_of(self, cells: Sequence[Any], *, texts: bool) -> str | Fault:
        """Return the user that some cells name, or what is wrong with them.

        :param cells: one for each of `names`, None where it is missing.
        :param texts: whether a text may stand for a number.
        """
        user = _user_of(cells[0])
        if isinstance(user, Fault) or len(cells) == 1:
            return user
        registered = _registered(user, cells[1], cells[2], texts=texts)
        return user if isinstance(registered, Fault) and not self.must_register else registered


def _user_of(value: object) -> str | Fault:
    """Return a user's id as text: a text that is not blank, an integer or a UUID."""
    if value is None or plain(value) is None:
        return Fault("G14", (USER_ID,), "is missing")
    name = user_name(value)
    if name is None:
        return Fault("G14", (USER_ID,), NAN if is_nan(value) else "is not a text, an integer or a UUID")
    try:
        text = str(name)
    except ValueError:  # Python refuses to write an integer of thousands of digits
        return Fault("G14", (USER_ID,), "has too many digits")
    if not text.strip():
        return Fault("G14", (USER_ID,), "is blank")
    return text if is_utf_8(text) else Fault("G14", (USER_ID,), "contains a character that UTF-8 can't encode")


def _registered(user: str, sex: object, year: object, *, texts: bool) -> Person | Fault:
    sex, year = plain(sex), plain(year)
    if sex not in SEXES:
        return Fault("G14", (BIOLOGICAL_SEX,), f"must be {' or '.join(SEXES)}")
    if texts and isinstance(year, str):
        year = cell_value(year)
    if type(year) is not int or year not in _YEARS:
        return Fault("G14", (YEAR_OF_BIRTH,), "must be a whole number of four digits")
    return Person.of(user, str(sex), year)
