"""The guarded fetcher against real servers on this machine, and the offline bundle."""

import datetime
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from credentials.connecting import resolve_host
from credentials.errors import CannotFetch
from credentials.fetching import DirectoryFetcher, RemoteFetcher, no_network

BODY = b'{"id": "urn:x:1"}'


class Server(ThreadingHTTPServer):
    """A server that counts its requests and lets go of slow ones when it stops."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, str]] = []
        self.stopping = threading.Event()

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers according to the path."""

    server: Server

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """One behaviour per path."""
        self.server.asked.append(
            (self.path, self.headers["Host"], self.headers.get("Accept-Encoding", ""))
        )
        path = self.path.partition("?")[0]
        if path == "/moved":
            self.answer(302, b"", Location="/document")
        elif path == "/gone":
            self.answer(404, b"")
        elif path == "/large":
            self.answer(200, b"x" * 5000)
        elif path == "/packed":
            self.answer(200, gzip.compress(b"0" * 1_000_000), **{"Content-Encoding": "gzip"})
        elif path == "/slow-body":
            self.drip(b"HTTP/1.0 200 OK\r\n\r\n", b"x")
        elif path == "/slow-head":
            self.drip(b"HTTP/1.0 200 OK\r\nX: ", b"x")
        elif path == "/nonsense":
            self.wfile.write(b"nonsense\r\n\r\n")
        elif path == "/short":
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\nhello")
        else:
            self.answer(200, BODY)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """A whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self, start: bytes, drop: bytes) -> None:
        """Send a start, then a byte now and then until somebody hangs up."""
        self.wfile.write(start)
        try:
            while not self.server.stopping.wait(0.05):
                self.wfile.write(drop)
        except OSError:
            pass


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server, answering on its own thread."""
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def plain() -> Iterator[Server]:
    """A server without TLS."""
    with serving(Server()) as server:
        yield server


def fetcher(server: Server, *, timeout: float = 5.0, max_bytes: int = 4096) -> RemoteFetcher:
    """A fetcher that may speak to the server."""
    return RemoteFetcher(
        allowed_origins=[f"http://{server.place}/"], timeout=timeout, max_bytes=max_bytes
    )


def test_an_allowed_origin_is_fetched_as_it_is(plain: Server) -> None:
    assert fetcher(plain)(f"http://{plain.place}/document?x=1") == BODY
    assert plain.asked == [("/document?x=1", plain.place, "identity")]


def test_a_did_web_of_an_allowed_origin_is_fetched_over_its_plain_http(plain: Server) -> None:
    assert fetcher(plain)(f"https://{plain.place}/.well-known/did.json") == BODY


def test_an_answer_is_kept_for_a_while(plain: Server) -> None:
    fetch = fetcher(plain)
    assert fetch(f"http://{plain.place}/a") == fetch(f"http://{plain.place}/a") == BODY
    assert len(plain.asked) == 1
    forgetful = RemoteFetcher(allowed_origins=[f"http://{plain.place}"], keep_seconds=0)
    assert forgetful(f"http://{plain.place}/a") == forgetful(f"http://{plain.place}/a")
    assert len(plain.asked) == 3


def test_only_so_many_answers_are_kept(plain: Server) -> None:
    fetch = fetcher(plain)
    for number in range(40):
        fetch(f"http://{plain.place}/{number}")
    fetch(f"http://{plain.place}/39")
    fetch(f"http://{plain.place}/0")
    assert len(plain.asked) == 41


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/moved", "answered with 302"),
        ("/gone", "answered with 404"),
        ("/large", "larger than"),
        ("/nonsense", "could not be fetched"),
        ("/short", "could not be fetched"),
    ],
)
def test_a_bad_answer_is_no_document(plain: Server, path: str, reason: str) -> None:
    with pytest.raises(CannotFetch, match=reason):
        fetcher(plain)(f"http://{plain.place}{path}")


def test_nothing_is_unpacked(plain: Server) -> None:
    assert len(fetcher(plain)(f"http://{plain.place}/packed")) < 4096


@pytest.mark.parametrize("path", ["/slow-body", "/slow-head"])
def test_a_slow_server_is_hung_up_on(plain: Server, path: str) -> None:
    with pytest.raises(CannotFetch):
        fetcher(plain, timeout=0.4)(f"http://{plain.place}{path}")


def test_a_server_that_is_not_there_cannot_be_fetched_from() -> None:
    with serving(Server()) as server:
        gone = server.place
    with pytest.raises(CannotFetch, match="could not be fetched"):
        RemoteFetcher(allowed_origins=[f"http://{gone}"])(f"http://{gone}/")


