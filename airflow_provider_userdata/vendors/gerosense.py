"""GeroSense: heart rates and steps, 3 to 1000 samples a request (G1 to G14)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec

from airflow_provider_userdata.records import JsonLines, Record, RecordBatch, array_of, each, lines_of, without
from airflow_provider_userdata.vendors.answers import Accepted, Answer, Meaning, Unproven, shared_meaning
from airflow_provider_userdata.vendors.contract import BatchLimits, Checked, Compared, Moment, Request, Table, Vendor
from airflow_provider_userdata.vendors.failure_signs import sign_of_failure
from airflow_provider_userdata.vendors.gerosense_columns import PASSES, samples_of
from airflow_provider_userdata.vendors.gerosense_sample import (
    FEWEST_SAMPLES,
    FIELDS,
    MOST_SAMPLES,
    OPTIONAL_FIELDS,
    REQUEST_NAMES,
    REQUIRED_FIELDS,
    Sample,
    is_valid,
    maybe_invalid,
    sample_schema,
)
from airflow_provider_userdata.vendors.validation import (
    Fault,
    Invalid,
    cell_value,
    compiled,
    decoded,
    plain,
    plain_number,
    timestamps,
)

SAMPLES_PATH = "/api/v1.1/samples"
STATUS_PATH = "/api/status"
CALCULATE_PATH = "/api/v1.1/bioage/calculate"
"""Of the proxy; only the direct API's path is documented (G14)."""
CHECKED_AT_ONCE = MOST_SAMPLES // 4
"""How many samples are decoded, checked and encoded together: few enough for a CPU core's cache."""


_faults = compiled(sample_schema(), default_rule="G5")


_UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)  # not UTF-8, too
_decode: Callable[[bytes], Sample] = msgspec.json.Decoder(Sample).decode
_DAY = slice(len('{"start_date":"'), len('{"start_date":"2024-05-01'))
"""Where the encoder writes on which day a sample began."""
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class GeroSense(Vendor):
    """The contract of GeroSense's samples.

    :param data_type: one of `DATA_TYPES`.
    :param default_timezone: where timestamps without an offset were taken; None refuses them (G7).
    :param calculates: whether to ask for the user's biological age once samples are delivered (G14).
    """

    data_type: str
    default_timezone: ZoneInfo | None = None
    calculates: bool = False

    name: ClassVar[str] = "gerosense"
    limits: ClassVar[BatchLimits] = BatchLimits(minimum=FEWEST_SAMPLES, maximum=MOST_SAMPLES)
    suspect_rule: ClassVar[str] = "G12"
    rules: ClassVar[Mapping[str, str]] = {
        "G1": "cannot be written as JSON",
        "G4": f"fewer than {FEWEST_SAMPLES} samples",
        "G5": "device or fields not as GeroSense names them",
        "G6": "dates missing, or the end before the start",
        "G7": "a timestamp that is not ISO 8601 with an offset",
        "G8": "a unit or value that is not allowed",
        "G10": "a 200 that is not GeroSense's",
        "G11": "some of a request not accepted",
        "G12": "refused together with others",
        "G13": "GeroSense in maintenance",
        "G14": "a user without a valid id, or whose registration was refused",
    }
    too_few_rule: ClassVar[str] = "G4"
    maintenance_rule: ClassVar[str] = "G13"
    known_fields: ClassVar[frozenset[str]] = FIELDS
    request_names: ClassVar[frozenset[str]] = REQUEST_NAMES
    status_path: ClassVar[str | None] = STATUS_PATH

    def prepare_json(self, text: bytes) -> Record | Invalid:
        """Check a sample in one pass over its text. If it is not valid, a slower check explains why."""
        try:
            sample = _decode(text)
        except _UNREADABLE:
            return self._prepared_slowly(text)
        return Record(_encode(sample)) if is_valid(sample) else self._prepared_slowly(text)

    def _prepared_slowly(self, text: bytes) -> Record | Invalid:
        value = decoded(text)
        if isinstance(value, Invalid):
            return value
        if self.default_timezone is None and isinstance(value, dict):
            faults = _faults(_present(value))  # JSON holds nothing that would have to be rewritten
            if faults:
                return Invalid(faults)
        return self.prepare_value(value)

    def prepare_texts(self, texts: Sequence[bytes], positions: Sequence[int]) -> Checked:
        """Check samples column by column; those that may be invalid are checked alone."""
        return _checked(
            texts,
            positions,
            lambda part: _decoded_samples(texts[part]),
            lambda place: self.prepare_json(texts[place]),
        )

    def prepare_table(self, table: Table, rows: Sequence[Any], positions: Sequence[int]) -> Checked:
        """Check samples column by column; those that may be invalid are checked alone."""
        if not REQUIRED_FIELDS <= set(table.names) <= FIELDS:
            return Vendor.prepare_table(self, table, rows, positions)
        columns = dict(zip(table.names, table.columns, strict=True))

        def samples(part: slice) -> tuple[list[Sample], set[int]]:
            cut = {name: column[part] for name, column in columns.items()}
            return samples_of(cut, self._timestamp, zoned=self.default_timezone is not None, texts=table.texts)

        return _checked(rows, positions, samples, lambda place: self.prepare_row(table, place))

    def prepare_value(self, value: object) -> Record | Invalid:
        """Check a sample that is a Python value."""
        if not isinstance(value, dict):
            return Invalid((Fault("G5", (), "is not an object"),))
        value = self._normalized(value)
        if isinstance(value, Fault):
            return Invalid((value,))
        try:
            sample = msgspec.convert(value, Sample)
            if is_valid(sample) and sample.value < math.inf:
                return Record(_encode(sample))  # raises where what Python holds has no form as JSON
        except UnicodeEncodeError:
            return Invalid((Fault("G1", (), "contains a character that UTF-8 can't encode"),))
        except (msgspec.ValidationError, ValueError):  # such as an integer of thousands of digits
            pass
        return Invalid(_faults(value) or (Fault("G5", (), "is not a valid sample"),))

    def prepare_cells(self, names: tuple[str, ...], cells: Sequence[Any]) -> Record | Invalid:
        """Check a sample of text cells: an empty optional cell is absent, a value in a number's form is a number."""
        value = {
            name: cell_value(cell) if name == "value" and isinstance(cell, str) else cell
            for name, cell in zip(names, cells, strict=True)
            if name not in OPTIONAL_FIELDS or not (isinstance(cell, str) and not cell)
        }
        return self.prepare_value(value)

    def compared(self, records: Sequence[Record]) -> Compared:
        """Give each sample's day, and the sample as a whole."""
        lines = lines_of(records)
        return Compared(list(map(operator.itemgetter(_DAY), lines)), lines)

    def moments(self, records: Sequence[Record]) -> Iterable[Moment]:
        """Return each device with its latest start, one for each offset and length of timestamp."""
        latest: dict[tuple[str, str, int], str] = {}
        for sample in map(_decode, lines_of(records)):
            text = sample.start_date
            offset = "Z" if text[-1] == "Z" else text[-6:]
            form = (sample.device_name, offset, len(text))  # of one form, the greater text is the later
            if text > latest.get(form, ""):
                latest[form] = text
        return [Moment(device, text, timestamps.parse(text)) for (device, _, _), text in latest.items()]

    def request(self, records: Sequence[Record]) -> Request:
        """Return a request with samples."""
        before = b'{"data_type":%b,"data":' % _encode(self.data_type)
        return Request(SAMPLES_PATH, (before, *array_of(records), b"}"))

    def meaning(self, answer: Answer) -> Meaning:
        """Return what an answer means: 200 is all, 207 proves nothing about any one sample, 400 is none (G10, G11)."""
        if answer.status == 200:
            return Accepted() if answer.complete and not answer.content else _accepted_or_unproven(answer)
        return shared_meaning(answer, refusal_rule="G10", partial_rule="G11")

    def follow_up(self, user: str | None) -> Request | None:  # noqa: ARG002  # the token says who it is
        """Return the request for the biological age of the token's user."""
        if not self.calculates:
            return None
        return Request(CALCULATE_PATH, (_encode({"model_type": self.data_type}),))

    def takes_requests(self, answer: Answer) -> bool:
        """Return whether the vendor is not in maintenance (G13)."""
        body = answer.json()
        return not (answer.status == 200 and isinstance(body, dict) and body.get("status") == "Maintenance")

    def _normalized(self, sample: dict[str, object]) -> dict[str, object] | Fault:
        """Remove absent fields, and convert Python's dates and numbers to JSON's; text is unchanged."""
        sample = _present({plain(key): plain(value) for key, value in sample.items()})
        for key in ("start_date", "end_date"):
            if key in sample:
                try:
                    sample[key] = self._timestamp(sample[key])
                except timestamps.NotInProfile as error:
                    return Fault("G7", (key,), str(error))
        if "value" in sample:
            sample["value"] = plain_number(sample["value"])
        return sample

    def _timestamp(self, value: object) -> object:
        if isinstance(value, datetime):
            return timestamps.from_datetime(value, self.default_timezone)
        if isinstance(value, str) and self.default_timezone is not None:
            return timestamps.with_zone(value, self.default_timezone)
        return value


