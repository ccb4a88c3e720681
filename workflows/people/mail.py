"""Mail that a command promises: a row and its work in one transaction, sent later by a job.

A body may hold a single-purpose link, so it is emptied once the mail has left the house; only the
demo's mailbox keeps what it shows. Bodies and addresses are never logged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from textwrap import fill
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col

from storage import outbox
from storage.bulk import write_rows
from storage.database import Database, Transaction, command
from storage.ids import OutboxId, new_id
from storage.outbox import receive
from storage.tables.people import Mail
from workflows.ports import Mailer, Message
from workflows.work import Work, promise_work

LINE = 76


def queue_mail(tx: Transaction, recipient: str, subject: str, body: str) -> UUID:
    """Promise a plain-text mail in this transaction; returns the mail's id.

    Subject and body are in the recipient's language (`workflows.words`); `body_of` makes a body.
    """
    mail_id = new_id()
    outbox_id = promise_work(tx, Work.SEND_MAIL, mail_id, urgent=True)
    tx.session.add(
        Mail(
            id=mail_id,
            message_id=str(outbox_id),
            recipient=recipient.strip().lower(),
            subject=" ".join(subject.split()),
            body=body,
            created_at=tx.now,
        )
    )
    tx.session.flush()
    return mail_id


@dataclass(frozen=True)
class Letter:
    """A mail that is to be sent, in its recipient's language."""

    recipient: str
    subject: str
    body: str


def queue_mails(tx: Transaction, letters: Sequence[Letter]) -> None:
    """Promise many mails at once. They wait behind the mails that somebody waits for."""
    ids = [new_id() for _ in letters]
    promised = outbox.promise_many(tx, Work.SEND_MAIL.value, ids, queue=Work.SEND_MAIL.queue.value)
    rows = [
        {
            "id": mail_id,
            "message_id": str(outbox_id),
            "recipient": letter.recipient.strip().lower(),
            "subject": " ".join(letter.subject.split()),
            "body": letter.body,
            "created_at": tx.now,
        }
        for mail_id, outbox_id, letter in zip(ids, promised, letters, strict=True)
    ]
    write_rows(tx, Mail, rows)


def body_of(*paragraphs: str) -> str:
    """Paragraphs as the body of a mail, wrapped; an address in a paragraph of its own stays whole.

    Empty paragraphs are left out.
    """
    return "\n\n".join(_wrapped(paragraph) for paragraph in paragraphs if paragraph.strip()) + "\n"


def send_mail(db: Database, mailer: Mailer, mail_id: UUID, outbox_id: OutboxId) -> None:
    """Send a promised mail and write down that it went.

    A crash in between sends it again with the same Message-ID. Raises AlreadyDone, Unavailable
    (the mail server is away) and InvalidInput (it refuses the address for good).
    """
    with db.reading() as tx:
        mail = tx.session.get(Mail, mail_id)
    if mail is not None and mail.sent_at is None:
        mailer.send(Message(mail.message_id, mail.recipient, mail.subject, mail.body))
    _record_sent(db, mail_id, outbox_id, keep_body=mailer.keeps)


@command
def _record_sent(db: Database, mail_id: UUID, outbox_id: OutboxId, *, keep_body: bool) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)
        sent = update(Mail).where(col(Mail.id) == mail_id).values(sent_at=tx.now)
        tx.session.execute(sent if keep_body else sent.values(body=""))


@lru_cache(maxsize=512)
def _wrapped(paragraph: str) -> str:
    return "\n".join(_filled(line.strip()) for line in paragraph.strip().splitlines())


def _filled(line: str) -> str:
    """The line in lines of at most so many characters; one that is short stays as it is."""
    if len(line) <= LINE and line.isprintable():
        return line
    return fill(line, LINE, break_long_words=False, break_on_hyphens=False)
