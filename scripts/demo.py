"""Run the example DAGs in a real Airflow against the sandbox, and compare what they report with what arrived.

`make demo` runs it. It writes only to the folder `.demo`, and uses its own Airflow.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from airflow_provider_userdata.delivery.report import Report
from airflow_provider_userdata.sandbox import Sandbox

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

ROOT = Path(__file__).resolve().parents[1]
DAGS = ROOT / "example_dags"
DEMO = ROOT / ".demo"
HOME = DEMO / "airflow"
OUTPUT = DEMO / "userdata"
LOG = DEMO / "demo.log"

COUNTS = ("read", "delivered", "unchanged", "rejected", "held", "unknown", "requests")


@dataclass(frozen=True)
class Upload:
    """The result of one upload task.

    :param vendor: the vendor that it uploaded to.
    :param task: the task, with its DAG.
    :param state: its final state in Airflow.
    :param report: its report, or None if it has none.
    """

    vendor: str
    task: str
    state: str
    report: Report | None

    @property
    def succeeded(self) -> bool:
        """Whether it succeeded, and every record that it read is accounted for."""
        if self.report is None or self.state != "success":
            return False
        report = self.report
        fates = report.delivered + report.rejected + report.held + report.unchanged + report.unknown
        return report.read == fates


class DemoError(Exception):
    """The demo can't continue; the message says why."""


def main() -> int:
    """Run the demo, and return the exit status."""
    for folder in (OUTPUT, HOME / "extracts", HOME / "logs"):
        shutil.rmtree(folder, ignore_errors=True)  # otherwise an earlier run's held samples would be sent too
    DEMO.mkdir(exist_ok=True)
    with console_beside(LOG) as console:
        # Airflow treats a KeyboardInterrupt as a failed task, and would continue with the next one.
        signal.signal(signal.SIGINT, lambda *_: stop(console))
        try:
            return run(console)
        except DemoError as error:
            console.write(f"{error}\n")
        except Exception:  # noqa: BLE001  # the person at the console must see any error
            console.write(traceback.format_exc())
        console.write(f"The whole log is in {relative(LOG)}\n")
        return 1


def run(console: TextIO) -> int:
    """Run all example DAGs against a sandbox, print the results, and return the exit status."""
    set_environment()
    prepare_airflow(console)
    with Sandbox() as sandbox:
        os.environ.update(sandbox.connections())
        console.write(f"The sandbox listens on {sandbox.url}; Airflow's log goes to {relative(LOG)}\n")
        console.write("Starting Airflow (a few seconds)…\n")
        uploads = [upload for dag in load_dags() for upload in run_dag(dag, console)]
        arrived = {name: vendor.counts.records for name, vendor in sandbox.vendors.items()}
    agreed = tabulate(uploads, arrived, console)
    if failed := [upload.task for upload in uploads if not upload.succeeded]:
        console.write(f"Failed: {', '.join(failed)}. Airflow's log says why: {relative(LOG)}\n")
    else:
        tell_what_is_next(console)
    return 0 if agreed and not failed else 1


def tell_what_is_next(console: TextIO) -> None:
    """Print how to see why records were rejected, and where one's own upload begins."""
    tool = f"{relative(Path(sys.executable))} -m airflow_provider_userdata"
    console.write(
        f"Receipts and rejects are in {relative(OUTPUT)}. Why records were rejected:\n"
        f"    {tool} rejects show daily_userdata upload_steps --output-path {relative(OUTPUT)}\n"
        "Your own data next: README.md, “Your first upload”.\n"
    )


def set_environment() -> None:
    """Set up Airflow's environment: its own home, and none of the shell's settings for another Airflow."""
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[name]
    os.environ.update(
        AIRFLOW_HOME=str(HOME),
        AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__USERDATA__OUTPUT_PATH=str(OUTPUT),
        AIRFLOW_CONN_WAREHOUSE=json.dumps({"conn_type": "sqlite", "host": str(DEMO / "warehouse.db")}),
        NO_PROXY="127.0.0.1",
        no_proxy="127.0.0.1",
    )


def prepare_airflow(console: TextIO) -> None:
    """Create Airflow's database, or begin with the empty one again that an earlier run created with the same version.

    What earlier runs left in it tells of held samples, and their folder is removed.
    """
    version = importlib.metadata.version("apache-airflow-core")
    made, empty = HOME / "made-with-version", HOME / "empty.db"
    if made.is_file() and made.read_text() == version and empty.is_file():
        shutil.copyfile(empty, HOME / "airflow.db")
        return
    console.write(f"Creating a database for Airflow {version} (about ten seconds, the first time only)…\n")
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    if subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=False).returncode:
        raise DemoError("Airflow could not create its database.")
    shutil.copyfile(HOME / "airflow.db", empty)
    made.write_text(version)


