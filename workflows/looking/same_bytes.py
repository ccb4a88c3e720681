"""The same bytes in two cases: noted for both, told to both without saying whose; and the
institution's own forms, which many cases may hold."""

import re

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound, Problem
from storage.events import SYSTEM, Who, record
from storage.ids import CaseId, InstitutionId, ItemId, Sha256
from storage.tables import Case, EvidenceItem, KnownForm, SameBytes
from storage.vocabulary import EvidenceState
from workflows.access.permissions import Permission
from workflows.access.resources import resource_of_item
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.looking.looks import printable
from workflows.looking.mails import ask_for_part

LONGEST_STATEMENT = 2000
HEX = re.compile(r"[0-9a-f]{64}")


def note_same_bytes(tx: Transaction, sha256: Sha256) -> None:
    """Note every sealed item with these bytes when more than one learner handed them in.

    Somebody who shows the same work in two cases of their own is asked nothing. The learners are
    asked for their part, once each. An empty file is nobody's. Where an institution knows the bytes
    as its own form, its items are noted too, and passed over when they are read: a form may be
    added or removed later.
    """
    items = tx.session.exec(
        select(EvidenceItem).where(
            EvidenceItem.sha256 == sha256,
            EvidenceItem.state == EvidenceState.SEALED.value,
            col(EvidenceItem.attestation_id).is_(None),
            col(EvidenceItem.size) > 0,
        )
    ).all()
    cases = {item.case_id for item in items}
    learners = tx.session.exec(select(Case.learner_id).where(col(Case.id).in_(cases)))
    if len(set(learners)) < 2:
        return
    for item in items:
        noted = tx.session.scalar(
            insert(SameBytes)
            .values(item_id=item.id, sha256=sha256, noted_at=tx.now, statement="")
            .on_conflict_do_nothing(index_elements=["item_id"])
            .returning(col(SameBytes.item_id))
        )
        if noted is not None:
            subject = ("evidence_item", item.id)
            record(tx, SYSTEM, "note_same_bytes", subject, case_id=CaseId(item.case_id))
            if not _is_form(tx, item, sha256):
                ask_for_part(tx, item)


def _is_form(tx: Transaction, item: EvidenceItem, sha256: Sha256) -> bool:
    case = tx.session.get_one(Case, item.case_id)
    return tx.session.get(KnownForm, (case.institution_id, sha256)) is not None


@command
def state_part(db: Database, actor: Actor, item_id: ItemId, statement: str) -> None:
    """Keep what a learner says of bytes that are in another case too: what their own part was.

    Can be said again at any time. Raises NotFound, Conflict (nobody asks), InvalidInput.
    """
    said = statement.strip()
    if not said or len(said) > LONGEST_STATEMENT:
        words = "Please say what your part was, in at most %(most)s letters."
        problem = Problem("statement", words, {"most": LONGEST_STATEMENT})
        raise InvalidInput("Please say what your part was.", problems=[problem])
    with db.transaction() as tx:
        who = acting(actor, Permission.ADD_EVIDENCE, resource_of_item(tx, item_id))
        row = tx.session.get(SameBytes, item_id, with_for_update=True)
        if row is None:
            raise Conflict("Nothing is asked about this item.")
        row.statement, row.stated_at = said, tx.now
        item = tx.session.get_one(EvidenceItem, item_id)
        subject = ("evidence_item", item_id)
        record(tx, who, "state_part", subject, case_id=CaseId(item.case_id))


@command
def add_known_form(db: Database, actor: Actor, sha256: str, name: str) -> None:
    """Say that the actor's institution hands out a file itself: many cases may hold its bytes.

    Said again, the name is changed. Raises Forbidden, InvalidInput.
    """
    who, institution_id = _of_an_institution(actor)
    digest, called = sha256.strip().lower(), printable(name)
    _fit(digest, called)
    with db.transaction() as tx:
        tx.session.execute(
            insert(KnownForm)
            .values(
                institution_id=institution_id,
                sha256=digest,
                name=called,
                added_by=who.account_id,
                added_at=tx.now,
            )
            .on_conflict_do_update(
                index_elements=["institution_id", "sha256"], set_={"name": called}
            )
        )
        subject = ("institution", institution_id)
        record(tx, who, "add_known_form", subject, data={"sha256": digest, "name": called})


@command
def remove_known_form(db: Database, actor: Actor, sha256: str) -> None:
    """Say that the institution does not hand out this file any more. Raises Forbidden, NotFound."""
    who, institution_id = _of_an_institution(actor)
    with db.transaction() as tx:
        row = tx.session.get(KnownForm, (institution_id, sha256))
        if row is None:
            raise NotFound(NOT_YOURS)
        tx.session.delete(row)
        subject = ("institution", institution_id)
        record(tx, who, "remove_known_form", subject, data={"sha256": sha256, "name": row.name})


def _of_an_institution(actor: Actor) -> tuple[Who, InstitutionId]:
    who = acting(actor, Permission.MANAGE_FORMS)
    if actor.institution_id is None or who.account_id is None:
        raise Forbidden("Your role does not include this.")
    return who, actor.institution_id


def _fit(digest: str, name: str) -> None:
    problems = []
    if HEX.fullmatch(digest) is None:
        words = "This is no SHA-256: it has 64 characters, 0 to 9 and a to f."
        problems.append(Problem("sha256", words))
    if not name:
        problems.append(Problem("name", "Please give the form a name."))
    if problems:
        raise InvalidInput("The form could not be added.", problems=problems)
