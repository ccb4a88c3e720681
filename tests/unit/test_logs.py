"""Logs: JSON lines that carry the request id, and nothing that must not be read there."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app import logs
from storage.events import request_id
from storage.ids import sha256_of
from tests.fixtures.bounded import bounded_work

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    logs.configure("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.end()
    logging.getLogger().handlers[:] = before[0]
    logging.getLogger().setLevel(before[1])


def test_a_line_is_json_with_time_level_name_and_facts(lines: Lines) -> None:
    logs.get("app.web").info("case submitted", case="7", size=3)
    (line,) = lines()
    assert (line["event"], line["level"], line["logger"]) == ("case submitted", "info", "app.web")
    assert (line["case"], line["size"]) == ("7", 3)
    assert line["timestamp"].endswith("Z")


def test_libraries_log_the_same_way_and_what_is_too_quiet_is_left_out(lines: Lines) -> None:
    logs.begin("from-outside-1")
    logging.getLogger("rq.worker").warning("lost %s", "connection")
    logging.getLogger("rq.worker").debug("nothing")
    logs.get("app").debug("nothing")
    (line,) = lines()
    assert (line["event"], line["logger"]) == ("lost connection", "rq.worker")
    assert line["request_id"] == "from-outside-1"


def test_the_request_id_follows_the_work_and_ends_with_it(lines: Lines) -> None:
    with logs.following("request-of-the-page", job="seal_evidence"):
        assert request_id.get() == "request-of-the-page"
        logs.add(item="9")
        logs.get("app.jobs").info("sealed")
    logs.get("app.jobs").info("idle")
    sealed, idle = lines()
    assert (sealed["request_id"], sealed["job"], sealed["item"]) == (
        "request-of-the-page",
        "seal_evidence",
        "9",
    )
    assert not {"request_id", "job", "item"} & set(idle)


@pytest.mark.parametrize("given", [None, "", "short", "x" * 65, "with space and more", "a\nb" * 8])
def test_an_id_that_is_not_plain_is_replaced(given: str | None) -> None:
    begun = logs.begin(given)
    assert begun != given
    assert len(begun) == 36
    logs.end()


def test_an_id_from_a_proxy_is_kept() -> None:
    assert logs.begin("0af7651916cd43dd8448eb211c80319c") == "0af7651916cd43dd8448eb211c80319c"
    logs.end()


SECRETS = [
    "https://store/b/k?X-Amz-Signature=abc123&X-Amz-Credential=AKIA",
    "postgresql://assay:hunter2@db/assay",
    "redis://:hunter2@valkey/0",
    "mail to kim.lee+rpl@example.edu failed",
    "GET /attest/KNNVrck_3Cjj3lIIncbpvLQxlZY3KNSJVZVd79yO3KI",
    "Bearer assay_KNNVrck_3Cjj3lIIncbpvLQxlZY3KNSJVZVd79yO3KI",
]


@pytest.mark.parametrize("text", SECRETS)
def test_what_must_not_be_read_is_taken_out_wherever_it_stands(lines: Lines, text: str) -> None:
    hidden = [part for part in ("abc123", "AKIA", "hunter2", "kim.lee", text[-40:]) if part in text]
    log = logs.get("app")
    log.info(text, where=text, many=[text], deep={"inner": (text,)})
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("failed")
    logging.getLogger("other").warning("%s", text)
    written = json.dumps(lines())
    assert len(lines()) == 3
    for part in hidden:
        assert part not in written


@pytest.mark.parametrize(
    "name", ["password", "SECRET_KEY", "csrf_token", "Authorization", "cookie"]
)
def test_a_secret_is_known_by_its_name(lines: Lines, name: str) -> None:
    logs.get("app").info("form", **{name: "plain words"}, form={name: "plain words"})
    assert "plain words" not in json.dumps(lines())


def test_digests_and_ids_stay_readable(lines: Lines) -> None:
    digest = sha256_of(b"evidence")
    logs.get("app").info("sealed", digest=digest, item="0198c1f2-7f0e-7cc3-98c4-dc0c0c07398f")
    (line,) = lines()
    assert line["digest"] == digest
    assert line["item"] == "0198c1f2-7f0e-7cc3-98c4-dc0c0c07398f"


@pytest.mark.parametrize("word", ["a", "a.", "a@", "a:/", "a://"])
def test_a_long_word_is_looked_through_as_quickly_as_any(word: str) -> None:
    with bounded_work():
        assert logs.redacted(word * 200_000) == word * 200_000
