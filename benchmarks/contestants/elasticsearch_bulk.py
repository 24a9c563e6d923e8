"""elasticsearch-py's `parallel_bulk`: the uploader with batches and threads that most people have met."""

from __future__ import annotations

from collections import deque

from elasticsearch import Elasticsearch
from elasticsearch.helpers import parallel_bulk

from benchmarks.contestants.records import read
from benchmarks.contestants.worker import Clock, Job, serve


def run(job: Job, clock: Clock) -> None:
    """Send the job's records as documents, with the helper's own four threads and chunks of the job's size."""
    with Elasticsearch(job.url, request_timeout=60) as client, clock:
        actions = ({"_index": "samples", "_source": record} for record in read(job))
        deque(parallel_bulk(client, actions, thread_count=4, chunk_size=job.batch), maxlen=0)


if __name__ == "__main__":
    serve(run)
