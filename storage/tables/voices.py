"""The two outside voices: supervisors' attestations and employers' endorsements."""

from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import (
    datetime,
    maybe_document,
    maybe_moment,
    moment,
    one_of,
)
from storage.tables.columns import document as json_document
from storage.vocabulary import EndorsementVisibility, LearnerAnswer, VoiceState


class Attestation(Table, table=True):
    """What a supervisor was asked, and the statement they gave. A witness, not a judge.

    `statement` holds, once given: relation, role, period, frequency, one row per outcome
    (a level 1–4 or null for "not observed"), examples, typed name. `identity` holds facts.
    """

    __tablename__ = "attestation"
    __table_args__ = (
        one_of("state", VoiceState),
        CheckConstraint("state <> 'given' OR statement IS NOT NULL", name="given_has_statement"),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    state: str
    version: int = 1
    supervisor_name: str
    supervisor_email: str
    message: str = ""
    outcome_codes: list[str] = json_document()
    asked_at: datetime = moment()
    opened_at: datetime | None = maybe_moment()
    ended_at: datetime | None = maybe_moment()
    draft: dict[str, object] | None = maybe_document()
    statement: dict[str, object] | None = maybe_document()
    identity: dict[str, object] | None = maybe_document()
    decline_reason: str = ""
    decline_note: str = ""
    handed_to: UUID | None = None
    item_id: UUID | None = None


class Endorsement(Table, table=True):
    """An employer's endorsement of outcomes of a published credential.

    `document` is the signed EndorsementCredential, there from the moment it was given and signed.
    Asked for anew because the credential was corrected, it names in `replaces_id` the earlier one.
    """

    __tablename__ = "endorsement"
    __table_args__ = (
        one_of("state", VoiceState),
        one_of("visibility", EndorsementVisibility),
        one_of("answer", LearnerAnswer),
        CheckConstraint("state <> 'given' OR given_at IS NOT NULL", name="given_has_time"),
    )

    id: UUID = Field(primary_key=True)
    credential_id: UUID = Field(foreign_key="credential.id", index=True)
    organisation_id: UUID = Field(foreign_key="organisation.id", index=True)
    state: str
    version: int = 1
    endorser_name: str
    endorser_email: str
    endorser_title: str = ""
    message: str = ""
    outcome_codes: list[str] = json_document()
    relation: str = ""
    period: str = ""
    comment: str = ""
    visibility: str = EndorsementVisibility.NAMED.value
    answer: str = LearnerAnswer.WAITING.value
    identity: dict[str, object] | None = maybe_document()
    asked_at: datetime = moment()
    opened_at: datetime | None = maybe_moment()
    given_at: datetime | None = maybe_moment()
    answered_at: datetime | None = maybe_moment()
    withdrawn_at: datetime | None = maybe_moment()
    decline_reason: str = ""
    status_index: int | None = None
    document: str | None = None
    document_sha256: str | None = None
    replaces_id: UUID | None = Field(default=None, foreign_key="endorsement.id", unique=True)
