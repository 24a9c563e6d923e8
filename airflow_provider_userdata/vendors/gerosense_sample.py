"""A GeroSense sample: its fields and limits, its JSON Schema, and whether it is valid (G5 to G8)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from airflow_provider_userdata.vendors.validation import Schema, rule, schema_of, timestamps

DATA_TYPES = ("steps", "bpm")
"""A request carries samples of one of these types (G2)."""
FEWEST_SAMPLES = 3
MOST_SAMPLES = 1000
MOST_COUNTED = 30000
MOST_A_MINUTE = 300

Unit = Literal["count", "count/min", "count/s"]
_COUNT, _A_MINUTE, _A_SECOND = get_args(Unit)
_Timestamp = Annotated[str, rule("G6", format="date-time", **{"x-rules": {"format": "G7"}})]
_Count = Annotated[int, Meta(gt=0, le=MOST_COUNTED)] | Annotated[float, Meta(gt=0, le=MOST_COUNTED)]
_PerMinute = Annotated[int, Meta(gt=0, le=MOST_A_MINUTE)] | Annotated[float, Meta(gt=0, le=MOST_A_MINUTE)]
_PerSecond = Annotated[int, Meta(gt=0)] | Annotated[float, Meta(gt=0)]


class _Times(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False, kw_only=True):
    start_date: _Timestamp  # first, so that `_DAY` is found without a search
    device_name: Annotated[str, rule("G5", pattern=r"\S")]
    device_version: Annotated[str | None, rule("G5")] = None
    end_date: _Timestamp | None = None


class CountSample(_Times, tag_field="unit", tag=_COUNT, kw_only=True):
    """A number of steps or beats."""

    value: Annotated[_Count, rule("G8")]


class CountPerMinuteSample(_Times, tag_field="unit", tag=_A_MINUTE, kw_only=True):
    """A rate a minute."""

    value: Annotated[_PerMinute, rule("G8")]


class CountPerSecondSample(_Times, tag_field="unit", tag=_A_SECOND, kw_only=True):
    """A rate a second: the vendor names no limit, and none is invented."""

    value: Annotated[_PerSecond, rule("G8")]


_LARGEST = {_COUNT: MOST_COUNTED, _A_MINUTE: MOST_A_MINUTE, _A_SECOND: math.inf}
"""The largest value of each unit (G8)."""
_LEAST = min(_LARGEST.values())
"""Up to this, a value is allowed in any unit."""


class Sample(_Times, kw_only=True):
    """A sample of any kind. A struct for each would be read a third slower, for the unit comes last in most texts."""

    unit: Unit
    value: _PerSecond


FIELDS = frozenset({"device_name", "device_version", "start_date", "end_date", "unit", "value"})
REQUIRED_FIELDS = frozenset({"device_name", "start_date", "unit", "value"})
OPTIONAL_FIELDS = ("device_version", "end_date")
REQUEST_NAMES = frozenset({"data_type", "data"})
"""The names around the samples of a request."""


def sample_schema() -> Schema:
    """Generate the JSON Schema of a sample."""
    schema = schema_of(CountSample | CountPerMinuteSample | CountPerSecondSample, "A GeroSense sample")
    for definition in schema["$defs"].values():
        definition["x-rule"] = "G5"
        definition["x-not-before"] = ["end_date", "start_date"]
        definition["x-rules"] = {"x-not-before": "G6"}
        definition["properties"]["unit"]["x-rule"] = "G8"
    return schema


def request_schema() -> Schema:
    """Generate the JSON Schema of a request's body."""
    sample = sample_schema()
    return {
        "$schema": sample.pop("$schema"),
        "title": "A GeroSense request",
        "type": "object",
        "properties": {
            "data_type": {"enum": list(DATA_TYPES), "x-rule": "G2"},
            "data": {
                "type": "array",
                "minItems": FEWEST_SAMPLES,
                "maxItems": MOST_SAMPLES,
                "items": {"$ref": "#/$defs/Sample"},
                "x-rule": "G3",
            },
        },
        "required": ["data_type", "data"],
        "additionalProperties": False,
        "$defs": {**sample.pop("$defs"), "Sample": sample},
    }


def maybe_invalid(samples: Sequence[Sample]) -> set[int]:
    """Return the indexes of samples that may be invalid; `is_valid` decides on each."""
    return maybe_invalid_columns(
        [sample.device_name for sample in samples],
        [sample.start_date for sample in samples],
        [sample.end_date for sample in samples],
        [sample.unit for sample in samples],
        [sample.value for sample in samples],
    )


def maybe_invalid_columns(
    names: Sequence[str],
    starts: Sequence[str],
    ends: Sequence[str | None],
    units: Sequence[Unit],
    values: Sequence[float],
) -> set[int]:
    """Return the indexes of samples that may be invalid, from the columns of their fields."""
    lasts = ends if all(ends) else [start if end is None else end for start, end in zip(starts, ends, strict=True)]
    unsure = timestamps.maybe_not_in_order(starts, lasts)  # type: ignore[arg-type]  # no None among them
    most = max(values, default=0)
    if most > _LEAST and most > (least := min([_LARGEST[unit] for unit in set(units)])):
        large = [place for place, value in enumerate(values) if value > least]
        unsure.update([place for place in large if values[place] > _LARGEST[units[place]]])
    if not all(map(str.strip, set(names))):
        unsure.update(place for place, name in enumerate(names) if not name.strip())
    return unsure


def is_valid(sample: Sample) -> bool:
    """Return whether a sample meets the rules that its types don't express (G5 to G8)."""
    start, end = sample.start_date, sample.end_date
    is_allowed = sample.value <= _LARGEST[sample.unit] and bool(sample.device_name.strip())
    return is_allowed and timestamps.in_order(start, start if end is None else end)
