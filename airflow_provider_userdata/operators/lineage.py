"""An upload in OpenLineage: what it reads, with what is wrong with it, and what it writes, with how much.

Airflow's OpenLineage provider calls the three methods, and nothing else here is used without it. Nothing of a record,
no query and no credential is told; names of files and folders are.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata import registry
from airflow_provider_userdata.airflow_compat import find
from airflow_provider_userdata.delivery import Report
from airflow_provider_userdata.errors import UserdataError
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.operators.dataset_names import DatasetName, read_by, written
from airflow_provider_userdata.vendors import SHARED_RULES

_PROVIDER = "airflow.providers.openlineage"


class Lineage:
    """The part of an operator that OpenLineage's provider asks."""

    dag_id: str
    task_id: str
    source: Any
    _report: Report | None = None
    """How the last delivery of this process went; None before."""

    def get_openlineage_facets_on_start(self) -> Any:
        """Return what the task will read and write."""
        return self._lineage()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002  # OpenLineage passes it
        """Return what the task read and wrote, with the counts of its report."""
        return self._lineage()

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> Any:  # noqa: ARG002  # OpenLineage passes it
        """Return what the task had read and written when it failed."""
        return self._lineage()

    def _hook(self) -> VendorHook:
        raise NotImplementedError

    def _kind(self) -> str:
        raise NotImplementedError

    def _lineage(self) -> Any:
        from openlineage.client.event_v2 import InputDataset, OutputDataset

        hook = self._hook()
        read = read_by(self.source)
        own = DatasetName(find("namespace", (f"{_PROVIDER}.conf",))(), f"{self.dag_id}.{self.task_id}.source")
        quality = {} if self._report is None else _quality(self._report, hook.conn_type)
        inputs = [InputDataset(*name) for name in read]
        if len(read) == 1:
            inputs = [InputDataset(*read[0], inputFacets=quality)]
        elif quality or not read:  # of several files, nobody knows which had the faults
            inputs.append(InputDataset(*own, inputFacets=quality))
        outputs = []
        if (name := output_name(hook, self._kind())) is not None:
            statistics = {} if self._report is None else _statistics(self._report)
            outputs.append(OutputDataset(*name, outputFacets=statistics))
        kind = find("OperatorLineage", (f"{_PROVIDER}.extractors",))
        return kind(inputs=inputs, outputs=outputs)


def output_name(hook: VendorHook, kind: str) -> DatasetName | None:
    """Return the name of what a vendor holds; None if the connection can't be used. May ask Airflow for it."""
    try:
        return written(hook.get_url(), next(iter(hook.api_paths), ""), kind)
    except UserdataError:
        return None


def _statistics(report: Report) -> dict[str, Any]:
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    delivered = statistics.OutputStatisticsOutputDatasetFacet(rowCount=report.delivered, size=report.bytes)
    return {"outputStatistics": delivered}


def _quality(report: Report, vendor: str) -> dict[str, Any]:
    """Return the facets of the records read: their number, and whether each rule of the vendor was kept by all."""
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as assertions
    from openlineage.client.facet_v2 import data_quality_metrics_input_dataset as metrics

    own = next(contract.rules for contract in registry.contracts() if contract.name == vendor)
    words = {**SHARED_RULES, **own}
    checked = [
        _assertion(assertions.Assertion, rule, report.reasons.get(rule, 0), words.get(rule, ""))
        for rule in dict.fromkeys([*own, *report.reasons])
    ]
    return {
        "dataQualityMetrics": metrics.DataQualityMetricsInputDatasetFacet(columnMetrics={}, rowCount=report.read),
        "dataQualityAssertions": assertions.DataQualityAssertionsDatasetFacet(assertions=checked),
    }


def _assertion(kind: Any, rule: str, count: int, words: str) -> Any:
    """Return what became of a rule, as far as this version of OpenLineage's client has words for it."""
    import attr

    told = {
        "name": rule,
        "description": words,
        "severity": "warn",
        "failures": count,
        "expected": "0",
        "actual": str(count),
    }
    known = {field.name for field in attr.fields(kind)}
    return kind(
        assertion=f"userdata.{rule}",
        success=count == 0,
        **{name: value for name, value in told.items() if name in known},
    )
