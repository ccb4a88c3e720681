"""A slice of a batch that signs what is in force anew under another key.

The documents say what they said; only their proof is another. The earlier text of each is kept, and
copies that people have of it go on verifying as long as its key is published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlalchemy import select as columns
from sqlmodel import col, select

from credentials.documents import JsonObject, load_json
from storage.bulk import among, kept_to_the_end, write_rows
from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.events import SYSTEM, Fact, record_many
from storage.ids import CaseId, InstitutionId, OutboxId, sha256_of
from storage.outbox import receive
from storage.tables import Batch, BatchSlice, Credential, EarlierDocument
from workflows.issuance.batches import IN_FORCE, end_slice, hold_slice, open_slice
from workflows.issuance.claims import to_the_second
from workflows.issuance.keys import Issuer, live_key_id, signing_key
from workflows.issuance.signing import Unsigned, sign_anew


@dataclass(frozen=True)
class Kept:
    """A credential as it is, before it is signed anew."""

    id: UUID
    case_id: UUID
    definition_id: UUID
    document: str
    sha256: str


@dataclass(frozen=True)
class Anew:
    """A credential with its new document."""

    earlier: Kept
    document: str


@kept_to_the_end()
def resign_slice(db: Database, issuer: Issuer, slice_id: UUID, outbox_id: OutboxId) -> None:
    """The job: sign the credentials of a slice anew.

    Raises AlreadyDone, NotFound, Unavailable, and BadProof when a signed document does not verify.
    """
    with db.reading() as tx:
        found = open_slice(tx, slice_id)
        if found is not None:
            batch, part = found
            # the key that is live now: one that was retired since signs nothing more
            key_id = live_key_id(tx, InstitutionId(batch.institution_id))
            kept = _kept(tx, batch, part, key_id)
            key = signing_key(tx, issuer, key_id)
            at = to_the_second(tx.now)
    if found is None:
        _nothing_to_do(db, outbox_id)
        return
    unsigned = [Unsigned(_without_proof(one.document), one.definition_id) for one in kept]
    documents = sign_anew(unsigned, key, at)
    crash_point("resign.signed")
    anew = [Anew(one, document) for one, document in zip(kept, documents, strict=True)]
    _record(db, anew, key.id, slice_id, outbox_id)


def _kept(tx: Transaction, batch: Batch, part: BatchSlice, key_id: UUID) -> list[Kept]:
    rows = tx.session.execute(
        columns(
            col(Credential.id),
            col(Credential.case_id),
            col(Credential.definition_id),
            col(Credential.document),
            col(Credential.document_sha256),
        )
        .where(
            col(Credential.institution_id) == batch.institution_id,
            col(Credential.id).between(part.first_id, part.last_id),
            col(Credential.state).in_(IN_FORCE),
            col(Credential.key_id).is_distinct_from(key_id),
        )
        .order_by(col(Credential.id))
    ).all()
    return [
        Kept(row_id, case_id, definition_id, document, sha256)
        for row_id, case_id, definition_id, document, sha256 in rows
        if document is not None and sha256 is not None
    ]


def _without_proof(document: str) -> JsonObject:
    members = load_json(document.encode())
    return {key: value for key, value in members.items() if key != "proof"}


@command
def _record(
    db: Database, anew: Sequence[Anew], key_id: UUID, slice_id: UUID, outbox_id: OutboxId
) -> None:
    """Keep the earlier documents and write the new ones, all of the slice or none."""
    with db.transaction() as tx:
        receive(tx, outbox_id)
        part = hold_slice(tx, slice_id)
        standing = _still_the_same(tx, anew)
        if standing:
            _keep_earlier(tx, standing)
            _write(tx, standing, key_id)
        end_slice(tx, part, passed_over=len(anew) - len(standing))


def _still_the_same(tx: Transaction, anew: Sequence[Anew]) -> list[Anew]:
    """Those whose document nobody has changed meanwhile and that are still in force."""
    rows = tx.session.exec(
        select(Credential.id, Credential.document_sha256)
        .where(
            among(col(Credential.id), [one.earlier.id for one in anew]),
            col(Credential.state).in_(IN_FORCE),
        )
        .order_by(col(Credential.id))
        .with_for_update()
    ).all()
    now = dict(iter(rows))
    return [one for one in anew if now.get(one.earlier.id) == one.earlier.sha256]


def _keep_earlier(tx: Transaction, anew: Sequence[Anew]) -> None:
    rows = [
        {
            "subject_id": one.earlier.id,
            "sha256": one.earlier.sha256,
            "document": one.earlier.document,
            "kept_at": tx.now,
        }
        for one in anew
    ]
    write_rows(tx, EarlierDocument, rows)


def _write(tx: Transaction, anew: Sequence[Anew], key_id: UUID) -> None:
    table = update(Credential).where(col(Credential.id) == bindparam("of"))
    statement = table.values(
        document=bindparam("text"),
        document_sha256=bindparam("digest"),
        key_id=key_id,
        version=Credential.version + 1,
    )
    rows = [
        {
            "of": one.earlier.id,
            "text": one.document,
            "digest": sha256_of(one.document.encode()),
        }
        for one in anew
    ]
    tx.session.connection().execute(statement, rows)
    facts = [
        Fact(("credential", one.earlier.id), CaseId(one.earlier.case_id), {"sha256": row["digest"]})
        for one, row in zip(anew, rows, strict=True)
    ]
    record_many(tx, SYSTEM, "resign_credential", facts)


@command
def _nothing_to_do(db: Database, outbox_id: OutboxId) -> None:
    """It is done, or the batch was stopped: going on with it promises the slice anew."""
    with db.transaction() as tx:
        receive(tx, outbox_id)