def _decoded_samples(texts: Sequence[bytes]) -> tuple[list[Sample], set[int]]:
    samples, unreadable = each(_decode, texts, _UNREADABLE, PASSES)
    return samples, maybe_invalid(samples).union(unreadable)


def _checked(
    rows: Sequence[Any],
    positions: Sequence[int],
    samples_of: Callable[[slice], tuple[list[Sample], set[int]]],
    alone: Callable[[int], Record | Invalid],
) -> Checked:
    """Check samples as columns, and those that may be invalid alone.

    :param samples_of: returns the samples of some rows, and the indexes of those that may be invalid.
    :param alone: checks one row.
    """
    invalid: list[tuple[int, Invalid]] = []
    lines = JsonLines()
    for first in range(0, len(rows), CHECKED_AT_ONCE):
        samples, unsure = samples_of(slice(first, first + CHECKED_AT_ONCE))
        refused: list[int] = []
        for place in sorted(unsure):
            one = alone(first + place)
            if isinstance(one, Record):
                samples[place] = _decode(one.body)
            else:
                refused.append(place)
                invalid.append((first + place, one))
        lines = lines.followed_by(JsonLines.of(without(samples, refused) if refused else samples, CHECKED_AT_ONCE))
    if invalid:
        places = [place for place, _ in invalid]
        rows, positions = without(rows, places), without(positions, places)
    return Checked(RecordBatch(rows, positions, lines), invalid)


def _accepted_or_unproven(answer: Answer) -> Accepted | Unproven:
    """Return whether a 200 with a body is GeroSense's acceptance (G10)."""
    looks = answer.looks_like()
    if looks == "JSON":
        sign = sign_of_failure(answer.json())
        if sign is None:
            return Accepted()
        looks = f"JSON that reports a failure ({sign})"
    return Unproven("G10", f"answered 200 with {looks}: {answer.text()}", foreign=answer.complete)


def _present(sample: dict[Any, object]) -> dict[str, object]:
    """Return a sample without absent optional fields (G5)."""
    absent = [name for name in OPTIONAL_FIELDS if name in sample and sample[name] is None]
    return {key: value for key, value in sample.items() if key not in absent} if absent else sample
