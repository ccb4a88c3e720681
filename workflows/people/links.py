"""Links that stand for a person who was written to: single-purpose, hashed at rest, ending.

    token = make_link(tx, LinkPurpose.ATTEST, attestation.id, email, timedelta(days=21))
    link = open_link(tx, LinkPurpose.ATTEST, token)      # a page of it is looked at
    code = make_code(tx, link, token)                    # six digits, to be mailed
    check_code(db, LinkPurpose.ATTEST, token, code)      # its own transaction: a wrong try counts
    use_link(tx, link)                                   # the act; once

A subject has one live link of a purpose: making another revokes the older.
"""

import hmac
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import InvalidInput, NotFound, Problem, TooMany
from storage.ids import new_code, new_id, new_token, token_hash
from storage.tables.people import MailLink
from storage.vocabulary import LinkPurpose

CODE_TRIES = 5
CODE_LIFETIME = timedelta(minutes=30)


class LinkEnd(StrEnum):
    """Why a link opens nothing."""

    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


WORDS = {
    LinkEnd.UNKNOWN: "This link opens nothing. Check that the whole address from the mail is in "
    "the address bar.",
    LinkEnd.USED: "This link has done its work: it opens once. Ask for a new one if you need it.",
    LinkEnd.EXPIRED: "This link is too old. Ask for a new one; the old one stays closed.",
    LinkEnd.REVOKED: "This link was replaced or taken back. Look for a newer mail from us, or ask "
    "who sent it.",
}


class LinkEnded(NotFound):
    """The link opens nothing; `end` says why."""

    def __init__(self, end: LinkEnd) -> None:
        super().__init__(WORDS[end])
        self.end = end


def make_link(
    tx: Transaction, purpose: LinkPurpose, subject_id: UUID, email: str, lifetime: timedelta
) -> str:
    """Make a link for one purpose and subject, revoking the older ones; returns its token.

    The token goes into the mail's address and is kept nowhere else.
    """
    revoke_links(tx, purpose, subject_id)
    token = new_token()
    tx.session.add(
        MailLink(
            id=new_id(),
            purpose=purpose.value,
            subject_id=subject_id,
            token_hash=token_hash(token),
            email=email.strip().lower(),
            created_at=tx.now,
            expires_at=tx.now + lifetime,
        )
    )
    tx.session.flush()
    return token


def find_link(tx: Transaction, purpose: LinkPurpose, token: str) -> MailLink:
    """The live link of this token, only looked at. Raises LinkEnded with the reason."""
    link = _link(tx, purpose, token)
    if link is None:
        raise LinkEnded(LinkEnd.UNKNOWN)
    end = end_of(tx, link)
    if end is not None:
        raise LinkEnded(end)
    return link


def open_link(tx: Transaction, purpose: LinkPurpose, token: str) -> MailLink:
    """The live link of this token; the first opening is written down. Raises LinkEnded."""
    link = find_link(tx, purpose, token)
    if link.opened_at is None:
        link.opened_at = tx.now
        tx.session.flush()
    return link


def find_used_link(tx: Transaction, purpose: LinkPurpose, token: str) -> MailLink:
    """The link of this token when it is live or has been used, for receipts and for withdrawing.

    Raises LinkEnded when it is unknown, was revoked, or ended unused.
    """
    link = _link(tx, purpose, token)
    if link is None:
        raise LinkEnded(LinkEnd.UNKNOWN)
    end = end_of(tx, link)
    if end not in {None, LinkEnd.USED}:
        raise LinkEnded(end or LinkEnd.UNKNOWN)
    return link


def end_of(tx: Transaction, link: MailLink) -> LinkEnd | None:
    """Why the link is over; None while it is live."""
    if link.used_at is not None:
        return LinkEnd.USED
    if link.revoked_at is not None:
        return LinkEnd.REVOKED
    return LinkEnd.EXPIRED if link.expires_at <= tx.now else None


def use_link(tx: Transaction, link: MailLink) -> None:
    """Spend the link in the transaction of the act it stands for.

    Raises LinkEnded when it was spent, revoked or ran out meanwhile: of two at once one wins.
    """
    spent = tx.session.execute(
        update(MailLink)
        .where(
            col(MailLink.id) == link.id,
            col(MailLink.used_at).is_(None),
            col(MailLink.revoked_at).is_(None),
            col(MailLink.expires_at) > tx.now,
        )
        .values(used_at=tx.now)
        .returning(col(MailLink.id))
    ).first()
    if spent is None:
        tx.session.refresh(link)
        raise LinkEnded(end_of(tx, link) or LinkEnd.USED)


def revoke_links(tx: Transaction, purpose: LinkPurpose, subject_id: UUID) -> int:
    """End all live links of a purpose and subject; returns how many there were."""
    ended = tx.session.execute(
        update(MailLink)
        .where(
            col(MailLink.purpose) == purpose.value,
            col(MailLink.subject_id) == subject_id,
            col(MailLink.used_at).is_(None),
            col(MailLink.revoked_at).is_(None),
        )
        .values(revoked_at=tx.now)
        .returning(col(MailLink.id))
    ).all()
    return len(ended)


def make_code(tx: Transaction, link: MailLink, token: str) -> str:
    """Six fresh digits for the holder of the link, to be mailed to its address; ends older ones."""
    code = new_code()
    link.code_hash = _code_hash(token, code)
    link.code_tries = 0
    link.code_expires_at = tx.now + CODE_LIFETIME
    tx.session.add(link)
    tx.session.flush()
    return code


@command
def check_code(db: Database, purpose: LinkPurpose, token: str, code: str) -> None:
    """Return when the code is the one that was mailed.

    A transaction of its own, so that a wrong try is counted whatever the caller's fate. Raises
    LinkEnded, InvalidInput (wrong, too old, none made) and TooMany (five wrong tries).
    """
    with db.transaction() as tx:
        link = _link(tx, purpose, token, lock=True)
        if link is None or (end := end_of(tx, link)) is not None:
            raise LinkEnded(LinkEnd.UNKNOWN if link is None else end or LinkEnd.UNKNOWN)
        if link.code_hash is None or link.code_expires_at is None:
            raise _code_refused("Ask for a code first; it comes by mail.")
        if link.code_expires_at <= tx.now:
            raise _code_refused("This code is too old. Ask for a new one.")
        if link.code_tries >= CODE_TRIES:
            raise TooMany("The code was wrong too often. Ask for a new one.")
        right = hmac.compare_digest(link.code_hash, _code_hash(token, code))
        link.code_tries += 0 if right else 1
    if not right:
        raise _code_refused("This is not the code from the mail. Look again, please.")


def _link(
    tx: Transaction, purpose: LinkPurpose, token: str, *, lock: bool = False
) -> MailLink | None:
    query = select(MailLink).where(
        MailLink.token_hash == token_hash(token), MailLink.purpose == purpose.value
    )
    if lock:
        query = query.with_for_update()
    return tx.session.exec(query).one_or_none()


def _code_hash(token: str, code: str) -> str:
    return token_hash(f"{token}:{''.join(code.split())}")


def _code_refused(words: str) -> InvalidInput:
    return InvalidInput(words, problems=[Problem("code", words)])
