"""Mailed links and codes: single-purpose, ending, once."""

from datetime import timedelta

import pytest
from sqlmodel import select

from storage.clock import SetClock
from storage.database import Database
from storage.errors import InvalidInput, TooMany
from storage.ids import new_id
from storage.tables.people import MailLink
from storage.vocabulary import LinkPurpose
from workflows.people.links import (
    CODE_LIFETIME,
    CODE_TRIES,
    LinkEnd,
    LinkEnded,
    check_code,
    find_link,
    find_used_link,
    make_code,
    make_link,
    open_link,
    revoke_links,
    use_link,
)

ATTEST = LinkPurpose.ATTEST
WEEK = timedelta(days=7)


def made(db: Database, *, purpose: LinkPurpose = ATTEST) -> str:
    with db.transaction() as tx:
        return make_link(tx, purpose, new_id(), "Sam@Example.org ", WEEK)


def end_of_opening(db: Database, token: str, purpose: LinkPurpose = ATTEST) -> LinkEnd | None:
    try:
        with db.transaction() as tx:
            open_link(tx, purpose, token)
    except LinkEnded as ended:
        return ended.end
    return None


def used(db: Database, token: str) -> None:
    with db.transaction() as tx:
        use_link(tx, find_link(tx, ATTEST, token))


def coded(db: Database, token: str) -> str:
    with db.transaction() as tx:
        return make_code(tx, find_link(tx, ATTEST, token), token)


def test_a_link_opens_for_its_purpose_only(db: Database) -> None:
    token = made(db)
    assert end_of_opening(db, token) is None
    assert end_of_opening(db, token, LinkPurpose.SET_PASSWORD) is LinkEnd.UNKNOWN
    assert end_of_opening(db, "made-up") is LinkEnd.UNKNOWN


def test_the_token_is_kept_nowhere_and_the_address_in_lower_case(db: Database) -> None:
    token = made(db)
    with db.reading() as tx:
        link = tx.session.exec(select(MailLink)).one()
        assert token not in repr(link.model_dump())
        assert link.email == "sam@example.org"


def test_the_first_opening_is_written_down_and_stays(db: Database, clock: SetClock) -> None:
    token = made(db)
    assert end_of_opening(db, token) is None
    first = clock.now()
    clock.advance(timedelta(hours=1))
    assert end_of_opening(db, token) is None
    with db.reading() as tx:
        assert tx.session.exec(select(MailLink.opened_at)).one() == first


def test_a_link_is_used_once(db: Database) -> None:
    token = made(db)
    used(db, token)
    assert end_of_opening(db, token) is LinkEnd.USED
    with db.reading() as tx:
        assert find_used_link(tx, ATTEST, token).used_at is not None


def test_of_two_uses_at_once_one_wins(db: Database) -> None:
    token = made(db)
    with db.reading() as tx:
        seen_live = find_link(tx, ATTEST, token)
    used(db, token)
    with pytest.raises(LinkEnded) as refused, db.transaction() as tx:
        tx.session.add(seen_live)
        use_link(tx, seen_live)
    assert refused.value.end is LinkEnd.USED


def test_a_link_ends_with_its_time(db: Database, clock: SetClock) -> None:
    token = made(db)
    clock.advance(WEEK)
    assert end_of_opening(db, token) is LinkEnd.EXPIRED
    with pytest.raises(LinkEnded), db.reading() as tx:
        find_used_link(tx, ATTEST, token)


def test_sending_again_revokes_the_older_link_of_the_same_purpose(db: Database) -> None:
    subject = new_id()
    with db.transaction() as tx:
        first = make_link(tx, ATTEST, subject, "a@example.org", WEEK)
        other = make_link(tx, LinkPurpose.ENDORSE, subject, "a@example.org", WEEK)
        second = make_link(tx, ATTEST, subject, "a@example.org", WEEK)
    assert end_of_opening(db, first) is LinkEnd.REVOKED
    assert end_of_opening(db, second) is None
    assert end_of_opening(db, other, LinkPurpose.ENDORSE) is None


def test_revoking_ends_live_links_and_tells_how_many(db: Database) -> None:
    subject = new_id()
    with db.transaction() as tx:
        token = make_link(tx, ATTEST, subject, "a@example.org", WEEK)
        assert revoke_links(tx, ATTEST, subject) == 1
        assert revoke_links(tx, ATTEST, subject) == 0
    assert end_of_opening(db, token) is LinkEnd.REVOKED
    with pytest.raises(LinkEnded), db.reading() as tx:
        find_used_link(tx, ATTEST, token)
    with pytest.raises(LinkEnded), db.reading() as tx:
        find_used_link(tx, ATTEST, "made-up")


def test_each_end_has_its_own_words(db: Database) -> None:
    assert len({str(LinkEnded(end)) for end in LinkEnd}) == len(LinkEnd)


def test_the_mailed_code_is_accepted_also_with_a_space_in_it(db: Database) -> None:
    token = made(db)
    code = coded(db, token)
    check_code(db, ATTEST, token, f"{code[:3]} {code[3:]}")


def test_the_row_alone_does_not_tell_the_code(db: Database) -> None:
    token = made(db)
    code = coded(db, token)
    with db.transaction() as tx:
        link = find_link(tx, ATTEST, token)
        first_hash = link.code_hash
        assert code not in str(first_hash)
    other = made(db)
    with db.transaction() as tx:
        tx.session.exec(select(MailLink)).all()
        find_link(tx, ATTEST, other).code_hash = first_hash
        find_link(tx, ATTEST, other).code_expires_at = tx.now + WEEK
    with pytest.raises(InvalidInput):
        check_code(db, ATTEST, other, code)


def test_wrong_codes_are_counted_and_then_the_right_one_is_refused_too(db: Database) -> None:
    token = made(db)
    code = coded(db, token)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(CODE_TRIES):
        with pytest.raises(InvalidInput) as refused:
            check_code(db, ATTEST, token, wrong)
        assert refused.value.problems[0].field == "code"
    with pytest.raises(TooMany):
        check_code(db, ATTEST, token, code)
    check_code(db, ATTEST, token, coded(db, token))


def test_a_code_is_asked_for_first_and_ends_with_its_time(db: Database, clock: SetClock) -> None:
    token = made(db)
    with pytest.raises(InvalidInput):
        check_code(db, ATTEST, token, "123456")
    code = coded(db, token)
    clock.advance(CODE_LIFETIME)
    with pytest.raises(InvalidInput):
        check_code(db, ATTEST, token, code)


def test_a_code_of_an_ended_link_opens_nothing(db: Database) -> None:
    token = made(db)
    code = coded(db, token)
    used(db, token)
    with pytest.raises(LinkEnded):
        check_code(db, ATTEST, token, code)
    with pytest.raises(LinkEnded):
        check_code(db, ATTEST, "made-up", code)
