"""Who can assess a case: competence, no known conflict, and how much they have on their table.

`why_not` is pure; `candidates` reads the facts for all assessors in a few statements.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import AccountId
from storage.tables import (
    Account,
    Assignment,
    Attestation,
    Case,
    Competence,
    ConflictOverride,
    DefinitionVersion,
    Event,
    RoleGrant,
    ScoreSheet,
)
from storage.vocabulary import CaseState, OverrideAnswer, Role, SheetState
from workflows.access.resources import SEATED
from workflows.access.rules import Actor
from workflows.people.addresses import same_mailbox

LOOKS = ("open_evidence", "access_refused")
"""Events that say that somebody looked, or tried to: no part in a case."""


@dataclass(frozen=True)
class CandidateFacts:
    """What is known of an assessor with a view to one case."""

    is_learner: bool
    competent: bool
    employer: str
    learner_employer: str
    had_place: bool
    had_conflict: bool
    other_part: bool
    attested: bool
    assessed_before: bool = False
    """in a round that was decided, and is assessed anew"""
    set_aside: bool = False
    """has a sheet of this round that counts no more"""
    overridden: bool = False
    """two people have let them assess in spite of the conflict"""


@dataclass(frozen=True)
class Candidate:
    """An assessor of the institution. `refusals` says why they cannot assess this case."""

    id: AccountId
    name: str
    load: int
    refusals: tuple[str, ...]
    overridden: bool = False

    @property
    def overridable(self) -> bool:
        """Whether nothing but a conflict of interest speaks against them."""
        return not self.fit and CONFLICTS.issuperset(self.refusals)

    @property
    def fit(self) -> bool:
        """Whether they can be asked."""
        return not self.refusals


SAME_EMPLOYER = "Works for the learner's employer."
DECLARED_CONFLICT = "Declared a conflict of interest in this case."
CONFLICTS = frozenset({SAME_EMPLOYER, DECLARED_CONFLICT})
"""What two people together may override. Who takes two parts in a case is never let in."""


def why_not(facts: CandidateFacts) -> tuple[str, ...]:
    """Everything that speaks against asking someone, in words; empty when nothing does."""
    reasons = (
        (facts.is_learner, "This is their own case."),
        (not facts.competent, "Not named as an expert for this credential."),
        (_same_employer(facts) and not facts.overridden, SAME_EMPLOYER),
        (facts.attested, "Is a witness in this case."),
        (facts.other_part, "Had another part in this case."),
        (facts.had_conflict and not facts.overridden, DECLARED_CONFLICT),
        (facts.set_aside, "Their scores in this round were set aside."),
        (facts.assessed_before, "Was asked to assess it before it was decided."),
        (facts.had_place and not facts.had_conflict, "Was asked in this round already."),
    )
    return tuple(reason for speaks, reason in reasons if speaks)


def candidates(tx: Transaction, case: Case) -> Sequence[Candidate]:
    """All assessors of the institution: those who can be asked first, the least busy on top."""
    learner = tx.session.get_one(Account, case.learner_id)
    assessors = _assessors(tx, case)
    experts = _experts(tx, case)
    loads = loads_of(tx, [account.id for account in assessors])
    places = _places(tx, case)
    others = _others(tx, case)
    witnesses = _witnesses(tx, case)
    sheets = _set_aside(tx, case)
    lifted = _overridden(tx, case)
    found = [
        Candidate(
            id=AccountId(account.id),
            name=account.name,
            load=loads.get(account.id, 0),
            overridden=_lifts(lifted.get(account.id), places[account.id]),
            refusals=why_not(
                CandidateFacts(
                    is_learner=account.id == learner.id,
                    competent=account.id in experts,
                    employer=account.employer,
                    learner_employer=learner.employer,
                    had_place=any(place.round == case.round for place in places[account.id]),
                    had_conflict=any(_conflicted(place) for place in places[account.id]),
                    other_part=account.id in others,
                    attested=any(same_mailbox(account.email, email) for email in witnesses),
                    assessed_before=case.decision_id is not None
                    and any(place.round < case.round for place in places[account.id]),
                    set_aside=account.id in sheets,
                    overridden=_lifts(lifted.get(account.id), places[account.id]),
                )
            ),
        )
        for account in assessors
    ]
    return sorted(found, key=lambda one: (not one.fit, one.load, one.name))


def is_witness(tx: Transaction, case: Case, actor: Actor) -> bool:
    """Whether somebody is a witness in the case: asked to speak of the learner."""
    return any(same_mailbox(actor.email, email) for email in _witnesses(tx, case) if actor.email)


def loads_of(tx: Transaction, account_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many cases each of these still has to score."""
    rows = tx.session.execute(
        select(col(Assignment.assessor_id), func.count())
        .join(Case, col(Case.id) == col(Assignment.case_id))
        .outerjoin(ScoreSheet, col(ScoreSheet.assignment_id) == col(Assignment.id))
        .where(
            col(Assignment.assessor_id).in_(account_ids),
            col(Assignment.state).in_([state.value for state in SEATED]),
            col(Case.state) == CaseState.ASSESSMENT.value,
            col(ScoreSheet.state).is_(None) | (col(ScoreSheet.state) == SheetState.OPEN.value),
        )
        .group_by(col(Assignment.assessor_id))
    ).all()
    return {row[0]: row[1] for row in rows}


