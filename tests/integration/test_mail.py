"""Mail: promised with the act, sent once by a job, forgotten where it held a link."""

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from sqlmodel import select

from app.mailing import KeptMailer, SmtpMailer, mailer_for
from storage.clock import SetClock
from storage.database import Database
from storage.errors import InvalidInput, Unavailable
from storage.outbox import AlreadyDone
from storage.tables.outbox import OutboxRow
from storage.tables.people import Mail
from workflows.people.mail import Letter, body_of, queue_mail, queue_mails, send_mail
from workflows.ports import Mailer, Message
from workflows.work import Work

LINK = "https://assay.example/set-password/" + "x" * 43


@dataclass
class Postbox:
    """A small SMTP server: what it took, and what it says to RCPT."""

    port: int = 0
    answer: bytes = b"250 OK"
    letters: list[str] = field(default_factory=list)


def handler_for(postbox: Postbox) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

        def handle(self) -> None:
            self.say(b"220 ready")
            while line := self.rfile.readline().strip().upper():
                if line.startswith(b"RCPT"):
                    self.say(postbox.answer)
                elif line == b"DATA":
                    self.say(b"354 go on")
                    postbox.letters.append(self.letter())
                    self.say(b"250 taken")
                elif line == b"QUIT":
                    self.say(b"221 bye")
                    return
                else:
                    self.say(b"250 OK")

        def letter(self) -> str:
            lines = iter(self.rfile.readline, b".\r\n")
            return b"".join(lines).decode()

    return Handler


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    box = Postbox()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler_for(box)) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield box
        server.shutdown()


def smtp_to(port: int, clock: SetClock, sender: str = "Assay <assay@college.example>") -> Mailer:
    return SmtpMailer(f"smtp://127.0.0.1:{port}", sender, clock)


def queued(db: Database, recipient: str = "Ada@Example.org") -> tuple[UUID, OutboxRow]:
    with db.transaction() as tx:
        mail_id = queue_mail(tx, recipient, "Set your\npassword", body_of("Hello Ada,", LINK))
    with db.reading() as tx:
        return mail_id, tx.session.exec(select(OutboxRow)).one()


def kept(db: Database) -> Mail:
    with db.reading() as tx:
        return tx.session.exec(select(Mail)).one()


def sent(db: Database, mailer: Mailer, mail_id: UUID, row: OutboxRow) -> None:
    send_mail(db, mailer, mail_id, row.id)  # type: ignore[arg-type]


def test_a_mail_is_promised_in_the_same_transaction_and_urgently(db: Database) -> None:
    mail_id, row = queued(db)
    assert (row.kind, row.subject_id, row.urgent) == (Work.SEND_MAIL, mail_id, True)
    assert (kept(db).recipient, kept(db).subject) == ("ada@example.org", "Set your password")


def test_a_mail_goes_out_once_with_a_message_id_of_its_own_promise(
    db: Database, clock: SetClock, postbox: Postbox
) -> None:
    mail_id, row = queued(db)
    sent(db, smtp_to(postbox.port, clock), mail_id, row)
    with pytest.raises(AlreadyDone):
        sent(db, smtp_to(postbox.port, clock), mail_id, row)
    (letter,) = postbox.letters
    assert f"Message-ID: <{row.id}@college.example>" in letter
    assert "To: ada@example.org" in letter
    assert LINK in letter.replace("=\r\n", "")


def test_a_body_with_a_link_is_forgotten_once_the_mail_is_out(
    db: Database, clock: SetClock, postbox: Postbox
) -> None:
    mail_id, row = queued(db)
    sent(db, smtp_to(postbox.port, clock), mail_id, row)
    assert (kept(db).body, kept(db).sent_at) == ("", clock.now())


def test_the_mailbox_keeps_what_it_shows(db: Database, clock: SetClock) -> None:
    mail_id, row = queued(db)
    sent(db, KeptMailer(), mail_id, row)
    assert LINK in kept(db).body
    assert kept(db).sent_at == clock.now()


def test_work_on_a_mail_that_is_gone_is_done(db: Database) -> None:
    mail_id, row = queued(db)
    with db.transaction() as tx:
        tx.session.delete(tx.session.get_one(Mail, mail_id))
    sent(db, KeptMailer(), mail_id, row)
    with db.reading() as tx:
        assert tx.session.exec(select(OutboxRow.done_at)).one() is not None


def test_a_mail_server_that_is_away_leaves_the_mail_waiting(db: Database, clock: SetClock) -> None:
    mail_id, row = queued(db)
    with pytest.raises(Unavailable):
        sent(db, smtp_to(9, clock), mail_id, row)
    assert kept(db).sent_at is None
    assert LINK in kept(db).body


@pytest.mark.parametrize(
    ("answer", "error"), [(b"550 no such person", InvalidInput), (b"451 later", Unavailable)]
)
def test_a_refusal_for_good_is_told_from_a_passing_one(
    db: Database, clock: SetClock, postbox: Postbox, answer: bytes, error: type[Exception]
) -> None:
    postbox.answer = answer
    mail_id, row = queued(db)
    with pytest.raises(error):
        sent(db, smtp_to(postbox.port, clock), mail_id, row)
    assert kept(db).sent_at is None


def test_a_server_that_cannot_take_the_address_refuses_for_good(
    clock: SetClock, postbox: Postbox
) -> None:
    with pytest.raises(InvalidInput):
        smtp_to(postbox.port, clock).send(Message("1", "ä@example.org", "s", "b"))


def test_a_body_is_wrapped_but_an_address_stays_whole() -> None:
    body = body_of("word " * 40, LINK, "", "two\nlines")
    assert LINK in body.splitlines()
    assert max(len(line) for line in body.splitlines() if line != LINK) <= 76
    assert "\n\n\n" not in body
    assert body.endswith("two\nlines\n")


def test_without_an_smtp_address_mail_is_kept(clock: SetClock) -> None:
    assert mailer_for("", "a@b.example", clock).keeps
    assert not mailer_for("smtp://mail.example", "a@b.example", clock).keeps


def test_many_mails_say_what_they_were_given_to_the_letter(db: Database) -> None:
    odd = "Zoë\\.\n\t\\N “ä” 漢字 \U0001f600"
    with db.transaction() as tx:
        queue_mails(tx, [Letter(f"{name}@people.example", odd, odd) for name in "ab"])
    with db.reading() as tx:
        kept = tx.session.exec(select(Mail)).all()
    assert {mail.recipient for mail in kept} == {"a@people.example", "b@people.example"}
    assert {mail.body for mail in kept} == {odd}
    assert {mail.subject for mail in kept} == {" ".join(odd.split())}


def test_many_mails_are_not_kept_when_one_cannot_be(db: Database) -> None:
    letters = [Letter("a@people.example", "A", "kept"), Letter("b@people.example", "B", "a\x00b")]
    with pytest.raises(InvalidInput), db.transaction() as tx:
        queue_mails(tx, letters)
    with db.reading() as tx:
        assert tx.session.exec(select(Mail)).all() == []
