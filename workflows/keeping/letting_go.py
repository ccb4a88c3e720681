"""Taking out of a case's rows what people wrote and were called, once its plan is carried out.

What proves something stays: ids, digests, sizes, times, states, levels, and of a decided case the
whole record of its decision.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, or_, update
from sqlalchemy.dialects.postgresql import array
from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import ItemId
from storage.tables import (
    Account,
    Agreement,
    Appeal,
    Assignment,
    Attestation,
    Caption,
    Case,
    CaseHold,
    CoverageRecord,
    Credential,
    CredentialNote,
    EarlierDocument,
    Endorsement,
    Event,
    EvidenceItem,
    EvidenceMapping,
    Inspection,
    Mail,
    MailLink,
    Manifest,
    SameBytes,
    Score,
    ScoreSheet,
    SelfRating,
    TimeSpan,
    Upload,
)
from storage.vocabulary import EvidenceState, Role, VoiceState
from workflows.attestations.document import read_kept, statement_body
from workflows.evidence.coverage_kept import without_words
from workflows.evidence.describing import blank, promise_erasure
from workflows.keeping.plan import manifest_without_words

OWN_VOICES = (Role.LEARNER.value, Role.SUPERVISOR.value, Role.EMPLOYER.value)
# staff's words to the learner about what was handed in
ABOUT_FILES = ("return_case", "reject_evidence", "quarantine_evidence")
# facts of events that could name a file or a person
TELLING = array(["file_name", "title", "name", "email", "declared", "detail"])
GONE = "—"
NEVER_GIVEN = (VoiceState.DECLINED.value, VoiceState.EXPIRED.value)
ONCE_GIVEN = (VoiceState.GIVEN.value, VoiceState.WITHDRAWN.value)
OF_ENDORSERS = (
    "endorser_name",
    "endorser_email",
    "endorser_title",
    "relation",
    "period",
    "comment",
)


def let_go_of_items(tx: Transaction, case: Case) -> None:
    """Every item is erased: its words now, its bytes by a promised job."""
    items = tx.session.exec(
        select(EvidenceItem).where(EvidenceItem.case_id == case.id).with_for_update()
    ).all()
    ids = [item.id for item in items]
    for table in (Inspection, TimeSpan, Caption, SameBytes, EvidenceMapping):
        tx.session.execute(delete(table).where(col(table.item_id).in_(ids)))
    tx.session.execute(update(Upload).where(col(Upload.item_id).in_(ids)).values(fingerprint=""))
    for item in items:
        blank(item)
        if item.state != EvidenceState.ERASED:
            item.state = EvidenceState.ERASED.value
            item.version += 1
            promise_erasure(tx, ItemId(item.id))


def let_go_of_words(tx: Transaction, case: Case) -> None:
    """What the learner and their witnesses wrote, and who they said they were."""
    learner = tx.session.get_one(Account, case.learner_id)
    witnesses = tx.session.exec(
        select(Attestation).where(Attestation.case_id == case.id).with_for_update()
    ).all()
    _mails(tx, case, learner, witnesses)
    for witness in witnesses:
        _witness(tx, witness)
    case.note_to_learner = ""
    tx.session.execute(delete(SelfRating).where(col(SelfRating.case_id) == case.id))
    for manifest in tx.session.exec(select(Manifest).where(Manifest.case_id == case.id)).all():
        manifest.body = manifest_without_words(manifest.body, tx.now)
        manifest.signed_name = ""
    _beside_credentials(tx, case.id)
    tx.session.execute(update(CaseHold).where(col(CaseHold.case_id) == case.id).values(why=""))
    _history(tx, case.id)
    if case.decision_id is None:
        _undecided(tx, case.id)
    else:
        _decided(tx, case.id)


def _witness(tx: Transaction, asked: Attestation) -> None:
    """A statement gives up its words and names; that one was given, and when, is kept."""
    asked.supervisor_name = asked.supervisor_email = asked.message = ""
    asked.decline_note, asked.draft, asked.identity = "", None, None
    if asked.statement is not None:
        kept = read_kept(asked.statement)
        ratings = tuple(one.model_copy(update={"level": None}) for one in kept.ratings)
        nameless = kept.identity.model_copy(update={"domain": "", "organisation": ""})
        empty = dict.fromkeys(
            ("learner", "name", "role", "organisation", "example_high", "example_low"), ""
        )
        blank = kept.model_copy(update={**empty, "ratings": ratings, "identity": nameless})
        asked.statement = statement_body(blank)
    elif asked.state in {VoiceState.ASKED, VoiceState.OPENED}:
        asked.state = VoiceState.EXPIRED.value
        asked.ended_at = tx.now
        asked.version += 1
    tx.session.execute(
        update(MailLink)
        .where(col(MailLink.subject_id) == asked.id)
        .values(email="", revoked_at=tx.now)
    )


def _beside_credentials(tx: Transaction, case_id: UUID) -> None:
    """Credentials stay as they are signed, and so do endorsements that were given: the holder's
    copies are checked against them. What staff wrote to themselves of them goes, what employers
    were asked and did not give, and copies that were signed with an earlier key."""
    credentials = select(Credential.id).where(Credential.case_id == case_id)
    asked = select(Endorsement.id).where(col(Endorsement.credential_id).in_(credentials))
    never_given = asked.where(col(Endorsement.state).in_(NEVER_GIVEN))
    ended = asked.where(col(Endorsement.state).in_([*NEVER_GIVEN, *ONCE_GIVEN]))
    tx.session.execute(
        delete(CredentialNote).where(col(CredentialNote.credential_id).in_(credentials))
    )
    tx.session.execute(
        delete(EarlierDocument).where(
            col(EarlierDocument.subject_id).in_(credentials)
            | col(EarlierDocument.subject_id).in_(asked)
        )
    )
    tx.session.execute(
        update(MailLink).where(col(MailLink.subject_id).in_(never_given)).values(email="")
    )
    for which, names in ((ended, ("message",)), (never_given, OF_ENDORSERS)):
        tx.session.execute(
            update(Endorsement)
            .where(col(Endorsement.id).in_(which))
            .values(dict.fromkeys(names, ""))
        )


def _history(tx: Transaction, case_id: UUID) -> None:
    """Events keep who (by account), what and when; words of the learner's side leave them."""
    tx.session.flush()
    tx.session.execute(
        update(Event)
        .where(
            col(Event.case_id) == case_id,
            or_(col(Event.actor_role).in_(OWN_VOICES), col(Event.kind).in_(ABOUT_FILES)),
        )
        .values(why="")
    )
    tx.session.execute(
        update(Event)
        .where(col(Event.case_id) == case_id, col(Event.actor_role).in_(OWN_VOICES))
        .values(actor_label="", data=col(Event.data).op("-")(TELLING))
    )


