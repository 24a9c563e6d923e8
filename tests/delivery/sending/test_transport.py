"""What goes over a connection and what comes back: headers, proxies, certificates, reused connections."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airflow_provider_userdata.delivery.sending.transport import Endpoint, NoAnswer, Transport
from airflow_provider_userdata.vendors.answers import Answer
from airflow_provider_userdata.vendors.contract import Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
UPLOAD = Request("/v1/user-data/mood%2F1?a=%20b", (b'{"a":1}',))


class Server:
    """Answers every request with the same bytes, and keeps what it got, by connection.

    :param patient: whether it reads a request whole before it answers.
    """

    def __init__(self, answer: bytes, *, patient: bool = True) -> None:
        self._answer = answer
        self._patient = patient
        self.heads: list[str] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        self.connections += 1
        while head := await reader.read(65536):
            text = head.decode()
            self.heads.append(text.partition("\r\n\r\n")[0])
            if text.startswith("CONNECT"):
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                writer.write(self._answer)
            if not self._patient:
                await asyncio.sleep(3600)
        writer.close()


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Use = Callable[[Transport], Awaitable[None]]


def exchange(
    server: Serve, use: Use, *, endpoint: Endpoint | None = None, tls: ssl.SSLContext | None = None, proxy: str = ""
) -> None:
    """Open a transport to a server on this machine, or through one that is a proxy, and use it."""

    async def run() -> None:
        listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=tls)
        place = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        to = endpoint or Endpoint("http{}://{}".format("s" if tls else "", place), {"x-api-key": "geheim"}, timeout=5)
        to = replace(to, url=to.url.format(place), proxy=f"http://{proxy}{place}" if proxy else None)
        async with Transport(to) as transport:
            await use(transport)
        listening.close()

    asyncio.run(run())


async def accepted(transport: Transport) -> None:
    """Send an upload, which is answered."""
    answer = await transport.post(UPLOAD)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.complete) == (200, b"{}", True)


async def accepted_twice(transport: Transport) -> None:
    """Send two uploads, one after the other."""
    await accepted(transport)
    await accepted(transport)


def test_a_request_goes_out_as_it_should() -> None:
    """The path keeps its encoding, each header is sent once, and the length is the body's."""
    server = Server(OK)

    exchange(server, accepted_twice)

    first, *headers = server.heads[0].split("\r\n")
    names = [line.partition(": ")[0].lower() for line in headers]
    assert first == "POST /v1/user-data/mood%2F1?a=%20b HTTP/1.1"
    assert sorted(names) == sorted(set(names))
    assert {"x-api-key: geheim", "Content-Type: application/json", "Content-Length: 7"} <= set(headers)
    assert "Accept-Encoding: identity" in headers
    assert server.heads[0] == server.heads[1]
    assert server.connections == 1


def test_a_question_has_no_body() -> None:
    """A GET goes to its path, without a length."""
    server = Server(OK)

    async def ask(transport: Transport) -> None:
        assert isinstance(await transport.get("/api/status"), Answer)

    exchange(server, ask)

    assert server.heads[0].startswith("GET /api/status HTTP/1.1\r\n")
    assert "content-length" not in server.heads[0].lower()


def test_a_proxy_gets_the_whole_address_and_its_password() -> None:
    """It forwards requests to a vendor over http, and each carries the proxy's credential."""
    server = Server(OK)
    endpoint = Endpoint("http://vendor.example:81/base", {}, timeout=5)

    exchange(server, accepted_twice, endpoint=endpoint, proxy="u:p@")

    assert server.connections == 1
    for head in server.heads:
        assert head.startswith("POST http://vendor.example:81/base/v1/user-data/mood%2F1?a=%20b HTTP/1.1\r\n")
        assert "\r\nHost: vendor.example:81\r\n" in head
        assert "\r\nProxy-Authorization: Basic dTpw" in head


def test_a_proxy_learns_nothing_of_what_goes_through_it() -> None:
    """To a vendor over https it only makes the connection: it doesn't see the vendor's key."""
    server = Server(OK)

    async def fails(transport: Transport) -> None:
        answer = await transport.post(UPLOAD)  # what answers behind the proxy here is no TLS
        assert isinstance(answer, NoAnswer)
        assert not answer.written

    exchange(server, fails, endpoint=Endpoint("https://vendor.example", {"x-api-key": "geheim"}, timeout=5), proxy="@")

    assert server.heads[0].startswith("CONNECT vendor.example:443 HTTP/1.1\r\n")
    assert "geheim" not in str(server.heads)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a self-signed certificate for this machine, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, *plain))
    return path


def _over_tls(certificate: Path, use: Use, endpoint: Endpoint) -> Server:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = Server(OK)
    exchange(server, use, endpoint=endpoint, tls=tls)
    return server


def test_a_certificate_that_is_known_is_accepted(certificate: Path) -> None:
    """It is in a file of trusted certificates, or the check is off."""
    known = Endpoint("https://{}", {}, timeout=5, tls=ssl.create_default_context(cafile=certificate))
    for endpoint in (known, Endpoint("https://{}", {}, timeout=5, tls=False)):
        assert _over_tls(certificate, accepted_twice, endpoint).connections == 1


def test_a_certificate_that_is_not_known_gets_no_request(certificate: Path) -> None:
    """Nothing was sent, so nothing is in doubt."""

    async def refused(transport: Transport) -> None:
        answer = await transport.post(UPLOAD)
        assert isinstance(answer, NoAnswer)
        assert "certificate is self-signed" in answer.reason
        assert (answer.written, answer.stops) == (False, True)

    assert _over_tls(certificate, refused, Endpoint("https://{}", {}, timeout=5)).heads == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
        % (len(gzip.compress(b"{}")), gzip.compress(b"{}")),
    ],
    ids=["not yet", "in chunks", "packed"],
)
def test_an_answer_is_read_in_whatever_form_it_comes(answer: bytes) -> None:
    """Interim answers are skipped; a body is joined and decompressed; the connection is used again."""
    server = Server(answer)

    exchange(server, accepted_twice)

    assert server.connections == 1


