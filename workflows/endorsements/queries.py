"""Endorsements for pages: the employer's, the learner's list, and the credential's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import CredentialId, EndorsementId, OrganisationId, OutcomeCode
from storage.tables import Endorsement, Organisation
from storage.vocabulary import EndorsementVisibility, LearnerAnswer, VoiceState
from workflows.attestations.rules import Identity
from workflows.endorsements.load import Held, by_link, by_used_link
from workflows.endorsements.rules import (
    EndorsementForm,
    answers_for,
    is_counted,
    is_public,
    period_of,
    saved_form,
)
from workflows.frameworks.definition import Outcome


@dataclass(frozen=True)
class EndorsementView:
    """What was asked or said, as far as it goes."""

    id: EndorsementId
    credential_id: CredentialId
    organisation_id: OrganisationId
    organisation: str
    domain: str
    registry_number: str
    state: VoiceState
    name: str
    email: str
    title: str
    outcomes: tuple[OutcomeCode, ...]
    relation: str
    since: str
    until: str
    comment: str
    visibility: EndorsementVisibility
    answer: LearnerAnswer
    answers: tuple[LearnerAnswer, ...]
    identity: Identity | None
    asked_at: datetime
    given_at: datetime | None
    withdrawn_at: datetime | None
    decline_reason: str
    signed: bool
    counted: bool


@dataclass(frozen=True)
class EndorsementQuestion:
    """What an employer was asked, with what they have filled in so far."""

    view: EndorsementView
    learner: str
    institution: str
    title: str
    message: str
    recognised: tuple[Outcome, ...]
    form: EndorsementForm
    expires_at: datetime | None


def endorsement_question(tx: Transaction, token: str) -> EndorsementQuestion:
    """The question behind a live link. Raises LinkEnded."""
    held, link = by_link(tx, token)
    return _question(held, link.expires_at)


def endorsement_receipt(tx: Transaction, token: str) -> EndorsementQuestion:
    """What was answered through a link that was used. Raises LinkEnded."""
    return _question(by_used_link(tx, token), None)


def endorsements_of(tx: Transaction, credential_id: CredentialId) -> Sequence[EndorsementView]:
    """Everyone who was asked about a credential, the first first, for its learner."""
    return [_view(row, organisation) for row, organisation in _rows(tx, credential_id)]


def public_endorsements(tx: Transaction, credential_id: CredentialId) -> Sequence[EndorsementView]:
    """The endorsements that stand on the credential's page; withdrawn ones say so."""
    return [
        _view(row, organisation)
        for row, organisation in _rows(tx, credential_id)
        if is_public(row) and row.document is not None
    ]


def waiting_answers(tx: Transaction, credential_ids: Sequence[CredentialId]) -> Mapping[str, int]:
    """For each credential how many endorsements wait for the learner's answer."""
    rows = tx.session.exec(
        select(Endorsement.credential_id).where(
            col(Endorsement.credential_id).in_(credential_ids),
            Endorsement.state == VoiceState.GIVEN.value,
            Endorsement.answer == LearnerAnswer.WAITING.value,
            col(Endorsement.document).is_not(None),
        )
    ).all()
    return {str(one): rows.count(one) for one in set(rows)}


def _rows(
    tx: Transaction, credential_id: CredentialId
) -> Sequence[tuple[Endorsement, Organisation]]:
    return tx.session.exec(
        select(Endorsement, Organisation)
        .join(Organisation, col(Organisation.id) == col(Endorsement.organisation_id))
        .where(Endorsement.credential_id == credential_id)
        .order_by(col(Endorsement.asked_at), col(Endorsement.id))
    ).all()


def _question(held: Held, expires_at: datetime | None) -> EndorsementQuestion:
    return EndorsementQuestion(
        view=_view(held.endorsement, held.organisation),
        learner=held.around.learner_name,
        institution=held.around.institution,
        title=held.around.title,
        message=held.endorsement.message,
        recognised=tuple(o for o in held.definition.outcomes if o.code in held.recognised),
        form=saved_form(held.endorsement),
        expires_at=expires_at,
    )


def _view(row: Endorsement, organisation: Organisation) -> EndorsementView:
    since, until = period_of(row.period)
    state, answer = VoiceState(row.state), LearnerAnswer(row.answer)
    signed = row.document is not None
    return EndorsementView(
        id=EndorsementId(row.id),
        credential_id=CredentialId(row.credential_id),
        organisation_id=OrganisationId(organisation.id),
        organisation=organisation.name,
        domain=organisation.domain,
        registry_number=organisation.registry_number,
        state=state,
        name=row.endorser_name,
        email=row.endorser_email,
        title=row.endorser_title,
        outcomes=tuple(OutcomeCode(code) for code in row.outcome_codes),
        relation=row.relation,
        since=since,
        until=until,
        comment=row.comment,
        visibility=EndorsementVisibility(row.visibility),
        answer=answer,
        answers=answers_for(state, answer) if signed else (),
        identity=_identity(row.identity),
        asked_at=row.asked_at,
        given_at=row.given_at,
        withdrawn_at=row.withdrawn_at,
        decline_reason=row.decline_reason,
        signed=signed,
        counted=is_counted(row),
    )


def _identity(facts: Mapping[str, object] | None) -> Identity | None:
    if facts is None:
        return None
    return Identity(
        mail_confirmed=facts.get("mail_confirmed") is True,
        domain=str(facts.get("domain", "")),
        free_mail=facts.get("free_mail") is True,
        organisation=str(facts.get("organisation", "")),
    )
