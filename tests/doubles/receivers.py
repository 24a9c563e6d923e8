"""What receives metrics and traces, on loopback: a StatsD server, and a collector of OpenTelemetry's."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import socket
import threading
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any


class Statsd:
    """Receives StatsD's packets, each `name:value|type`."""

    def __init__(self, receiving: socket.socket) -> None:
        self._socket = receiving
        self.port: int = receiving.getsockname()[1]
        self.lines: list[str] = []

    def listen(self) -> None:
        """Take packets until the socket is closed."""
        with contextlib.suppress(OSError):
            while packet := self._socket.recv(65_536):
                self.lines += packet.decode().splitlines()

    def sums(self, beginning: str) -> dict[str, float]:
        """Add up the counters whose names begin so, by the rest of their names."""
        found: dict[str, float] = {}
        for name, value in self.values(beginning, "c"):
            found[name] = found.get(name, 0.0) + value
        return found

    def values(self, beginning: str, kind: str) -> list[tuple[str, float]]:
        """Give the metrics whose names begin so, without that beginning, in the order of their arrival."""
        found = []
        for line in self.lines:
            name, _, rest = line.partition(":")
            value, _, its_kind = rest.partition("|")
            if name.startswith(beginning) and its_kind == kind:
                found.append((name.removeprefix(beginning), float(value)))
        return found


@contextlib.contextmanager
def statsd() -> Iterator[Statsd]:
    """Receive StatsD's packets while a ``with`` block runs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiving:
        receiving.bind(("127.0.0.1", 0))
        server = Statsd(receiving)
        thread = threading.Thread(target=server.listen, daemon=True)
        thread.start()
        yield server
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", server.port))  # wakes it: an empty packet is the end
        thread.join(5)


class Collector:
    """Receives what OpenTelemetry exports over HTTP."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Any] = []
        self.metrics: list[Any] = []

    def take(self, path: str, body: bytes) -> None:
        """Take one request's spans or metrics."""
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        if path.endswith("/v1/traces"):
            traces = ExportTraceServiceRequest.FromString(body)
            self.spans += [span for one in traces.resource_spans for scope in one.scope_spans for span in scope.spans]
        elif path.endswith("/v1/metrics"):
            metrics = ExportMetricsServiceRequest.FromString(body)
            self.metrics += [
                metric for one in metrics.resource_metrics for scope in one.scope_metrics for metric in scope.metrics
            ]


def attributes(span: Any) -> dict[str, Any]:
    """Give a span's attributes as plain values."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """Receive OpenTelemetry's exports while a ``with`` block runs."""
    received = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library calls it by this name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            received.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *words: Any) -> None:  # noqa: A002  # the library names it so
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield received
        server.shutdown()
        thread.join(5)


def metrics_begin_anew() -> None:
    """Let Airflow look again where its metrics go."""
    if version("apache-airflow").startswith("2."):
        from airflow import stats

        its_stats: Any = stats.Stats
        its_stats.instance = None
        if hasattr(type(its_stats), "factory"):
            del type(its_stats).factory
        type(its_stats).__init__(its_stats)
        return
    from airflow.sdk.observability.metrics import stats_utils
    from airflow.sdk.observability.stats import initialize

    initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