def load_dags() -> list[DAG]:
    """Load the example DAGs, as Airflow's DAG processor does."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(DAGS)
    for file, error in bag.import_errors.items():
        raise DemoError(f"{relative(Path(file))} can't be loaded:\n{error}")
    return sorted(bag.dags.values(), key=lambda dag: dag.dag_id)


def run_dag(dag: DAG, console: TextIO) -> list[Upload]:
    """Run a DAG in this process: Airflow starts once for all of them."""
    console.write(f"Running {dag.dag_id}… ")
    for task in dag.tasks:
        task.retry_delay = timedelta(seconds=1)  # a failing demo should not take minutes
    started = time.monotonic()
    dag_run = dag.test()
    console.write(f"{dag_run.state} in {time.monotonic() - started:.1f} s\n")
    uploads = uploads_of(dag, dag_run)
    for upload in uploads:
        describe(upload, console)
    return uploads


def uploads_of(dag: DAG, dag_run: DagRun) -> list[Upload]:
    """Collect what a run's upload tasks reported, in the order in which they began; what never began comes last."""
    uploads = []
    for instance in sorted(dag_run.get_task_instances(), key=lambda one: (one.start_date is None, one.start_date)):
        vendor = vendor_of(dag.get_task(instance.task_id))
        if vendor is not None:
            # A task that succeeds returns its report; one that fails pushes it too.
            report = next(filter(None, (pulled(instance, key) for key in ("return_value", "report"))), None)
            name = f"{instance.dag_id}.{instance.task_id}"
            uploads.append(Upload(vendor, name, str(instance.state), Report(**report) if report else None))
    return uploads


def vendor_of(task: object) -> str | None:
    """Return the vendor that a task uploads to; None if it is not an upload. A decorated task's class has it above."""
    modules = [kind.__module__ for kind in type(task).__mro__]
    uploads = [module for module in modules if module.startswith("airflow_provider_userdata.operators.")]
    return uploads[0].rpartition(".")[2] if uploads else None


def pulled(instance: Any, key: str) -> dict[str, Any] | None:
    """Return the XCom that a task pushed under a key, or None."""
    value: dict[str, Any] | None = instance.xcom_pull(
        task_ids=instance.task_id, map_indexes=instance.map_index, key=key
    )
    return value


def describe(upload: Upload, console: TextIO) -> None:
    """Print what a task reported; of one that failed, also the rules."""
    name, report = upload.task.partition(".")[2], upload.report
    if upload.state == "success" and report is not None:
        console.write(f"    {name}: {report.counts()}\n")
    else:
        console.write(f"    {name}: {upload.state}, {'no report' if report is None else report.summary()}\n")


def tabulate(uploads: Sequence[Upload], arrived: dict[str, int], console: TextIO) -> bool:
    """Print a row per vendor, and return whether the sandbox's counts agree with the reports."""
    line = "{:12}" + "{:>11}" * len(COUNTS) + "{:>10}" + "{:>18}\n"
    console.write("\n" + line.format("vendor", *COUNTS, "seconds", "sandbox counted"))
    agreed = True
    for vendor, counted in arrived.items():
        reports = [upload.report for upload in uploads if upload.vendor == vendor and upload.report is not None]
        counts = {name: sum(getattr(report, name) for report in reports) for name in COUNTS}
        agrees = counted == counts["delivered"] > 0
        agreed = agreed and agrees
        seconds = sum(report.seconds for report in reports)
        cells = [f"{count:,}" for count in counts.values()]
        console.write(line.format(vendor, *cells, f"{seconds:.1f}", f"{counted:,} {'✓' if agrees else '✗'}"))
    console.write("\nThe sandbox counted what the reports call delivered.\n" if agreed else "\nThe counts differ.\n")
    return agreed


@contextmanager
def console_beside(log: Path) -> Iterator[TextIO]:
    """Redirect all output to a log, including that of other libraries, and yield the console."""
    sys.stdout.flush()
    with (
        os.fdopen(os.dup(1), "w", buffering=1, encoding=sys.stdout.encoding, errors="replace") as console,
        log.open("wb") as file,
    ):
        kept = os.dup(1), os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield console
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)


def stop(console: TextIO) -> NoReturn:
    """End at once: there is nothing to save."""
    console.write("\nStopped.\n")
    console.flush()
    os._exit(130)


def relative(path: Path) -> Path:
    """Return a path relative to the checkout, if it is inside."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


if __name__ == "__main__":
    sys.exit(main())
