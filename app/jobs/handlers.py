"""Which command does which kind of work. A handler calls one command with an id and no more.

The command receives the promise in the transaction that does the work
(`storage.outbox.receive(tx, outbox_id)`); until then the work counts as not done. Only workers
import this module: what it imports is loaded once, before they fork.
"""

from collections.abc import Callable, Mapping

from app.container import Container
from app.looking.looker import ConfinedLooker
from app.sandbox import ChildProcesses
from storage.ids import (
    AttestationId,
    CaseId,
    CredentialId,
    DecisionId,
    EndorsementId,
    ItemId,
)
from storage.outbox import Promised
from workflows.assessment.moderation import settle_agreement
from workflows.attestations.sealing import seal_attestation
from workflows.endorsements.signing import sign_endorsement
from workflows.evidence.erasing import erase_evidence
from workflows.evidence.sealing import Checks, seal_evidence
from workflows.issuance.commands import issue_credential
from workflows.issuance.correcting import issue_correction
from workflows.issuance.releasing import release_slice
from workflows.issuance.resigning import resign_slice
from workflows.issuance.status import sign_status_list
from workflows.keeping.commands import erase_case
from workflows.looking.commands import draw_pages, inspect_evidence
from workflows.looking.renditions import make_rendition
from workflows.people.mail import send_mail
from workflows.webhooks.sending import send_news
from workflows.work import Work

Handler = Callable[[Container, Promised], None]

LOOKER = ConfinedLooker(ChildProcesses())


def _seal_evidence(parts: Container, work: Promised) -> None:
    checks = Checks(parts.scanner, parts.confinement, parts.seal_policy)
    seal_evidence(parts.db, parts.vault, checks, ItemId(work.subject_id), work.id)


def _erase_evidence(parts: Container, work: Promised) -> None:
    erase_evidence(parts.db, parts.vault, ItemId(work.subject_id), work.id)


def _inspect_evidence(parts: Container, work: Promised) -> None:
    inspect_evidence(parts.db, parts.vault, LOOKER, ItemId(work.subject_id), work.id)


def _draw_pages(parts: Container, work: Promised) -> None:
    draw_pages(parts.db, parts.vault, LOOKER, ItemId(work.subject_id), work.id)


def _make_rendition(parts: Container, work: Promised) -> None:
    make_rendition(parts.db, parts.vault, LOOKER, ItemId(work.subject_id), work.id)


def _erase_case(parts: Container, work: Promised) -> None:
    erase_case(parts.db, parts.site, work.subject_id, work.id)


def _send_mail(parts: Container, work: Promised) -> None:
    send_mail(parts.db, parts.mailer, work.subject_id, work.id)


def _settle_agreement(parts: Container, work: Promised) -> None:
    settle_agreement(parts.db, CaseId(work.subject_id), work.id)


def _issue_credential(parts: Container, work: Promised) -> None:
    issue_credential(parts.db, parts.issuer, DecisionId(work.subject_id), work.id)


def _correct_credential(parts: Container, work: Promised) -> None:
    issue_correction(parts.db, parts.issuer, CredentialId(work.subject_id), work.id)


def _release_slice(parts: Container, work: Promised) -> None:
    release_slice(parts.db, parts.issuer, work.subject_id, work.id)


def _resign_slice(parts: Container, work: Promised) -> None:
    resign_slice(parts.db, parts.issuer, work.subject_id, work.id)


def _sign_status_list(parts: Container, work: Promised) -> None:
    sign_status_list(parts.db, parts.issuer, work.subject_id, work.id)


def _sign_endorsement(parts: Container, work: Promised) -> None:
    sign_endorsement(parts.db, parts.issuer, EndorsementId(work.subject_id), work.id)


def _seal_attestation(parts: Container, work: Promised) -> None:
    attestation_id = AttestationId(work.subject_id)
    seal_attestation(parts.db, parts.site, parts.vault, attestation_id, work.id)


def _send_news(parts: Container, work: Promised) -> None:
    send_news(parts.db, parts.issuer, parts.courier, work.id)


HANDLERS: Mapping[str, Handler] = {
    Work.SEAL_EVIDENCE: _seal_evidence,
    Work.ERASE_EVIDENCE: _erase_evidence,
    Work.ERASE_CASE: _erase_case,
    Work.INSPECT_EVIDENCE: _inspect_evidence,
    Work.DRAW_PAGES: _draw_pages,
    Work.MAKE_RENDITION: _make_rendition,
    Work.SEND_MAIL: _send_mail,
    Work.SETTLE_AGREEMENT: _settle_agreement,
    Work.ISSUE_CREDENTIAL: _issue_credential,
    Work.CORRECT_CREDENTIAL: _correct_credential,
    Work.RELEASE_SLICE: _release_slice,
    Work.RESIGN_SLICE: _resign_slice,
    Work.SIGN_STATUS_LIST: _sign_status_list,
    Work.SIGN_ENDORSEMENT: _sign_endorsement,
    Work.SEAL_ATTESTATION: _seal_attestation,
    Work.SEND_NEWS: _send_news,
}
