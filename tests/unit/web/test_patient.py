"""When a thread begins a request: what of it must have arrived."""

import pytest

from app.cli.patient import LARGEST_HEAD, SMALL_BODY, awaited, is_large

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST / HTTP/1.1", *lines, b"", body])


@pytest.mark.parametrize(
    "arrived",
    [
        GET,
        b"x" * LARGEST_HEAD,
        post(b"Content-Length: 3", body=b"abc"),
        post(b"content-length:3 ", body=b"abcGET"),
        post(b"Content-Length: 0"),
        post(b"Content-Length: nonsense"),
        post(b"Content-Length: " + str(SMALL_BODY + 1).encode()),
        post(b"Transfer-Encoding: chunked"),
        post(b"Content-Length: 3", b"Expect: 100-continue"),
    ],
)
def test_what_is_there_is_begun(arrived: bytes) -> None:
    assert awaited(arrived) <= len(arrived)


@pytest.mark.parametrize(
    ("arrived", "needed"),
    [
        (b"", 1),
        (b"G", 2),
        (GET[:-1], len(GET)),
        (post(b"Content-Length: 5", body=b"ab"), len(post(b"Content-Length: 5", body=b"abcde"))),
    ],
)
def test_what_is_on_its_way_is_waited_for(arrived: bytes, needed: int) -> None:
    assert awaited(arrived) == needed


def test_a_length_in_the_body_is_no_length() -> None:
    assert awaited(GET + b"\r\nContent-Length: 9\r\n") == 0


@pytest.mark.parametrize(
    ("arrived", "large"),
    [
        (GET, False),
        (b"GET", False),
        (post(b"Content-Length: " + str(SMALL_BODY).encode()), False),
        (post(b"Content-Length: " + str(SMALL_BODY + 1).encode()), True),
        (post(b"Transfer-Encoding: chunked"), True),
        (post(b"Content-Length: 3", b"expect: 100-continue"), True),
    ],
)
def test_a_body_that_a_thread_would_wait_for_is_large(arrived: bytes, large: bool) -> None:
    assert is_large(arrived) is large
