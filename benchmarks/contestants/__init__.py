"""Who takes part, each in an environment of its own."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.environments import OURS


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to send records.

    :param environment: whose requirements it needs.
    :param module: of this package; it runs in a process of its own.
    :param in_flight: how many requests may be under way at once; None is what the vendor's case says.
    """

    title: str
    environment: str
    module: str
    in_flight: int | None = None


OUR_OPERATOR = Contestant("**this project's operator**", OURS, "ours")
OUR_OPERATOR_BY_DEFAULT = Contestant("the same, with its default of 16 in flight", OURS, "ours", in_flight=16)
UNOBSERVED = Contestant("with nobody to show it to", OURS, "unobserved")
OBSERVED = Contestant("with log, XCom, metrics and span", OURS, "observed")
VENDOR_LOOP = Contestant("the loop of the vendor's page", "loops", "vendor_loop")
SCHEMA_LOOP = Contestant("that loop, with `jsonschema` on each sample", "loops", "schema_loop")
HTTP_HOOK = Contestant("Airflow's `HttpHook` in a loop", "http_hook", "http_hook")
DLT = Contestant("dlt, custom destination", "dlt", "dlt_destination")
ELASTICSEARCH = Contestant("elasticsearch-py, `parallel_bulk`", "elasticsearch", "elasticsearch_bulk")
REPLAY = Contestant("bodies encoded beforehand, replayed", "loops", "replay")
STRUCT_LOOP = Contestant("`msgspec` alone: decode into the struct, encode", OURS, "struct_loop")
