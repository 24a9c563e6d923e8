"""The compiled schemas and `jsonschema` find the same faults in a record: same order, rules, paths and reasons."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.vendors import gerosense_sample, ptengine, thymia
from airflow_provider_userdata.vendors.validation.compiler import compiled
from airflow_provider_userdata.vendors.validation.fault import MOST_FAULTS, UNCHECKABLE, Fault
from airflow_provider_userdata.vendors.validation.schema import Schema
from tests.vendors import contract_validator as by_jsonschema

CONTRACTS: dict[str, tuple[Schema, str]] = {
    "gerosense": (gerosense_sample.sample_schema(), "G5"),
    "ptengine": (ptengine.profile_schema(), "P3"),
    "thymia": (thymia.user_data_schema(), "T5"),
}
COMPILED = {name: compiled(schema, rule) for name, (schema, rule) in CONTRACTS.items()}
VALIDATORS = {name: by_jsonschema.contract_validator(schema) for name, (schema, _) in CONTRACTS.items()}

SAMPLE = {
    "device_name": "iPhone",
    "device_version": "17.0.3",
    "start_date": "2023-11-01T08:04:51.000+04:00",
    "end_date": "2023-11-01T08:04:58.000+04:00",
    "value": 14,
    "unit": "count",
}
PROFILE = {"user_id": "u1", "plan": "free", "a" * 50: "b" * 128, **{f"field {number}": "" for number in range(9)}}
USER_DATA = {"user": {"userLabel": "u1"}, "data": {"score": 1, "notes": ["a", {"b": None}]}}

TIMES = st.sampled_from(
    [
        "2023-11-01T08:04:51Z",
        "2023-11-01T08:04:51.0000001+04:00",
        "2023-11-01T08:04:51.00000011+04:00",
        "2023-11-01T08:04+09",
        "2023-11-01T08:04:51-0930",
        "2023-11-01T08:04:51",
        "2023-11-01",
        "2023-11-01 08:04:51Z",
        "2023-11-01t08:04:51z",
        " 2023-11-01T08:04:51Z",
        "2023-11-01T08:04:51Z\n",
        "2023-11-01T08:04:51+09:00:30",
        "2023-11-01T08:04:51+9",
        "2023-11-01T08:04:51+24:00",
        "2023-11-01T24:00:00Z",
        "2023-02-29T08:04:51Z",
        "0000-01-01T00:00:00Z",
        "20231101T080451Z",
        "1698811491",
    ]
)
TEXTS = st.sampled_from(
    ["", " ", "\u3000", "\u200b", "\x1c", "\ud800", "日本", "x" * 51, "x" * 129, "count/s"]
) | st.text(max_size=4)
NUMBERS = (
    st.floats()
    | st.integers()
    | st.sampled_from([0, -0.0, 1e-320, 300, 300.0, 300.1, 30000, 30000.5, 30001, 2**64, 10**400])
    | st.decimals()
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS | TIMES | st.binary(max_size=2) | st.just(1j)
VALUES = SCALARS | st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2), max_leaves=4
)


def broken(valid: dict[str, Any], keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw what a valid record becomes by leaving out, changing and adding fields, in any order."""
    names = st.sampled_from(list(valid))
    changes = st.dictionaries(names | keys, VALUES | TIMES, max_size=4)
    more = st.just(0) | st.sampled_from([3, 19, 20, 21, 45, 60])

    def make(dropped: list[str], changed: dict[Any, Any], added: int, backwards: bool) -> dict[Any, Any]:
        record = {name: value for name, value in valid.items() if name not in dropped}
        record |= changed | {f"more {number}" * (1 + number % 7): "" for number in range(added)}
        return dict(reversed(record.items())) if backwards else record

    return st.builds(make, st.lists(names, max_size=3), changes, more, st.booleans())


