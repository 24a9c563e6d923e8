"""The least that preparing a sample can cost: each line decoded into this project's own struct, and encoded again."""

from __future__ import annotations

from pathlib import Path

import msgspec

from airflow_provider_userdata.vendors.gerosense_sample import Sample
from benchmarks.contestants.worker import Clock, Job, serve


def run(job: Job, clock: Clock) -> None:
    """Decode and encode the job's lines; neither timestamps nor order are checked, and nothing is kept."""
    decode, encode = msgspec.json.Decoder(Sample).decode, msgspec.json.Encoder().encode
    with clock, Path(job.source).open("rb") as file:
        for line in file:
            encode(decode(line))


if __name__ == "__main__":
    serve(run)
