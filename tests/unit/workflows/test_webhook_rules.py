"""When news is tried again, when an endpoint rests, and the signature of the published example."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.vocabulary import Trouble, WhyOff
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
from workflows.webhooks.secrets import headers_for, message_id

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
    headers = headers_for([b"a" * 32, b"b" * 32], NEWS, NOW + timedelta(milliseconds=900), b"{}")
    assert headers["webhook-id"] == message_id(NEWS) == "msg_00000000000000000000000000000007"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    first, second = headers["webhook-signature"].split(" ")
    assert first.startswith("v1,") and second.startswith("v1,") and first != second


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


def test_no_part_of_the_payload_can_hold_a_persons_name_or_address() -> None:
    described = str(WebhookPayload.model_json_schema()).lower()
    for word in ("learner", "holder", "email", "person", "account", "comment", "endorser"):
        assert word not in described
