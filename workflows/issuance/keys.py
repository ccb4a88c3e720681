"""The keys that documents are signed with: made, sealed for rest, rotated, published for ever.

An institution has one live key; it also keeps one for each organisation that endorses. A retired
key signs nothing more and stays in the DID document, or the badges it signed would die.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import col, func, select

from credentials.did import PublishedKey, build_did_document
from credentials.documents import JsonObject
from credentials.keys import (
    PrivateKey,
    generate_ed25519,
    open_private,
    public_multibase,
    seal_private,
    seed_of,
)
from storage.database import Database, Transaction, command
from storage.errors import NotFound
from storage.events import SYSTEM, Who, record
from storage.ids import InstitutionId, OrganisationId, new_id
from storage.tables import Institution, IssuerKey
from workflows.issuance.addresses import Site


@dataclass(frozen=True)
class Issuer:
    """What signing needs from outside the database: where we are, and what opens the keys."""

    site: Site
    key_secret: str = field(repr=False)


@dataclass(frozen=True)
class SigningKey:
    """A key in hand, with the name under which its public half is published."""

    id: UUID
    did: str
    verification_method: str
    private: PrivateKey = field(repr=False)


@command
def ensure_issuer_key(
    db: Database,
    issuer: Issuer,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None = None,
) -> UUID:
    """The id of the live key of the institution or organisation, which is made if there is none."""
    with db.transaction() as tx:
        _hold(tx, institution_id)
        live = _live(tx, institution_id, organisation_id)
        if live is not None:
            return live.id
        return _make(tx, issuer, SYSTEM, institution_id, organisation_id).id


@command
def rotate_key(
    db: Database,
    issuer: Issuer,
    who: Who,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None = None,
    *,
    why: str = "",
) -> UUID:
    """Retire the live key and make a new one; what the old one signed stays valid."""
    with db.transaction() as tx:
        _hold(tx, institution_id)
        live = _live(tx, institution_id, organisation_id)
        if live is not None:
            live.retired_at = tx.now
            record(tx, who, "retire_key", ("issuer_key", live.id), why=why)
        return _make(tx, issuer, who, institution_id, organisation_id).id


def live_key_id(
    tx: Transaction,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None = None,
) -> UUID:
    """The id of the key that signs now. Raises NotFound when none was made yet."""
    live = _live(tx, institution_id, organisation_id)
    if live is None:
        raise NotFound("No signing key has been made yet.")
    return live.id


def signing_key(tx: Transaction, issuer: Issuer, key_id: UUID) -> SigningKey:
    """The key in hand. Raises NotFound; BadKey when the secret is not the one that sealed it."""
    kept = tx.session.get(IssuerKey, key_id)
    if kept is None:
        raise NotFound("There is no such signing key.")
    organisation = OrganisationId(kept.organisation_id) if kept.organisation_id else None
    did = issuer.site.did(organisation)
    private = open_private(kept.sealed_seed.decode(), issuer.key_secret, str(kept.id))
    return SigningKey(kept.id, did, f"{did}#{kept.fragment}", private)


def did_document(
    tx: Transaction,
    site: Site,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None = None,
) -> JsonObject:
    """The DID document with all keys there ever were. Raises NotFound when there is none."""
    keys = _all(tx, institution_id, organisation_id)
    if not keys:
        raise NotFound("No key is published here.")
    published = [PublishedKey(key.fragment, key.public_multibase) for key in keys]
    return build_did_document(site.did(organisation_id), published)


def _hold(tx: Transaction, institution_id: InstitutionId) -> None:
    """One at a time, so that there is never a second live key."""
    held = tx.session.get(Institution, institution_id, with_for_update={"key_share": True})
    if held is None:
        raise NotFound("There is no such institution.")


def _live(
    tx: Transaction, institution_id: InstitutionId, organisation_id: OrganisationId | None
) -> IssuerKey | None:
    return next(
        (key for key in _all(tx, institution_id, organisation_id) if key.retired_at is None), None
    )


def _all(
    tx: Transaction, institution_id: InstitutionId, organisation_id: OrganisationId | None
) -> Sequence[IssuerKey]:
    return tx.session.exec(
        select(IssuerKey)
        .where(
            IssuerKey.institution_id == institution_id,
            col(IssuerKey.organisation_id).is_not_distinct_from(organisation_id),
        )
        .order_by(col(IssuerKey.created_at), col(IssuerKey.id))
    ).all()


def _make(
    tx: Transaction,
    issuer: Issuer,
    who: Who,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None,
) -> IssuerKey:
    private = generate_ed25519()
    key_id = new_id()
    number = tx.session.exec(
        select(func.count())
        .select_from(IssuerKey)
        .where(
            IssuerKey.institution_id == institution_id,
            col(IssuerKey.organisation_id).is_not_distinct_from(organisation_id),
        )
    ).one()
    key = IssuerKey(
        id=key_id,
        institution_id=institution_id,
        organisation_id=organisation_id,
        fragment=f"key-{number + 1}",
        public_multibase=public_multibase(private),
        sealed_seed=seal_private(seed_of(private), issuer.key_secret, str(key_id)).encode(),
        created_at=tx.now,
    )
    tx.session.add(key)
    tx.session.flush()
    record(tx, who, "make_key", ("issuer_key", key.id), data={"public": key.public_multibase})
    return key
