"""The way out for webhooks: https, public addresses alone, and the address that was checked."""

from datetime import UTC, datetime, timedelta

import pytest

from app.posting import Poster
from storage.clock import SetClock
from storage.vocabulary import Trouble
from tests.fixtures.receiver import Handler, receiving
from workflows.ports import Answer

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PRODUCTION = Poster(SetClock(NOW), loopback=False, timeout=1)


@pytest.mark.parametrize(
    ("address", "trouble"),
    [
        ("10.0.0.7", Trouble.NOT_PUBLIC),
        ("127.0.0.1", Trouble.NOT_PUBLIC),
        ("169.254.169.254", Trouble.NOT_PUBLIC),
        ("::1", Trouble.NOT_PUBLIC),
        ("fe80::1", Trouble.NOT_PUBLIC),
        ("::ffff:10.0.0.7", Trouble.NOT_PUBLIC),
        ("64:ff9b::a00:7", Trouble.NOT_PUBLIC),
        ("0.0.0.0", Trouble.NOT_PUBLIC),  # an address that is refused
    ],
)
@pytest.mark.parametrize("loopback", [False, True])
def test_a_name_that_leads_inside_is_not_asked(
    address: str, trouble: Trouble, loopback: bool
) -> None:
    found = [address, "93.184.216.34"]  # one public address beside it does not help
    poster = Poster(SetClock(NOW), loopback=loopback, timeout=1, resolve=lambda *_: found)
    assert poster.post("https://works.example/news", {}, b"{}") == Answer(0, trouble=trouble)


def test_in_production_this_machine_is_not_asked_and_plain_http_nowhere() -> None:
    with receiving() as server:
        assert PRODUCTION.post(server.url, {}, b"{}").trouble is Trouble.NOT_PUBLIC
        assert server.got == []
    public = Poster(SetClock(NOW), loopback=True, timeout=1, resolve=lambda *_: ["93.184.216.34"])
    assert public.post("http://works.example/", {}, b"{}").trouble is Trouble.NOT_PUBLIC
    assert PRODUCTION.post("https:///x", {}, b"{}").trouble is Trouble.NOT_AN_ADDRESS


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    asked: list[str] = []

    def once(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with receiving() as server:
        poster = Poster(SetClock(NOW), loopback=True, resolve=once)
        url = f"http://works.example:{server.server_port}/news?x=1"
        assert poster.post(url, {"webhook-id": "msg_1"}, b"{}") == Answer(204)
    (got,) = server.got
    assert got.headers["host"] == f"works.example:{server.server_port}"
    assert asked == ["works.example"]


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Mon, 02 Mar 2026 09:10:00 GMT", timedelta(minutes=10)),
        ("Mon, 02 Mar 2026 08:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("Mon, 02 Mar 99999999999 09:10:00 GMT", None),
        ("Mon, 02 Mar 2026 09:10:00 +99999999999999999999", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str, wait: timedelta | None) -> None:
    def busy(handler: Handler, number: int) -> None:
        handler.answer(503, b"", Retry_After=header)

    with receiving(busy) as server:
        answer = Poster(SetClock(NOW), loopback=True).post(server.url, {}, b"{}")
    assert (answer.status, answer.retry_after) == (503, wait)


def test_no_more_of_an_answer_is_read_than_its_beginning() -> None:
    def endless(handler: Handler, number: int) -> None:
        handler.wfile.write(b"HTTP/1.1 500 Oh\r\n\r\n")
        while True:
            handler.wfile.write(b"\x00<b>" * 4096)

    with receiving(endless) as server:
        answer = Poster(SetClock(NOW), loopback=True).post(server.url, {}, b"{}")
    assert answer.status == 500
    assert len(answer.excerpt) == 300
    assert "\x00" not in answer.excerpt