def _undecided(tx: Transaction, case_id: UUID) -> None:
    """Where nothing was decided, what was written on the way to it is of no more use."""
    sheets = select(ScoreSheet.id).where(ScoreSheet.case_id == case_id)
    tx.session.execute(
        update(Score)
        .where(col(Score.sheet_id).in_(sheets), col(Score.reason) != "")
        .values(reason="")
    )
    tx.session.execute(
        update(Agreement)
        .where(col(Agreement.case_id) == case_id, col(Agreement.rule) != "moderated")
        .values(why="")
    )
    tx.session.execute(
        update(Assignment)
        .where(col(Assignment.case_id) == case_id)
        .values(conflict_detail="", settled_why="", decline_reason="")
    )
    tx.session.execute(delete(CoverageRecord).where(col(CoverageRecord.case_id) == case_id))


def _decided(tx: Transaction, case_id: UUID) -> None:
    """How the outcomes stood is part of the decision; what the learner called a file is not."""
    kept = tx.session.exec(select(CoverageRecord).where(CoverageRecord.case_id == case_id)).all()
    for record in kept:
        record.outcomes = without_words(record.outcomes)
    tx.session.execute(
        update(Appeal).where(col(Appeal.case_id) == case_id).values(reason="", answer="")
    )


def _mails(tx: Transaction, case: Case, learner: Account, asked: Sequence[Attestation]) -> None:
    """Letters about the case that are kept, to its learner and to those who were asked."""
    path = f"/cases/{case.id}"
    own = (col(Mail.recipient) == learner.email) & or_(
        col(Mail.body).contains(path, autoescape=True),
        col(Mail.subject).contains(str(case.number), autoescape=True),
    )
    theirs = col(Mail.recipient).in_({one.supervisor_email for one in asked}) & or_(
        col(Mail.body).contains(learner.name, autoescape=True),
        col(Mail.subject).contains(learner.name, autoescape=True),
    )
    names = [one.supervisor_name for one in asked if one.supervisor_name]
    said = [col(Mail.subject).contains(name, autoescape=True) for name in names]
    of_them = (col(Mail.recipient) == learner.email) & or_(*said) if said else own
    sent = (col(Mail.created_at) >= case.opened_at) & col(Mail.sent_at).is_not(None)
    empty = update(Mail).values(subject=GONE, body="")
    tx.session.execute(empty.where(sent, or_(own, of_them)))
    if learner.name:  # an empty name would be found in every letter
        tx.session.execute(empty.values(recipient="").where(sent, theirs))
