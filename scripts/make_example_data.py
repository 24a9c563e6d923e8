"""Write the data files of the example DAGs: invented people, the same every time, a few invalid records in each file.

Run it from any folder: `python scripts/make_example_data.py`. The files are checked in; this script documents them.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from xml.sax.saxutils import quoteattr

DATA = Path(__file__).parents[1] / "example_dags" / "data"
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DEVICES = (("iPhone", "18.2"), ("Apple Watch", "11.2"), ("Pixel Watch", None))
DUBAI = timezone(timedelta(hours=4))
TOKYO = timezone(timedelta(hours=9))

Row = Mapping[str, object]


def main() -> None:
    """Write the files, and print how many records each contains."""
    DATA.mkdir(parents=True, exist_ok=True)
    write("moods.jsonl", mixed(json_lines(moods(2000)), BAD_MOODS), bad=len(BAD_MOODS))
    write("steps.jsonl", mixed(json_lines(steps(5002)), BAD_STEPS), bad=len(BAD_STEPS))
    write("heart_rates.csv", with_header(heart_rates(4000), bad_heart_rates()), bad=len(bad_heart_rates()))
    write("users.csv", with_header(users(3000), BAD_USERS), bad=len(BAD_USERS))
    write("apple_health_export.xml", apple_health(300), bad=0)
    write("fitbit_heart_rates.csv", with_header(fitbit(400), SKIPPED_HOUR), bad=len(SKIPPED_HOUR))
    write("members_steps.csv", with_header(members_steps(1200), BAD_MEMBERS), bad=len(BAD_MEMBERS))
    write("questionnaire.csv", with_header(answers(250), [{"answered_at": "2026-01-09T10:00:00Z"}]), bad=1)


def moods(count: int) -> Iterator[Row]:
    """Yield the answers of about 700 app users in Thymia's form: an anonymous label, and the agreed data."""
    chance = seeded("moods")
    for number in range(count):
        day = MONDAY + timedelta(days=number * 7 // count)
        yield {
            "user": {"userLabel": f"u-{chance.randrange(700):05d}"},
            "data": {
                "recorded_on": day.date().isoformat(),
                "mood": chance.choice(["calm", "cheerful", "tense", "tired", "low"]),
                "score": chance.randint(0, 10),
                "sleep_hours": chance.randint(8, 20) / 2,
            },
        }


def steps(count: int) -> Iterator[Row]:
    """Yield step counts of three devices in GeroSense's form, ordered by time."""
    chance = seeded("steps")
    start = MONDAY.astimezone(DUBAI)
    for _ in range(count):
        start += timedelta(seconds=chance.randint(20, 220))
        end = start + timedelta(seconds=chance.randint(5, 20))
        name, version = chance.choice(DEVICES)
        yield {
            "device_name": name,
            **({"device_version": version} if version else {}),
            "start_date": start.isoformat(timespec="milliseconds"),
            "end_date": end.isoformat(timespec="milliseconds"),
            "value": chance.randint(1, 40),
            "unit": "count",
        }


def heart_rates(count: int) -> Iterator[Row]:
    """Yield heart rates like the export of a study, with its own column names."""
    chance = seeded("heart rates")
    at, rate = MONDAY.astimezone(TOKYO), 70
    for _ in range(count):
        at += timedelta(seconds=chance.randint(60, 240))
        rate = min(160, max(48, rate + chance.randint(-6, 6)))
        name, version = chance.choice(DEVICES)
        yield heart_rate(watch=name, firmware=version or "", measured_at=at.isoformat(), rate=rate)


def members_steps(count: int) -> Iterator[Row]:
    """Yield the step counts of 40 members as they come in, mixed; the last two members have one each."""
    chance = seeded("members")
    members = [
        (f"m{number:04d}", chance.choice(["Female", "Male"]), chance.randint(1940, 2005)) for number in range(42)
    ]
    at = MONDAY
    for number in range(count):
        at += timedelta(seconds=chance.randint(5, 60))
        member, sex, born = members[40 + number % 2 if number >= count - 2 else chance.randrange(40)]
        yield member_steps(member=member, sex=sex, born=born, counted_at=at.isoformat(), steps=chance.randint(1, 120))


def users(count: int) -> Iterator[Row]:
    """Yield a shop's customers; every hundredth occurs again at the file's end, with changed values."""
    chance = seeded("users")
    twice = count // 100
    customers = [customer(number, chance) for number in range(count - twice)]
    yield from customers
    yield from ({**user, "plan": "premium", "newsletter": "yes"} for user in customers[::100][:twice])


def customer(number: int, chance: random.Random) -> Row:
    """Return one customer of the shop."""
    joined = MONDAY - timedelta(days=chance.randint(10, 900))
    orders = chance.randint(0, 40)
    return {
        "user_id": f"c{number:06d}",
        "plan": chance.choice(["free", "free", "plus", "premium"]),
        "country": chance.choice(["JP", "AE", "DE", "US"]),
        "language": chance.choice(["ja", "en", "de", "ar"]),
        "joined_on": joined.date().isoformat(),
        "orders": orders,
        "total_spent": f"{orders * chance.randint(500, 9000) / 100:.2f}",
        "newsletter": chance.choice(["yes", "no"]),
        "favourite_genre": chance.choice(["アニメ", "ドラマ", "documentary", ""]),
    }


def apple_health(count: int) -> list[str]:
    """Return an Apple Health export with heart rates, and with step counts between them."""
    chance = seeded("apple health")
    at, lines = MONDAY.astimezone(DUBAI), ['<?xml version="1.0" encoding="UTF-8"?>', '<HealthData locale="en_AE">']
    for number in range(count):
        at += timedelta(seconds=chance.randint(60, 400))
        kind, unit, value = (
            ("StepCount", "count", chance.randint(1, 90))
            if number % 3 == 0
            else (("HeartRate", "count/min", chance.randint(52, 150)))
        )
        attributes = {
            "type": f"HKQuantityTypeIdentifier{kind}",
            "sourceName": "Apple Watch",
            "sourceVersion": "11.2",
            "unit": unit,
            **dict.fromkeys(("creationDate", "startDate", "endDate"), f"{at:%Y-%m-%d %H:%M:%S %z}"),
            "value": str(value),
        }
        lines.append(f" <Record {' '.join(f'{name}={quoteattr(text)}' for name, text in attributes.items())}/>")
    return [*lines, "</HealthData>"]


def fitbit(count: int) -> Iterator[Row]:
    """Yield heart rates as Fitbit's export has them: local times of no zone, and nothing else."""
    chance = seeded("fitbit")
    at = datetime(2026, 3, 28, 18, 0)  # as the export has it
    for _ in range(count):
        yield {"Time": f"{at:%m/%d/%Y %I:%M:%S %p}", "Value": chance.randint(50, 120)}
        at += timedelta(seconds=chance.randint(30, 75))


def answers(count: int) -> Iterator[Row]:
    """Yield the answers of a questionnaire's participants; some left questions out."""
    chance = seeded("questionnaire")
    for number in range(count):
        at = MONDAY + timedelta(minutes=37 * number)
        yield {
            "participant": f"p-{number:04d}",
            "answered_at": at.isoformat(),
            **{f"q{question}": chance.choice([0, 1, 2, 3, ""]) for question in range(1, 10)},
        }


def mood(label: str | None, **data: object) -> str:
    """Return a mood with one fault."""
    return json.dumps({"user": {} if label is None else {"userLabel": label}, "data": data})


def sample(**changes: object) -> str:
    """Return a step count with one fault."""
    good = {
        "device_name": "iPhone",
        "device_version": "18.2",
        "start_date": "2026-01-06T08:04:51.000+04:00",
        "end_date": "2026-01-06T08:04:58.000+04:00",
        "value": 14,
        "unit": "count",
    }
    return json.dumps({**good, **changes})


def heart_rate(**changes: object) -> Row:
    """Return a heart rate with changed values."""
    good = {"watch": "iPhone", "firmware": "18.2", "measured_at": "2026-01-06T08:00:00+09:00", "rate": 72}
    return {**good, "unit": "count/min", **changes}


def member_steps(**changes: object) -> Row:
    """Return a member's step count with changed values."""
    good = {"member": "m0001", "sex": "Female", "born": 1985, "watch": "ring"}
    return {**good, "counted_at": "2026-01-06T08:00:00Z", "steps": 14, **changes}


def bad_heart_rates() -> list[Row]:
    """Return heart rates with one fault each."""
    return [
        heart_rate(rate=0),
        heart_rate(rate=720),
        heart_rate(rate="n/a"),
        heart_rate(watch=""),
        heart_rate(measured_at="2026-02-30T08:04:00+09:00"),  # a day that no calendar has
    ]


SKIPPED_HOUR = tuple({"Time": f"03/29/2026 02:{minute}:00 AM", "Value": 61} for minute in (10, 40))
"""Clocks in Berlin went from two to three that night."""
BAD_MOODS = (
    mood("u-00101", recorded_on="2026-01-05", mood="calm", score=7, note="jo@example.com"),  # an e-mail address
    mood("u-00102"),  # no data
    mood(None, recorded_on="2026-01-05", mood="calm", score=7),  # nobody's
    mood("u-00104", recorded_on="2026-01-06", mood="calm", score=11),  # more than the agreed format has
    mood("u-00105", recorded_on="2026-01-06", score=4),  # less than the agreed format has
)
BAD_STEPS = (
    sample(end_date="2026-01-06T08:04:50.999+04:00"),  # ends before it starts
    sample(value=0),
    sample(value=31000),
    sample(start_date="2026-01-06T08:04:51.000"),  # where on earth?
    sample(unit="steps"),
    sample(value="14"),  # text
    '{"device_name": "iPhone", "start_date": "2026-01-06T08',  # a line that was cut off
)
BAD_MEMBERS: tuple[Row, ...] = (
    member_steps(member=""),  # whose?
    member_steps(born="85"),  # a year has four digits
    member_steps(steps="many"),
)
BAD_USERS: tuple[Row, ...] = (
    {"user_id": "", "plan": "free"},  # nobody's
    {"user_id": "   ", "plan": "free"},
    {"user_id": "c900001", "plan": "plus", "favourite_genre": "documentary, " * 10},  # 130 characters: 128 fit
    {"user_id": "c9" * 65, "plan": "free"},
)


def seeded(name: str) -> random.Random:
    """Return a random generator for a file, with the same numbers every time."""
    return random.Random(name)  # noqa: S311  # made-up people, not secrets


def json_lines(records: Iterable[Row]) -> list[str]:
    """Return records as JSON lines."""
    return [json.dumps(record, ensure_ascii=False) for record in records]


def with_header(rows: Iterable[Row], bad: Iterable[Row]) -> list[str]:
    """Return rows as CSV lines with a header, the bad ones spread among them."""
    good = list(rows)
    names = list(good[0])
    return [csv_line(names), *mixed([csv_row(names, row) for row in good], [csv_row(names, row) for row in bad])]


def csv_row(names: Sequence[str], row: Row) -> str:
    """Return one row as CSV; a missing column is empty."""
    return csv_line([row.get(name, "") for name in names])


def csv_line(cells: Sequence[object]) -> str:
    """Return one line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def mixed(good: Sequence[str], bad: Sequence[str]) -> list[str]:
    """Return the good lines with the bad ones spread evenly among them."""
    lines = list(good)
    for number, line in enumerate(bad, start=1):
        lines.insert(number * len(good) // (len(bad) + 1), line)
    return lines


def write(name: str, lines: Sequence[str], *, bad: int) -> None:
    """Write a file, and print how many records it contains."""
    (DATA / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    records = len(lines) - name.endswith(".csv")
    print(f"{name}: {records:,} records, {bad} of them bad")


if __name__ == "__main__":
    main()
