"""What several folders of tests need: databases for ledgers, certificates and servers, and an object store."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import ipaddress
import os
import socket
import ssl
import subprocess
import sys
import threading
import uuid
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

VARIABLE = "USERDATA_TEST_POSTGRES"
TESTS = Path(__file__).parent
TOGETHER = ("tests/airflow/processes/", "tests/airflow/")
"""Folders whose tests one process runs, each with an Airflow of its own."""

with contextlib.suppress(ImportError):  # the small suite of `make test-matrix` does without
    import hypothesis

    hypothesis.settings.register_profile("tests", deadline=None)  # a busy machine is no finding
    hypothesis.settings.load_profile("tests")
    # Hypothesis imports this in the middle of a test, where Python 3.11 can't compile it if tasks of a delivery that
    # crashed are collected meanwhile ("AST constructor recursion depth mismatch").
    import hypothesis.internal.conjecture.optimiser


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where processes share the tests: one runs Airflow's, one those of Airflow's processes, as both start slowly.

    `--dist loadgroup` would do it by marks, but with pytest 9.2, pytest-xdist 3.8 doesn't see them.
    """
    from xdist.scheduler import LoadScopeScheduling

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = lambda nodeid: next((one for one in TOGETHER if nodeid.startswith(one)), nodeid)
    return scheduler


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where processes share the tests: those that take longest come first."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: (not item.nodeid.startswith(TOGETHER), item.get_closest_marker("slow") is None))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Where processes share the tests: wait until a test that measures can run alone, and until it has run."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    with Path(__file__).open() as queue, (TESTS.parent / "pyproject.toml").open() as machine:
        fcntl.flock(queue, fcntl.LOCK_EX)  # first come, first served: or others would keep a test that measures waiting
        fcntl.flock(machine, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        fcntl.flock(queue, fcntl.LOCK_UN)
        try:
            return (yield)
        finally:
            fcntl.flock(machine, fcntl.LOCK_UN)  # closing is not enough while a forked process has the file open


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Make empty databases, in SQLite or in `make test-postgres`'s PostgreSQL: ``new_database()`` gives a URL."""
    server = os.environ.get(VARIABLE)
    if server is None:
        yield lambda: f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}"
        return
    engine = create_engine(server, isolation_level="AUTOCOMMIT")

    def make() -> str:
        name = f"test_{uuid.uuid4().hex}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        return make_url(server).set(database=name).render_as_string(hide_password=False)

    yield make
    engine.dispose()


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """Return a port that refuses connections. It stays bound, so that nobody else can listen on it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


class Authority:
    """Signs certificates; each file has a certificate and its key.

    :param folder: where the files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("authority of the tests")
        self.path = self._write("authority", self._sign(self._name, self._key, [], days=1, authority=True), self._key)

    def certificate(self, *names: str, days: int = 1, by_itself: bool = False) -> Path:
        """Make a certificate for host names and addresses, in a file with its key.

        :param days: for how long it is valid; below 0, since when it is not.
        :param by_itself: signed by itself, not by the authority.
        """
        key, subject = ec.generate_private_key(ec.SECP256R1()), _named(f"certificate {uuid.uuid4().hex}")
        return self._write(uuid.uuid4().hex, self._sign(subject, key, names, days, by_itself=by_itself), key)

    def server(self, *names: str, asks: bool = False, days: int = 1, by_itself: bool = False) -> ssl.SSLContext:
        """Make a server's TLS; one that asks wants clients to have a certificate of the authority."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate(*names, days=days, by_itself=by_itself))
        if asks:
            tls.verify_mode = ssl.CERT_REQUIRED
            tls.load_verify_locations(self.path)
        return tls

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: Sequence[str],
        days: int,
        *,
        authority: bool = False,
        by_itself: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if by_itself else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
            )
        return builder.sign(key if by_itself else self._key, hashes.SHA256())

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Path:
        pem = serialization.Encoding.PEM
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path = self._folder / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, *plain))
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Give what signs certificates: ``authority.server("127.0.0.1")``; its own is in ``authority.path``."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, Any]]:
    """Start an S3 server; give what `s3fs` has to know of it."""
    script = Path(__file__).with_name("s3_server.py")
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield {"key": "tests", "secret": "tests", "endpoint_url": server.stdout.readline().strip()}
        server.communicate()


@pytest.fixture
def bucket(s3: dict[str, Any]) -> Any:
    """Make an empty bucket on an S3 server; give it as a path, as Airflow's `ObjectStoragePath` is one."""
    from upath import UPath

    path = UPath(f"s3://bucket-{uuid.uuid4().hex}", **s3)
    path.fs.mkdir(path.path)
    return path


@pytest.fixture
def s3_folder(bucket: Any, s3: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let Airflow know an S3, which nobody else can reach, for one test; give a folder there, as Airflow reaches it."""
    import s3fs

    from airflow_provider_userdata.operators.output_paths import output_root

    try:
        from airflow.sdk.io import store
    except ImportError:  # Airflow 2
        from airflow.io import store  # type: ignore[no-redef]
    monkeypatch.setattr(store, "_STORE_CACHE", {})  # other tests see that Airflow knows none
    store.attach("s3", alias="s3", fs=s3fs.S3FileSystem(**s3))
    return output_root(str(bucket / "userdata"))


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def serving() -> Iterator[Callable[..., str]]:
    """Serve on a port of this machine: ``serving(answering(b"…"), tls=…)`` gives `127.0.0.1:port`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def start(serve: Serve, tls: ssl.SSLContext | None = None) -> str:
        starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls), loop)
        return f"127.0.0.1:{starting.result().sockets[0].getsockname()[1]}"

    async def end() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    yield start
    asyncio.run_coroutine_threadsafe(end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
