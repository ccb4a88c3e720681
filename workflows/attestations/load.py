"""Taking an attestation in hand: by its id for the learner, by its link for the supervisor."""

from dataclasses import dataclass

from storage.database import Transaction
from storage.errors import Conflict, NotFound
from storage.events import Who, record
from storage.ids import AttestationId, CaseId
from storage.tables import (
    Account,
    Attestation,
    Case,
    DefinitionVersion,
    Institution,
    MailLink,
)
from storage.vocabulary import LinkPurpose, Role, VoiceState
from workflows.access.rules import NOT_YOURS
from workflows.attestations.mails import Around
from workflows.attestations.rules import Observable, observables
from workflows.cases.load import state_of
from workflows.cases.states import FINISHED
from workflows.frameworks.definition import read_definition
from workflows.people.links import find_link, find_used_link
from workflows.voices import turned


@dataclass(frozen=True)
class Held:
    """An attestation, locked, with its case and what is around it."""

    attestation: Attestation
    case: Case
    around: Around
    outcomes: tuple[Observable, ...]

    @property
    def id(self) -> AttestationId:
        """The attestation's id."""
        return AttestationId(self.attestation.id)

    @property
    def supervisor(self) -> Who:
        """The one who holds the link, as the one who acts."""
        return Who(Role.SUPERVISOR, label=self.attestation.supervisor_name)


def hold(tx: Transaction, attestation_id: AttestationId) -> Held:
    """The attestation, held until the transaction ends. Raises NotFound."""
    attestation = tx.session.get(Attestation, attestation_id, with_for_update=True)
    if attestation is None:
        raise NotFound(NOT_YOURS)
    return _held(tx, attestation)


def look(tx: Transaction, attestation_id: AttestationId) -> Held:
    """The attestation, only looked at. Raises NotFound."""
    attestation = tx.session.get(Attestation, attestation_id)
    if attestation is None:
        raise NotFound(NOT_YOURS)
    return _held(tx, attestation)


def by_link(tx: Transaction, token: str, *, locked: bool = False) -> tuple[Held, MailLink]:
    """What a live link stands for. Raises LinkEnded, Conflict (the case is over)."""
    link = find_link(tx, LinkPurpose.ATTEST, token)
    found = hold if locked else look
    held = found(tx, AttestationId(link.subject_id))
    if state_of(held.case) in FINISHED:
        raise Conflict("This case was closed meanwhile: nothing is needed from you. Thank you.")
    return held, link


def by_used_link(tx: Transaction, token: str, *, locked: bool = False) -> Held:
    """What a link stands for, also after it was used. Raises LinkEnded."""
    link = find_used_link(tx, LinkPurpose.ATTEST, token)
    found = hold if locked else look
    return found(tx, AttestationId(link.subject_id))


def turn(tx: Transaction, held: Held, act: str, who: Who, *, why: str = "") -> None:
    """Move the attestation by an act and write it down. Raises Conflict when it moved on."""
    attestation = held.attestation
    attestation.state = turned(attestation.state, act).value
    attestation.version += 1
    if VoiceState(attestation.state) not in {VoiceState.OPENED, VoiceState.GIVEN}:
        attestation.ended_at = tx.now
    record(
        tx,
        who,
        f"{act}_attestation",
        ("attestation", attestation.id),
        case_id=CaseId(held.case.id),
        why=why,
    )


def around(tx: Transaction, case: Case) -> tuple[Around, DefinitionVersion]:
    """Who and what a case's attestations are between."""
    learner = tx.session.get_one(Account, case.learner_id)
    institution = tx.session.get_one(Institution, case.institution_id)
    version = tx.session.get_one(DefinitionVersion, case.definition_id)
    named = Around(learner.name, learner.email, learner.locale, institution.name, version.title)
    return named, version


def _held(tx: Transaction, attestation: Attestation) -> Held:
    case = tx.session.get(Case, attestation.case_id)
    if case is None:
        raise NotFound(NOT_YOURS)
    named, version = around(tx, case)
    asked = observables(read_definition(version.body), attestation.outcome_codes)
    return Held(attestation, case, named, asked)