SAMPLES = st.builds(
    lambda record, unit: {**record, "unit": unit} if "unit" in record else record,
    broken(SAMPLE, TEXTS | st.integers() | st.none()),
    st.sampled_from(["count", "count/min", "count/s", "Count"]) | VALUES,
)
PROFILES = broken(PROFILE, TEXTS) | st.dictionaries(TEXTS, TEXTS, max_size=3)
USERS_DATA = broken(USER_DATA, TEXTS) | st.fixed_dictionaries(
    {"user": broken({"userLabel": "u1"}, TEXTS), "data": VALUES | st.just({"a": 1})}
)
THOROUGHLY = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


def alike(name: str, record: object) -> tuple[Fault, ...]:
    """Hold the two to the same faults, and give them."""
    found = COMPILED[name](record)
    try:
        expected = by_jsonschema.faults(VALIDATORS[name], record)
    except Exception:  # noqa: BLE001  # a value whose methods raise
        expected = (Fault(CONTRACTS[name][1], (), UNCHECKABLE),)
    assert found == expected
    assert len(found) <= MOST_FAULTS
    return found


@pytest.mark.parametrize(("schema", "rule"), CONTRACTS.values(), ids=CONTRACTS)
def test_only_what_is_known_is_compiled(schema: Schema, rule: str) -> None:
    """A contract's schema that says more than can be compiled is found when the package starts."""
    with pytest.raises(KeyError):
        compiled({**schema, "not": {"const": 1}}, rule)


@THOROUGHLY
@given(SAMPLES)
@example({"value": 0})
@example({**SAMPLE, "value": 30000, "note": 1})
@example({**SAMPLE, "value": 0, "end_date": "2023-11-01T08:04:50.999+04:00"})
@example({**SAMPLE, **dict.fromkeys(range(30), 1), "note": 1})
@example({**SAMPLE, "unit": ["count"], "value": True, "end_date": "2023-11-01"})
def test_samples_are_explained_alike(record: Any) -> None:
    """Whatever is wrong with a GeroSense sample, in one place or in many, both say the same of it (G5 to G8)."""
    alike("gerosense", record)


@THOROUGHLY
@given(PROFILES)
@example({"": "", "a" * 51: "b" * 129, **dict.fromkeys(map(str, range(50)), "c" * 129)})
def test_profiles_are_explained_alike(record: Any) -> None:
    """Whatever is wrong with a Ptengine user's attributes, both say the same of it (P3, P4, P7)."""
    alike("ptengine", record)


@THOROUGHLY
@given(USERS_DATA)
def test_user_data_is_explained_alike(record: Any) -> None:
    """Whatever is wrong with a Thymia user's data, both say the same of it (T5, T6)."""
    alike("thymia", record)


@settings(deadline=None, max_examples=100)
@given(VALUES)
def test_what_is_no_record_is_explained_alike(value: Any) -> None:
    """Anything in a record's place has the same faults, or none, by each contract."""
    for name in CONTRACTS:
        alike(name, value)


def test_keys_that_are_no_texts_are_named_once() -> None:
    """However many keys of a sample are numbers, the fault that they share stands once (G5)."""
    numbers: dict[Any, int] = dict.fromkeys(range(30), 1)

    (fault,) = alike("gerosense", {**SAMPLE, **numbers})

    assert fault == Fault("G5", ("*",), "is not a field of the contract")


class Unequal:
    """Can't be compared."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise TypeError


def test_what_cant_be_compared_cant_be_checked() -> None:
    """A value whose methods raise ends the check, and not the run."""
    (fault,) = alike("gerosense", {**SAMPLE, "unit": Unequal()})

    assert fault == Fault("G5", (), "contains a value that can't be checked")


def test_what_jsonschema_cant_show_is_explained() -> None:
    """An integer that Python refuses to write ends what `jsonschema` does; its fault is named all the same (G8)."""
    (fault,) = COMPILED["gerosense"]({**SAMPLE, "value": 10**5000})

    assert fault == Fault("G8", ("value",), "must be at most 30000")
