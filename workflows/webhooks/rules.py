"""When a delivery is tried again, when an endpoint rests or is switched off, what may be an
endpoint. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from uuid import UUID

from credentials.connecting import is_loopback, is_public, read_place
from storage.errors import InvalidInput, Problem
from storage.vocabulary import NewsKind, Trouble, WhyOff
from workflows.ports import Answer
from workflows.words import marked

LONGEST_URL = 500
LONGEST_NOTE = 200
MOST_ENDPOINTS = 20

SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        0,
        5,
        5 * 60,
        30 * 60,
        2 * 3600,
        5 * 3600,
        10 * 3600,
        14 * 3600,
        20 * 3600,
        24 * 3600,
    )
)
"""How long to wait before each try: the schedule that Standard Webhooks gives as its example."""
SPREAD = 10
"""By at most so many hundredths a wait is longer, so that what failed together comes apart."""
LONGEST_ASKED = timedelta(hours=24)
"""The longest wait that a receiver may ask for."""

FAILURES_BEFORE_REST = 3
RESTS = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 300, 900, 1800))
"""How long an endpoint is left alone after so many failures in a row, and after each further."""
FAILING_FOR = timedelta(days=5)

OVERLAP = timedelta(hours=24)
"""For how long the earlier secret signs beside the new one."""
REMEMBERED = timedelta(days=30)
"""For how long deliveries are kept, those that wait as well."""

CHOICES = tuple(kind for kind in NewsKind if kind is not NewsKind.TEST)
KINDS: Mapping[NewsKind, tuple[str, str]] = {
    NewsKind.ISSUED: (marked("Issued"), marked("A credential was published.")),
    NewsKind.SUSPENDED: (
        marked("Suspended"),
        marked("A credential is out of force for a time, for a public reason."),
    ),
    NewsKind.RESUMED: (marked("Suspension lifted"), marked("A credential is in force again.")),
    NewsKind.REVOKED: (
        marked("Revoked"),
        marked("A credential is out of force for good, for a public reason."),
    ),
    NewsKind.CORRECTED: (
        marked("Corrected"),
        marked("A credential was issued anew in the place of one that was wrong."),
    ),
    NewsKind.ENDORSED: (
        marked("Endorsed"),
        marked("A holder shows an organisation’s endorsement with their credential."),
    ),
    NewsKind.ENDORSEMENT_WITHDRAWN: (
        marked("Endorsement withdrawn"),
        marked("An endorsement that was shown was withdrawn, or is shown no more."),
    ),
    NewsKind.TEST: (marked("Test"), marked("Nothing happened: an administrator tries it out.")),
}
TROUBLES: Mapping[Trouble, str] = {
    Trouble.NO_NAME: marked("The name in the address was not found."),
    Trouble.NOT_PUBLIC: marked("The address is not on the public internet."),
    Trouble.NOT_AN_ADDRESS: marked("The address cannot be used."),
    Trouble.CERTIFICATE: marked("The certificate of the address could not be relied on."),
    Trouble.REFUSED: marked("Nothing accepts connections at the address."),
    Trouble.TOO_SLOW: marked("There was no whole answer within 15 seconds."),
    Trouble.BROKEN: marked("The line broke before there was an answer."),
    Trouble.SECRET_CLOSED: marked("The secret could not be opened here, so nothing was sent."),
}
REDIRECTED = marked("It answered with another address; redirects are not followed.")
REFUSED = marked("It answered, and did not take the news.")


def succeeded(answer: Answer) -> bool:
    """Whether the receiver has taken the news."""
    return 200 <= answer.status <= 299


def words_for(status: int | None, trouble: str) -> str:
    """What went wrong at a try, as a message; '' when nothing did."""
    if trouble:
        return TROUBLES[Trouble(trouble)]
    if status is None or 200 <= status <= 299:
        return ""
    return REDIRECTED if 300 <= status <= 399 else REFUSED


def next_try(news_id: UUID, attempts: int, answer: Answer, now: datetime) -> datetime | None:
    """When to try again after so many attempts, of which the last failed; None: never."""
    if attempts >= len(SCHEDULE):
        return None
    planned: timedelta = SCHEDULE[attempts] * (1 + _luck(news_id, attempts) * SPREAD / 100)
    return now + max(planned, _asked(answer))


@dataclass(frozen=True)
class Standing:
    """How an endpoint has been doing. `failures` counts in a row; `off`: why it was switched off
    just now."""

    failures: int = 0
    failing_since: datetime | None = None
    rest_until: datetime | None = None
    off: WhyOff | None = None


def standing_after(before: Standing, answers: Sequence[Answer], now: datetime) -> Standing:
    """How the endpoint stands after these answers, in their order."""
    found = before
    for answer in answers:
        found = _after_one(found, answer, now)
    return found


def _after_one(before: Standing, answer: Answer, now: datetime) -> Standing:
    if succeeded(answer):
        return Standing(off=before.off)
    failures, since = before.failures + 1, before.failing_since or now
    rest = max(_rest(failures), _asked(answer))
    off = before.off
    if answer.status == 410:
        off = WhyOff.GONE
    elif failures > FAILURES_BEFORE_REST and now - since >= FAILING_FOR:
        off = WhyOff.FAILING
    return replace(
        before,
        failures=failures,
        failing_since=since,
        rest_until=now + rest if rest else None,
        off=off,
    )


def read_url(text: str, *, loopback: bool) -> str:
    """The address of an endpoint. `loopback`: plain http to this machine will do as well.

    Whether its name leads to a public address is looked at anew at each delivery. Raises
    InvalidInput.
    """
    url = text.strip()
    place = read_place(url)
    if place is None or len(url) > LONGEST_URL or "#" in url or len(url.split()) != 1:
        raise _wrong_url("Write a whole address, such as https://example.org/webhooks.")
    if loopback and _here(place.host):
        return url
    if place.scheme != "https":
        raise _wrong_url("The address has to begin with https://.")
    if _private(place.host):
        raise _wrong_url("The address has to be on the public internet.")
    return url


def read_kinds(chosen: Sequence[str]) -> list[str]:
    """The kinds of news that are wanted. Raises InvalidInput when there is none."""
    kinds = [kind.value for kind in CHOICES if kind.value in chosen]
    if not kinds:
        problem = Problem("kinds", "Choose at least one kind of news.")
        raise InvalidInput("What should be told?", problems=[problem])
    return kinds


def read_note(text: str) -> str:
    """What the endpoint is for, in the administrator's words. Raises InvalidInput."""
    note = " ".join(text.split())
    if len(note) > LONGEST_NOTE:
        words = "Keep it under %(count)s characters."
        raise InvalidInput(
            words, {"count": LONGEST_NOTE}, [Problem("note", words, {"count": LONGEST_NOTE})]
        )
    return note


def _rest(failures: int) -> timedelta:
    over = failures - FAILURES_BEFORE_REST
    return RESTS[min(over, len(RESTS) - 1)] if over >= 0 else timedelta(0)


def _asked(answer: Answer) -> timedelta:
    return min(answer.retry_after or timedelta(0), LONGEST_ASKED)


def _luck(news_id: UUID, attempts: int) -> float:
    """Between 0 and 1: by chance, and the same when it is asked again."""
    return ((news_id.int + attempts * 7919) % 997) / 996


def _here(host: str) -> bool:
    return host == "localhost" or (_is_ip(host) and is_loopback(host))


def _private(host: str) -> bool:
    """Whether it is plain to see that the host is not on the public internet."""
    if _is_ip(host):
        return not is_public(host)
    return "." not in host.strip(".") or host.endswith((".localhost", ".local", ".internal"))


def _is_ip(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _wrong_url(words: str) -> InvalidInput:
    return InvalidInput(words, problems=[Problem("url", words)])
