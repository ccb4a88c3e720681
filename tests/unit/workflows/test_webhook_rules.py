"""When news is tried again, when an endpoint rests, and the signature of the published example."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidInput
from storage.vocabulary import Trouble, WhyOff
from tests.fixtures.shared import ROOT
from workflows.ports import Answer
from workflows.webhooks.payload import WebhookPayload
from workflows.webhooks.rules import (
    FAILING_FOR,
    LONGEST_ASKED,
    RESTS,
    SCHEDULE,
    Standing,
    next_try,
    read_url,
    standing_after,
)
from workflows.webhooks.secrets import headers_for, message_id, new_secret

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NEWS = UUID(int=7)
GOOD, BAD = Answer(204), Answer(500)


def test_the_signature_is_the_one_that_standard_webhooks_publishes() -> None:
    # the example of the specification's own libraries; its id is not one of ours
    from standardwebhooks import Webhook

    at = datetime.fromtimestamp(1614265330, UTC)
    signature = Webhook("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_three_headers_have_an_id_a_time_and_a_signature_by_each_secret() -> None:
    one, two = new_secret(), new_secret()
    headers = headers_for([one, two], NEWS, NOW + timedelta(milliseconds=900), b"{}")
    assert headers["webhook-id"] == message_id(NEWS) == "msg_00000000000000000000000000000007"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    signatures = headers["webhook-signature"].split(" ")
    assert [each.partition(",")[0] for each in signatures] == ["v1", "v1a", "v1", "v1a"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{{}}".encode()
    for secret, signature in ((one, signatures[1]), (two, signatures[3])):
        public = b64decode(secret.public_key.removeprefix("whpk_"))
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(b64decode(signature.removeprefix("v1a,")), signed)
        with pytest.raises(InvalidSignature):
            key.verify(b64decode(signature.removeprefix("v1a,")), signed + b" ")


def test_the_check_by_the_public_key_that_the_docs_give_is_right() -> None:
    page = (ROOT / "docs/webhooks.md").read_text("utf-8")
    (code,) = (one for one in page.split("```python\n")[1:] if "def check(" in one)
    one, two = new_secret(), new_secret()
    given: dict[str, Any] = {}
    exec(code.partition("```")[0].replace("whpk_…", two.public_key, 1), given)
    given["check"](headers_for([one, two], NEWS, NOW, b"{}"), b"{}")
    with pytest.raises(InvalidSignature):
        given["check"](headers_for([one, two], NEWS, NOW, b"{}"), b"{ }")
    with pytest.raises(InvalidSignature):
        given["check"](headers_for([one], NEWS, NOW, b"{}"), b"{}")


@given(st.integers(1, 9), st.uuids())
def test_each_wait_is_the_schedules_and_a_little_more(attempts: int, news: UUID) -> None:
    at = next_try(news, attempts, BAD, NOW)
    assert at is not None
    assert SCHEDULE[attempts] <= at - NOW <= SCHEDULE[attempts] * 1.1
    assert next_try(news, 10, BAD, NOW) is None


def test_what_the_receiver_asks_for_is_heeded_within_a_day() -> None:
    asks = Answer(503, retry_after=timedelta(hours=3))
    assert next_try(NEWS, 1, asks, NOW) == NOW + timedelta(hours=3)
    greedy = Answer(503, retry_after=timedelta(days=400))
    assert next_try(NEWS, 1, greedy, NOW) == NOW + LONGEST_ASKED


def test_an_endpoint_rests_after_three_failures_in_a_row_and_longer_each_time() -> None:
    standing, rests = Standing(), []
    for _ in range(9):
        standing = standing_after(standing, [BAD], NOW)
        rests.append(standing.rest_until)
    found = [rest - NOW for rest in rests if rest is not None]
    assert rests[:2] == [None, None]
    assert found == [*RESTS, RESTS[-1], RESTS[-1]]
    assert standing_after(standing, [BAD, GOOD], NOW) == Standing()


def test_five_days_of_failures_switch_it_off_and_one_answer_in_between_does_not() -> None:
    failed = standing_after(Standing(), [BAD] * 4, NOW)
    assert standing_after(failed, [BAD], NOW + FAILING_FOR).off is WhyOff.FAILING
    assert standing_after(failed, [GOOD, BAD], NOW + FAILING_FOR).off is None
    assert standing_after(failed, [BAD], NOW + FAILING_FOR - timedelta(seconds=1)).off is None
    once = standing_after(Standing(), [Answer(0, trouble=Trouble.BROKEN)], NOW)
    assert standing_after(once, [BAD], NOW + FAILING_FOR).off is None


def test_gone_switches_it_off_at_once() -> None:
    assert standing_after(Standing(), [Answer(410)], NOW).off is WhyOff.GONE


@pytest.mark.parametrize("url", ["http://127.0.0.1:8/x", "http://localhost/x", "https://[::1]/x"])
def test_this_machine_will_do_only_where_it_is_allowed(url: str) -> None:
    assert read_url(url, loopback=True) == url
    with pytest.raises(Exception, match="address"):
        read_url(url, loopback=False)


@pytest.mark.parametrize("url", ["https://ex ample.org/", "https://example.org/a b", "https:// x"])
def test_an_address_has_no_blanks_in_it(url: str) -> None:
    with pytest.raises(InvalidInput, match="whole address"):
        read_url(url, loopback=False)
    assert read_url(" https://example.org/x\n", loopback=False) == "https://example.org/x"


def test_no_part_of_the_payload_can_hold_a_persons_name_or_address() -> None:
    described = str(WebhookPayload.model_json_schema()).lower()
    for word in ("learner", "holder", "email", "person", "account", "comment", "endorser"):
        assert word not in described