def test_plain_http_is_for_allowed_origins_only(plain: Server) -> None:
    with pytest.raises(CannotFetch, match="not on https"):
        RemoteFetcher()(f"http://{plain.place}/document")
    assert plain.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "fec0::1",
        "2002:7f00:1::1",
        "ff02::1",
    ],
)
def test_no_address_inside_is_ever_connected_to(address: str) -> None:
    fetch = RemoteFetcher(resolve=lambda host, port: ["8.8.8.8", address])
    with pytest.raises(CannotFetch, match="not at a public address"):
        fetch("https://badge.example/")


def test_a_name_without_an_address_is_not_fetched() -> None:
    with pytest.raises(CannotFetch, match="not at a public address"):
        RemoteFetcher(resolve=lambda host, port: [])("https://badge.example/")


def test_the_own_machine_resolves_to_inside() -> None:
    assert all(ip_address(found).is_loopback for found in resolve_host("localhost", 443))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "badge",
        "ftp://badge.example/",
        "file:///etc/passwd",
        "https://",
        "https://user:word@badge.example/",
        "https://badge.example:99999/",
        "https://[::1/",
    ],
)
def test_other_addresses_are_not_web_addresses(url: str) -> None:
    with pytest.raises(CannotFetch, match="not a web address"):
        RemoteFetcher()(url)


@pytest.mark.parametrize("path", ["/a b", "/a\u00e9", "/a\x7f"])
def test_an_address_that_cannot_be_sent_is_not_fetched(plain: Server, path: str) -> None:
    with pytest.raises(CannotFetch):
        fetcher(plain)(f"http://{plain.place}{path}")


def test_a_name_that_cannot_be_looked_up_is_not_fetched() -> None:
    with pytest.raises(CannotFetch):
        RemoteFetcher()(f"https://{'a' * 70}.example/")


def certificate(folder: Path, name: str) -> Path:
    """A certificate of a host with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.fromtimestamp(time.time(), datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "certificate.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Server, str]]:
    """A server with TLS for badge.example, and the file with its certificate."""
    file = certificate(tmp_path, "badge.example")
    server = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield server, str(file)


def test_the_certificate_must_be_of_the_name_and_the_connection_goes_to_what_was_checked(
    secure: tuple[Server, str],
) -> None:
    server, file = secure
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    port = server.server_port
    origins = [f"https://{name}.example:{port}" for name in ("badge", "other")]
    fetch = RemoteFetcher(allowed_origins=origins, ca_file=file, resolve=resolve)
    assert fetch(f"https://badge.example:{port}/") == BODY
    assert server.asked == [("/", f"badge.example:{port}", "identity")]
    with pytest.raises(CannotFetch, match="could not be fetched"):
        fetch(f"https://other.example:{port}/")
    assert looked_up == ["badge.example", "other.example"]


def test_an_unknown_certificate_is_not_trusted(secure: tuple[Server, str]) -> None:
    server, _ = secure
    origin = f"https://badge.example:{server.server_port}"
    fetch = RemoteFetcher(allowed_origins=[origin], resolve=lambda host, port: ["127.0.0.1"])
    with pytest.raises(CannotFetch, match="could not be fetched"):
        fetch(f"{origin}/")


def test_without_a_network_there_is_nothing() -> None:
    with pytest.raises(CannotFetch):
        no_network("https://badge.example/")


def bundle(folder: Path, text: str) -> DirectoryFetcher:
    """A bundle with this map and one document."""
    (folder / "map.json").write_text(text)
    (folder / "document.json").write_bytes(BODY)
    return DirectoryFetcher(folder)


def test_a_bundle_has_what_its_map_says(tmp_path: Path) -> None:
    fetch = bundle(tmp_path, '{"urn:a": "document.json", "urn:b": "missing.json"}')
    assert fetch("urn:a") == BODY
    assert fetch.urls() == ["urn:a", "urn:b"]
    for url in ("urn:b", "urn:c"):
        with pytest.raises(CannotFetch):
            fetch(url)


@pytest.mark.parametrize("name", ["../document.json", "/etc/passwd", "x/document.json", ".."])
def test_a_bundle_does_not_reach_outside(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (tmp_path / "document.json").write_bytes(BODY)
    fetch = bundle(folder, f'{{"urn:a": "{name}"}}')
    with pytest.raises(CannotFetch):
        fetch("urn:a")


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_bundle_needs_a_map(tmp_path: Path, text: str) -> None:
    with pytest.raises(CannotFetch, match=r"map\.json"):
        bundle(tmp_path, text)


def test_a_folder_without_a_map_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match=r"map\.json"):
        DirectoryFetcher(tmp_path)


@pytest.mark.parametrize(
    ("error", "words"),
    [(socket.gaierror(-2, "?"), "no machine has this name"), (TimeoutError(), "came in time")],
)
def test_why_nothing_came_is_said_in_words(error: Exception, words: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise error

    with pytest.raises(CannotFetch) as away:
        RemoteFetcher(resolve=resolve)("https://badge.example/")
    assert words in str(away.value) and "Error" not in str(away.value)
