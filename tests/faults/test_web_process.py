"""The real web process: what is too large is refused, and who is slow holds up nobody."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

from app.cli.bodies import MOST_FORGOTTEN
from app.cli.web import LARGEST_BODY
from app.engines.state import free_ports
from tests.fixtures.engines import Databases
from tests.fixtures.shared import ROOT
from tests.fixtures.web import TOKEN

pytestmark = pytest.mark.slow

THREADS = 4
PATIENCE = 60
SOON = 8
"""Less than slow clients are waited for."""


@dataclass(frozen=True)
class Web:
    """A running `assay web`."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def says(self, sent: bytes) -> bytes:
        """The first line of the answer to these bytes; b'' when the line was closed."""
        with self.call(sent) as line:
            try:
                return line.recv(200).partition(b"\r\n")[0]
            except ConnectionError:
                return b""

    def call(self, sent: bytes) -> socket.socket:
        """A connection on which these bytes were sent."""
        line = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        with suppress(ConnectionError):  # it may be refused before the last byte
            line.sendall(sent)
        return line

    def serves(self) -> bool:
        """Whether another person gets a page meanwhile."""
        answer = requests.get(f"{self.url}/sign-in", timeout=SOON)
        return answer.status_code == 200


@pytest.fixture(scope="module")
def web(
    databases: Databases, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """The web process over real engines, with few threads."""
    (port,) = free_ports(1)
    url = databases.fresh()
    home: Path = tmp_path_factory.mktemp("web")
    env = os.environ | {
        "ASSAY_ENV": "test",
        "ASSAY_HOME": str(home),
        "PORT": str(port),
        "WEB_THREADS": str(THREADS),
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "S3_ENDPOINT_URL": "http://127.0.0.1:9",
        "S3_ACCESS_KEY_ID": "key",
        "S3_SECRET_ACCESS_KEY": "secret",
    }
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "web"], cwd=ROOT, env=env, stdout=log, stderr=log
        )
    made = Web(port, process.pid)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            requests.get(f"{made.url}/healthz", timeout=5)
            break
        except requests.RequestException:
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
    yield made
    process.terminate()
    process.wait(30)
    databases.drop(url)


def resident(pid: int) -> int:
    """How many bytes of memory a process has."""
    return psutil.Process(pid).memory_info().rss


def head(*lines: str, first: str = "GET /sign-in HTTP/1.1") -> bytes:
    """The head of a request."""
    return "\r\n".join([first, "Host: 127.0.0.1", *lines, "", ""]).encode()


@pytest.mark.parametrize(
    "sent",
    [
        head("X-Long: " + "x" * 100_000),
        head(*(f"X-{number}: x" for number in range(2000))),
        head(first=f"GET /{'x' * 100_000} HTTP/1.1"),
        head("Content-Length: nonsense", first="POST /sign-in HTTP/1.1"),
        head("Content-Length: 5", "Transfer-Encoding: chunked", first="POST /sign-in HTTP/1.1"),
        head("Bad Header: x"),
        b"\x00\x01\x02\r\n\r\n",
        b"x" * 200_000,
    ],
    ids=["a header", "headers", "address", "length", "smuggled", "name", "noise", "endless"],
)
def test_what_is_too_large_is_refused_and_others_are_served(web: Web, sent: bytes) -> None:
    answer = web.says(sent)
    assert answer == b"" or answer.split()[1].startswith(b"4"), answer
    assert web.serves()


@pytest.mark.parametrize(
    "announced",
    [
        [f"Content-Length: {MOST_FORGOTTEN + 1}"],
        [f"Content-Length: {LARGEST_BODY + 1}", "Expect: 100-continue"],
    ],
    ids=["endless", "asked first"],
)
def test_a_body_that_is_too_large_is_refused_before_it_is_sent(
    web: Web, announced: list[str]
) -> None:
    told = head(
        f"Host: 127.0.0.1:{web.port}",
        *announced,
        "Content-Type: application/x-www-form-urlencoded",
        first="POST /sign-in HTTP/1.1",
    ).replace(b"Host: 127.0.0.1\r\n", b"")
    assert web.says(told).split()[1] == b"413"
    assert web.serves()


@pytest.mark.parametrize("chunked", [False, True], ids=["told", "in chunks"])
@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/sign-in", "text/html", "This is too large"),
        ("/api/v1/cases", "application/problem+json", "too large"),
    ],
)
def test_a_body_that_no_page_takes_is_refused_in_our_own_words(
    web: Web, path: str, kind: str, words: str, chunked: bool
) -> None:
    part, count = bytes(1_000_000), LARGEST_BODY // 1_000_000 + 10
    body = (part for _ in range(count)) if chunked else part * count
    before = resident(web.pid)
    answer = requests.post(
        f"{web.url}{path}",
        data=body,
        headers={"Content-Type": "application/json", "Accept": kind},
        timeout=PATIENCE,
    )
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (413, kind)
    assert words in answer.text
    assert resident(web.pid) - before < LARGEST_BODY // 2
    assert web.serves()


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"G",
        b"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\ncsrf",
    ],
    ids=["silence", "a letter", "half a head", "half a form"],
)
def test_clients_that_say_half_a_word_hold_up_nobody(web: Web, half: bytes) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(web.call(half)) for _ in range(THREADS * 3)]
        assert web.serves()
        # the answer came while all of them were still being waited for
        for line in slow:
            line.setblocking(False)
            with pytest.raises(BlockingIOError):
                line.recv(1)


def test_a_request_in_small_pieces_is_answered(web: Web) -> None:
    with requests.Session() as session:
        token = TOKEN.search(session.get(f"{web.url}/sign-in", timeout=PATIENCE).text)
        assert token
        form = f"csrf_token={token[1]}&email=a%40b.example&password=wrong".encode()
        cookies = "; ".join(f"{one.name}={one.value}" for one in session.cookies)
    whole = (
        f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nCookie: {cookies}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n"
    ).encode() + form
    with web.call(b"") as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(whole), 20):
            line.sendall(whole[at : at + 20])
            time.sleep(0.005)
        assert line.recv(100).split()[1] == b"422"


def test_large_bodies_that_do_not_come_leave_threads_for_others(web: Web) -> None:
    half = head("Content-Length: 200000", first="POST /sign-in HTTP/1.1") + b"csrf"
    with ExitStack() as stack:
        for _ in range(THREADS * 3):
            stack.enter_context(web.call(half))
        assert web.serves()


def test_a_connection_serves_one_request_after_the_other(web: Web) -> None:
    with web.call(head(f"Host: 127.0.0.1:{web.port}").replace(b"Host: 127.0.0.1\r\n", b"")) as line:
        for _ in range(3):
            assert b"200 OK" in whole_answer(line)
            line.sendall(head().replace(b"127.0.0.1", f"127.0.0.1:{web.port}".encode()))


def whole_answer(line: socket.socket) -> bytes:
    """One answer, to its last byte."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += line.recv(65536)
    found = re.search(rb"Content-Length: (\d+)", said)
    assert found
    while len(said.partition(b"\r\n\r\n")[2]) < int(found[1]):
        said += line.recv(65536)
    return said
