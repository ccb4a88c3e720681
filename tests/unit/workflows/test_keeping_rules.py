"""How long evidence is kept, by what became of its case; what a plan and a receipt say."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.errors import Conflict, InvalidInput
from storage.vocabulary import CaseState, HoldKind
from workflows.canonical import content_hash
from workflows.cases.policy import Policy, Retention, policy_body, read_policy
from workflows.keeping.plan import STAYS_WORDS, Stays, manifest_without_words
from workflows.keeping.rules import (
    ERASABLE,
    HOLD_WORDS,
    KEEPING_WORDS,
    CaseFacts,
    KeptAs,
    fit_to_hold,
    may_ask,
    shortest,
    term,
)

S = CaseState
OPENED = datetime(2026, 1, 1, tzinfo=UTC)
ENDED = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = Retention(
    recognised_days=5,
    not_recognised_days=4,
    withdrawn_days=3,
    never_submitted_days=2,
    abandoned_days=1,
)


def facts(state: CaseState, *, recognised: bool = False, has_files: bool = True) -> CaseFacts:
    ended = None if state in {S.DRAFT, S.RETURNED} else ENDED
    return CaseFacts(state, OPENED, ended, recognised, has_files)


@pytest.mark.parametrize(
    ("of", "kept_as", "until"),
    [
        (facts(S.CLOSED, recognised=True), KeptAs.RECOGNISED, ENDED + timedelta(5)),
        (facts(S.RELEASED, recognised=True), KeptAs.RECOGNISED, ENDED + timedelta(5)),
        (facts(S.CLOSED), KeptAs.NOT_RECOGNISED, ENDED + timedelta(4)),
        (facts(S.WITHDRAWN), KeptAs.WITHDRAWN, ENDED + timedelta(3)),
        (facts(S.EXPIRED), KeptAs.WITHDRAWN, ENDED + timedelta(3)),
        (facts(S.DRAFT), KeptAs.NEVER_SUBMITTED, OPENED + timedelta(2)),
        (facts(S.DRAFT, has_files=False), KeptAs.ABANDONED, OPENED + timedelta(1)),
        (facts(S.RETURNED), KeptAs.ABANDONED, OPENED + timedelta(1)),
    ],
)
def test_how_long_evidence_is_kept(of: CaseFacts, kept_as: KeptAs, until: datetime) -> None:
    kept = term(of, DAYS)
    assert kept is not None
    assert (kept.kept_as, kept.until) == (kept_as, until)
    assert kept.over(until)
    assert not kept.over(until - timedelta(seconds=1))


@pytest.mark.parametrize(
    "state",
    [
        S.SUBMITTED,
        S.SCREENING,
        S.ASSESSMENT,
        S.MODERATION,
        S.DECISION,
        S.DECIDED,
        S.INTEGRITY_HOLD,
        S.APPEAL,
    ],
)
def test_what_people_work_with_never_comes_due(state: CaseState) -> None:
    assert term(facts(state), DAYS) is None


@pytest.mark.parametrize("state", list(CaseState))
def test_evidence_is_erased_when_nobody_works_with_it_any_more(state: CaseState) -> None:
    if state in ERASABLE:
        may_ask(state)
    else:
        with pytest.raises(Conflict):
            may_ask(state)


def test_a_hold_needs_a_reason_that_can_be_read() -> None:
    with pytest.raises(InvalidInput):
        fit_to_hold("   no    ")
    fit_to_hold("A court asks for it.")


def test_nothing_comes_due_before_the_shortest_time() -> None:
    assert shortest(DAYS) == timedelta(1)


def test_a_policy_of_before_there_was_retention_has_the_defaults() -> None:
    body = policy_body(Policy())
    del body["retention"]
    assert read_policy(body).retention == Retention()


def test_every_word_is_said() -> None:
    assert set(KEEPING_WORDS) == set(KeptAs)
    assert set(HOLD_WORDS) == set(HoldKind)
    assert set(STAYS_WORDS) == set(Stays)


def test_an_erased_manifest_keeps_digests_and_no_word() -> None:
    body = {
        "format": "assay-manifest/1",
        "number": 7,
        "declaration": {"signed_name": "Ana Souza"},
        "self_ratings": {"A": 1},
        "later": "a field that is not known yet",
        "items": [{"id": "1", "sha256": "ab", "size": 3, "title": "Video", "own_part": "All"}],
    }
    left = manifest_without_words(body, OPENED)
    assert left == {
        "format": "assay-manifest/1",
        "number": 7,
        "items": [{"id": "1", "size": 3, "sha256": "ab"}],
        "erased_at": OPENED.isoformat(),
    }
    assert content_hash(left) != content_hash(body)