def _same_employer(facts: CandidateFacts) -> bool:
    theirs, learners = _plain(facts.employer), _plain(facts.learner_employer)
    return bool(theirs) and theirs == learners


def _plain(employer: str) -> str:
    return "".join(character for character in employer.casefold() if character.isalnum())


def _conflicted(place: Assignment) -> bool:
    return place.state == "excluded" and place.conflict in {"possible", "yes"}


def _lifts(proposed_at: datetime | None, places: Sequence[Assignment]) -> bool:
    """Whether a confirmed override speaks of all that was declared; it lifts nothing said later."""
    said = [one.declared_at for one in places if _conflicted(one) and one.declared_at]
    return proposed_at is not None and all(at <= proposed_at for at in said)


def _overridden(tx: Transaction, case: Case) -> Mapping[UUID, datetime]:
    """When the latest confirmed override in this round was proposed, by assessor."""
    rows = tx.session.exec(
        select(ConflictOverride.assessor_id, func.max(col(ConflictOverride.proposed_at)))
        .where(
            ConflictOverride.case_id == case.id,
            ConflictOverride.round == case.round,
            ConflictOverride.answer == OverrideAnswer.CONFIRMED.value,
        )
        .group_by(col(ConflictOverride.assessor_id))
    ).all()
    return {row[0]: row[1] for row in rows if row[1] is not None}


def _set_aside(tx: Transaction, case: Case) -> frozenset[UUID]:
    rows = tx.session.exec(
        select(ScoreSheet.assessor_id).where(
            ScoreSheet.case_id == case.id,
            ScoreSheet.round == case.round,
            ScoreSheet.state == SheetState.SUPERSEDED.value,
        )
    ).all()
    return frozenset(rows)


def _assessors(tx: Transaction, case: Case) -> Sequence[Account]:
    return tx.session.exec(
        select(Account)
        .join(RoleGrant, col(RoleGrant.account_id) == col(Account.id))
        .where(
            RoleGrant.institution_id == case.institution_id,
            RoleGrant.role == Role.ASSESSOR.value,
            col(RoleGrant.revoked_at).is_(None),
            col(Account.disabled_at).is_(None),
        )
    ).all()


def _experts(tx: Transaction, case: Case) -> frozenset[UUID]:
    rows = tx.session.exec(
        select(Competence.account_id)
        .join(DefinitionVersion, col(DefinitionVersion.code) == col(Competence.definition_code))
        .where(DefinitionVersion.id == case.definition_id)
    ).all()
    return frozenset(rows)


def _places(tx: Transaction, case: Case) -> Mapping[UUID, list[Assignment]]:
    found: defaultdict[UUID, list[Assignment]] = defaultdict(list)
    for place in tx.session.exec(select(Assignment).where(Assignment.case_id == case.id)).all():
        found[place.assessor_id].append(place)
    return found


def _others(tx: Transaction, case: Case) -> frozenset[UUID | None]:
    """Who did anything in this case but assess it."""
    rows = tx.session.exec(
        select(Event.actor_id)
        .where(
            Event.case_id == case.id,
            Event.actor_role != Role.ASSESSOR.value,
            col(Event.kind).not_in(LOOKS),
        )
        .distinct()
    ).all()
    return frozenset(rows)


def _witnesses(tx: Transaction, case: Case) -> Sequence[str]:
    return tx.session.exec(
        select(Attestation.supervisor_email).where(Attestation.case_id == case.id)
    ).all()
