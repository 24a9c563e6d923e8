"""Receives StatsD's packets and OpenTelemetry's spans, in a process that ends when its stdin does."""

from __future__ import annotations

import gzip
import http.server
import json
import re
import socket
import sys
import threading

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

DELIVERED = re.compile(rb"records\.delivered:(\d+)\|c")
counts = {"packets": 0, "delivered": 0, "spans": 0}


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes spans, and says what was received."""

    def do_POST(self) -> None:  # the library calls it by this name
        """Take spans."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        spans = [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
        counts["spans"] += sum(span.name == "userdata.upload" for span in spans)
        self._answer(b"")

    def do_GET(self) -> None:  # the library calls it by this name
        """Say what was received."""
        self._answer(json.dumps(counts).encode())

    def log_message(self, format: str, *words: object) -> None:  # noqa: A002  # the library names it so
        """Print nothing."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def listen(receiving: socket.socket) -> None:
    """Count StatsD's packets, and the records delivered that they tell of."""
    while packet := receiving.recv(65_536):
        counts["packets"] += 1
        counts["delivered"] += sum(map(int, DELIVERED.findall(packet)))


if __name__ == "__main__":
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiving,
    ):
        receiving.bind(("127.0.0.1", 0))
        threading.Thread(target=listen, args=(receiving,), daemon=True).start()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"statsd": receiving.getsockname()[1], "http": server.server_port}), flush=True)
        sys.stdin.read()
