"""The job that keeps a given statement as evidence: its page in the vault, its item in the case."""

from calendar import monthrange
from datetime import date

from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.events import SYSTEM, record
from storage.ids import AttestationId, CaseId, ItemId, OutboxId, Sha256, new_id, sha256_of
from storage.outbox import receive
from storage.tables import EvidenceItem, EvidenceMapping
from storage.vault import Vault
from storage.vocabulary import Disclosure, EvidenceKind, EvidenceState, ScanVerdict, VoiceState
from workflows.attestations import mails
from workflows.attestations.document import KeptStatement, read_kept, statement_page
from workflows.attestations.load import Held, hold, look
from workflows.cases.load import lock_case, state_of
from workflows.cases.states import EDITABLE, FINISHED
from workflows.evidence.kept import hold_sealed_object
from workflows.issuance.addresses import Site
from workflows.words import words

MEDIA_TYPE = "text/html"


def seal_attestation(
    db: Database, site: Site, vault: Vault, attestation_id: AttestationId, outbox_id: OutboxId
) -> None:
    """Put the statement's page into the vault and its item into the case, once.

    A statement that was withdrawn before this, or whose case is over, is not made evidence.
    Raises StoreAway, AlreadyDone, NotFound.
    """
    with db.reading() as tx:
        given = look(tx, attestation_id).attestation.statement
    if given is None:
        _drop(db, outbox_id)
        return
    kept = read_kept(given)
    page = statement_page(kept)
    digest = sha256_of(page)
    vault.put_sealed(page, _claim(db, digest, len(page)))
    crash_point("attest.stored")
    _record(db, site, attestation_id, outbox_id, (kept, digest, len(page)))


@command
def _claim(db: Database, digest: Sha256, size: int) -> str:
    with db.transaction() as tx:
        return hold_sealed_object(tx, digest, size).key


@command
def _record(
    db: Database,
    site: Site,
    attestation_id: AttestationId,
    outbox_id: OutboxId,
    sealed: tuple[KeptStatement, Sha256, int],
) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)
        held = hold(tx, attestation_id)
        lock_case(tx, held.case.id)  # the item is of this round or of the next, and never between
        if held.attestation.state != VoiceState.GIVEN or state_of(held.case) in FINISHED:
            return
        item = _item(tx, held, *sealed)
        tx.session.add(item)
        tx.session.flush()
        for rating in sealed[0].ratings:
            if rating.level is not None:
                tx.session.add(EvidenceMapping(item_id=item.id, outcome_code=rating.outcome))
        held.attestation.item_id = item.id
        record(
            tx,
            SYSTEM,
            "seal_evidence",
            ("evidence_item", item.id),
            case_id=CaseId(held.case.id),
            data={"sha256": sealed[1], "size": sealed[2], "attestation": str(attestation_id)},
        )
        mails.tell_given(tx, held.attestation, held.around, site.case(CaseId(held.case.id)))


@command
def _drop(db: Database, outbox_id: OutboxId) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)


def _item(
    tx: Transaction, held: Held, kept: KeptStatement, digest: Sha256, size: int
) -> EvidenceItem:
    """The item. After submission nothing changes in a round: then it belongs to the next one."""
    say = words(kept.locale)
    editable = state_of(held.case) in EDITABLE
    return EvidenceItem(
        id=ItemId(new_id()),
        case_id=held.case.id,
        round=held.case.round if editable else held.case.round + 1,
        state=EvidenceState.SEALED.value,
        kind=EvidenceKind.ATTESTATION.value,
        title=say("Statement by %(name)s, %(role)s", name=kept.name, role=kept.role),
        work_from=_first_day(kept.since),
        work_to=_last_day(kept.until) if kept.until else kept.given_at.date(),
        disclosure=Disclosure.DIGEST_ONLY.value,
        file_name=f"statement-{held.id.hex[-8:]}.html",
        declared_type=MEDIA_TYPE,
        declared_size=size,
        size=size,
        media_type=MEDIA_TYPE,
        sha256=digest,
        scan=ScanVerdict.NOT_SCANNED.value,
        attestation_id=held.id,
        created_at=tx.now,
        stored_at=tx.now,
        sealed_at=tx.now,
    )


def _first_day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _last_day(month: str) -> date:
    first = _first_day(month)
    return first.replace(day=monthrange(first.year, first.month)[1])
