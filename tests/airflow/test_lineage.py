"""What OpenLineage is told of an upload: datasets, counts and rules, nothing of a record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sandbox import Sandbox

pytest.importorskip("airflow.providers.openlineage")
pytestmark = [pytest.mark.airflow_3]
Records = Callable[[int], list[dict[str, Any]]]


def told(lineage: Any) -> dict[str, Any]:
    """Give lineage as its event says it."""
    from openlineage.client.serde import Serde

    return {side: [json.loads(Serde.to_json(one)) for one in getattr(lineage, side)] for side in ("inputs", "outputs")}


def test_a_complete_task_tells_counts_and_rules(
    context: Any, sandbox: Sandbox, samples: Records, marker: str, tmp_path: Path
) -> None:
    """The file with each rule of the vendor's, kept or not; what GeroSense holds with what was added to it."""
    file = tmp_path / "steps.jsonl"
    broken = [{**one, "unit": "furlong"} for one in samples(2)]
    file.write_text("".join(json.dumps(one) + "\n" for one in [*samples(5), *broken]))
    task = GerosenseSamplesOperator(task_id="upload", data_type="steps", source=str(file), max_rejected=2)
    before = told(task.get_openlineage_facets_on_start())
    report = task.execute(context)
    after = told(task.get_openlineage_facets_on_complete(context["ti"]))

    (read,), (held,) = after["inputs"], after["outputs"]
    assert (read["namespace"], read["name"]) == ("file", str(file))
    assert (held["namespace"], held["name"]) == (sandbox.url, "/api/v1.1/samples/steps")
    assert held["outputFacets"]["outputStatistics"]["rowCount"] == 5
    assert held["outputFacets"]["outputStatistics"]["size"] == report["bytes"]
    assert read["inputFacets"]["dataQualityMetrics"]["rowCount"] == 7
    rules = {one["assertion"]: one for one in read["inputFacets"]["dataQualityAssertions"]["assertions"]}
    assert {"userdata.G5", "userdata.G8", "userdata.G12"} <= rules.keys()
    assert [rule for rule, one in rules.items() if not one["success"]] == ["userdata.G8"]
    assert rules["userdata.G8"]["actual"] == "2"
    assert rules["userdata.G8"]["description"] == "a unit or value that is not allowed"
    for one, same in ((before["inputs"][0], read), (before["outputs"][0], held)):
        assert (one["namespace"], one["name"]) == (same["namespace"], same["name"])
    assert marker not in json.dumps([before, after])


def test_a_failed_task_tells_how_far_it_came(context: Any, sandbox: Sandbox, people: Records) -> None:
    """Also where its rejects alone make it fail; records that no file holds are a dataset of the task's own."""
    from airflow.providers.common.compat.sdk import AirflowFailException

    task = PtengineProfilesOperator(task_id="upload", source=[*people(3), {"plan": "free"}])
    with pytest.raises(AirflowFailException):
        task.execute(context)
    (read,), (held,) = told(task.get_openlineage_facets_on_failure(context["ti"])).values()
    assert held["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert read["namespace"] == "default"
    assert read["name"].endswith(".upload.source")
    failed = [one for one in read["inputFacets"]["dataQualityAssertions"]["assertions"] if not one["success"]]
    assert [one["assertion"] for one in failed] == ["userdata.P3"]


def test_faults_in_several_files_are_no_single_files(
    context: Any, sandbox: Sandbox, people: Records, tmp_path: Path
) -> None:
    """Each file is named; what was wrong is told of what the task read as a whole."""
    files = [tmp_path / name for name in ("a.jsonl", "b.jsonl")]
    for file in files:
        file.write_text(json.dumps(people(1)[0]) + "\n")
    task = PtengineProfilesOperator(task_id="upload", source=[str(file) for file in files])
    task.execute(context)
    read = told(task.get_openlineage_facets_on_complete(context["ti"]))["inputs"]
    assert [one["name"] for one in read[:2]] == [str(file) for file in files]
    assert [bool(one["inputFacets"]) for one in read] == [False, False, True]


def test_a_connection_that_cannot_be_used_has_no_output(context: Any, people: Records) -> None:
    """The rest is told; the task's own error says what is wrong."""
    task = PtengineProfilesOperator(task_id="upload", source=people(1), ptengine_conn_id="nonesuch")
    lineage = told(task.get_openlineage_facets_on_start())
    assert lineage["outputs"] == []
    assert len(lineage["inputs"]) == 1


def test_an_asset_is_the_same_dataset(context: Any, sandbox: Sandbox, samples: Records) -> None:
    """So that lineage goes on from the upload to a task that has the asset as its inlet."""
    from airflow.providers.common.compat.openlineage.utils.utils import translate_airflow_asset
    from airflow.sdk import Asset

    task = GerosenseSamplesOperator(task_id="upload", data_type="steps", source=samples(3))
    (held,) = told(task.get_openlineage_facets_on_start())["outputs"]
    dataset = translate_airflow_asset(Asset("userdata://gerosense_default/steps"), None)
    assert dataset is not None
    assert (dataset.namespace, dataset.name) == (held["namespace"], held["name"])