def test_an_answer_that_ends_with_its_connection_is_whole() -> None:
    """Without a length the answer ends with its connection, and the next request opens another one."""

    class Closing(Server):
        async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            await reader.read(65536)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n{}")
            writer.close()

    server = Closing(OK)

    exchange(server, accepted_twice)

    assert server.connections == 2


def test_an_upload_is_never_repeated() -> None:
    """If a reused connection breaks, the request may have arrived: the caller decides (A3)."""
    arrived = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await reader.read(65536))
        writer.write(OK)
        arrived.append(await reader.read(65536))
        writer.close()

    async def breaks(transport: Transport) -> None:
        await accepted(transport)
        answer = await transport.post(UPLOAD)
        assert isinstance(answer, NoAnswer)
        assert (answer.written, answer.timed_out, answer.stops) == (True, False, False)

    exchange(serve, breaks)

    assert len(arrived) == 2


@pytest.mark.parametrize("size", [1, 100_000, 5_000_000])
@pytest.mark.filterwarnings("error:Sending a large body")
def test_a_body_of_any_size_arrives(size: int) -> None:
    """Its length is announced and its parts arrive in order, twice over one connection."""
    parts = (b"a" * size, memoryview(b"b" * size))
    arrived = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            arrived.append(await reader.readexactly(length))
            writer.write(OK)
        writer.close()

    async def send_twice(transport: Transport) -> None:
        for _ in range(2):
            assert isinstance(await transport.post(Request("/", parts)), Answer)

    exchange(serve, send_twice)

    assert arrived == [b"".join(parts)] * 2


@pytest.mark.parametrize("proxy", ["", "u:p@"])
def test_a_handshake_that_takes_too_long_leaves_no_doubt(proxy: str) -> None:
    """Neither TLS's first message nor the CONNECT to a proxy is the request."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        writer.close()

    async def wait(transport: Transport) -> None:
        answer = await transport.post(UPLOAD)
        assert isinstance(answer, NoAnswer)
        assert (answer.written, answer.timed_out, answer.stops) == (False, True, False)

    exchange(silent, wait, endpoint=Endpoint("https://{}", {}, timeout=0.2), proxy=proxy)


def test_headers_are_found_whatever_their_case() -> None:
    """A vendor may write `Retry-After` as it likes."""

    async def asked_to_wait(transport: Transport) -> None:
        answer = await transport.post(UPLOAD)
        assert isinstance(answer, Answer)
        assert answer.headers.get("retry-after") == "7"

    exchange(Server(b"HTTP/1.1 429 Slow\r\nRETRY-After: 7\r\nContent-Length: 0\r\n\r\n"), asked_to_wait)


def test_an_answer_that_comes_too_early_ends_its_connection() -> None:
    """No request can follow another one that is only partly written."""
    server = Server(OK, patient=False)

    async def too_much(transport: Transport) -> None:
        for _ in range(2):
            answer = await transport.post(Request("/", (b"x" * 50_000_000,)))
            assert isinstance(answer, Answer)
            assert answer.status == 200

    exchange(server, too_much)

    assert server.connections == 2


@pytest.mark.parametrize(
    ("form", "body"),
    [(b"Transfer-Encoding: chunked", b"zz\r\n"), (b"Content-Encoding: gzip\r\nContent-Length: 2", b"{}")],
)
def test_a_body_that_cannot_be_read_leaves_the_status(form: bytes, body: bytes) -> None:
    """The vendor answered, and its status counts; the body is known to be incomplete."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\n" + form + b"\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.write(body)
        await reader.read(65536)
        writer.close()

    async def broken(transport: Transport) -> None:
        answer = await transport.post(UPLOAD)
        assert isinstance(answer, Answer)
        assert (answer.status, answer.complete) == (200, False)

    exchange(serve, broken)


@pytest.mark.parametrize(("answer", "status"), [(b"", None), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", 200)])
def test_a_time_out_leaves_what_came_before_it(answer: bytes, status: int | None) -> None:
    """Without a status there is no answer, and the request is in doubt; with one, the answer is incomplete."""

    async def wait(transport: Transport) -> None:
        found = await transport.post(UPLOAD)
        if status is None:
            assert isinstance(found, NoAnswer)
            assert "didn't answer within 0.5 s" in found.reason
            assert (found.written, found.timed_out, found.stops) == (True, True, False)
        else:
            assert isinstance(found, Answer)
            assert (found.status, found.body, found.complete) == (200, b"{}", False)

    exchange(Server(answer), wait, endpoint=Endpoint("http://{}", {}, timeout=0.5))


def test_a_connection_that_is_refused_leaves_no_doubt() -> None:
    """Nothing was written, because nobody listens there."""

    async def refused(transport: Transport) -> None:
        answer = await transport.post(UPLOAD)
        assert isinstance(answer, NoAnswer)
        assert "refused the connection" in answer.reason
        assert (answer.written, answer.timed_out, answer.stops) == (False, False, False)

    exchange(Server(OK), refused, endpoint=Endpoint("http://127.0.0.1:1", {}, timeout=5))


def test_a_header_cannot_smuggle_in_another() -> None:
    """A credential with a line break is refused before anything is sent."""
    with pytest.raises(ValueError, match="control character"):
        exchange(Server(OK), accepted, endpoint=Endpoint("http://{}", {"x-api-key": "a\r\nHost: b"}))
